"""Simulated survival with what trials published marked on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, style, whole
from tumor_abm.trials import Prediction
from tumor_abm.trials.published import arm_name

_COLOURS = ("#555555", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
_LANDMARKS = (6, 12, 18, 24, 36)
_MONTHS = 48.0
_LEGEND = (
    "\n\nLines: simulated, 95% bands. Diamonds: published medians, 95% intervals. Circles: published rates."
)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A trial.

    Attributes
    ----------
    title
        Its name.
    arms
        Arm to its simulated patients (``months``, ``event``) and its row of the table of trials (``mpfs_mo``,
        ``ci_lo``, ``ci_hi``, ``pfs12_published`` ...), the control first.
    """

    title: str
    arms: Mapping[str, tuple[pl.DataFrame, Mapping[str, Any]]]

    @classmethod
    def of(cls, prediction: Prediction, rows: pl.DataFrame) -> Panel:
        """Return the panel of a trial: of each arm the first of its `rows`.

        Parameters
        ----------
        prediction
            Of the trial, and perhaps of others.
        rows
            Rows of the trial, at least one, as `tumor_abm.trials.published.with_published` returns them.
        """
        file, trial = rows["file"][0], rows["trial"][0]
        lived = prediction.observations.filter(file=file)
        shown = rows.unique("arm", keep="first", maintain_order=True).iter_rows(named=True)
        return cls(
            title=trial, arms={row["arm"]: (lived.filter(arm=arm_name(file, row)), row) for row in shown}
        )


def plot_against_published(panels: Sequence[Panel], title: str, *, ax: Axes | None = None) -> Figure:
    """Draw a panel per trial: simulated curves with 95% bands, and what was published.

    Published medians stand, with their confidence intervals, at one half; published rates are points.

    Parameters
    ----------
    panels
        The trials.
    title
        Of the figure.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    with style():
        figure = canvas(3.4 * columns, 2.9 * rows + 0.7, ax)
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw(axes, panel)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel("Without progression, %")
        for axes in list(grid.flat)[: len(panels)][-columns:]:
            axes.set_xlabel("Months")
        figure.suptitle(f"{figure_text(title)}\n", x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.text(
            0.012,
            1.0,
            _LEGEND,
            va="top",
            fontsize=8.5,
            color=MUTED,
        )
    return whole(figure)


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(figure_text(panel.title), loc="left", fontsize=10)
    axes.set_xlim(0, _MONTHS)
    axes.set_ylim(0, 104)
    axes.set_xticks(range(0, int(_MONTHS) + 1, 12))
    axes.axhline(50, color=FAINT, linewidth=0.8, zorder=0)
    for number, (arm, (observed, published)) in enumerate(panel.arms.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        estimate = kaplan_meier(observed["months"], observed["event"])
        curve = estimate.curve.filter(pl.col("time") <= _MONTHS)
        if estimate.curve["time"].to_numpy().max() > _MONTHS:
            curve = pl.concat([curve, curve.tail(1).with_columns(time=_MONTHS)])
        time = curve["time"].to_numpy()
        axes.step(
            time, 100 * curve["survival"].to_numpy(), where="post", color=colour, label=figure_text(arm)
        )
        axes.fill_between(
            time,
            100 * curve["lo"].to_numpy(),
            100 * curve["hi"].to_numpy(),
            step="post",
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        _mark(axes, published, colour, 50.0 + 2.2 * (number - 0.5))
    axes.legend(loc="upper right", fontsize=8, handlelength=1.4)


def _mark(axes: Axes, published: Mapping[str, Any], colour: str, height: float) -> None:
    middle, low, high = (published[key] for key in ("mpfs_mo", "ci_lo", "ci_hi"))
    if low is not None:
        end = _MONTHS if high is None else min(high, _MONTHS)
        axes.plot([low, end], [height, height], color=colour, linewidth=2.2, alpha=0.8, solid_capstyle="butt")
    if middle is not None:
        axes.plot(
            middle, height, marker="D", markersize=6, color=colour, markeredgecolor=INK, linestyle="none"
        )
    for month in _LANDMARKS:
        rate = published[f"pfs{month}_published"]
        if rate is not None:
            axes.plot(
                month, rate, marker="o", markersize=6, color=colour, markeredgecolor=INK, linestyle="none"
            )
