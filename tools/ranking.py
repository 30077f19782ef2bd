"""Draw which uncertain parameters move the ranking of two sequences, from the shipped batch.

python -m tools.ranking results/ranking docs/images/what_moves_the_ranking.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import tumor_abm as ta
from matplotlib.figure import Figure

from tools.markdown import table

MEASURE, STATISTIC = "PFS2", "hr"


def figure(batch: ta.Batch) -> Figure:
    """Draw the elementary effects on the hazard ratio."""
    return ta.plots.plot_indices(batch, MEASURE, statistic=STATISTIC)


def table_of(batch: ta.Batch) -> str:
    """Write the effects, the largest first."""
    told = batch.indices(MEASURE, STATISTIC).sort("mu_star", descending=True)
    rows = [
        [
            row["axis"],
            f"{row['mu']:+.3f} ({row['mu_lo']:+.3f} to {row['mu_hi']:+.3f})",
            f"{row['mu_star']:.3f} ({row['mu_star_lo']:.3f}–{row['mu_star_hi']:.3f})",
            f"{row['sigma']:.3f}",
        ]
        for row in told.iter_rows(named=True)
    ]
    return table(["parameter", "*μ* (95%)", "*μ*\\* (95%)", "*σ*"], rows)


def ranking(batch: ta.Batch) -> pl.DataFrame:
    """Return hazard ratios of the points: lowest, median, highest, their own error, how many are above 1."""
    ratios = batch.summary().filter(measure=MEASURE, statistic=STATISTIC)
    value = pl.col("value")
    return ratios.select(
        lowest=value.min(),
        median=value.median(),
        highest=value.max(),
        error=pl.col("se").median(),
        reversed=(value > 1).sum(),
        points=pl.len(),
    )


def main() -> None:
    """Write the figure, and print the table of the page."""
    batch = ta.Batch.open(sys.argv[1])
    figure(batch).savefig(Path(sys.argv[2]), dpi=160)
    print(table_of(batch))
    print(ranking(batch))
    print("chance:", batch.indices(MEASURE, STATISTIC)["chance"][0])


if __name__ == "__main__":
    main()
