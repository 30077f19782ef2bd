"""Adaptive therapy by a rule in Python: pause all drugs at a response, resume them at regrowth.

Some tumours go through several cycles; in others resistant cells, or new lesions, end the line
before there is anything to resume. So the example treats several patients, each of them
continuously and adaptively, and counts.

python examples/adaptive_therapy.py
"""

from __future__ import annotations

import argparse

import polars as pl
import tumor_abm as ta

DRUGS = ["letrozole", "palbociclib"]
PAUSE_AT, RESUME_AT = -0.3, -0.2
"""Change of the sum of diameters since the baseline at which the drugs are paused, and resumed."""


def adaptive(model: ta.TumorModel) -> list[str] | None:
    """Decide at an assessment: the drugs from today on, or ``None`` for no change."""
    if model.day == 0:
        return DRUGS
    if model.line == 0:
        return ["fulvestrant"] if model.outcomes.height == 1 else None
    change = model.scan["sld_change"] if model.scan else None
    if model.line > 1 or change is None:
        return None
    if change <= PAUSE_AT:
        return []
    # What was not tolerated is no part of the regimen any more.
    return model.drugs["drug"].to_list() if change >= RESUME_AT else None


def main(patients: int = 10, months: float = 60, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Treat the same patients continuously and adaptively; return a row each, and the changes of drugs."""
    responder = {"er_dependence": 0.95, "bone_only": False}
    strategies = {"continuous": [DRUGS, ["fulvestrant"]], "adaptive": adaptive}
    rows, changes = [], []
    for patient in range(patients):
        for name, strategy in strategies.items():
            model = ta.TumorModel(
                patient=patient,
                strategy=strategy,
                covariates=responder,
                horizon_months=months,
                progression_from="baseline",  # regrowth is part of the plan; the same rule for both
                rng=seed,
                collect_every_days=0,
            )
            model.run()
            first = model.outcomes.row(0, named=True)
            changed = model.events.filter(pl.col("event") == "intervention", pl.col("day") < first["end_day"])
            changed = changed.select(
                pl.lit(patient).alias("patient"), pl.lit(name).alias("strategy"), "day", "detail"
            )
            paused = changed["detail"].str.starts_with("hold")
            rows.append(
                {
                    "patient": patient,
                    "strategy": name,
                    "pauses": int(paused.sum()),
                    "resumptions": int((~paused).sum()),
                    "first_line_months": first["pfs_months"],
                    "end_reason": first["end_reason"],
                    "status": model.status,
                }
            )
            changes.append(changed)
    table = pl.DataFrame(rows)
    print(table)
    pauses = table.filter(strategy="adaptive")["pauses"]
    print(f"{(pauses > 0).sum()} of {patients} patients pause, {(pauses > 1).sum()} more than once")
    return table, pl.concat(changes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--months", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.patients, arguments.months, arguments.seed)
