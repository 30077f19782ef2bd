"""Fit without one class of trials at a time, and see what that says of the rows that were left out.

The best fit shows how far a structure bends; rows that it has not seen show whether it is right. A
calibration has simulated every trial of every set, so that nothing is searched anew: the emulator names the
best set for all rows but those of a class, and for all rows, and both are simulated with the same patients.
The set lies near where searches ended that had seen the class, which flatters it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from tumor_abm._base.seeds import stream
from tumor_abm.calibration.emulator import Numbers
from tumor_abm.calibration.posterior import drawn
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Tried, learnt, tried_of

TRUST = 3.0
"""Damping of the sets that are named (see `Learnt.best`)."""
SETS = 60
"""Sets of the posterior of the emulator that make a predictive interval."""
INTERVAL = (0.1, 0.9)
_NOISE = 100
"""Draws of the error of a row for every set."""


def without(problem: Problem, trials: Sequence[str]) -> Problem:
    """Return the problem in which the rows of these trials count for nothing."""
    targets = [replace(row, weight=0.0) if row.trial in trials else row for row in problem.targets]
    return replace(problem, targets=targets)


def left_out(
    problem: Problem,
    tried: Sequence[Tried],
    middles: Sequence[Numbers],
    classes: Mapping[str, Sequence[str]],
    *,
    patients: int,
    seed: int,
    jobs: int,
) -> pl.DataFrame:
    """Predict the rows of each class of trials by a fit to all others.

    Parameters
    ----------
    tried
        Sets that searches have simulated.
    middles
        Where each of them ended, as shares of the ranges. Sets are named around the first; the predictive
        interval is made of sets around all of them.
    classes
        Trials (labels of the table of trials) of each class, by its name.
    patients
        Patients of every cohort that the named sets are simulated with.
    seed
        Names them.
    jobs
        Threads.

    Returns
    -------
    polars.DataFrame
        A row per class and target: `class`, labels, `quantity`, `published` with `low` and `high`, what is
        simulated when all rows are `fitted` and when the class is `left_out`, whether the latter lies
        `inside` the published interval, the 80% predictive interval (`predicted_low`, `predicted_high`) and
        whether the published number is `covered` by it.
    """
    known = learnt(problem, tried, middles[0])
    problems = [without(problem, trials) for trials in classes.values()]
    sets = [known.best(TRUST), *(replace(known, problem=one).best(TRUST) for one in problems)]
    simulated = list(
        tried_of(problem, np.vstack(sets), [seed] * len(sets), wave=0, patients=patients, jobs=jobs)
    )
    fitted, *others = [problem.table(one.outputs) if one.outputs else None for one in simulated]
    tables = []
    for (name, trials), one, of_set, table in zip(
        classes.items(), problems, simulated[1:], others, strict=True
    ):
        if fitted is None or table is None or of_set.outputs is None:
            continue
        missed = _discrepancy(one, problem.quantities(np.array([of_set.outputs]))[0])
        interval = _interval(one, _expected(one, tried, middles, seed), missed, seed)
        rows = len(problem.targets)
        tables.append(
            table.head(rows)
            .with_columns(
                pl.lit(name).alias("class"),
                fitted=fitted["simulated"].head(rows),
                left_out=pl.col("simulated"),
                predicted_low=pl.Series(interval[0]),
                predicted_high=pl.Series(interval[1]),
            )
            .filter(pl.col("trial").is_in(list(trials)))
        )
    covered = pl.col("published").is_between("predicted_low", "predicted_high")
    labels = ("class", "trial", "arm", "subset", "quantity", "at_months", "published", "low", "high")
    return pl.concat(tables).select(
        *labels, "fitted", "left_out", "inside", "predicted_low", "predicted_high", covered.alias("covered")
    )


def _expected(problem: Problem, tried: Sequence[Tried], middles: Sequence[Numbers], seed: int) -> Numbers:
    """Return what sets of the posterior give, as many around the end of each search."""
    each = -(-SETS // len(middles))
    found = [
        learnt(problem, tried, middle).emulator.predict(drawn(problem, tried, middle, sets=each, seed=seed))
        for middle in middles
    ]
    return problem.quantities(np.vstack(found))


def _discrepancy(problem: Problem, quantities: Numbers) -> dict[str, float]:
    """Say how far rows that were *not* left out are missed, beyond the error of the publication.

    Returns
    -------
    dict
        Of each kind of row a standard deviation, of the logarithm for medians and hazard ratios.
    """
    squares: dict[str, list[float]] = {}
    for row, quantity in zip(problem.targets, quantities, strict=False):
        published = math.log(row.published) if row.logarithmic else row.published
        beyond = (float(quantity) - published) ** 2 - row.sigma**2
        squares.setdefault(row.quantity, [])
        if row.weight > 0 and math.isfinite(beyond):
            squares[row.quantity].append(beyond)
    return {kind: math.sqrt(max(sum(found) / max(len(found), 1), 0.0)) for kind, found in squares.items()}


def _interval(problem: Problem, expected: Numbers, missed: Mapping[str, float], seed: int) -> Numbers:
    """Say between which numbers a published one is expected.

    Sets differ, publications err, and the model misses what it was fitted to.
    """
    rows = problem.targets
    spread = [math.hypot(row.sigma, missed[row.quantity]) for row in rows]
    noise = stream(seed, 2).standard_normal((_NOISE, len(expected), len(rows))) * spread
    found = np.quantile((expected[None, :, : len(rows)] + noise).reshape(-1, len(rows)), INTERVAL, axis=0)
    logarithmic = [row.logarithmic for row in rows]
    between: Numbers = np.where(logarithmic, np.exp(found), found)
    return between


def scores(table: pl.DataFrame) -> pl.DataFrame:
    """Score each class: how many rows lie inside, if they have an interval, and how far off all are.

    Returns
    -------
    polars.DataFrame
        Per `class`: `medians`, `medians_inside`, `ratios`, `ratios_inside`; `error_left_out` and
        `error_fitted`, the root mean squared error of logarithms of both; `covered`, the share of published
        medians and hazard ratios in the 80% predictive interval.
    """
    judged = table.filter(pl.col("quantity").is_in(["median", "hazard ratio"]))
    bounded = pl.col("low").is_finite() | pl.col("high").is_finite()
    median, ratio = (bounded & (pl.col("quantity") == quantity) for quantity in ("median", "hazard ratio"))

    def error(column: str) -> pl.Expr:
        return (pl.col(column) / pl.col("published")).log().pow(2).mean().sqrt()

    return judged.group_by("class", maintain_order=True).agg(
        medians=median.sum(),
        medians_inside=(median & pl.col("inside")).sum(),
        ratios=ratio.sum(),
        ratios_inside=(ratio & pl.col("inside")).sum(),
        error_left_out=error("left_out"),
        error_fitted=error("fitted"),
        covered=pl.col("covered").mean(),
    )
