"""Simulated curves beside those of a real trial."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.endpoints import Endpoint, endpoint
from tumor_abm.analysis.estimates_in_words import p_equation
from tumor_abm.analysis.observed import fit
from tumor_abm.analysis.survival import KaplanMeier, kaplan_meier
from tumor_abm.plots.style import FAINT, MUTED, canvas, colours, shortened, style, whole, wrapped
from tumor_abm.run.results import Results

_BESIDE = 3
_LETTERS = 30


def plot_fit(
    results: Results,
    observed: pl.DataFrame,
    timed: Endpoint | str = "PFS1",
    *,
    titled: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Draw the survival of simulated patients, with its 95% band, and that of observed ones, arm by arm.

    Parameters
    ----------
    results
        Of an experiment.
    observed
        As `tumor_abm.analysis.observed.read_observed` returns them.
    timed
        The endpoint that they report, or its name.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.

    Raises
    ------
    InputError
        As `tumor_abm.analysis.observed.fit`.
    """
    found = fit(results, observed, timed)
    timed = endpoint(results, timed) if isinstance(timed, str) else timed
    simulated, hues = timed.observations(results), colours(results)
    arms = found["arm"].to_list()
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    with style():
        figure = canvas(max(4.2, 3.2 * columns), 2.8 * rows + 0.5 * titled, ax)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(arms):
                panel.set_axis_off()
                continue
            row = found.row(place, named=True)
            own = [kaplan_meier(t["months"], t["event"]) for t in _of(arms[place], observed, simulated)]
            _draw(panel, own[0], own[1], hues[arms[place]])
            heading = f"{wrapped(shortened(arms[place]), _LETTERS)}\nlog-rank {p_equation(row['p'])}"
            panel.set_title(figure_text(heading), loc="left", fontsize=9)
            panel.set_xlabel(f"Months from {timed.start}")
            if place % columns == 0:
                panel.set_ylabel(wrapped(f"{timed.without} (%)", _LETTERS))
        if titled:
            said = f"{timed.name}: simulated and observed"
            figure.suptitle(said, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return whole(figure)


def _of(arm: str, *tables: pl.DataFrame) -> list[pl.DataFrame]:
    return [table.filter(arm=arm) for table in tables]


def _draw(axes: Axes, observed: KaplanMeier, simulated: KaplanMeier, colour: str) -> None:
    end = float(np.max(observed.curve["time"].to_numpy(), initial=1.0))
    band = simulated.curve
    axes.fill_between(
        band["time"], 100 * band["lo"], 100 * band["hi"], step="post", color=colour, alpha=0.15, linewidth=0
    )
    axes.step(
        band["time"],
        100 * band["survival"],
        where="post",
        color=colour,
        label=f"simulated, n = {simulated.n}",
    )
    seen = observed.curve
    axes.step(
        np.asarray(seen["time"]),
        100 * np.asarray(seen["survival"]),
        where="post",
        color="black",
        linewidth=1.0,
        linestyle=(0, (4, 2)),
        label=f"observed, n = {observed.n}",
    )
    axes.set_xlim(0, 1.03 * end)
    axes.set_ylim(0, 101)
    axes.axhline(50, color=FAINT, linewidth=0.8, zorder=0)
    axes.tick_params(labelsize=8)
    axes.legend(loc="upper right", frameon=False, fontsize=7, labelcolor=MUTED)
