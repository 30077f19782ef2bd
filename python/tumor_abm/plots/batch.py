"""Figures of a batch: a statistic along one axis, and over two."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.survival import NORMAL_95
from tumor_abm.batch import Batch
from tumor_abm.batch.chosen import chosen
from tumor_abm.errors import InputError
from tumor_abm.plots.hues import distinct
from tumor_abm.plots.indices import plot_indices
from tumor_abm.plots.statistic import statistic_in_words
from tumor_abm.plots.style import INK, MUTED, canvas, panel, style, whole

_LINE_IN, _CELL_IN, _PANEL_IN = 4.6, 0.62, 2.4
_PANELS_ACROSS, _MOST_PANELS = 4, 24
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
Fixed = Mapping[str, Any]

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "experiment": ("median_months", "carried_pct"),
    "study": ("mean",),
    "population": ("mean",),
}
"""Statistics that are drawn and printed first, by what the batch moves."""
_MOST_FIGURES = 12


def plot_along_axis(
    batch: Batch,
    axis: str,
    measure: str,
    *,
    statistic: str | None = None,
    where: Fixed | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a statistic along an axis: a line per arm or scenario, in a band of its 95% Monte Carlo interval.

    Parameters
    ----------
    batch
        A finished batch.
    axis
        Name of the axis.
    measure
        As in the summary: an endpoint, a column, an alteration and line.
    statistic
        As in the summary; the first of the measure when ``None``.
    where
        Axis to value: only these points. Others than `axis` must be fixed, if they vary.
    ax
        Axes to draw into; a new figure when ``None``.

    Raises
    ------
    InputError
        There is no such axis, measure or statistic, or several points share a value of the axis.
    """
    rows, told = _chosen(batch, (axis,), measure, statistic, where, None)
    groups = rows["group"].unique(maintain_order=True).to_list()
    levels = rows[axis].unique(maintain_order=True)
    in_order = levels.sort() if levels.dtype.is_numeric() else levels
    places = {level: level if levels.dtype.is_numeric() else at for at, level in enumerate(in_order)}
    colours = [*_COLOURS, *distinct(max(0, len(groups) - len(_COLOURS)), apart_from=_COLOURS)]
    with style():
        axes = panel(_LINE_IN, 3.0, ax)
        for colour, group in zip(colours, groups, strict=False):
            mine = rows.filter(pl.col("group").eq_missing(group))
            x = np.array([places[level] for level in mine[axis]], dtype=float)
            order = np.argsort(x)
            value, se = (mine[name].cast(pl.Float64).to_numpy()[order] for name in ("value", "se"))
            label = None if group is None else figure_text(group)
            axes.plot(x[order], value, color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
            low, high = value - NORMAL_95 * se, value + NORMAL_95 * se
            axes.fill_between(x[order], low, high, color=colour, alpha=0.18, linewidth=0)
        if not levels.dtype.is_numeric():
            axes.set_xticks(list(places.values()), [figure_text(str(level)) for level in places])
        axes.set_xlabel(figure_text(axis))
        axes.set_ylabel(figure_text(told))
        if any(group is not None for group in groups) and len(groups) > 1:
            axes.legend(fontsize=8)
        return whole(axes)


def plot_heat_map(
    batch: Batch,
    x: str,
    y: str,
    measure: str,
    *,
    statistic: str | None = None,
    group: str | None = None,
    where: Fixed | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a statistic over two axes, as colours and as numbers with their Monte Carlo error.

    Parameters
    ----------
    batch
        A finished batch.
    x, y
        Names of the axes.
    measure, statistic, where
        As in `plot_along_axis`.
    group
        The arm or scenario; the only one when ``None``.
    ax
        Axes to draw into; a new figure when ``None``.

    Raises
    ------
    InputError
        There is no such axis, measure, statistic or group, or several points share a field.
    """
    rows, told = _chosen(batch, (x, y), measure, statistic, where, group)
    groups = rows["group"].unique(maintain_order=True).to_list()
    if len(groups) > 1:
        raise InputError(key="group", found=group, allowed=[str(each) for each in groups])
    columns, lines = (_levels(rows[name]) for name in (x, y))
    field = np.full((len(lines), len(columns)), np.nan)
    marks: dict[tuple[int, int], str] = {}
    for at_x, at_y, value, se in rows.select(x, y, "value", "se").iter_rows():
        place = lines.index(at_y), columns.index(at_x)
        field[place] = np.nan if value is None else value
        marks[place] = "" if value is None else f"{value:.3g}" + ("" if se is None else f"\n± {se:.2g}")
    with style():
        axes = panel(1.9 + _CELL_IN * len(columns), 1.2 + _CELL_IN * len(lines), ax)
        mesh = axes.pcolormesh(field, cmap="viridis", edgecolors="white", linewidth=0.8)
        middle = float(np.nanmean([np.nanmin(field), np.nanmax(field)])) if marks else 0.0
        for (row, column), text in marks.items():
            colour = INK if field[row, column] > middle else "white"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6.5, color=colour)
        for set_ticks, levels in ((axes.set_xticks, columns), (axes.set_yticks, lines)):
            set_ticks([at + 0.5 for at in range(len(levels))], [_written(level) for level in levels])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(figure_text(x))
        axes.set_ylabel(figure_text(y))
        arm = f"{groups[0]}\n" if groups and groups[0] is not None else ""
        axes.set_title(figure_text(f"{arm}{told}"), loc="left", fontsize=8, color=MUTED)
        axes.figure.colorbar(mesh, ax=axes, pad=0.02).outline.set_visible(False)
        return whole(axes)


def plot_small_multiples(
    batch: Batch,
    axis: str,
    by: str,
    measure: str,
    *,
    statistic: str | None = None,
    where: Fixed | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a statistic along an axis once for every value of another, side by side on the same scales.

    Parameters
    ----------
    batch
        A finished batch.
    axis, by
        Names of the axes: along which lines go, and of which every value has a panel.
    measure, statistic, where
        As in `plot_along_axis`.
    ax
        Axes in whose place the panels are drawn; a new figure when ``None``.

    Raises
    ------
    InputError
        There is no such axis, measure or statistic, there are too many panels, or several points share a
        place.
    """
    if axis == by:
        raise InputError(key="by", found=by, allowed=[name for name in batch.axes if name != axis])
    rows, told = _chosen(batch, (axis, by), measure, statistic, where, None)
    levels = _levels(rows[by])
    if len(levels) > _MOST_PANELS:
        raise InputError(key="by", found=f"{len(levels)} values", allowed=f"at most {_MOST_PANELS}")
    across = min(len(levels), _PANELS_ACROSS)
    down = math.ceil(len(levels) / across)
    with style():
        place = canvas(_PANEL_IN * across, 0.4 + 0.8 * _PANEL_IN * down, ax)
        grid = place.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for axes, level in zip(panels, levels, strict=False):
            fixed = {**(where or {}), by: level}
            plot_along_axis(batch, axis, measure, statistic=rows["statistic"][0], where=fixed, ax=axes)
            axes.set_title(figure_text(f"{by} = {_written(level)}"), loc="left", fontsize=8, color=MUTED)
            axes.label_outer()
            axes.set_ylabel("")
            if axes is not panels[0] and axes.get_legend() is not None:
                axes.get_legend().remove()
        for spare in panels[len(levels) :]:
            spare.set_axis_off()
        place.supylabel(figure_text(told), fontsize=8)
        return whole(place)


def _chosen(
    batch: Batch,
    axes: Sequence[str],
    measure: str,
    statistic: str | None,
    where: Fixed | None,
    group: str | None,
) -> tuple[pl.DataFrame, str]:
    """Return the rows of the summary that are drawn, and what they tell in words."""
    for key, name in [("axis", name) for name in axes] + [("where", name) for name in where or {}]:
        if name not in batch.axes:
            raise InputError(key=key, found=name, allowed=batch.axes)
    rows = chosen(batch.summary(), measure, statistic, where, group)
    if rows.select(*axes, "group").is_duplicated().any():
        others = [name for name in batch.axes if name not in axes and name not in (where or {})]
        told = ", ".join(f"{name}=..." for name in others)
        raise InputError(f"several points share a value; fix the other axes: {{{told}}}", key="where")
    return rows, f"{measure}: {statistic_in_words(rows['statistic'][0])}"


def _levels(column: pl.Series) -> list[Any]:
    levels = column.unique(maintain_order=True)
    return (levels.sort() if levels.dtype.is_numeric() else levels).to_list()


def _written(level: object) -> str:
    return f"{level:.4g}" if isinstance(level, float) else figure_text(str(level))


def headline_figures(found: Batch, summary: pl.DataFrame) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield figures by their names: of one axis a line, of two that were crossed a field per arm.

    Of a design made for indices, these of every arm, but for statistics that have none.
    """
    told = summary.filter(pl.col("statistic").is_in(HEADLINES[found.kind]))
    measures = told.filter(pl.col("value") != 0).select("measure", "statistic").unique(maintain_order=True)
    levels = [found.points[name].n_unique() for name in found.axes]
    if found.study["design"] in ("saltelli", "morris") and find_spec("SALib") is not None:
        yield from _figures_of_indices(found, measures.head(_MOST_FIGURES))
        return
    if found.points.height < 2 or math.prod(levels) != found.points.height:
        return
    for measure, statistic in measures.head(_MOST_FIGURES).iter_rows():
        if len(levels) == 1:
            yield (
                measure,
                partial(plot_along_axis, found, found.axes[0], measure, statistic=statistic),
            )
        elif len(levels) == 2:
            x, y = found.axes
            rows = told.filter(measure=measure, statistic=statistic)
            for group in rows["group"].unique(maintain_order=True):
                draw = partial(plot_heat_map, found, x, y, measure, statistic=statistic, group=group)
                yield measure if group is None else f"{measure} {group}", draw


def _figures_of_indices(found: Batch, measures: pl.DataFrame) -> Iterator[tuple[str, Callable[[], Figure]]]:
    for measure, statistic in measures.iter_rows():
        try:
            groups = found.indices(measure, statistic)["group"].unique(maintain_order=True)
        except InputError:  # unknown at some point, the same at all, or crossed with other axes
            continue
        for group in groups:
            draw = partial(plot_indices, found, measure, statistic=statistic, group=group)
            yield measure if group is None else f"{measure} {group}", draw
