"""The figures of a report: which there are, what they show, and what they are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from tumor_abm.analysis.comparison import Comparison
from tumor_abm.plots import (
    plot_acceptability,
    plot_burden,
    plot_escape,
    plot_forest,
    plot_resistance,
    plot_spider,
    plot_swimmer,
    plot_waterfall,
    plot_who_gains,
)
from tumor_abm.plots.clones import TITLE as RESISTANCE
from tumor_abm.plots.escape import TITLE as ESCAPE
from tumor_abm.run.results import Results


@dataclass(frozen=True, kw_only=True)
class ReportFigure:
    """A figure of the page.

    Attributes
    ----------
    title
        Above it.
    see
        What there is to see.
    source
        Name of the table that it is drawn from.
    draw
        Draws it.
    """

    title: str
    see: str
    source: str
    draw: Callable[[], Figure]


def figures_of(results: Results, comparison: Comparison) -> list[ReportFigure]:
    """Return the figures beside the survival curves that the tables of `results` allow.

    Parameters
    ----------
    results
        Of an experiment.
    comparison
        What `compare` said of it.
    """
    return [
        *_of_subgroups(results, comparison),
        *_of_worth(results),
        *_of_patients(results),
        *_of_tumours(results),
    ]


def _of_subgroups(results: Results, comparison: Comparison) -> Iterator[ReportFigure]:
    pairs = comparison.interactions.select("endpoint", "arm").unique(maintain_order=True)
    for endpoint, arm in pairs.iter_rows():
        yield ReportFigure(
            title=f"{endpoint} in subgroups: {arm}",
            see="A treatment that works alike in all has all its squares on a vertical line. "
            "Few tests fall below 0.05 by chance alone; with many subgroups one nearly always does.",
            source="subgroups",
            draw=partial(plot_forest, comparison, endpoint, arm, titled=False),
        )
    names = comparison.interactions["covariate"].unique(maintain_order=True).to_list()
    for endpoint, arm in pairs.iter_rows():
        yield ReportFigure(
            title=f"Who gains: {endpoint}, {arm}",
            see="A slope of the large points says that the covariate tells who gains.",
            source="outcomes",
            draw=partial(plot_who_gains, results, names, endpoint, arm, titled=False),
        )


def _of_worth(results: Results) -> Iterator[ReportFigure]:
    if {"utility", "price"} <= set(results.experiment) and len(results.arms) > 1:
        yield ReportFigure(
            title="How probably an arm is worth its cost",
            see="Where a curve passes 50% is what a quality-adjusted year costs in that arm. Without an "
            "ensemble the chance is that of Monte Carlo error alone.",
            source="worth",
            draw=partial(plot_acceptability, results, titled=False),
        )


def _of_patients(results: Results) -> Iterator[ReportFigure]:
    yield ReportFigure(
        title="Best change of the sum of diameters, line 1",
        see="The further the bars reach down, and the fewer stand up, the more tumours shrink.",
        source="outcomes",
        draw=partial(plot_waterfall, results, titled=False),
    )
    if "assessments" in results.tables:
        yield ReportFigure(
            title="Change of the sum of diameters over time, line 1",
            see="How fast tumours shrink, how long they stay so, and whether lines end by growth or by a new "
            "lesion (cross).",
            source="assessments",
            draw=partial(plot_spider, results, titled=False),
        )
    yield ReportFigure(
        title="What patients live through",
        see="A row across the panels is one patient in every arm: time gained on one line may be lost on "
        "the next.",
        source="outcomes",
        draw=partial(plot_swimmer, results, titled=False),
    )


def _of_tumours(results: Results) -> Iterator[ReportFigure]:
    if "trajectory" in results.tables:
        yield ReportFigure(
            title="Burden of disease over time",
            see="How deep remissions go, and when resistant cells take over.",
            source="trajectory",
            draw=partial(plot_burden, results, titled=False),
        )
    if "clones" in results.tables:
        yield ReportFigure(
            title=RESISTANCE,
            see="Which alterations treatment selects: bars beyond the mark of enrolment.",
            source="clones",
            draw=partial(plot_resistance, results, titled=False),
        )
        yield ReportFigure(
            title=ESCAPE,
            see="Whether the genotype that fails one line rules at the next failure, too.",
            source="clones",
            draw=partial(plot_escape, results, titled=False),
        )
