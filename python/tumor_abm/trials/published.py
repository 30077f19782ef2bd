"""What trials published, beside what is predicted of them, and whether the two agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from tumor_abm.knowledge import evidence
from tumor_abm.trials.cohort import loaded
from tumor_abm.trials.prediction import LANDMARKS
from tumor_abm.trials.rows import rows

KEYS = ("trial", "arm", "subset", "prior_cdk46i")
"""What tells a row of the tables of trials from all others."""
_MONTH_DIGITS = 1
"""Decimals of published medians, in months."""


def with_published(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return predictions with what their trials published, in columns that end in ``_published``.

    What only the tables of trials have keeps its name there (``mpfs_mo``, ``ci_lo``, ``orr_base`` ...). Rows
    of trials whose outcomes are kept apart have nothing there.
    """
    return predictions.join(
        evidence.trials(), on=KEYS, how="left", suffix="_published", maintain_order="left"
    )


def arm_name(file: str, row: Mapping[str, Any]) -> str:
    """Return what a trial file calls the arm of a row."""
    for found in rows(loaded(file)):
        if all(getattr(found, key) == row[key] for key in KEYS):
            return found.name
    raise AssertionError(f"{file} has lost an arm")


def inside(
    value: float | None, low: float | None, high: float | None, *, digits: int | None = None
) -> bool | None:
    """Whether a value lies in an interval of which the upper end may not be reached.

    `digits` are the decimals of what is published: what agrees to these is inside.
    """
    if value is None or low is None:
        return None
    high = math.inf if high is None else high
    if digits is not None:
        value, low, high = round(value, digits), round(low, digits), round(high, digits)
    return low <= value <= high


def rates_of(row: Mapping[str, Any]) -> list[tuple[int, float, float]]:
    """Return months, and published and simulated shares free of progression then, where both are known."""
    told = ((month, row[f"pfs{month}_published"], row[f"pfs{month}"]) for month in LANDMARKS)
    return [(month, *shares) for month, *shares in told if None not in shares]


def response_of(row: Mapping[str, Any]) -> float | None:
    """Return the simulated response rate, of the patients whom the trial counted."""
    measurable = (row["orr_base"] or "").startswith("measurable")
    value: float | None = row["orr_measurable_pct" if measurable else "orr_pct"]
    return value


def median_in(row: Mapping[str, Any]) -> bool | None:
    """Whether the simulated median lies in the published interval."""
    low = row["ci_lo"]
    if row["mpfs_mo"] is None or low is None:
        return None
    return inside(row["pfs_median_months"] or math.inf, low, row["ci_hi"], digits=_MONTH_DIGITS)


def published_in(row: Mapping[str, Any]) -> bool | None:
    """Whether the published median lies in the simulated interval."""
    return inside(row["mpfs_mo"], row["pfs_lo"], row["pfs_hi"], digits=_MONTH_DIGITS)


def ratio_in(row: Mapping[str, Any]) -> bool | None:
    """Whether the simulated hazard ratio lies in the published interval."""
    return inside(row["hr"], row["hr_lo_published"], row["hr_hi_published"])
