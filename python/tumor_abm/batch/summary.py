"""What a batch says of each of its points: statistics, each with its Monte Carlo error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import polars as pl
import polars.selectors as cs
from scipy.stats import t as student

from tumor_abm._base import seeds
from tumor_abm.analysis.carried import NONE, carried_at
from tumor_abm.analysis.endpoints import Endpoint, Kind, endpoints
from tumor_abm.analysis.paired import Twins, hazard_ratio
from tumor_abm.analysis.survival import Steps, area_beyond, median_of, product_limit
from tumor_abm.run.results import Results

MONTHS = (12, 24)
"""At which survival is told, and up to which its mean is restricted: the same for all points."""

RESAMPLED = 100
"""Times that patients are drawn again for a standard error."""

LEAST_KNOWN = 0.9
"""Share of these in which a statistic is known, or else its error is not."""

MEDIAN, HAZARD, RESPONSE, CARRIED = "median_months", "hr", "orr_pct", "carried_pct"

Row = dict[str, Any]


class Pointwise(Protocol):
    """A batch, as far as a summary reads it."""

    @property
    def kind(self) -> str:
        """What was moved."""

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""

    @property
    def points(self) -> pl.DataFrame:
        """A row per point."""

    def by_point(self, table: str, columns: list[str] | None = None) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield the rows of each point that has any."""

    def as_results(self, point: int, tables: Mapping[str, pl.DataFrame]) -> Results:
        """Return the rows of a point as results of their own."""


def summary_of(batch: Pointwise, progress: Callable[[int], None]) -> pl.DataFrame:
    """Tell the statistics of every point.

    Returns
    -------
    polars.DataFrame
        As `tumor_abm.Batch.summary` says.
    """
    rows: list[Row] = []
    for done, (point, tables) in enumerate(_together(batch, _READ[batch.kind]), start=1):
        results = batch.as_results(point, tables)
        rows += [{"point": point, **row} for row in _OF[batch.kind](results)]
        progress(done)
    told = pl.DataFrame(rows, schema={"point": pl.UInt32, **SCHEMA})
    return batch.points.join(told, on="point", how="inner", maintain_order="left_right")


SCHEMA = {
    "group": pl.String,
    "measure": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,
    "se": pl.Float64,
    "n": pl.Int64,
}


def _together(batch: Pointwise, tables: tuple[str, ...]) -> Iterator[tuple[int, dict[str, pl.DataFrame]]]:
    """Yield the tables of each point; those of one point are in memory together."""
    streams = {name: batch.by_point(name) for name in tables if name in batch.tables}
    heads = {name: next(stream, None) for name, stream in streams.items()}
    while any(head is not None for head in heads.values()):
        point = min(head[0] for head in heads.values() if head is not None)
        here = {name: head[1] for name, head in heads.items() if head is not None and head[0] == point}
        yield point, here
        heads |= {name: next(streams[name], None) for name in here}


def _of_experiment(results: Results) -> Iterator[Row]:
    if {"outcomes", "overall"} <= set(results.tables):
        for endpoint in endpoints(results):
            yield from _of_endpoint(results, endpoint)
    if "clones" in results.tables:
        yield from _of_clones(results)


def _of_endpoint(results: Results, endpoint: Endpoint) -> Iterator[Row]:
    observed = endpoint.observations(results)
    for arm in results.arms:
        mine = observed.filter(arm=arm)
        told = {"group": arm, "measure": endpoint.name, "n": mine.height}
        if mine.height:
            yield from (told | row for row in _of_times(mine))
        if endpoint.randomised and arm != results.control:
            yield told | {"statistic": HAZARD, **_hazard(Twins.of(observed, arm, results.control))}
        if endpoint.kind is Kind.PFS:
            treated = (
                results.scan("outcomes").filter(arm=arm, line=endpoint.line).select("response").collect()
            )
            responded = treated["response"].is_in(["CR", "PR"]).fill_null(value=False)
            yield told | {"statistic": RESPONSE, **_share(responded)}


def _of_curve(steps: Steps) -> dict[str, float | None]:
    """Read from a survival curve what is told of it."""
    times, survival = np.append(0.0, steps.times), np.append(1.0, steps.survival)
    told: dict[str, float | None] = {MEDIAN: median_of(steps.times, steps.survival)}
    for month in MONTHS:
        known = month <= times[-1] or survival[-1] == 0
        at = float(survival[np.searchsorted(times, month, side="right") - 1])
        told[f"rate_{month}"] = 100 * at if known else None
        told[f"rmst_{month}"] = float(area_beyond(times, survival, month)[0]) if known else None
    return told


