"""Quality-adjusted time and cost of every patient, by the utilities and prices of the experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

DAYS_PER_YEAR = 365.25
_WHO = ["patient", "arm"]


def counted_until(experiment: Mapping[str, Any]) -> float:
    """Return the months for which every patient is followed, unless lost: what comes later is not counted."""
    return float(experiment["horizon_months"]) - float(experiment.get("accrual_months", 0.0))


def lives_valued(results: Results) -> pl.DataFrame:
    """Tell years, quality-adjusted years and cost of every patient in every arm.

    Returns
    -------
    polars.DataFrame
        ``patient, arm, years, qalys, cost`` up to `counted_until` (``qalys`` and ``cost`` null without
        ``[utility]`` or ``[price]``), ``followed_months``, and ``whole``: whether the patient died or was
        followed so far, so that nothing is missing. Years are not discounted.

    Raises
    ------
    InputError
        A table that prices ask for is not there.
    """
    end = counted_until(results.experiment) * DAYS_PER_MONTH
    utility, price = results.experiment.get("utility"), results.experiment.get("price")
    lived = (
        results.scan("overall")
        .select(
            "patient",
            pl.col("arm").cast(pl.String),
            days=pl.col("os_months") * DAYS_PER_MONTH,
            died="os_event",
        )
        .with_columns(
            whole=pl.col("died").cast(pl.Boolean) | (pl.col("days") >= end), days=pl.col("days").clip(0, end)
        )
        .collect()
    )
    found = lived.select(
        *_WHO, "whole", years=pl.col("days") / DAYS_PER_YEAR, followed_months=pl.col("days") / DAYS_PER_MONTH
    )
    for name, table, count in (("qalys", utility, _qalys), ("cost", price, _costs)):
        if table is None:
            found = found.with_columns(pl.lit(None, pl.Float64).alias(name))
            continue
        summed = count(results, lived, table, end).group_by(_WHO, maintain_order=True).agg(pl.col(name).sum())
        found = found.join(summed, on=_WHO, how="left", maintain_order="left")
        found = found.with_columns(pl.col(name).fill_null(0.0))
    return found.select(*_WHO, "years", "qalys", "cost", "followed_months", "whole")


def _rate(per_year: float) -> float:
    """Return the rate per day at which the future counts less."""
    return math.log1p(per_year) / DAYS_PER_YEAR


def _span(start: pl.Expr, end: pl.Expr, rate: float) -> pl.Expr:
    """Return the days from `start` to `end` (0 if it comes first), each as of the very first day."""
    later = pl.max_horizontal(start, end)
    if rate == 0.0:
        return later - start
    return ((-rate * start).exp() - (-rate * later).exp()) / rate


def _outcomes(results: Results) -> pl.DataFrame:
    return (
        results.scan("outcomes")
        .with_columns(pl.col("arm").cast(pl.String), pl.col("start_day", "end_day").cast(pl.Float64))
        .sort("arm", "patient", "line")
        .collect()
    )


def _qalys(results: Results, lived: pl.DataFrame, utility: Mapping[str, Any], end: float) -> pl.DataFrame:
    """Return quality-adjusted years, in parts: stretches of life, and what toxicity takes."""
    rate = _rate(float(utility.get("discount_per_year", 0.0)))
    on_line, after = utility["without_progression"], float(utility["after_progression"])
    by_line = on_line if isinstance(on_line, list) else [on_line]
    lines = _outcomes(results).join(lived.select(*_WHO, "days"), on=_WHO)
    progressed = pl.col("start_day") + pl.col("pfs_months") * DAYS_PER_MONTH
    place = (pl.col("line").cast(pl.Int64) - 1).clip(0, len(by_line) - 1)
    own = place.replace_strict(dict(enumerate(map(float, by_line))), return_dtype=pl.Float64)
    until = pl.col("start_day").shift(-1).over(_WHO).fill_null(pl.col("days"))
    stretches = lines.with_columns(
        progressed=pl.min_horizontal(progressed, pl.col("days")),
        until=pl.min_horizontal(until, pl.col("days")),
        own=own,
        after=pl.when(pl.col("pfs_event").cast(pl.Boolean)).then(after).otherwise(own),
    )
    before = _span(pl.col("start_day"), pl.col("progressed"), rate) * pl.col("own")
    beyond = _span(pl.col("progressed"), pl.col("until"), rate) * pl.col("after")
    parts = [stretches.select(*_WHO, qalys=(before + beyond) / DAYS_PER_YEAR)]
    untreated = lived.join(lines.select(_WHO).unique(), on=_WHO, how="anti")
    parts.append(
        untreated.select(*_WHO, qalys=_span(pl.lit(0.0), pl.col("days"), rate) * after / DAYS_PER_YEAR)
    )
    loss = float(utility.get("neutropenia_grade_3_4", 0.0))
    if loss and "lowest_neutrophils" in lines.columns:
        low = lines.filter(pl.col("lowest_neutrophils") < 1.0, pl.col("start_day") < end)
        parts.append(low.select(*_WHO, qalys=-loss * (-rate * pl.col("start_day")).exp()))
    loss = float(utility.get("drug_stopped", 0.0))
    if loss:
        stopped = _on_days(results, "events", end).filter(pl.col("event").cast(pl.String) == "drug stopped")
        parts.append(stopped.select(*_WHO, qalys=-loss * (-rate * pl.col("day")).exp()))
    return pl.concat(parts)


def _costs(results: Results, lived: pl.DataFrame, price: Mapping[str, Any], end: float) -> pl.DataFrame:
    """Return costs, in parts: drugs by the doses that were given, scans, biopsies, and care."""
    rate = _rate(float(price.get("discount_per_year", 0.0)))
    of_month = float(price.get("month", 0.0))
    parts = [lived.select(*_WHO, cost=of_month / DAYS_PER_MONTH * _span(pl.lit(0.0), pl.col("days"), rate))]
    if price.get("drug"):
        parts.append(_of_drugs(results, price["drug"], rate, end))
    for key, table, once in (
        ("scan", "assessments", ["line", "day"]),
        ("liquid_biopsy", "liquid_biopsies", ["day"]),
    ):
        amount = float(price.get(key, 0.0))
        if amount:
            made = _on_days(results, table, end).select(*_WHO, *once).unique(maintain_order=True)
            parts.append(made.select(*_WHO, cost=amount * (-rate * pl.col("day")).exp()))
    return pl.concat(parts)


def _of_drugs(results: Results, prices: Mapping[str, float], rate: float, end: float) -> pl.DataFrame:
    per_dose = {
        name: float(amount) / _doses_per_month(results.experiment["drug"][name]["schedule"])
        for name, amount in prices.items()
        if name in results.experiment.get("drug", {})
    }
    first, last = pl.col("start_day").cast(pl.Float64), pl.col("start_day") + pl.col("days").cast(pl.Float64)
    return (
        _there(results, "doses")
        .with_columns(pl.col("arm", "drug").cast(pl.String))
        .select(
            *_WHO,
            cost=pl.col("given")
            * pl.col("drug").replace_strict(per_dose, return_dtype=pl.Float64)
            * _span(pl.min_horizontal(first, pl.lit(end)), pl.min_horizontal(last, pl.lit(end)), rate)
            / pl.col("days"),
        )
        .collect()
    )


def _doses_per_month(schedule: Mapping[str, Any]) -> float:
    """Return the standard doses in a month of a schedule, as the experiment writes it."""
    from tumor_abm.treatment import Schedule

    given = Schedule.model_validate(dict(schedule))
    return len(set(given.days)) * given.doses_per_day / given.cycle_days * DAYS_PER_MONTH


def _on_days(results: Results, table: str, end: float) -> pl.DataFrame:
    days = _there(results, table).with_columns(pl.col("arm").cast(pl.String), pl.col("day").cast(pl.Float64))
    return days.filter(pl.col("day") <= end).collect()


def _there(results: Results, table: str) -> pl.LazyFrame:
    if table not in results.tables:
        raise InputError(f"utilities and prices ask for the table {table}, which this run does not have")
    return results.scan(table)
