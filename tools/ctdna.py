"""Draw the shipped longitudinal liquid biopsies of a patient against the true clones.

python -m tools.ctdna results/ctdna docs/images/ctdna_and_clones.png
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import tumor_abm as ta
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.config import Experiment
from tumor_abm.plots.style import FAINT, MUTED, style
from tumor_abm.run.results import Results

from tools.markdown import table

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_LEAST_SHARE = 1e-4
"""Of the tumour's cells: below, an alteration is not drawn."""
_FRACTIONS = (0.0, 0.002, 0.02, 0.2, 1.0)
"""Of tumour DNA: ends of the bands in which samples are counted."""
RARE, ABUNDANT = 0.01, 0.1
"""Shares of cells below and from which on an alteration is called so."""


def true_shares(results: Results, patient: int, arm: str, days: Sequence[float]) -> pl.DataFrame:
    """Live a patient again: ``day, type, share`` of the living cells that carry each alteration."""
    model = ta.TumorModel(results.experiment, patient=patient, strategy=arm, collect_every_days=0)
    due, rows = sorted(days), []
    while due:
        if model.day >= due[0]:
            carried = model.clones.explode("alterations").group_by("alterations").agg(pl.col("cells").sum())
            share = (pl.col("cells") / model.clones["cells"].sum()).alias("share")
            day = pl.lit(due.pop(0)).alias("day")
            rows.append(carried.drop_nulls().select(day, pl.col("alterations").alias("type"), share))
        elif model.running:
            model.step()
        else:
            break
    return pl.concat(rows).sort("day", "type")


def compared(results: Results, reads: pl.DataFrame) -> pl.DataFrame:
    """Plasma beside the tumour: a row per patient, day and alteration that is in DNA.

    ``share`` is that of all living cells, ``expected`` the fraction of alleles in plasma if all cells shed
    alike, ``vaf`` what was read. What several clones gained apart is one alteration here, as on a panel, and
    ``called`` if together it reaches the limits of the panel.
    """
    known = Experiment.from_dict(results.experiment).knowledge.alterations
    numbers = {
        name: (known[name].copy_number.copies.value, known[name].copy_number.mutant_copies.value)
        for name in known
    }
    in_dna = [name for name, alteration in known.items() if alteration.in_dna]
    found = []
    for (patient, arm), own in reads.group_by("patient", "arm", maintain_order=True):
        days = own.select("day", "tumour_fraction").unique(maintain_order=True)
        truth = true_shares(results, patient, arm, days["day"].to_list()).filter(pl.col("type").is_in(in_dna))
        read = own.group_by("day", "type").agg(pl.col("vaf", "alt_reads").sum())
        beside = truth.join(days, on="day").join(read, on=["day", "type"], how="left")
        found.append(beside.select(pl.lit(patient).alias("patient"), pl.all()))
    copies, mutant = (
        pl.col("type").replace_strict({name: float(pair[i]) for name, pair in numbers.items()})
        for i in (0, 1)
    )
    panel = results.experiment["liquid_biopsy_panel"][0]
    enough = (pl.col("vaf") >= panel["least_vaf"]) & (pl.col("alt_reads") >= panel["least_reads"])
    of_tumour = pl.col("share") * pl.col("tumour_fraction")
    return pl.concat(found).with_columns(
        pl.col("vaf").fill_null(0.0),
        called=enough.fill_null(value=False),
        expected=of_tumour * mutant / (of_tumour * copies + 2 * (1 - of_tumour)),
    )


def shown_patient(beside: pl.DataFrame) -> int:
    """Return the first patient in whom what few cells carried at diagnosis comes to be abundant."""
    at_first = beside.filter(pl.col("day") == 0, pl.col("share") >= RARE).select("patient", "type")
    risen = beside.filter(pl.col("share") >= ABUNDANT).join(at_first, on=["patient", "type"], how="anti")
    return int((risen if risen.height else beside)["patient"].min())  # type: ignore[arg-type]