def _of_times(observed: pl.DataFrame) -> Iterator[Row]:
    """Tell median, rates and restricted means, with errors by the bootstrap over patients."""
    months, event = observed["months"].to_numpy(), observed["event"].to_numpy()
    stream = seeds.stream(0, "summary")
    weights = stream.multinomial(months.size, np.full(months.size, 1 / months.size), size=RESAMPLED)
    resampled = [
        _of_curve(product_limit(months[drawn > 0], event[drawn > 0], drawn[drawn > 0].astype(float)))
        for drawn in weights
    ]
    for statistic, value in _of_curve(product_limit(months, event)).items():
        known = [each for one in resampled if (each := one[statistic]) is not None]
        told = value is not None and len(known) >= LEAST_KNOWN * RESAMPLED
        yield {"statistic": statistic, "value": value, "se": float(np.std(known)) if told else None}


def _hazard(twins: Twins) -> Row:
    """Return the hazard ratio, with the error of a comparison of twins."""
    ratio = hazard_ratio(twins) if len(twins) else None
    if ratio is None or ratio.value is None or not ratio.paired_lo or ratio.paired_hi is None:
        return {"value": None if ratio is None else ratio.value, "se": None, "n": len(twins)}
    width = math.log(ratio.paired_hi / ratio.paired_lo) / (2 * student.ppf(0.975, max(1, len(twins) - 1)))
    return {"value": ratio.value, "se": ratio.value * width, "n": len(twins)}


def _share(flags: pl.Series) -> Row:
    """Return how often something holds, in percent, with its binomial error."""
    n = flags.len()
    if not n:
        return {"value": None, "se": None, "n": 0}
    share = float(flags.sum()) / n
    return {"value": 100 * share, "se": 100 * math.sqrt(share * (1 - share) / n), "n": n}


def _of_clones(results: Results) -> Iterator[Row]:
    """Tell how often tumours carry each alteration at progression on each line."""
    carried = carried_at(results, "progression").filter(pl.col("alteration") != NONE)
    seen = results.scan("clones").filter(pl.col("moment") == "progression")
    tumours = seen.group_by("arm", "line").agg(pl.col("patient").n_unique()).sort("arm", "line").collect()
    percent = {(arm, line, name): pct for arm, line, name, _, pct in carried.iter_rows()}
    for arm, line, n in tumours.iter_rows():
        for name in results.experiment["alterations"]:
            share = percent.get((arm, line, name), 0.0) / 100
            yield {
                "group": arm,
                "measure": f"{name}, line {line}",
                "statistic": CARRIED,
                "value": 100 * share,
                "se": 100 * math.sqrt(share * (1 - share) / n),
                "n": n,
            }


def _of_study(results: Results) -> Iterator[Row]:
    tumours = results["tumours"]
    measured = cs.expand_selector(tumours, cs.numeric() - cs.by_name("replicate", require_all=False))
    for scenario in tumours["scenario"].unique(maintain_order=True):
        mine = tumours.filter(scenario=scenario)
        for name in measured:
            yield {"group": scenario, "measure": name, "statistic": "mean", **_mean(mine[name])}


def _of_populations(results: Results) -> Iterator[Row]:
    outcomes = results["outcomes"]
    skipped = cs.by_name("population", "phase", require_all=False)
    for phase in outcomes["phase"].unique().sort() if "phase" in outcomes.columns else [None]:
        mine = outcomes if phase is None else outcomes.filter(phase=phase)
        told: Row = {"group": None if phase is None else f"phase {phase}"}
        for name in cs.expand_selector(mine, cs.numeric() - skipped):
            yield told | {"measure": name, "statistic": "mean", **_mean(mine[name])}
        for reason in outcomes["stopped_by"].unique().sort():
            ended = mine["stopped_by"] == reason
            yield told | {"measure": f"stopped by {reason}", "statistic": "pct", **_share(ended)}


def _mean(values: pl.Series) -> Row:
    known = values.drop_nulls().cast(pl.Float64)
    known = known.filter(known.is_finite())
    n = known.len()
    spread = known.std()
    se = float(spread) / math.sqrt(n) if isinstance(spread, float) else None
    return {"value": known.mean(), "se": se, "n": n}


_READ = {
    "experiment": ("outcomes", "overall", "clones"),
    "study": ("tumours",),
    "population": ("outcomes",),
}
_OF: dict[str, Callable[[Results], Iterator[Row]]] = {
    "experiment": _of_experiment,
    "study": _of_study,
    "population": _of_populations,
}
