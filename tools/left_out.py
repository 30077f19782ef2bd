"""Predict each class of trials by a fit to all others: ``python -m tools.left_out DIR [SEARCH ...]``.

``DIR`` is that of a finished calibration; `left_out.csv` is written into it, which `tools.calibration` shows.
If it was made of what other calibrations had searched (``--known``), name their directories.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from tumor_abm.calibration.left_out import left_out
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import JOURNAL, centre_of, journalled
from tumor_abm.calibration.store import SEARCHES

LEFT_OUT = "left_out.csv"
PATIENTS = 96
SEED = 4_242
JOBS = 2


def main(arguments: Sequence[str]) -> None:
    """Write the table; `arguments` are the directory of the calibration and those of its searches."""
    found, *searches = map(Path, arguments)
    problem = Problem.shipped("all")
    journals = [journalled(path / JOURNAL, problem.simulated_sha256) for path in searches or [found]]
    middle = pl.read_csv((found / SEARCHES).absolute(), glob=False)["middle"]
    middles = [centre_of(problem, journals[place]) for place in middle.arg_sort()]
    tried = [one for journal in journals for one in journal]
    classes = PlanFile.shipped("all").left_out
    table = left_out(problem, tried, middles, classes, patients=PATIENTS, seed=SEED, jobs=JOBS)
    table.write_csv(found / LEFT_OUT)
    print(json.dumps({"rows": table.height, "file": str(found / LEFT_OUT)}))


if __name__ == "__main__":
    main(sys.argv[1:])
