"""How the mutation rate shapes the tumour at progression: a sweep, as one polars frame.

python examples/sweep_a_parameter.py
"""

from __future__ import annotations

import argparse

import polars as pl
import tumor_abm as ta


def main(patients: int = 20, months: float = 60) -> pl.DataFrame:
    """Run the same patients with several mutation rates."""
    rows = []
    for fold in (0.1, 1.0, 10.0):
        for patient in range(patients):
            model = ta.TumorModel(
                patient=patient, mutation_rate=fold, horizon_months=months, rng=1, collect_every_days=0
            )
            while model.running and model.line == 1:
                model.step()
            resistant = model.genotypes.filter(pl.col("division") > pl.col("death"))
            rows.append(
                {
                    "mutation_rate": fold,
                    "patient": patient,
                    "months": model.day / 30.4375,
                    "genotypes": model.genotypes.height,
                    "growing_on_treatment": resistant["fraction"].sum(),
                }
            )
    frame = pl.DataFrame(rows)
    means = pl.col("months", "genotypes", "growing_on_treatment").mean()
    print(frame.group_by("mutation_rate", maintain_order=True).agg(means))
    return frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--months", type=float, default=60)
    arguments = parser.parse_args()
    main(arguments.patients, arguments.months)
