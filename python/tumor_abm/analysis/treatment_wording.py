"""Times on treatment, and doses, as tables for terminal and report."""

from __future__ import annotations

import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.estimates_in_words import median_text, percent_text
from tumor_abm.analysis.survival import NORMAL_95


def treatment_section(comparison: Compared) -> Section:
    """Word the mean time on each regimen."""
    return Section(
        title="Time on each regimen",
        note="Months on a regimen, all lines on it together, as far as they were followed: mean of those who "
        "were on it (95% CI), and of all patients of the arm.",
        header=["Arm", "regimen", "patients", "mean (95% CI)", "of all (95% CI)"],
        rows=[
            [
                row["arm"],
                row["regimen"],
                str(row["n"]),
                _mean(row["months_mean"], row["months_se"]),
                _mean(row["months_of_all"], row["months_of_all_se"]),
            ]
            for row in comparison.on_regimens.iter_rows(named=True)
        ],
        spare=frozenset({"patients"}),
    )


def _mean(mean: float, se: float | None) -> str:
    if se is None:
        return f"{mean:.1f}"
    return f"{mean:.1f} ({max(0.0, mean - NORMAL_95 * se):.1f}–{mean + NORMAL_95 * se:.1f})"


def next_section(comparison: Compared) -> Section:
    """Word the time to the next treatment and to chemotherapy."""
    told = comparison.to_next
    measures = told["measure"].unique(maintain_order=True).to_list()
    arms = told["arm"].unique(maintain_order=True).to_list()
    return Section(
        title="Time to the next treatment and to chemotherapy",
        note="Median months (95% CI) from the start of the first line, or death.",
        header=["Arm", *(f"to {measure}" for measure in measures)],
        rows=[
            [arm, *(_median(told.filter(arm=arm, measure=measure)) for measure in measures)] for arm in arms
        ],
    )


def intensity_section(comparison: Compared) -> Section:
    """Word the share of the planned doses that was given."""
    return Section(
        title="Dose intensity",
        note="Doses given, % of those planned while the drug was in the regimen: mean of the patients, "
        "± half its interval. Doses held, reduced or left out in a pause, a planned one too, are not given.",
        header=["Arm", "line", "drug", "patients", "given"],
        rows=[
            [
                row["arm"],
                str(row["line"]),
                row["drug"],
                str(row["n"]),
                percent_text(row["intensity_pct"], row["intensity_lo"], row["intensity_hi"]),
            ]
            for row in comparison.intensity.iter_rows(named=True)
        ],
    )


def changes_section(comparison: Compared) -> Section:
    """Word how often doses were held, reduced and given up, where any were."""
    names = ("held", "reduced", "stopped")
    told = comparison.dose_changes.filter(pl.any_horizontal(pl.col(f"{name}_pct") > 0 for name in names))
    return Section(
        title="Doses held, reduced, and drugs given up",
        note="% of those who began the line: with a dose held or reduced for neutropenia, and with a drug "
        "stopped that they did not tolerate.",
        header=["Arm", "line", "patients", *names],
        rows=[
            [
                row["arm"],
                str(row["line"]),
                str(row["n"]),
                *(percent_text(*(row[f"{name}_{of}"] for of in ("pct", "lo", "hi"))) for name in names),
            ]
            for row in told.iter_rows(named=True)
        ],
    )


def _median(found: pl.DataFrame) -> str:
    if found.is_empty() or not found["n"][0]:
        return NOTHING
    row = found.row(0, named=True)
    return median_text(row["median_months"], row["lo"], row["hi"])
