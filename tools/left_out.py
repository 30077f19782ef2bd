"""Predict each class of trials by a fit to all others: ``python -m tools.left_out DIR [JOBS]``.

``DIR`` is that of a finished calibration; `left_out.csv` is written into it, which `tools.calibration` shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tumor_abm.calibration.left_out import left_out
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import JOURNAL, centre_of, journalled

LEFT_OUT = "left_out.csv"
PATIENTS = 96
SEED = 4_242


def main(arguments: Sequence[str]) -> None:
    """Write the table; `arguments` are the directory of the calibration and the number of threads."""
    found, jobs = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 2
    problem = Problem.shipped("all")
    tried = journalled(found / JOURNAL, problem.simulated_sha256)
    classes = PlanFile.shipped("all").left_out
    middle = centre_of(problem, tried)
    table = left_out(problem, tried, middle, classes, patients=PATIENTS, seed=SEED, jobs=jobs)
    table.write_csv(found / LEFT_OUT)
    print(json.dumps({"rows": table.height, "file": str(found / LEFT_OUT)}))


if __name__ == "__main__":
    main(sys.argv[1:])
