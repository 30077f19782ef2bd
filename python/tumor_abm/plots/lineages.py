"""Figures of the clones of a study: how they grew out of each other, and where they are.

A clone that the table ``history`` has by itself has a colour of its own; all others are added up, by
cell type, in a band of their own. So what is drawn of a clone is what the clone is.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from tumor_abm._base.sinks import figure_text
from tumor_abm.plots.evolution import rows_of
from tumor_abm.plots.hues import distinct
from tumor_abm.plots.style import INK, MUTED, canvas, style, whole, wrapped
from tumor_abm.run.results import Results
from tumor_abm.study.study import WHOLE

_FOUNDER = "#E4E4E4"
_PANEL_IN, _MAP_IN = 2.9, 3.3
_LEGEND_ROW_IN = 0.13
_NAME_LETTERS = 14

Clone = int
"""The number of a clone that is drawn by itself, or ``-1 - type`` for all others of a cell type."""


@dataclass(frozen=True)
class DrawnClones:
    """The clones of one tumour as they are drawn.

    Attributes
    ----------
    colours
        Of every band; the founder first, then clones by number, then those added up.
    names
        Of the bands, as the legend has them.
    drawn_as
        The band of every clone that ever lived.
    parents
        Of a band that is a clone, the band of its parent; the others have none.
    """

    colours: dict[Clone, str]
    names: dict[Clone, str]
    drawn_as: dict[int, Clone]
    parents: dict[Clone, Clone]

    @classmethod
    def of(cls, results: Results, scenario: dict[str, object]) -> DrawnClones:
        """Choose the colours of the first tumour of a scenario."""
        name, types = str(scenario["name"]), [str(kind) for kind in scenario["types"]]  # type: ignore[attr-defined]
        kept = set(rows_of(results, "history", name, 0)["clone"].drop_nulls())
        clones = rows_of(results, "clones", name, 0).sort("clone").select("clone", "parent", "type").rows()
        kinds = {clone: kind for clone, _, kind in clones}
        drawn_as = {clone: clone if clone in kept else -1 - kind for clone, kind in kinds.items()}
        ancestor: dict[int, Clone] = {}
        for clone, parent, _ in clones:
            ancestor[clone] = clone if clone in kept or parent is None else ancestor[parent]
        founder = clones[0][0]
        bands = [clone for clone, _, _ in clones if clone in kept]
        others = sorted({band for band in drawn_as.values() if band < 0}, reverse=True)
        names = {clone: f"{clone} {_short(types[kinds[clone]])}" for clone in bands}
        names |= {founder: "founder clone"} | {band: f"others: {_short(types[-1 - band])}" for band in others}
        return cls(
            colours={founder: _FOUNDER} | _coloured([*bands[1:], *others], kinds),
            names=names,
            drawn_as=drawn_as,
            parents={clone: ancestor[parent] for clone, parent, _ in clones if clone in bands[1:]},
        )


def _coloured(bands: list[Clone], kinds: dict[int, int]) -> dict[Clone, str]:
    """Colours that can be told apart: pale for the first cell type, strong for the others."""
    first = [band for band in bands if (kinds[band] if band >= 0 else -1 - band) == 0]
    later = [band for band in bands if band not in first]
    pale = distinct(len(first), apart_from=[_FOUNDER], pale=True)
    strong = distinct(len(later), apart_from=[INK])
    chosen = dict(zip([*first, *later], [*pale, *strong], strict=True))
    return {band: chosen[band] for band in bands}


def _short(name: str) -> str:
    return textwrap.shorten(name, _NAME_LETTERS, placeholder="…") if " " in name else name[:_NAME_LETTERS]


def plot_muller(results: Results, *, ax: Axes | None = None) -> Figure:
    """Draw how the clones of the first tumour of every scenario grew out of each other.

    Parameters
    ----------
    results
        Of a study.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    scenarios = results.experiment["scenario"]
    with style():
        drawn = [DrawnClones.of(results, scenario) for scenario in scenarios]
        entries = max(len(clones.colours) for clones in drawn)
        figure, panels = _panels(ax, len(drawn), len(drawn), entries, width_in=_PANEL_IN, height_in=2.9)
        for (axes, below), scenario, clones in zip(panels, scenarios, drawn, strict=True):
            axes.set_title(
                figure_text(wrapped(scenario["name"], 26)), loc="left", fontsize=9, fontweight="bold"
            )
            _muller(axes, rows_of(results, "history", scenario["name"], 0), clones)
            _legend(below, clones, clones.colours)
        panels[0][0].set_ylabel("share of cells")
        return whole(figure)


