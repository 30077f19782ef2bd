"""How the burden of disease, and what of it is seen in blood, goes over time in all patients of an arm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sinks import figure_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.analysis.portions import some_patients_at_a_time
from tumor_abm.plots.style import FAINT, MUTED, canvas, colours, style, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "Burden of disease over time"
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_LEAST_SHARE, _LEAST = 0.1, 5
_POINTS = 150
_FLOOR_CELLS = 1.0
_BESIDE = 3
_NOT_FOUND = 1e-4
_DAYS_OF_SAMPLES = 84
"""Samples so close are told together: each patient's last of them."""
_VALUES_AT_A_TIME = 200_000
"""Values in memory together, or those of one day if they are more."""


def plot_burden(results: Results, *, titled: bool = True, ax: Axes | None = None) -> Figure:
    """Draw quantiles of the living cells over time, a panel per arm, and of ctDNA below where it was taken.

    The line is the median of the patients alive and followed, the bands hold the middle half and the middle
    80% of them. They end where fewer than a tenth are left. ctDNA is the largest variant allele fraction of
    a sample, in steps of twelve weeks; samples in which nothing was found lie on the floor.

    Parameters
    ----------
    results
        Of an experiment, with the table ``trajectory``.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    must_be("results", results, Results)
    measures = [("Living cells", _cells(results), _FLOOR_CELLS)]
    blood = _blood(results)
    if blood.height:
        measures.append(("ctDNA: largest VAF (%)", blood, 100 * _NOT_FOUND))
    arms = results.arms
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    with style():
        figure = canvas(max(4.6, 3.4 * columns), 2.5 * rows * len(measures) + 0.6, ax)
        panels = figure.subplots(rows * len(measures), columns, sharex=True, sharey="row", squeeze=False)
        for kind, (label, measured, floor) in enumerate(measures):
            for place, panel in enumerate(panels[kind * rows : (kind + 1) * rows].flat):
                if place >= len(arms):
                    panel.set_axis_off()
                    continue
                arm = arms[place]
                _draw(panel, measured.filter(arm=arm), colours(results)[arm], floor)
                panel.set_title(
                    figure_text(wrapped(arm, 42)), loc="left", fontsize=9, fontweight="bold", pad=14
                )
                _count(panel, measured.filter(arm=arm))
                panel.set_xlabel("Months since enrolment")
                panel.tick_params(labelbottom=True)
                if place % columns == 0:
                    panel.set_ylabel(label)
        if titled:
            figure.suptitle(TITLE, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return whole(figure)


def _cells(results: Results) -> pl.DataFrame:
    """Return quantiles of living cells, see `_quantiles`."""
    trajectory = results.scan("trajectory").select(
        _arm(results), pl.col("day").cast(pl.UInt32), value=pl.col("cells").cast(pl.Float64)
    )
    return _quantiles(trajectory)


def _arm(results: Results) -> pl.Expr:
    """Return the column of the arm, a byte a row."""
    return pl.col("arm").cast(pl.Enum(results.arms))


def _blood(results: Results) -> pl.DataFrame:
    if "liquid_biopsies" not in results.tables:
        return pl.DataFrame()
    samples = results.scan("liquid_biopsies").select(
        "patient", _arm(results), pl.col("day").cast(pl.UInt32), "vaf"
    )
    return _quantiles(pl.concat(_lasting(some) for some in some_patients_at_a_time(samples)).lazy())


def _lasting(samples: pl.DataFrame) -> pl.DataFrame:
    """Return the largest fraction, in percent, of each patient's last sample in every step of weeks."""
    return (
        samples.group_by("patient", "arm", "day")
        .agg(value=100 * pl.col("vaf").max())
        .with_columns(sampled="day", day=pl.col("day") // _DAYS_OF_SAMPLES * _DAYS_OF_SAMPLES)
        .sort("sampled")
        .group_by("patient", "arm", "day")
        .agg(pl.col("value").last())
        .select("arm", "day", "value")
    )


def _quantiles(values: pl.LazyFrame) -> pl.DataFrame:
    """Return ``arm, day, n``, and, on the days that are drawn, a column per quantile.

    The values of some of these days are in memory together, never those of all.
    """
    counted = values.group_by("arm", "day").agg(n=pl.len()).sort("arm", "day").collect(engine="streaming")
    enough = pl.max_horizontal(pl.lit(_LEAST), _LEAST_SHARE * pl.col("n").max().over("arm"))
    told = counted.filter(pl.col("n") >= enough)
    stride = pl.max_horizontal(1, pl.len().over("arm") // _POINTS)
    drawn = told.filter(pl.int_range(pl.len()).over("arm") % stride == 0).sort("day", "arm")
    if drawn.is_empty():
        return told.with_columns(pl.lit(None, pl.Float64).alias(_column(share)) for share in _QUANTILES)
    found = pl.concat(_of_days(values, some) for some in _some_at_a_time(drawn))
    return told.join(found, on=["arm", "day"], how="left", maintain_order="left")


def _column(share: float) -> str:
    return f"q{round(100 * share)}"


def _some_at_a_time(days: pl.DataFrame) -> Iterator[pl.DataFrame]:
    portion = (pl.col("n").cum_sum() - 1) // _VALUES_AT_A_TIME
    yield from days.with_columns(portion=portion).partition_by("portion", include_key=False)


def _of_days(values: pl.LazyFrame, days: pl.DataFrame) -> pl.DataFrame:
    here = pl.col("day").is_between(days["day"].min(), days["day"].max())
    return (
        values.filter(here)
        .join(days.lazy().select("arm", "day"), on=["arm", "day"], how="semi")
        .group_by("arm", "day")
        .agg(**{_column(share): pl.col("value").quantile(share) for share in _QUANTILES})
        .collect(engine="streaming")
    )


def _draw(axes: Axes, told: pl.DataFrame, colour: str, floor: float) -> None:
    axes.set_yscale("log")
    axes.minorticks_off()
    shown = told.drop_nulls()
    months = shown["day"].to_numpy() / DAYS_PER_MONTH
    low, early, middle, late, high = (
        np.maximum(shown[_column(share)].to_numpy(), floor) for share in _QUANTILES
    )
    axes.fill_between(months, low, high, color=colour, alpha=0.15, linewidth=0, label="middle 80%")
    axes.fill_between(months, early, late, color=colour, alpha=0.3, linewidth=0, label="middle half")
    axes.plot(months, middle, color=colour, linewidth=1.8, label="median")
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if shown.height:
        axes.set_xlim(0, max(float(months[-1]), 1.0))
        axes.legend(loc="upper right", fontsize=7, ncols=3, handlelength=1.2, columnspacing=0.9)
        top = axes.get_ylim()[1]
        axes.set_ylim(top=top * 8)


def _count(axes: Axes, told: pl.DataFrame) -> None:
    """Say how many patients the first and the last quantiles are of."""
    if told.height:
        axes.annotate(
            f"{told['n'][0]} patients at first, {told['n'][-1]} at the end",
            (0, 1),
            (0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
        )
