"""What an arm is worth: quality-adjusted time gained for what it costs, against the control arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.survival import NORMAL_95, product_limit
from tumor_abm.analysis.value import counted_until, lives_valued
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

Floats = NDArray[np.float64]
_MEASURES = ("years", "qalys", "cost")
_FEWEST_SETS = 3
_POINTS = 61

WORTH = {
    "arm": pl.String,
    "n": pl.Int64,
    "until_months": pl.Float64,
    "lost": pl.Int64,
    **{f"{name}{of}": pl.Float64 for name in _MEASURES for of in ("", "_se")},
    **{f"{name}_gained{of}": pl.Float64 for name in _MEASURES for of in ("", "_lo", "_hi")},
    "cost_per_qaly": pl.Float64,
    "verdict": pl.String,
}
"""Columns of `worth`."""

ACCEPTABILITY = {"arm": pl.String, "threshold": pl.Float64, "probability": pl.Float64}
"""Columns of `acceptability`."""


def is_valued(results: Results) -> bool:
    """Whether the experiment gives utilities or prices."""
    return "utility" in results.experiment or "price" in results.experiment


def worth(results: Results) -> pl.DataFrame:
    """Tell years, quality-adjusted years and cost of every arm, and what it gains over the control.

    Returns
    -------
    polars.DataFrame
        A row per arm: means per patient up to ``until_months`` with their Monte Carlo errors (``_se``), the
        differences from the control with 95% intervals that are paired by patient (``_gained``, ``_lo``,
        ``_hi``), ``lost`` patients, the incremental cost per quality-adjusted year, and in a word where the
        arm lies: ``dominates`` (more for less), ``dominated``, ``more for more``, ``less for less``. No rows
        where the experiment gives neither utilities nor prices.

    Notes
    -----
    Who is lost is stood for by those who were followed, by the inverse chance of not having been lost by then
    (Bang and Tsiatis 2000, Biometrika 87:329). The chance is taken as known.
    """
    must_be("results", results, Results)
    if not is_valued(results):
        return pl.DataFrame(schema=WORTH)
    until, values = counted_until(results.experiment), _weighted(results)
    control = values.filter(arm=results.control)
    rows = []
    for arm in results.arms:
        own = values.filter(arm=arm)
        if own.is_empty():
            continue
        row: dict[str, Any] = {
            "arm": arm,
            "n": own.height,
            "until_months": until,
            "lost": int((~own["whole"]).sum()),
        }
        for name in _MEASURES:
            row[name], row[f"{name}_se"] = _mean(own[name])
        if arm != results.control:
            row |= _gained(own, control)
        rows.append(row)
    return pl.DataFrame(rows, schema=WORTH)


def acceptability(results: Results, thresholds: Sequence[float] | None = None) -> pl.DataFrame:
    """Tell how probably an arm is worth more than the control, by what a quality-adjusted year may cost.

    Parameters
    ----------
    results
        Of an experiment with utilities and prices.
    thresholds
        Prices of a quality-adjusted year; up to three times the largest ``cost_per_qaly`` when ``None``.

    Notes
    -----
    Of a run with an ensemble it is the share of parameter sets, by patients, under which the arm gains more
    than it costs. Of others it is the chance by Monte Carlo error alone, which more patients make a step.

    Raises
    ------
    InputError
        The experiment lacks utilities or prices, or a threshold is below 0.
    """
    must_be("results", results, Results)
    if not {"utility", "price"} <= set(results.experiment):
        raise InputError("acceptability needs [utility] and [price] in the experiment")
    values = _weighted(results)
    gained = {
        arm: _pairs(values.filter(arm=arm), values.filter(arm=results.control))
        for arm in results.arms
        if arm != results.control
    }
    grid = _grid(worth(results)) if thresholds is None else [float(each) for each in thresholds]
    if any(not each >= 0 for each in grid):
        raise InputError(key="thresholds", found=grid, allowed="at least 0")
    rows = [
        {"arm": arm, "threshold": threshold, "probability": _chance(pairs, threshold)}
        for arm, pairs in gained.items()
        for threshold in grid
        if pairs.height
    ]
    return pl.DataFrame(rows, schema=ACCEPTABILITY)


def _weighted(results: Results) -> pl.DataFrame:
    """Return what each patient counts for: nothing if lost, more than one else."""
    values = lives_valued(results)
    if "set" in results.scan("overall").collect_schema():
        sets = results.scan("overall").select("patient", "set").unique().collect()
        values = values.join(sets, on="patient", how="left", maintain_order="left")
    parts = []
    for part in values.partition_by("arm", maintain_order=True):
        weight = _weights(part["followed_months"].to_numpy(), part["whole"].to_numpy())
        parts.append(part.with_columns(pl.col(name) * pl.Series(weight) for name in _MEASURES))
    return pl.concat(parts) if parts else values


def _weights(months: Floats, whole: NDArray[np.bool_]) -> Floats:
    """Return the inverse chances of having been followed until then, 0 of those who were not."""
    steps = product_limit(months, ~whole)
    before = np.concatenate([[1.0], steps.survival])[np.searchsorted(steps.times, months)]
    return np.where(whole, 1.0 / np.where(before > 0, before, 1.0), 0.0)


def _mean(values: pl.Series) -> tuple[float | None, float | None]:
    if values.null_count():
        return None, None
    numbers = values.to_numpy()
    mean = math.fsum(numbers) / numbers.size
    if numbers.size < 2:
        return mean, None
    spread = math.fsum((numbers - mean) ** 2) / (numbers.size - 1)
    return mean, math.sqrt(spread / numbers.size)


def _pairs(own: pl.DataFrame, control: pl.DataFrame) -> pl.DataFrame:
    """Return what each patient gains over the same one in the control arm."""
    both = own.join(control, on="patient", suffix="_control", maintain_order="left")
    kept = [name for name in ("set",) if name in own.columns]
    return both.select(*kept, *(pl.col(name) - pl.col(f"{name}_control") for name in _MEASURES))


def _gained(own: pl.DataFrame, control: pl.DataFrame) -> dict[str, Any]:
    pairs = _pairs(own, control)
    row: dict[str, Any] = {}
    if pairs.is_empty():
        return {}
    for name in _MEASURES:
        value, error = _mean(pairs[name])
        row[f"{name}_gained"] = value
        if value is not None and error is not None:
            row |= {
                f"{name}_gained_lo": value - NORMAL_95 * error,
                f"{name}_gained_hi": value + NORMAL_95 * error,
            }
    gain, cost = row["qalys_gained"], row["cost_gained"]
    if gain is not None and cost is not None:
        more = "more" if gain > 0 else "less"
        row["verdict"] = f"{more} for {'more' if cost > 0 else 'less'}"
        if gain > 0 >= cost:
            row["verdict"] = "dominates"
        elif gain <= 0 < cost:
            row["verdict"] = "dominated"
        elif gain:
            row["cost_per_qaly"] = cost / gain
    return row


def _grid(found: pl.DataFrame) -> list[float]:
    largest = found["cost_per_qaly"].max()
    top = 3 * float(largest) if isinstance(largest, float) and largest > 0 else 100_000.0
    step = 10 ** math.floor(math.log10(top))
    top = math.ceil(top / step) * step
    return [float(each) for each in np.linspace(0.0, top, _POINTS)]


def _chance(pairs: pl.DataFrame, threshold: float) -> float:
    """Return the chance that the net benefit of an arm is above that of the control."""
    benefit = pairs.with_columns(benefit=threshold * pl.col("qalys") - pl.col("cost"))
    if "set" in pairs.columns and pairs["set"].n_unique() >= _FEWEST_SETS:
        sets = benefit.group_by("set").agg(pl.col("benefit").mean(), n=pl.len())
        return float(sets.filter(pl.col("benefit") > 0)["n"].sum()) / pairs.height
    mean, error = _mean(benefit["benefit"])
    assert mean is not None
    return float(norm.cdf(mean / error)) if error else float(mean > 0)