def plot_maps(results: Results, *, ax: Axes | None = None) -> Figure | None:
    """Draw where the clones of the first tumour of every scenario on a lattice are; 3-D in a slice.

    ``None`` if there is no lattice.

    Parameters
    ----------
    results
        Of a study.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    scenarios = [scenario for scenario in results.experiment["scenario"] if scenario.get("space")]
    if not scenarios:
        return None
    with style():
        drawn = [DrawnClones.of(results, scenario) for scenario in scenarios]
        entries = 1 + max(len(clones.colours) for clones in drawn)
        figure, panels = _panels(ax, len(drawn), 4, entries, width_in=_MAP_IN, height_in=3.4)
        for (axes, below), scenario, clones in zip(panels, scenarios, drawn, strict=True):
            seen = _map(axes, results, scenario, clones)
            biopsies = Line2D([], [], color=INK, marker=".", linestyle="", markersize=4, label="biopsies")
            _legend(below, clones, seen, biopsies)
        return whole(figure)


def _panels(
    ax: Axes | None, number: int, most_columns: int, entries: int, *, width_in: float, height_in: float
) -> tuple[Figure | SubFigure, list[tuple[Axes, Axes]]]:
    """Return a figure of so many panels, each with room for a legend of so many entries below it."""
    columns = min(number, most_columns)
    rows = math.ceil(number / columns)
    legend_in = _LEGEND_ROW_IN * (math.ceil(entries / 2) + 2)
    figure = canvas(width_in * columns, (height_in + legend_in) * rows, ax)
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[height_in, legend_in] * rows)
    above, below = grid[::2].flatten(), grid[1::2].flatten()
    for axes in (*above[number:], *below):
        axes.set_axis_off()
    return figure, list(zip(above[:number], below[:number], strict=True))


def _legend(axes: Axes, clones: DrawnClones, bands: Iterable[Clone], *more: Line2D) -> None:
    """Name every colour."""
    colours = [Patch(color=clones.colours[band], label=figure_text(clones.names[band])) for band in bands]
    axes.legend(
        handles=[*colours, *more],
        title="clone and its cell type",
        loc="upper left",
        alignment="left",
        ncols=2,
        fontsize=6,
        title_fontsize=6.5,
        handlelength=1.2,
        handleheight=0.8,
        labelspacing=0.3,
        columnspacing=1.0,
        borderaxespad=0,
        borderpad=0,
    )


def _muller(axes: Axes, history: pl.DataFrame, clones: DrawnClones) -> None:
    days, sizes = _sizes(history, clones)
    total = np.sum(list(sizes.values()), axis=0)
    children: dict[Clone, list[Clone]] = {band: [] for band in clones.colours}
    for band, parent in clones.parents.items():
        children[parent].append(band)
    layers: list[tuple[Clone, float]] = []
    for root in clones.colours:
        if root not in clones.parents:
            _nest(root, children, lambda band, share: layers.append((band, share)))
    axes.stackplot(
        days,
        [sizes[band] * share / total for band, share in layers],
        colors=[clones.colours[band] for band, _ in layers],
        linewidth=0,
        antialiased=False,
    )
    axes.set_xlim(days[0], days[-1])
    axes.set_ylim(0, 1)
    axes.set_xlabel("day")


def _sizes(
    history: pl.DataFrame, clones: DrawnClones
) -> tuple[NDArray[np.float64], dict[Clone, NDArray[np.float64]]]:
    """Days, and the cells of every band on each of them."""
    band = pl.coalesce(pl.col("clone").cast(pl.Int64), -1 - pl.col("type").cast(pl.Int64))
    wide = (
        history.with_columns(band=band)
        .pivot("band", index="day", values="cells", aggregate_function="sum")
        .sort("day")
        .fill_null(0)
    )
    nothing = pl.zeros(wide.height, eager=True)
    sizes = {band: wide.get_column(str(band), default=nothing) for band in clones.colours}
    return wide["day"].to_numpy(), {band: cells.to_numpy().astype(float) for band, cells in sizes.items()}


def _nest(clone: Clone, children: dict[Clone, list[Clone]], put: Callable[[Clone, float], None]) -> None:
    """Put the layers of a clone from below: slices of itself, and its children between them."""
    share = 1 / (len(children[clone]) + 1)
    put(clone, share)
    for child in children[clone]:
        _nest(child, children, put)
        put(clone, share)


def _map(axes: Axes, results: Results, scenario: dict[str, object], clones: DrawnClones) -> list[Clone]:
    """Draw a map; return the bands that are in it."""
    name = str(scenario["name"])
    cells = rows_of(results, "cells", name, 0)
    sampled = rows_of(results, "sampled_cells", name, 0).filter(pl.col("sample") != WHOLE)
    solid = cells["z"].null_count() == 0
    if solid:
        middle = round(float(np.median(cells["z"])))
        cells = cells.filter(pl.col("z") == middle)
        sampled = sampled.filter((pl.col("z") - middle).abs() <= 1)
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    left, bottom = int(x.min()), int(y.min())
    image = np.full((int(y.max()) - bottom + 1, int(x.max()) - left + 1, 3), 255, dtype=np.uint8)
    here = [clones.drawn_as[clone] for clone in cells["clone"]]
    rgb = {band: tuple(bytes.fromhex(colour[1:])) for band, colour in clones.colours.items()}
    image[y - bottom, x - left] = [rgb[band] for band in here]
    extent = (left - 0.5, x.max() + 0.5, bottom - 0.5, y.max() + 0.5)
    axes.imshow(image, origin="lower", extent=extent, interpolation="nearest")
    _biopsies(axes, sampled)
    size = rows_of(results, "tumours", name, 0)["cells"][0]
    told = f"{'slice of ' if solid else ''}{size:,} cells, {image.shape[1]} sites across"
    axes.set_title(figure_text(wrapped(name, 34)), loc="left", fontsize=9, fontweight="bold", pad=16)
    axes.annotate(
        told, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=7.5, color=MUTED
    )
    # Squares of one size, with some space around the largest tumour's rim for its labels.
    half = 0.54 * max(image.shape)
    middle_x, middle_y = left + image.shape[1] / 2, bottom + image.shape[0] / 2
    axes.set_xlim(middle_x - half, middle_x + half)
    axes.set_ylim(middle_y - half, middle_y + half)
    axes.set_axis_off()
    present = set(here)
    return [band for band in clones.colours if band in present]


def _biopsies(axes: Axes, sampled: pl.DataFrame) -> None:
    axes.plot(sampled["x"], sampled["y"], ".", color=INK, markersize=1.1, markeredgewidth=0)
    for label, part in sampled.group_by("sample", maintain_order=True):
        axes.annotate(
            figure_text(str(label[0])),
            (float(part["x"].mean()), float(part["y"].max())),  # type: ignore[arg-type]
            (0, 2),
            textcoords="offset points",
            fontsize=7,
            ha="center",
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
        )
