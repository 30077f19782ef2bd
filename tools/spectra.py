"""Draw how selection reads in the spectrum of mutations, well mixed and in space, from the shipped study.

python -m tools.spectra results/evolution docs/images/selection_in_the_spectrum.png
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import mannwhitneyu
from tumor_abm.plots.style import style
from tumor_abm.run.results import Results

from tools.markdown import table

GROWTHS = ("well mixed", "2-D", "3-D")
_KINDS: dict[str, tuple[str, Literal["-", "--"]]] = {
    "Neutral": ("#0072B2", "-"),
    "Selected": ("#D55E00", "--"),
}
FREQUENT = 0.1
"""Share of cells from which on a mutation counts as frequent."""


def spectra(results: Results, scenario: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield of each tumour shares of cells, falling, and how many subclonal mutations have at least that."""
    sizes = dict(results["tumours"].filter(scenario=scenario).select("replicate", "cells").iter_rows())
    own = results["spectrum"].filter(scenario=scenario)
    for replicate, cells in sizes.items():
        rows = own.filter(pl.col("replicate") == replicate, pl.col("carriers") < cells)
        rows = rows.sort("carriers", descending=True)
        yield rows["carriers"].to_numpy() / cells, rows["mutations"].cum_sum().to_numpy()


def frequent(results: Results, scenario: str) -> np.ndarray:
    """Return of each tumour how many subclonal mutations are frequent."""
    return np.array([np.append(0.0, m)[(s >= FREQUENT).sum()] for s, m in spectra(results, scenario)])


def figure(results: Results) -> Figure:
    """Draw a panel for each way to grow, a line for each tumour."""
    with style():
        drawn = Figure(figsize=(7.2, 3.2), layout="constrained")
        panels = drawn.subplots(1, len(GROWTHS), sharex=True, sharey=True)
        for axes, growth in zip(panels, GROWTHS, strict=True):
            for kind, (colour, dash) in _KINDS.items():
                for shares, mutations in spectra(results, f"{kind}, {growth}"):
                    axes.plot(shares, mutations, color=colour, linestyle=dash, linewidth=0.8, alpha=0.8)
            axes.axvline(FREQUENT, color="#b0b0b0", linewidth=0.8, linestyle=":", zorder=0)
            axes.set(xscale="log", yscale="log", xlim=(1e-3, 1), ylim=(1, 3e5), xlabel="share of cells")
            axes.set_title(growth, loc="left", fontsize=9, fontweight="bold")
        panels[0].set_ylabel("subclonal mutations\nin at least this share")
        handles = [
            Line2D([], [], color=colour, linestyle=dash, linewidth=1.2, label=kind.lower())
            for kind, (colour, dash) in _KINDS.items()
        ]
        drawn.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8, frameon=False)
        return drawn


def table_of(results: Results) -> str:
    """Write how many subclonal mutations are frequent, neutral beside selected."""
    rows = []
    for growth in GROWTHS:
        neutral, selected = (frequent(results, f"{kind}, {growth}") for kind in _KINDS)
        more = (selected[:, None] > neutral).mean()
        p = mannwhitneyu(selected, neutral, method="exact").pvalue
        rows.append([growth, _told(neutral), _told(selected), f"{100 * more:.0f}", f"{p:.2g}"])
    return table(["growth", "neutral", "selected", "selected has more, % of pairs", "p"], rows).rstrip()


def _told(numbers: np.ndarray) -> str:
    return f"{np.median(numbers):.0f} ({numbers.min():.0f}–{numbers.max():.0f})"


def main() -> None:
    """Write the figure."""
    figure(Results.load(sys.argv[1])).savefig(Path(sys.argv[2]), dpi=160)


if __name__ == "__main__":
    main()
