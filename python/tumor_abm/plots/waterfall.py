"""How far each patient's tumour shrank at best."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tumor_abm._base.arguments import must_be, positive
from tumor_abm._base.sinks import figure_text
from tumor_abm.plots.course import RESPONSES
from tumor_abm.plots.style import FAINT, MUTED, canvas, style, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "Best change of the sum of diameters"
_LOWEST, _HIGHEST = -105, 105
_PROGRESSION_PCT, _RESPONSE_PCT = 20, -30
_BESIDE = 3


def plot_waterfall(results: Results, line: int = 1, *, titled: bool = True, ax: Axes | None = None) -> Figure:
    """Draw the best change of every patient on a line, the worst first, a panel per arm.

    A bar is a patient, its colour the best response. Patients without a scan that could be judged, or without
    measurable disease, have no bar; of how many the bars are is said. Growth beyond +100% is cut there.

    Parameters
    ----------
    results
        Of an experiment.
    line
        Line of therapy, from 1.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    must_be("results", results, Results)
    line = positive("line", line)
    seen = (
        results.scan("outcomes")
        .filter(pl.col("line") == line)
        .select(pl.col("arm", "response").cast(pl.String), change=100 * pl.col("best_sld_change"))
        .collect()
    )
    arms = results.arms
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    with style():
        figure = canvas(max(4.6, 3.6 * columns), 2.5 * rows + 0.9, ax)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(arms):
                panel.set_axis_off()
                continue
            _draw(panel, seen.filter(arm=arms[place]), arms[place])
            if place % columns == 0:
                panel.set_ylabel("Best change (%)")
        if titled:
            figure.suptitle(f"{TITLE}, line {line}", x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.legend(
            handles=[
                Patch(facecolor=colour, edgecolor=MUTED, linewidth=0.5, label=name)
                for name, colour in RESPONSES.items()
            ],
            title="Best response (RECIST 1.1)",
            loc="outside lower left",
            alignment="left",
            ncols=len(RESPONSES),
            fontsize=8,
            title_fontsize=8,
        )
    return whole(figure)


def _draw(axes: Axes, seen: pl.DataFrame, arm: str) -> None:
    told = seen.drop_nulls("change").sort("change", descending=True)
    places = np.arange(told.height)
    change = told["change"].to_numpy().clip(_LOWEST, _HIGHEST - 5)
    edges = np.repeat(places, 2) + np.tile([-0.5, 0.5], told.height)
    heights = np.repeat(change, 2)
    for response, colour in RESPONSES.items():
        own = np.repeat((told["response"] == response).fill_null(value=False).to_numpy(), 2)
        line = MUTED if response == "NE" else colour
        axes.fill_between(edges, heights, where=own, facecolor=colour, edgecolor=line, linewidth=0.3)
    for level in (_PROGRESSION_PCT, _RESPONSE_PCT):
        axes.axhline(level, color=MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlim(-0.5, max(told.height, 1) - 0.5)
    axes.set_ylim(_LOWEST, _HIGHEST)
    axes.set_yticks([-100, -50, _RESPONSE_PCT, 0, _PROGRESSION_PCT, 50, 100])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_title(figure_text(wrapped(arm, 46)), loc="left", fontsize=9, fontweight="bold", pad=14)
    axes.annotate(
        _of_whom(told, seen.height),
        (0, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=MUTED,
    )


def _of_whom(told: pl.DataFrame, began: int) -> str:
    if not began:
        return "nobody began this line"
    shrank = (told["change"] <= _RESPONSE_PCT).sum()
    share = f"; {100 * shrank / told.height:.0f}% shrank by ≥ 30%" if told.height else ""
    return f"{told.height} of {began} patients{share}"