def figure(results: Results, beside: pl.DataFrame, patient: int, least_vaf: float) -> Figure:
    """Draw the shares of cells above, and what plasma reads below, over the months of a patient."""
    own = beside.filter(pl.col("patient") == patient).with_columns(month=pl.col("day") / DAYS_PER_MONTH)
    peak = own.group_by("type").agg(pl.col("share").max(), pl.col("vaf").max()).sort("share", descending=True)
    kinds = peak.filter((pl.col("share") >= 0.01) | (pl.col("vaf") > 0))["type"].head(len(_MARKS)).to_list()
    with style():
        drawn = Figure(figsize=(6.4, 5.6), layout="constrained")
        above, below = drawn.subplots(2, 1, sharex=True)
        _leave_lines(results, patient, (above, below))
        for kind, colour, mark in zip(kinds, _COLOURS, _MARKS, strict=False):
            rows = own.filter(type=kind).sort("month")
            month, share, expected = (rows[name].to_list() for name in ("month", "share", "expected"))
            above.plot(month, share, color=colour, marker=mark, markersize=3.5, linewidth=1, label=kind)
            below.plot(month, expected, color=colour, linewidth=1)
            seen, missed = rows.filter("called"), rows.filter(~pl.col("called") & (pl.col("vaf") > 0))
            below.plot(
                seen["month"], seen["vaf"], color=colour, marker=mark, markersize=4.5, linestyle="none"
            )
            below.plot(
                *(missed["month"], missed["vaf"]),
                **{
                    "color": colour,
                    "marker": mark,
                    "markersize": 4.5,
                    "linestyle": "none",
                    "fillstyle": "none",
                },
            )
        of_tumour = own.unique("month").sort("month")
        half = (of_tumour["tumour_fraction"] / 2).to_list()
        below.plot(
            of_tumour["month"],
            half,
            color=MUTED,
            linestyle="--",
            linewidth=1,
            label="half of the tumour's DNA",
        )
        below.axhline(
            least_vaf, color=MUTED, linestyle=":", linewidth=0.9, label="least fraction that is called"
        )
        for axes, name in ((above, "share of the tumour's cells"), (below, "fraction of alleles in plasma")):
            axes.set_yscale("log")
            axes.set_ylim(_LEAST_SHARE, 1.4)
            axes.set_ylabel(name)
        below.set_xlabel("months since the first dose")
        above.set_title(
            f"Patient {patient}. Above: all living cells. Below: lines are expected, marks are read;"
            "\nhollow: too few to call. A grey bar is the end of a line of therapy.",
            color=MUTED,
            loc="left",
            fontsize=8,
        )
        handles = [*above.get_legend_handles_labels()[0], *below.get_legend_handles_labels()[0]]
        drawn.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8, frameon=False)
        return drawn


def _leave_lines(results: Results, patient: int, panels: Sequence[Axes]) -> None:
    """Mark the days on which lines ended."""
    ends = results.outcomes.filter(patient=patient)["end_day"].drop_nulls().to_list()
    for axes in panels:
        for day in ends:
            axes.axvline(day / DAYS_PER_MONTH, color=FAINT, linewidth=3, zorder=0)


def agreement(beside: pl.DataFrame) -> list[list[str]]:
    """Tell, by how much of the DNA is the tumour's, how well plasma told what many cells carried."""
    rows = []
    for low, high in itertools.pairwise(_FRACTIONS):
        in_band = pl.col("tumour_fraction").is_between(low, high, closed="left")
        there = beside.filter(in_band, pl.col("share") >= ABUNDANT)
        if there.height:
            share, error = _called(there)
            seen = there.filter("called")
            off = seen.select(100 * (pl.col("vaf") / pl.col("expected") - 1).abs()).median().item()
            told = [there.height, there["patient"].n_unique(), f"{100 * share:.0f} ± {100 * error:.0f}"]
            rows.append([f"{low:g} to {high:g}", *map(str, told), "-" if off is None else f"{off:.0f}"])
    return rows


def _called(there: pl.DataFrame) -> tuple[float, float]:
    """Return the share that is called, with its standard error, patients drawn and not samples."""
    share = there.select(pl.col("called").mean()).item()
    off = there.group_by("patient").agg((pl.col("called") - share).sum())["called"].to_numpy()
    patients = len(off)
    return share, math.sqrt((off**2).sum() * patients / max(1, patients - 1)) / there.height


def main() -> None:
    """Write the figure, and print the table of the page."""
    directory = Path(sys.argv[1])
    results = Results.load(directory)
    reads = pl.read_parquet(directory / "samples" / "sampled_mutations.parquet")
    beside = compared(results, reads)
    patient = shown_patient(beside)
    least = results.experiment["liquid_biopsy_panel"][0]["least_vaf"]
    figure(results, beside, patient, least).savefig(Path(sys.argv[2]), dpi=160)
    print(
        table(
            ["tumour's share of DNA", "samples", "patients", "called, %", "off by, %"],
            agreement(beside),
        )
    )


if __name__ == "__main__":
    main()
