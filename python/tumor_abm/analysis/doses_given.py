"""What of the planned doses was given, and how often doses were held, reduced or given up."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sums import total
from tumor_abm.analysis.share import with_limits
from tumor_abm.analysis.survival import NORMAL_95
from tumor_abm.run.results import Results

INTENSITY = {
    "arm": pl.String,
    "line": pl.UInt32,
    "drug": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(("intensity_pct", "intensity_lo", "intensity_hi"), pl.Float64),
}
"""Columns of `dose_intensity`."""

_EVENTS = {"held": "dose held", "reduced": "dose reduced", "stopped": "drug stopped"}
CHANGES = {
    "arm": pl.String,
    "line": pl.UInt32,
    "n": pl.Int64,
    **{f"{what}_{of}": pl.Float64 for what in _EVENTS for of in ("pct", "lo", "hi")},
}
"""Columns of `dose_changes`."""


def dose_intensity(results: Results) -> pl.DataFrame:
    """Tell the share of the planned dose that was given, per drug and line.

    Returns
    -------
    polars.DataFrame
        A row per arm, line and drug: ``n`` patients for whom a dose was planned, ``intensity_pct``, the mean
        of their shares in percent, and its 95% limits. Planned is what the drug's schedule has on the days in
        which it belonged to the regimen, at the dose of the plan. Doses that were held, reduced, put off or
        left out in a pause, a planned one too, are not given. No rows where there is no table ``doses``.
    """
    must_be("results", results, Results)
    if "doses" not in results.tables:
        return pl.DataFrame(schema=INTENSITY)
    shares = (
        results.scan("doses")
        .filter(pl.col("planned") > 0)
        .select(
            pl.col("arm", "drug").cast(pl.String), "line", share=100 * pl.col("given") / pl.col("planned")
        )
        .group_by("arm", "line", "drug", maintain_order=True)
        .agg("share")
        .collect()
    )
    rows = [
        {"arm": arm, "line": line, "drug": drug, "n": len(own), **_mean_with_limits(own)}
        for arm, line, drug, own in shares.iter_rows()
    ]
    return pl.DataFrame(rows, schema=INTENSITY).sort(_place(results), "line", "drug")


def _mean_with_limits(shares: list[float]) -> dict[str, Any]:
    """Return a mean with its limits, summed up alike on every machine."""
    n, mean = len(shares), total(shares) / len(shares)
    found: dict[str, Any] = {"intensity_pct": mean}
    if n > 1:
        spread = math.sqrt(total([(one - mean) ** 2 for one in shares]) / (n - 1) / n)
        found |= {
            "intensity_lo": max(0.0, mean - NORMAL_95 * spread),
            "intensity_hi": mean + NORMAL_95 * spread,
        }
    return found


def dose_changes(results: Results) -> pl.DataFrame:
    """Count the patients of whom doses were held or reduced, or who gave up a drug.

    Returns
    -------
    polars.DataFrame
        A row per arm and line: ``n`` patients who began it, and percent of them with at least one dose
        ``held`` or ``reduced`` for neutropenia, and with a drug ``stopped`` for intolerance, each with its
        95% limits (Wilson's). No rows where there is no table ``events``.
    """
    must_be("results", results, Results)
    if not {"events", "outcomes"} <= set(results.tables):
        return pl.DataFrame(schema=CHANGES)
    who, arm = ["patient", "arm", "line"], pl.col("arm").cast(pl.String)
    of_patient = (
        results.scan("events")
        .with_columns(arm, pl.col("event").cast(pl.String))
        .filter(pl.col("event").is_in([*_EVENTS.values()]))
        .group_by(who)
        .agg(**{what: (pl.col("event") == event).any() for what, event in _EVENTS.items()})
    )
    rates = (
        results.scan("outcomes")
        .select("patient", arm, "line")
        .join(of_patient, on=who, how="left")
        .group_by("arm", pl.col("line").cast(pl.UInt32))
        .agg(
            n=pl.len().cast(pl.Int64),
            **{f"{what}_pct": 100 * pl.col(what).fill_null(value=False).mean() for what in _EVENTS},
        )
        .collect()
    )
    return (
        with_limits(rates, [f"{what}_pct" for what in _EVENTS]).sort(_place(results), "line").select(*CHANGES)
    )


def _place(results: Results) -> pl.Expr:
    return pl.col("arm").replace_strict(results.arms, range(len(results.arms)), return_dtype=pl.Int64)
