"""Fit without one class of trials at a time, and see what that says of the rows that were left out.

The best fit shows how far a structure bends; rows that it has not seen show whether it is right. A
calibration has simulated every trial of every set, so that nothing is searched anew: the emulator names the
best set for all rows but those of a class, and for all rows, and both are simulated with the same patients.
"""

from __future__ import annotations

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
"""Draws of the error of a published number for every set."""


def without(problem: Problem, trials: Sequence[str]) -> Problem:
    """Return the problem in which the rows of these trials count for nothing."""
    targets = [replace(row, weight=0.0) if row.trial in trials else row for row in problem.targets]
    return replace(problem, targets=targets)


def left_out(
    problem: Problem,
    tried: Sequence[Tried],
    middle: Numbers,
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
        Sets that a search has simulated.
    middle
        Where it ended, as shares of the ranges.
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
    known = learnt(problem, tried, middle)
    problems = [without(problem, trials) for trials in classes.values()]
    sets = [known.best(TRUST), *(replace(known, problem=one).best(TRUST) for one in problems)]
    simulated = list(
        tried_of(problem, np.vstack(sets), [seed] * len(sets), wave=0, patients=patients, jobs=jobs)
    )
    fitted, *others = [problem.table(one.outputs) if one.outputs else None for one in simulated]
    tables = []
    for (name, trials), one, table in zip(classes.items(), problems, others, strict=True):
        if fitted is None or table is None:
            continue
        interval = _interval(
            one, known.emulator.predict(drawn(one, tried, middle, sets=SETS, seed=seed)), seed
        )
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


def _interval(problem: Problem, expected: Numbers, seed: int) -> Numbers:
    """Between which a published number is expected: what sets differ in, and the error of the publication."""
    quantities = problem.quantities(expected)
    rows = problem.targets
    errors = stream(seed, 2).standard_normal((_NOISE, len(quantities), len(rows)))
    noise = errors * [row.sigma for row in rows]
    with_noise = (quantities[None, :, : len(rows)] + noise).reshape(-1, len(rows))
    found = np.quantile(with_noise, INTERVAL, axis=0)
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
