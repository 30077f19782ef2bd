"""Figures of a study of clonal evolution."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tumor_abm._sinks import figure_text
from tumor_abm.evolution.study import WHOLE
from tumor_abm.neutrality import NEUTRAL_FROM, cumulative, neutral_fit
from tumor_abm.plots.style import INK, MUTED, new_figure, style, wrapped
from tumor_abm.results import Results

_THEORY = "#D55E00"
_DATA = "#0072B2"
_FOUNDER = "#E4E4E4"
_PANEL_IN = 2.5
_SHOWN_FROM = 0.005


def plot_spectra(results: Results) -> Figure:
    """Draw how many mutations are how frequent, in all cells and as sequencing sees it.

    Above: cumulative site-frequency spectrum of all living cells, a line per tumour, against neutral
    well-mixed growth with the rates of the first type. Below: variant allele fractions of the first
    tumour in bulk, against the same law.
    """
    with style():
        scenarios = results.experiment["scenario"]
        figure, grid = _panels(results, rows=2, height_in=2.35)
        for column, scenario in enumerate(scenarios):
            _cumulative_spectrum(grid[0][column], results, scenario)
            _allele_fractions(grid[1][column], results, scenario)
        _label_left(grid[0], "mutations in at least\nthis share of cells")
        _label_left(grid[1], "called mutations")
        _share_axes(grid[0])
        handles = [
            Line2D(
                [], [], color=_DATA, linewidth=1, label="a tumour, all its cells; below: sequenced in bulk"
            ),
            Line2D([], [], color=_THEORY, linestyle="--", label="expected for neutral, well-mixed growth"),
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8)
        return figure


def plot_neutrality(results: Results) -> Figure:
    """Draw the test of neutral growth by Williams et al. 2016: numbers of mutations against 1/f."""
    with style():
        figure, grid = _panels(results, rows=1, height_in=2.7)
        for axes, scenario in zip(grid[0], results.experiment["scenario"], strict=True):
            _williams(axes, results, scenario["name"])
        _label_left(grid[0], "mutations of frequency f or more")
        handles = [
            Line2D([], [], color=_DATA, linewidth=1, label="a tumour, whole, sequenced in bulk"),
            Line2D(
                [],
                [],
                color=_THEORY,
                linestyle="--",
                label="the law of neutral growth, fitted to all tumours",
            ),
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8)
        return figure


def plot_maps(results: Results) -> Figure | None:
    """Draw where the clones of the first tumour of every scenario on a lattice are; 3-D in a slice.

    ``None`` if there is no lattice.
    """
    scenarios = [scenario for scenario in results.experiment["scenario"] if scenario.get("space")]
    if not scenarios:
        return None
    with style():
        columns = min(len(scenarios), 4)
        rows = math.ceil(len(scenarios) / columns)
        figure = new_figure(max(3.1 * columns, 4.5), 3.4 * rows + 0.7)
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes, scenario in zip(panels, scenarios, strict=False):
            _map(axes, results, scenario)
        for axes in panels[len(scenarios) :]:
            axes.set_axis_off()
        handles = [
            Line2D([], [], color=_FOUNDER, marker="s", linestyle="", markersize=8, label="founder clone"),
            Line2D([], [], color=INK, marker=".", linestyle="", markersize=4, label="cells of biopsies"),
        ]
        figure.legend(
            handles=handles,
            title="A colour per clone of at least 0.5% of the tumour; lighter: first cell type",
            alignment="left",
            loc="outside lower left",
            ncols=2,
            fontsize=8,
            title_fontsize=8,
        )
        return figure


def plot_muller(results: Results) -> Figure:
    """Draw how the clones of the first tumour of every scenario grew out of each other."""
    with style():
        figure, grid = _panels(results, rows=1, height_in=2.4)
        for axes, scenario in zip(grid[0], results.experiment["scenario"], strict=True):
            _muller(axes, results, scenario["name"])
        _label_left(grid[0], "share of cells")
        return figure


def _panels(results: Results, *, rows: int, height_in: float) -> tuple[Figure, list[list[Axes]]]:
    scenarios = results.experiment["scenario"]
    figure = new_figure(max(_PANEL_IN * len(scenarios), 5.0), height_in * rows + 0.5)
    grid = figure.subplots(rows, len(scenarios), squeeze=False)
    for axes, scenario in zip(grid[0], scenarios, strict=True):
        axes.set_title(figure_text(wrapped(scenario["name"], 26)), loc="left", fontsize=9, fontweight="bold")
    return figure, [list(row) for row in grid]


def _label_left(row: list[Axes], text: str) -> None:
    row[0].set_ylabel(text)


def _share_axes(row: list[Axes]) -> None:
    lowest = min(axes.get_ylim()[0] for axes in row)
    highest = max(axes.get_ylim()[1] for axes in row)
    for axes in row:
        axes.set_ylim(lowest, highest)
        if axes is not row[0]:
            axes.tick_params(labelleft=False)


def _of(results: Results, table: str, scenario: str, replicate: int | None = None) -> pl.DataFrame:
    rows = results[table].filter(pl.col("scenario") == scenario)
    return rows if replicate is None else rows.filter(pl.col("replicate") == replicate)


def _neutral_rate(results: Results, scenario: dict[str, list[float]]) -> float:
    """Mutations per effective division of neutral growth at the rates of the first type."""
    per_division = float(results.experiment["genome"]["mutations_per_division"])
    return per_division / (1 - scenario["death"][0] / scenario["division"][0])


def _cumulative_spectrum(axes: Axes, results: Results, scenario: dict[str, list[float]]) -> None:
    name = str(scenario["name"])
    sizes = dict(_of(results, "tumours", name).select("replicate", "cells").iter_rows())
    for (replicate,), spectrum in _of(results, "spectrum", name).group_by("replicate"):
        below = spectrum.filter(pl.col("carriers") < sizes[replicate]).sort("carriers", descending=True)
        share = below["carriers"].to_numpy() / sizes[replicate]
        axes.plot(share, below["mutations"].cum_sum().to_numpy(), color=_DATA, linewidth=0.7, alpha=0.6)
    share = np.geomspace(1e-3, 0.97, 100)
    axes.plot(share, _neutral_rate(results, scenario) * (1 / share - 1), color=_THEORY, linestyle="--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1e-3, 1)
    axes.set_ylim(bottom=1)
    axes.set_xlabel("share of cells")


def _allele_fractions(axes: Axes, results: Results, scenario: dict[str, list[float]]) -> None:
    name = str(scenario["name"])
    reading = results.experiment["sequencing"]
    called = _of(results, "variants", name, 0).filter(pl.col("sample") == WHOLE)["vaf"].to_numpy()
    edges = np.linspace(0, 0.6, 61)
    axes.hist(called, edges.tolist(), color=_DATA, alpha=0.75)
    # In a sample of such purity, a mutation of frequency f in the tumour has f * purity here.
    purity, lowest = reading["purity"], reading["least_vaf"]
    f = np.linspace(max(lowest, 0.02), 0.5 * purity, 200)
    density = _neutral_rate(results, scenario) * (purity / 2) / f**2 * (edges[1] - edges[0])
    axes.plot(f, density, color=_THEORY, linestyle="--")
    axes.axvline(purity / 2, color=MUTED, linewidth=0.8, linestyle=":")
    axes.annotate(
        "clonal",
        (purity / 2, 0.97),
        (3, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=7,
        color=MUTED,
        va="top",
    )
    axes.set_xlim(0, 0.6)
    axes.set_yscale("log")
    axes.set_ylim(0.7, None)
    axes.set_xlabel("variant allele fraction")


def _williams(axes: Axes, results: Results, scenario: str) -> None:
    reading = results.experiment["sequencing"]
    lowest, highest = reading["fit_from"], reading["fit_to"]
    whole = _of(results, "variants", scenario).filter(pl.col("sample") == WHOLE)
    slopes, count = [], partial(cumulative, lowest=lowest, highest=highest)
    for _, variants in whole.group_by("replicate"):
        pure = variants["vaf"].to_numpy() / reading["purity"]
        axes.plot(*_steps(count(pure)), color=_DATA, linewidth=0.8, alpha=0.7)
        fit = neutral_fit(pure, lowest=lowest, highest=highest)
        if math.isfinite(fit.mutation_rate):
            slopes.append(fit.mutation_rate)
    end = 1 / lowest - 1 / highest
    if slopes:
        axes.plot([0, end], [0, float(np.median(slopes)) * end], color=_THEORY, linestyle="--")
    r_squared = _of(results, "tumours", scenario)["neutral_r_squared"].drop_nulls()
    if r_squared.len():
        neutral = int((r_squared >= NEUTRAL_FROM).sum())
        told = f"median R² = {float(np.median(r_squared)):.3f}\n"
        told += f"neutral (≥ {NEUTRAL_FROM}): {neutral} of {r_squared.len()}"
        axes.annotate(told, (0.04, 0.97), xycoords="axes fraction", fontsize=7.5, color=INK, va="top")
    # The place of 1/f on an axis that begins at 1/highest.
    inverse = np.unique(np.round(np.linspace(1 / highest, 1 / lowest, 5)))
    axes.set_xticks(inverse - 1 / highest, [f"{value:.0f}" for value in inverse])
    axes.set_xlim(0, end)
    axes.set_ylim(0, None)
    axes.margins(y=0.25)
    axes.set_xlabel("1/f (f: allele fraction if pure)")


def _steps(
    points: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    inverse, numbers = points
    return np.concatenate([[0.0], inverse]), np.concatenate([[0], numbers])


def _owners(results: Results, scenario: str) -> tuple[dict[int, int], dict[int, str]]:
    """To which shown clone every clone counts, and the colours of the shown ones."""
    clones = _of(results, "clones", scenario, 0).sort("clone")
    size = _of(results, "tumours", scenario, 0)["cells"][0]
    owner: dict[int, int] = {}
    shown: list[tuple[int, int]] = []
    for clone, parent, kind, peak in clones.select("clone", "parent", "type", "peak").iter_rows():
        large = parent is None or peak >= _SHOWN_FROM * size
        owner[clone] = clone if large else owner[parent]
        if large and parent is not None:
            shown.append((clone, kind))
    colours = {clone: _clone_colour(i, kind) for i, (clone, kind) in enumerate(shown)}
    return owner, {next(iter(owner)): _FOUNDER} | colours


def _clone_colour(number: int, kind: int) -> str:
    """Hues a golden angle apart; clones of the first type are pale, of others strong."""
    hue = (0.58 + number * 0.618_033_988_7) % 1
    lightness, saturation = (0.72, 0.45) if kind == 0 else (0.46 + 0.08 * (number % 2), 0.62)
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def _map(axes: Axes, results: Results, scenario: dict[str, object]) -> None:
    name = str(scenario["name"])
    owner, colours = _owners(results, name)
    cells = _of(results, "cells", name, 0)
    sampled = _of(results, "sampled_cells", name, 0).filter(pl.col("sample") != WHOLE)
    solid = cells["z"].null_count() == 0
    if solid:
        middle = round(float(np.median(cells["z"])))
        cells = cells.filter(pl.col("z") == middle)
        sampled = sampled.filter((pl.col("z") - middle).abs() <= 1)
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    left, bottom = int(x.min()), int(y.min())
    image = np.ones((int(y.max()) - bottom + 1, int(x.max()) - left + 1, 3))
    rgb = {clone: [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for clone, colour in colours.items()}
    image[y - bottom, x - left] = [rgb[owner[clone]] for clone in cells["clone"]]
    extent = (left - 0.5, x.max() + 0.5, bottom - 0.5, y.max() + 0.5)
    axes.imshow(image, origin="lower", extent=extent, interpolation="nearest")
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
    size = _of(results, "tumours", name, 0)["cells"][0]
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


def _muller(axes: Axes, results: Results, scenario: str) -> None:
    owner, colours = _owners(results, scenario)
    clones = _of(results, "clones", scenario, 0).select("clone", "parent")
    parents = {clone: parent for clone, parent in clones.iter_rows() if clone in colours}
    wide = (
        _of(results, "history", scenario, 0)
        .pivot("clone", index="day", values="cells")
        .sort("day")
        .fill_null(0)
    )
    days = wide["day"].to_numpy()
    sizes = {
        clone: wide[str(clone)].to_numpy() if str(clone) in wide.columns else np.zeros(days.size)
        for clone in colours
    }
    total = np.sum(list(sizes.values()), axis=0)
    children: dict[int, list[int]] = {clone: [] for clone in colours}
    root = next(iter(colours))
    for clone, parent in parents.items():
        if parent is not None:
            children[owner[parent]].append(clone)
    bands: list[tuple[int, float]] = []
    _nest(root, children, lambda clone, share: bands.append((clone, share)))
    axes.stackplot(
        days,
        [sizes[clone] * share / total for clone, share in bands],
        colors=[colours[clone] for clone, _ in bands],
        linewidth=0,
        antialiased=False,
    )
    axes.set_xlim(days[0], days[-1])
    axes.set_ylim(0, 1)
    axes.set_xlabel("day")


def _nest(clone: int, children: dict[int, list[int]], put: Callable[[int, float], None]) -> None:
    """Put the bands of a clone from below: slices of itself, and its children between them."""
    share = 1 / (len(children[clone]) + 1)
    put(clone, share)
    for child in children[clone]:
        _nest(child, children, put)
        put(clone, share)


__all__ = ["plot_maps", "plot_muller", "plot_neutrality", "plot_spectra"]
