"""Draw the shipped batch of dose and schedule, against PFS2 and against loss of RB1, and print its table.

python -m tools.doses results/doses docs/images
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import polars as pl
import tumor_abm as ta
from matplotlib.figure import Figure
from tumor_abm.analysis.carried import CARRIED_FROM

from tools.markdown import table

LOST = "RB1 loss"
AXES = ("dose", "days")
FIGURES = {
    "batch_dose_and_schedule_pfs2.png": ("PFS2", "median_months"),
    "batch_dose_and_schedule_rb1_loss.png": (f"{LOST}, line 1", "carried_pct"),
}


def figures(batch: ta.Batch) -> dict[str, Figure]:
    """Draw either statistic over dose and schedule."""
    return {
        name: ta.plots.plot_heat_map(batch, *AXES, measure, statistic=statistic)
        for name, (measure, statistic) in FIGURES.items()
    }


def lost_more_often(batch: ta.Batch, alteration: str = LOST) -> pl.DataFrame:
    """Compare with the first point, patient by patient: all points have the same ones.

    Returns
    -------
    polars.DataFrame
        ``point, more, error``: share of all patients, progressing or not, whose tumour carries it when
        the first line fails, minus that of the first point, in percent; and its standard error.
    """
    clones = batch.scan("clones").filter(moment="progression", line=1)
    mine = clones.filter(pl.col("alterations").list.contains(alteration))
    carried = mine.group_by("point", "batch_replicate", "patient").agg(pl.col("fraction").sum())
    lost = carried.filter(pl.col("fraction") >= CARRIED_FROM).select(pl.exclude("fraction")).collect()
    first = lost.filter(point=0).drop("point")
    patients = batch.study["experiment"]["patients"] * batch.study["replicates"]
    rows = []
    for point in batch.points["point"]:
        here, twins = lost.filter(point=point).drop("point"), list(first.columns)
        gained = here.join(first, on=twins, how="anti").height
        spared = first.join(here, on=twins, how="anti").height
        more = (gained - spared) / patients
        error = math.sqrt(((gained + spared) / patients - more**2) / patients)
        rows.append((point, 100 * more, 100 * error))
    return pl.DataFrame(
        rows, schema={"point": pl.UInt32, "more": pl.Float64, "error": pl.Float64}, orient="row"
    )


def table_of(batch: ta.Batch) -> str:
    """Write the statistics of every point, each with its Monte Carlo error."""
    summary = batch.summary()
    shown = [("PFS2", "median_months"), ("PFS2", "rmst_24"), (f"{LOST}, line 1", "carried_pct")]
    told = [
        summary.filter(measure=m, statistic=s).select("point", "value", "se").rows_by_key("point")
        for m, s in shown
    ]
    paired = lost_more_often(batch).rows_by_key("point")
    rows = []
    for point, dose, days in batch.points.select("point", *AXES).iter_rows():
        values = ["{:.1f} ± {:.1f}".format(*one[point][0]) for one in told]
        more = "" if point == 0 else "{:+.2f} ± {:.2f}".format(*paired[point][0])
        rows.append([f"{dose:g}", days, *values, more])
    header = [
        "dose",
        "days of 28",
        "PFS2, months",
        "mean up to month 24",
        "RB1 loss, % of progressing tumours",
        "more than above all, % of patients",
    ]
    return table(header, rows)


def main() -> None:
    """Write the figures, and print the table of the page."""
    batch = ta.Batch.open(sys.argv[1])
    for name, drawn in figures(batch).items():
        drawn.savefig(Path(sys.argv[2]) / name, dpi=200)
    print(table_of(batch))


if __name__ == "__main__":
    main()
