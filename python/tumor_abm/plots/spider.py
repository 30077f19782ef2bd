"""How each patient's sum of diameters changes over time."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tumor_abm._base.arguments import must_be, positive
from tumor_abm._base.sinks import figure_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.analysis.portions import some_patients_at_a_time
from tumor_abm.plots.course import RESPONSES
from tumor_abm.plots.shown_patients import spread_out
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, style, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "Change of the sum of diameters"
_BESIDE = 3
_LOWEST, _HIGHEST = -105.0, 105.0
_LEAST_SCANNED = 0.1
"""Share of all at the start that the median of a scan rests on at least."""


def plot_spider(
    results: Results, line: int = 1, *, patients: int = 80, titled: bool = True, ax: Axes | None = None
) -> Figure:
    """Draw the change from the baseline of a line at every scan, a thin line per patient, a panel per arm.

    The colour is the best response; a new lesion is a cross. The thick line is the median of those still
    scanned, which patients leave at progression. Of more patients than can be told apart those are drawn who
    lie evenly by best change.

    Parameters
    ----------
    results
        Of an experiment.
    line
        Line of therapy, from 1.
    patients
        Patients drawn in each arm at most.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    must_be("results", results, Results)
    line, patients = positive("line", line), positive("patients", patients)
    scans, outcomes = _scans(results, line), _outcomes(results, line)
    arms = results.arms
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    end = _months_shown(scans)
    with style():
        figure = canvas(max(4.6, 3.6 * columns), 2.7 * rows + 0.9, ax)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(arms):
                panel.set_axis_off()
                continue
            arm = arms[place]
            _draw(panel, scans.filter(arm=arm), outcomes.filter(arm=arm), arm, patients)
            panel.set_xlim(0, end)
            panel.set_xlabel(f"Months on line {line}")
            if place % columns == 0:
                panel.set_ylabel("Change from baseline (%)")
        if titled:
            figure.suptitle(f"{TITLE}, line {line}", x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.legend(
            handles=_legend(),
            loc="outside lower left",
            alignment="left",
            ncols=7 if columns > 1 else 3,
            fontsize=8,
            handlelength=1.4,
        )
    return whole(figure)


def _scans(results: Results, line: int) -> pl.DataFrame:
    """Return ``patient, arm, months, change, new_lesions`` of the scans of a line, by patient and time."""
    key = [pl.col("patient"), pl.col("arm").cast(pl.Enum(results.arms))]
    of_line = pl.col("line") == line
    starts = results.scan("outcomes").filter(of_line).select(*key, "start_day").collect()
    own = results.scan("assessments").filter(of_line).drop_nulls("sld_change")
    scans = own.select(*key, "day", pl.col("new_lesions").cast(pl.UInt16), change=100 * pl.col("sld_change"))
    return pl.concat(
        some.join(starts, on=["patient", "arm"])
        .with_columns(months=(pl.col("day") - pl.col("start_day")) / DAYS_PER_MONTH)
        .sort("patient", "months")
        .select("patient", "arm", "months", "change", "new_lesions")
        for some in some_patients_at_a_time(scans)
    )


def _outcomes(results: Results, line: int) -> pl.DataFrame:
    return (
        results.scan("outcomes")
        .filter(pl.col("line") == line)
        .select("patient", pl.col("arm", "response").cast(pl.String), "best_sld_change")
        .drop_nulls("best_sld_change")
        .sort("arm", "best_sld_change", "patient")
        .collect()
    )


def _months_shown(scans: pl.DataFrame) -> float:
    """Months until a tenth of the patients of some arm are still scanned."""
    last = scans.group_by("arm", "patient").agg(pl.col("months").max())
    ends = last.group_by("arm").agg(pl.col("months").quantile(0.95))["months"].drop_nulls()
    return max(3.0, 1.02 * float(ends.to_numpy().max(initial=0.0)))


def _draw(axes: Axes, scans: pl.DataFrame, outcomes: pl.DataFrame, arm: str, most: int) -> None:
    shown = spread_out(outcomes, most)
    thick = 0.8 if shown.height > 30 else 1.1
    of_shown = scans.filter(pl.col("patient").is_in(shown["patient"].implode()))
    of_patient = {patient: rows for (patient,), rows in of_shown.group_by("patient", maintain_order=True)}
    curves, colours, crosses = [], [], []
    for patient, response in shown.select("patient", "response").iter_rows():
        rows = of_patient.get(patient)
        if rows is None:
            continue
        change = np.append(0.0, rows["change"].to_numpy()).clip(_LOWEST, _HIGHEST)
        curves.append(np.column_stack([np.append(0.0, rows["months"].to_numpy()), change]))
        colours.append(MUTED if response == "NE" else RESPONSES.get(str(response), MUTED))
        crosses += [curves[-1][1 + place] for place in np.flatnonzero(rows["new_lesions"].to_numpy() > 0)]
    axes.add_collection(LineCollection(curves, colors=colours, linewidths=thick, alpha=0.65))
    if crosses:
        axes.plot(*np.array(crosses).T, "x", color=INK, markersize=3.5, markeredgewidth=0.8, alpha=0.8)
    _median(axes, scans)
    for level in (20, -30):
        axes.axhline(level, color=MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_ylim(_LOWEST, _HIGHEST)
    axes.set_yticks([-100, -50, -30, 0, 20, 50, 100])
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_title(figure_text(wrapped(arm, 46)), loc="left", fontsize=9, fontweight="bold", pad=14)
    drawn = (
        f"{len(curves)} of {outcomes.height} patients" if outcomes.height else "no scan that could be judged"
    )
    axes.annotate(
        drawn, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=8, color=MUTED
    )


def _median(axes: Axes, scans: pl.DataFrame) -> None:
    """Draw the median change by the number of the scan."""
    patients = scans["patient"].n_unique()
    middle = (
        scans.with_columns(scan=pl.int_range(pl.len()).over("patient"))
        .group_by("scan")
        .agg(pl.col("months", "change").median(), n=pl.len())
        .filter(pl.col("n") >= max(3.0, _LEAST_SCANNED * patients))
        .sort("scan")
    )
    axes.plot(
        np.append(0.0, middle["months"].to_numpy()),
        np.append(0.0, middle["change"].to_numpy()),
        color=INK,
        linewidth=2.0,
    )


def _legend() -> list[Line2D]:
    responses = [
        Line2D([], [], color=colour, linewidth=1.5, label=name)
        for name, colour in RESPONSES.items()
        if name != "NE"
    ]
    cross = Line2D([], [], color=INK, marker="x", linestyle="", markersize=4, label="new lesion")
    return [*responses, cross, Line2D([], [], color=INK, linewidth=2.0, label="median of those scanned")]
