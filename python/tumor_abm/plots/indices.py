"""Figure of how much each axis of a batch moves a statistic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumor_abm._base.sinks import figure_text
from tumor_abm.batch import Batch
from tumor_abm.errors import InputError
from tumor_abm.plots.statistic import statistic_in_words
from tumor_abm.plots.style import FAINT, MUTED, panel, style, whole

_WIDTH_IN, _ROW_IN = 4.6, 0.42
_APART = 0.13


class _Mark(NamedTuple):
    """How a column of the indices is drawn, and what it is called."""

    column: str
    words: str
    colour: str
    shape: str
    filled: bool
    place: float


_SOBOL = (
    _Mark("total", "total", "#0072B2", "o", filled=True, place=_APART),
    _Mark("first_order", "first order", "#D55E00", "D", filled=False, place=-_APART),
)
_MORRIS = (
    _Mark("mu_star", "mean size, μ*", "#0072B2", "o", filled=True, place=2 * _APART),
    _Mark("mu", "mean, μ", "#000000", "s", filled=True, place=0.0),
    _Mark("sigma", "spread, σ", "#D55E00", "D", filled=False, place=-2 * _APART),
)


def plot_indices(
    batch: Batch,
    measure: str,
    *,
    statistic: str | None = None,
    where: Mapping[str, Any] | None = None,
    group: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw how much each sampled axis moves a statistic, the axis that moves it most above.

    Sobol indices of a design of ``saltelli`` (total and first order), or elementary effects of one of
    ``morris`` (mean size, mean and spread), with their 95% intervals.

    Parameters
    ----------
    batch
        A finished batch.
    measure, statistic, where
        As in `tumor_abm.Batch.indices`.
    group
        The arm or scenario; the only one when ``None``.
    ax
        Axes to draw into; a new figure when ``None``.

    Raises
    ------
    InputError
        As of `tumor_abm.Batch.indices`, or there is no such group.
    """
    told = batch.indices(measure, statistic, where=where)
    groups = told["group"].unique(maintain_order=True).to_list()
    if group not in groups and (group is not None or len(groups) > 1):
        raise InputError(key="group", found=group, allowed=[str(each) for each in groups])
    shown = groups[0] if group is None else group
    rows = told.filter(pl.col("group").eq_missing(shown))
    marks = _SOBOL if "total" in rows.columns else _MORRIS
    rows = rows.sort(marks[0].column)
    named = statistic or batch.summary().filter(measure=measure)["statistic"][0]
    what = f"{measure}: {statistic_in_words(named)}"
    with style():
        axes = panel(_WIDTH_IN, 1.3 + _ROW_IN * rows.height, ax)
        for mark in marks:
            _draw(axes, rows, mark)
        axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.set_yticks(range(rows.height), [figure_text(name) for name in rows["axis"]])
        axes.set_ylim(-0.5, rows.height - 0.5)
        axes.tick_params(axis="y", length=0)
        unit = (
            "share of the variance" if marks is _SOBOL else "effect of the axis, in the unit of the statistic"
        )
        axes.set_xlabel(unit)
        arm = "" if shown is None else f"{shown}\n"
        axes.set_title(figure_text(f"{arm}{what}"), loc="left", fontsize=8, color=MUTED, pad=20)
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(marks),
            fontsize=8,
            borderaxespad=0.2,
            handletextpad=0.3,
        )
        return whole(axes)


def _draw(axes: Axes, rows: pl.DataFrame, mark: _Mark) -> None:
    """Draw a mark per axis, with its interval if it has one."""
    places = np.arange(rows.height) + mark.place
    values = rows[mark.column].to_numpy()
    if f"{mark.column}_lo" in rows.columns:
        low, high = (rows[f"{mark.column}_{end}"].to_numpy() for end in ("lo", "hi"))
        axes.hlines(places, low, high, color=mark.colour, linewidth=1.2)
    axes.plot(
        values,
        places,
        linestyle="none",
        marker=mark.shape,
        markersize=4.5,
        color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "white",
        markeredgecolor=mark.colour,
        label=mark.words,
    )
