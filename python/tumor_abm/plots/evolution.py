"""Figures of a study of clonal evolution."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from tumor_abm._base.sinks import figure_text
from tumor_abm.evolution.neutrality import NEUTRAL_FROM, cumulative, neutral_fit
from tumor_abm.plots.style import INK, MUTED, canvas, style, whole, width_in, wrapped
from tumor_abm.run.results import Results
from tumor_abm.study.study import WHOLE

_THEORY = "#D55E00"
_DATA = "#0072B2"
_PANEL_IN = 2.5
_LEAST_IN = 3.6
_TWO_COLUMNS_IN = 6.5


def plot_spectra(results: Results, *, ax: Axes | None = None) -> Figure:
    """Draw how many mutations are how frequent, in all cells and as sequencing sees it.

    Above: cumulative site-frequency spectrum of all living cells, a line per tumour, against neutral
    well-mixed growth with the rates of the first type. Below: variant allele fractions of the first
    tumour in bulk, against the same law.

    Parameters
    ----------
    results
        Of a study.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    with style():
        scenarios = results.experiment["scenario"]
        figure, grid = _panels(results, ax, rows=2, height_in=2.35)
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
        _legend(figure, handles)
        return whole(figure)


def plot_neutrality(results: Results, *, ax: Axes | None = None) -> Figure:
    """Draw the test of neutral growth by Williams et al. 2016: numbers of mutations against 1/f.

    Parameters
    ----------
    results
        Of a study.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    with style():
        figure, grid = _panels(results, ax, rows=1, height_in=2.7)
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
        _legend(figure, handles)
        return whole(figure)


def _panels(
    results: Results, ax: Axes | None, *, rows: int, height_in: float
) -> tuple[Figure | SubFigure, list[list[Axes]]]:
    scenarios = results.experiment["scenario"]
    figure = canvas(max(_PANEL_IN * len(scenarios), _LEAST_IN), height_in * rows + 0.5, ax)
    grid = figure.subplots(rows, len(scenarios), squeeze=False)
    for axes, scenario in zip(grid[0], scenarios, strict=True):
        axes.set_title(figure_text(wrapped(scenario["name"], 26)), loc="left", fontsize=9, fontweight="bold")
    return figure, [list(row) for row in grid]


def rows_of(results: Results, table: str, scenario: str, replicate: int | None = None) -> pl.DataFrame:
    """Rows of a table that are about a scenario, or about one tumour of it."""
    rows = results[table].filter(pl.col("scenario") == scenario)
    return rows if replicate is None else rows.filter(pl.col("replicate") == replicate)


def _legend(figure: Figure | SubFigure, handles: list[Line2D]) -> None:
    """Name the lines below the panels, below each other where the figure is narrow."""
    columns = 2 if width_in(figure) >= _TWO_COLUMNS_IN else 1
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=8)


def _label_left(row: list[Axes], text: str) -> None:
    row[0].set_ylabel(text)


def _share_axes(row: list[Axes]) -> None:
    lowest = min(axes.get_ylim()[0] for axes in row)
    highest = max(axes.get_ylim()[1] for axes in row)
    for axes in row:
        axes.set_ylim(lowest, highest)
        if axes is not row[0]:
            axes.tick_params(labelleft=False)


def _neutral_rate(results: Results, scenario: dict[str, list[float]]) -> float:
    """Mutations per effective division of neutral growth at the rates of the first type."""
    per_division = float(results.experiment["genome"]["mutations_per_division"])
    return per_division / (1 - scenario["death"][0] / scenario["division"][0])


def _cumulative_spectrum(axes: Axes, results: Results, scenario: dict[str, list[float]]) -> None:
    name = str(scenario["name"])
    sizes = dict(rows_of(results, "tumours", name).select("replicate", "cells").iter_rows())
    for (replicate,), spectrum in rows_of(results, "spectrum", name).group_by("replicate"):
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
    called = rows_of(results, "variants", name, 0).filter(pl.col("sample") == WHOLE)["vaf"].to_numpy()
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
    whole = rows_of(results, "variants", scenario).filter(pl.col("sample") == WHOLE)
    slopes, count = [], partial(cumulative, lowest=lowest, highest=highest)
    for _, variants in whole.group_by("replicate"):
        pure = variants["vaf"].to_numpy() / reading["purity"]
        axes.plot(*count(pure), color=_DATA, linewidth=0.8, alpha=0.7)
        fit = neutral_fit(pure, lowest=lowest, highest=highest)
        if math.isfinite(fit.mutation_rate):
            slopes.append(fit.mutation_rate)
    end = 1 / lowest - 1 / highest
    if slopes:
        axes.plot([0, end], [0, float(np.median(slopes)) * end], color=_THEORY, linestyle="--")
    r_squared = rows_of(results, "tumours", scenario)["neutral_r_squared"].drop_nulls()
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
