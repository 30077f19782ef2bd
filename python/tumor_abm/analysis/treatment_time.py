"""Time on each drug, and time to what comes next: the next line, and chemotherapy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.genotype import JOINT
from tumor_abm._base.sums import total
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.run.results import Results
from tumor_abm.treatment.line import OBSERVATION

ON_REGIMEN = {
    "arm": pl.String,
    "regimen": pl.String,
    "n": pl.Int64,
    "months_mean": pl.Float64,
    "months_se": pl.Float64,
    "months_of_all": pl.Float64,
    "months_of_all_se": pl.Float64,
}
"""Columns of `time_on_regimens`."""

TO_NEXT = {
    "arm": pl.String,
    "measure": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "median_months": pl.Float64,
    "lo": pl.Float64,
    "hi": pl.Float64,
}
"""Columns of `time_to_next`."""


def time_on_regimens(results: Results) -> pl.DataFrame:
    """Tell how long patients are on each regimen, all lines on it together.

    Returns
    -------
    polars.DataFrame
        A row per arm and regimen, as it was at the start of a line: ``n`` patients who were on it,
        ``months_mean`` on it with its standard error ``months_se``, and ``months_of_all``, the mean over all
        patients of the arm, with ``months_of_all_se``. Time that follow-up cuts off counts as far as it was
        seen.
    """
    must_be("results", results, Results)
    if not _is_told(results):
        return pl.DataFrame(schema=ON_REGIMEN)
    patients = results.scan("overall").group_by(pl.col("arm").cast(pl.String)).agg(all=pl.len())
    days = pl.col("end_day") - pl.col("start_day").cast(pl.Int64)
    of_patient = (
        results.scan("outcomes")
        .select("patient", pl.col("arm", "regimen").cast(pl.String), days=days)
        .group_by("arm", "regimen", "patient")
        .agg(months=pl.col("days").sum() / DAYS_PER_MONTH)
    )
    all_of = dict(patients.collect().iter_rows())
    rows = [
        _row(arm, regimen, part["months"].to_list(), all_of[arm])
        for (arm, regimen), part in of_patient.collect().group_by("arm", "regimen", maintain_order=True)
    ]
    found = pl.DataFrame(rows, schema=ON_REGIMEN)
    order = pl.col("arm").replace_strict(results.arms, range(len(results.arms)), return_dtype=pl.Int64)
    return found.sort(order, pl.col("months_of_all"), descending=[False, True]).select(
        pl.col(name).cast(kind) for name, kind in ON_REGIMEN.items()
    )


def _row(arm: object, regimen: object, months: list[float], all_of_arm: int) -> dict[str, Any]:
    """Sum times up in the same way on every machine and for any number of threads."""
    mean, error = _mean_and_error(months)
    mean_of_all, error_of_all = _mean_and_error([*months, *[0.0] * (all_of_arm - len(months))])
    return {
        "arm": arm,
        "regimen": regimen,
        "n": len(months),
        "months_mean": mean,
        "months_se": error,
        "months_of_all": mean_of_all,
        "months_of_all_se": error_of_all,
    }


def _mean_and_error(months: list[float]) -> tuple[float, float | None]:
    """Return a mean and its standard error."""
    mean = total(months) / len(months)
    if len(months) < 2:
        return mean, None
    spread = math.sqrt(total([(one - mean) ** 2 for one in months]) / (len(months) - 1))
    return mean, spread / math.sqrt(len(months))


def _is_told(results: Results) -> bool:
    """Whether the outcomes say what was given and how long."""
    return {"regimen", "start_day", "end_day"} <= set(results.scan("outcomes").collect_schema())


def chemotherapies(experiment: Mapping[str, Any]) -> list[str]:
    """Return the drugs of an experiment, as it was run, that act on a target of chemotherapy."""
    known = experiment.get("target", {})
    targets = {name for name, one in known.items() if one.get("therapy") == "chemotherapy"}
    drugs = experiment.get("drug", {})
    return [name for name, drug in drugs.items() if not targets.isdisjoint(drug.get("effects", {}))]


def regimens_of(experiment: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the drugs of each regimen that a line may begin with, by what the table of outcomes calls it.

    A drug that a patient does not tolerate is left out of a regimen, so its parts are regimens, too.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines(experiment):
        for option in line.get("choose", [line]):
            drugs = [dosing["drug"] for dosing in option.get("regimen", [])]
            found |= {} if drugs else {OBSERVATION: ()}
            for size in range(1, len(drugs) + 1):
                found |= {JOINT.join(part): part for part in itertools.combinations(drugs, size)}
    return found


def _lines(experiment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for arm in experiment["arm"]:
        yield from arm.get("line", [])
    yield from experiment.get("afterwards", [])


def time_to_next(results: Results) -> pl.DataFrame:
    """Tell the time to the second line, and that to the first chemotherapy, or death.

    Returns
    -------
    polars.DataFrame
        A row per arm and measure: ``next treatment`` (from the start of the first line to that of the
        next with a drug, or death) and ``chemotherapy`` (to its first day, or death); ``n, events``, and the
        Kaplan-Meier median with its 95% limits in months. Where there is no table ``doses``, as in older
        runs, chemotherapy is told if every regimen is one that the experiment names.
    """
    must_be("results", results, Results)
    if not _is_told(results):
        return pl.DataFrame(schema=TO_NEXT)
    return pl.DataFrame(list(_rows(results)), schema=TO_NEXT)


def _rows(results: Results) -> Iterator[dict[str, Any]]:
    outcomes = results.scan("outcomes")
    regimen = pl.col("regimen").cast(pl.String)
    starts = {"next treatment": outcomes.filter(pl.col("line") > 1, regimen != OBSERVATION)}
    regimens, chemotherapy = regimens_of(results.experiment), chemotherapies(results.experiment)
    given = outcomes.select(regimen.unique()).collect()["regimen"]
    if chemotherapy and "doses" in results.tables:
        taken = pl.col("drug").cast(pl.String).is_in(chemotherapy)
        starts["chemotherapy"] = results.scan("doses").filter(taken)
    elif chemotherapy and set(given) <= set(regimens):
        names = [name for name, drugs in regimens.items() if not set(drugs).isdisjoint(chemotherapy)]
        starts["chemotherapy"] = outcomes.filter(pl.col("regimen").cast(pl.String).is_in(names))
    for measure, lines in starts.items():
        timed = _timed(results, lines)
        for arm in results.arms:
            own = timed.filter(arm=arm)
            estimate = kaplan_meier(own["months"], own["event"])
            yield {
                "arm": arm,
                "measure": measure,
                "n": estimate.n,
                "events": estimate.events,
                "median_months": estimate.median,
                "lo": estimate.median_lo,
                "hi": estimate.median_hi,
            }


def _timed(results: Results, lines: pl.LazyFrame) -> pl.DataFrame:
    """Time the first of some lines, or death: ``arm, months, event``."""
    key = ["patient", "arm"]
    arm = pl.col("arm").cast(pl.String)
    first = lines.group_by("patient", arm).agg(started=pl.col("start_day").min() / DAYS_PER_MONTH)
    lived = results.scan("overall").select("patient", arm, "os_months", "os_event").drop_nulls()
    started = pl.col("started").is_not_null()
    return (
        lived.join(first, on=key, how="left")
        .select(
            "arm",
            months=pl.coalesce("started", "os_months"),
            event=pl.col("os_event").cast(pl.Boolean) | started,
        )
        .collect()
    )
