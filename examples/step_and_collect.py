"""Step a patient to the first progression and look at what was collected.

python examples/step_and_collect.py
"""

from __future__ import annotations

import argparse

import tumor_abm as ta


def main(months: float = 60, seed: int = 1) -> ta.TumorModel:
    """Run one patient on letrozole and palbociclib until the line is left."""
    model = ta.TumorModel(
        strategy=[["letrozole", "palbociclib"], ["fulvestrant"]],
        horizon_months=months,
        rng=seed,
        agent_reporters={"genotype": "genotype", "cells": "cells"},
        collect_every_days=28,
    )
    while model.running and model.line == 1:
        model.step()
    resistant = model.agents.select(lambda clone: clone.net > 0)
    print(f"day {model.day:.0f}, {model.status}, now on: {model.regimen or 'nothing'}")
    print(f"{len(model.agents)} clones live; {len(resistant)} of them grow on treatment")
    print(model.genotypes)
    print(model.datacollector.get_model_vars_dataframe()[["day", "cells", "sld_mm"]].tail())
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.months, arguments.seed)
