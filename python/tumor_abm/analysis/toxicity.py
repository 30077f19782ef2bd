"""Grades of neutropenia, as rates per arm."""

from __future__ import annotations

import polars as pl

from tumor_abm.analysis.share import with_limits
from tumor_abm.run.results import Results

GRADES_BELOW = {4: 0.5, 3: 1.0, 2: 1.5, 1: 2.0}
"""Grade to the neutrophils (1e9 per litre) below which neutropenia has it: CTCAE 5.0, with 2.0 as the lower
limit of normal."""

_GRADES = [f"grade_{grade}" for grade in (*sorted(GRADES_BELOW), "3_4")]

RATES = {
    "arm": pl.String,
    "line": pl.UInt32,
    "n": pl.Int64,
    **{f"{grade}_{of}": pl.Float64 for grade in _GRADES for of in ("pct", "lo", "hi")},
}


def neutropenia(results: Results) -> pl.DataFrame:
    """Count the worst grade of every patient on every line, in weekly counts.

    Returns
    -------
    polars.DataFrame
        ``arm, line, n, grade_1_pct ... grade_4_pct, grade_3_4_pct``: percent of the `n` patients whose blood
        was counted on that line; ``grade_1_lo, grade_1_hi`` and so on are 95% limits (Wilson's). No rows
        where neutrophils are not modelled.
    """
    outcomes = results.scan("outcomes")
    if "lowest_neutrophils" not in outcomes.collect_schema():  # results of an older version
        return pl.DataFrame(schema=RATES)
    grade = pl.lit(0)
    for worse, below in sorted(GRADES_BELOW.items()):
        grade = pl.when(pl.col("lowest_neutrophils") < below).then(worse).otherwise(grade)
    counted = outcomes.filter(pl.col("lowest_neutrophils").is_not_null()).with_columns(
        pl.col("arm").cast(pl.String), grade=grade
    )
    rates = (
        counted.group_by("arm", "line")
        .agg(
            n=pl.len().cast(pl.Int64),
            **{f"grade_{of}_pct": 100 * (pl.col("grade") == of).mean() for of in sorted(GRADES_BELOW)},
            grade_3_4_pct=100 * (pl.col("grade") >= 3).mean(),
        )
        .collect()
    )
    order = {arm: place for place, arm in enumerate(results.arms)}
    rates = with_limits(rates, [f"{grade}_pct" for grade in _GRADES])
    return rates.sort("line", pl.col("arm").replace_strict(order, return_dtype=pl.Int64)).select(*RATES)
