"""What trials were, and what they found."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl

from tumor_abm.knowledge.evidence.table import read

IN_PRACTICE = "real-world"
"""Role of the rows that tell of patients outside of trials: compared, never fitted."""

_TEXTS = ("trial", "arm", "role", "population", "line", "prior_cdk46i", "subset", "regimen", "assess_weeks")
_NUMBERS = (
    *("mpfs_mo", "ci_lo", "ci_hi", "ci_level", "hr", "hr_lo", "hr_hi"),
    *("pfs6", "pfs12", "pfs18", "pfs24", "pfs36", "orr_pct", "cbr_pct", "mos_mo", "os_lo", "os_hi"),
)
_DESIGN: dict[str, Any] = {**dict.fromkeys(_TEXTS, pl.String), "n": pl.Int64}
_OUTCOME: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, pl.Float64),
    **dict.fromkeys(("vs", "orr_base", "split", "src", "confidence", "note"), pl.String),
}


@cache
def trials() -> pl.DataFrame:
    """Return published trials: design and outcomes, a row per arm or subset, months and percent.

    Rows whose ``role`` is `IN_PRACTICE` are of patients outside of trials, who were not assigned what they
    took: they are compared and never fitted, whatever their ``split``.
    """
    return read("trials.csv", _DESIGN | _OUTCOME)


@cache
def trials_to_predict() -> pl.DataFrame:
    """Return the designs of the trials whose outcomes are kept apart, a row per arm or subset."""
    return read("trials_to_predict.csv", _DESIGN)


@cache
def designs() -> pl.DataFrame:
    """Return the designs of all trials, those to predict last."""
    columns = list(_DESIGN)
    return pl.concat([trials().select(columns), trials_to_predict().select(columns)])


@cache
def left_out() -> pl.DataFrame:
    """Return the rows of the tables of trials that no experiment simulates: their labels and the reason."""
    return read("left_out.csv")
