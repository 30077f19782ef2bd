"""Draw the shipped batch of resistance before treatment, with the closed form beside it.

python -m tools.resistance results/resistance docs/images/preexisting_resistance.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import tumor_abm as ta
from matplotlib.figure import Figure
from tumor_abm.plots.style import INK, MUTED, style
from tumor_abm.theory.luria_delbruck import resistance_factor, resistance_present

from tools.markdown import table

SIZE = 100_000
DIVISION = 0.25
_COLOURS = ("#0072B2", "#D55E00", "#009E73")
_NORMAL_95 = 1.96


def shares(batch: ta.Batch) -> pl.DataFrame:
    """Share of the tumours of every point with a resistant cell, its standard error, and the closed form."""
    outcomes = batch.scan("outcomes").group_by("death", "mutation")
    present = (pl.col("n_1") > 0).mean().alias("share")
    told = outcomes.agg(present, pl.len().alias("tumours")).sort("death", "mutation").collect()
    points = told.select("death", "mutation").iter_rows()
    expected = pl.Series("expected", [closed_form(death, mutation) for death, mutation in points])
    share = pl.col("share")
    return told.with_columns((share * (1 - share) / pl.col("tumours")).sqrt().alias("se"), expected)


def closed_form(death: float, mutation: float) -> float:
    """Probability of a resistant cell at this size (Iwasa, Nowak and Michor 2006)."""
    factor = resistance_factor(
        division=DIVISION, death=death, resistant_division=DIVISION, resistant_death=death
    )
    return resistance_present(SIZE, mutation, factor)


def figure(told: pl.DataFrame) -> Figure:
    """Draw shares over the mutation rate, a colour for each turnover; lines are the closed form."""
    with style():
        drawn = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = drawn.subplots()
        turnovers = told["death"].unique(maintain_order=True).to_list()
        points = told["mutation"].unique(maintain_order=True).to_list()
        rates = np.geomspace(points[0], points[-1], 200)
        for colour, death in zip(_COLOURS, turnovers, strict=True):
            rows = told.filter(death=death)
            axes.plot(rates, [100 * closed_form(death, rate) for rate in rates], color=colour)
            axes.errorbar(
                rows["mutation"].to_list(),
                (100 * rows["share"]).to_list(),
                yerr=(100 * _NORMAL_95 * rows["se"]).to_list(),
                fmt="o",
                color=colour,
                label=f"turnover {death / DIVISION:g}",
            )
        axes.set_xscale("log")
        axes.set_xlabel("mutations to resistance per division", color=INK)
        axes.set_ylabel("tumours with a resistant cell, %", color=INK)
        axes.set_title("Points: simulated, 95%. Lines: closed form.", color=MUTED, loc="left", fontsize=9)
        axes.legend(frameon=False)
        return drawn


def main() -> None:
    """Write the figure, and print the table of the page."""
    told = shares(ta.Batch.open(sys.argv[1]))
    figure(told).savefig(Path(sys.argv[2]), dpi=160)
    rows = [
        [
            f"{row['death'] / DIVISION:g}",
            f"{row['mutation']:.1e}",
            f"{100 * row['share']:.1f} ± {100 * row['se']:.1f}",
            f"{100 * row['expected']:.1f}",
        ]
        for row in told.iter_rows(named=True)
    ]
    print(table(["turnover", "mutation", "simulated, %", "closed form, %"], rows))


if __name__ == "__main__":
    main()
