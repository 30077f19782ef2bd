"""Adaptive therapy by a rule in Python: pause the CDK4/6 inhibitor at a response, resume it at regrowth.

python examples/adaptive_therapy.py
"""

from __future__ import annotations

import argparse

import polars as pl
import tumor_abm as ta


def adaptive(model: ta.TumorModel) -> list[str] | None:
    """Decide at an assessment: the drugs from today on, or ``None`` for no change."""
    if model.day == 0:  # regrowth is part of the plan, so progression is counted from the baseline
        model.intervene(["letrozole", "palbociclib"], progression_from="baseline")
        return None
    if model.line == 0:
        return ["fulvestrant"] if model.outcomes.height == 1 else None
    change = model.scan["sld_change"] if model.scan else None
    if model.line > 1 or change is None:
        return None
    if change <= -0.3:
        return ["letrozole"]
    return ["letrozole", "palbociclib"] if change >= 0 else None


def main(months: float = 60, seed: int = 1) -> tuple[ta.TumorModel, ta.TumorModel]:
    """Treat the same patient continuously and adaptively."""
    responder = {"er_dependence": 0.95, "bone_only": False}
    given = {"covariates": responder, "horizon_months": months, "rng": seed}
    continuous = ta.TumorModel(strategy=[["letrozole", "palbociclib"], ["fulvestrant"]], **given)
    by_rule = ta.TumorModel(strategy=adaptive, **given)
    for name, model in (("continuous", continuous), ("adaptive", by_rule)):
        model.run()
        print(f"{name}: {model.status} on day {model.day:.0f}")
        print(model.outcomes.select("line", "regimen", "start_day", "end_day", "end_reason"))
    changes = by_rule.events.filter(pl.col("event") == "intervention")
    print(changes.select("day", "detail"))
    return continuous, by_rule


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.months, arguments.seed)
