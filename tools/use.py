"""What a row of the table of trials was used for: fitted by the shipped ensemble, or only compared."""

from __future__ import annotations

from typing import get_args

import polars as pl
from tumor_abm.calibration.parameters import Plan
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.knowledge.evidence import IN_PRACTICE

FITTED, POST, CHEMO, DRUG = "fitted", "post", "chemo", "drug"
NEAR, PRACTICE, CONTEXT = "near", "practice", "context"
LATER = {POST: "calib-post", CHEMO: "calib-chemo", DRUG: "calib-"}
"""May be fitted, and is not yet, by the beginning of the split."""


def with_use(held: pl.DataFrame) -> pl.DataFrame:
    """Add a column ``use``.

    Parameters
    ----------
    held
        Rows of the table of trials, each with the ``file`` of the trial that simulates it.
    """
    row = pl.col("row")
    numbered = held.with_row_index("row")
    plans = map(PlanFile.shipped, get_args(Plan))
    in_loss = [plan.rows(numbered).filter(pl.col("file").is_in(plan.trials))["row"] for plan in plans]
    split = pl.col("split")
    use = (
        pl.when(pl.col("role") == IN_PRACTICE)
        .then(pl.lit(PRACTICE))
        .when(row.is_in(pl.concat(in_loss).implode()))
        .then(pl.lit(FITTED))
        .when(split.str.starts_with("validate-near"))
        .then(pl.lit(NEAR))
    )
    for later, start in LATER.items():
        use = use.when(split.str.starts_with(start)).then(pl.lit(later))
    return numbered.with_columns(use=use.otherwise(pl.lit(CONTEXT))).drop("row")
