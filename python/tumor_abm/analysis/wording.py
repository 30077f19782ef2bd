"""A comparison in words and numbers for people: the same tables for terminal and report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.endpoints import Endpoint, Kind
from tumor_abm.analysis.estimates_in_words import (
    hazard_ratio_text,
    interval_text,
    median_text,
    p_text,
    percent_text,
    ratio_text,
    signed_text,
)
from tumor_abm.analysis.subgroup_wording import subgroup_sections
from tumor_abm.analysis.survival import NORMAL_95
from tumor_abm.analysis.treatment_wording import (
    changes_section,
    intensity_section,
    next_section,
    treatment_section,
)
from tumor_abm.analysis.worth_wording import worth_section
from tumor_abm.treatment import Eligibility

LEGEND = (
    "Medians in months, NR: not reached. 6 to 36 mo: % without the event; ±: half the 95% interval. "
    "ORR, CBR: % of all who began the line. HR: Cox, against the control arm, of the patients in both arms; "
    "its interval and p (log-rank) are those of a trial of this size, whose arms are of different patients. "
    "Paired: what the simulation knows, in which they are the same."
)
Row = dict[str, Any]


def sections(comparison: Compared) -> list[Section]:
    """Word `comparison`: a section per endpoint, the pairs of patients, then who gains."""
    worded = [endpoint_section(comparison, endpoint) for endpoint in comparison.endpoints]
    for section in (
        pairs_section(comparison),
        gains_section(comparison),
        *subgroup_sections(comparison),
        next_section(comparison),
        treatment_section(comparison),
        intensity_section(comparison),
        changes_section(comparison),
        worth_section(comparison),
        neutropenia_section(comparison),
    ):
        worded += [section] if section.rows else []
    if comparison.without_meaning:
        remarks = tuple(_without_meaning(comparison))
        worded.append(Section(title="Not defined", note="", header=[], rows=[], remarks=remarks))
    return worded


def _without_meaning(comparison: Compared) -> Iterator[str]:
    for endpoint, reasons in comparison.without_meaning.items():
        yield f"{endpoint.name} is not defined: {'; '.join(reasons)}."


def summary_section(comparison: Compared) -> Section:
    """Word medians and hazard ratios of the endpoints that are counted from the first day."""
    endpoints = [each for each in comparison.endpoints if each.randomised]
    rows = {(row["arm"], row["endpoint"]): row for row in comparison.table.iter_rows(named=True)}
    arms = comparison.table["arm"].unique(maintain_order=True).to_list()
    compared = len(arms) > 1
    ratio = " and, below, hazard ratio against the control arm (95% CI of a trial of this size)"
    return Section(
        title="In short",
        note=f"Median months (95% CI){ratio if compared else ''}.",
        header=["Arm", *(each.name for each in endpoints)],
        rows=[
            [
                arm,
                *(
                    "\n".join(_in_short(rows[arm, each.name], comparison.control, compared))
                    for each in endpoints
                ),
            ]
            for arm in arms
        ],
        remarks=tuple(_without_meaning(comparison)),
    )


def _in_short(row: Row, control: str, compared: bool) -> Iterator[str]:
    yield _median(row)
    if compared:
        yield next(_against_control(row, control))


def endpoint_section(comparison: Compared, endpoint: Endpoint) -> Section:
    """Word the arms' survival and response for one endpoint."""
    rows = comparison.with_limits.filter(endpoint=endpoint.name)
    landmarks = [name for name in rows.columns if re.fullmatch(r"rate_\d+", name)]
    responses = ["orr", "cbr"] if endpoint.kind is Kind.PFS else []
    compared = endpoint.randomised and bool((rows["n_shared"] > 0).any())
    return Section(
        title=endpoint.title if endpoint.name in endpoint.title else f"{endpoint.title} ({endpoint.name})",
        note=_endpoint_note(comparison, endpoint, rows),
        header=[
            "Arm",
            "events/n",
            "median (95% CI)",
            *(landmark.removeprefix("rate_") + " mo" for landmark in landmarks),
            *map(str.upper, responses),
            *(("HR (95% CI)", "p") if compared else ()),
        ],
        rows=[
            [
                row["arm"],
                NOTHING if row["not_defined"] is not None else f"{row['events'] or 0}/{row['n'] or 0}",
                _median(row),
                *(percent_text(row[name], row[f"{name}_lo"], row[f"{name}_hi"]) for name in landmarks),
                *(percent_of(row, name) for name in responses),
                *(_against_control(row, comparison.control) if compared else ()),
            ]
            for row in rows.iter_rows(named=True)
        ],
        remarks=tuple(_remarks(comparison, endpoint, rows)),
        spare=frozenset({"6 mo", "18 mo", "36 mo", "CBR"}),
    )


def _median(row: Row) -> str:
    if row["not_defined"] is not None:
        return "not defined"
    return median_text(row["median_months"], row["lo"], row["hi"]) if row["n"] else NOTHING


def _endpoint_note(comparison: Compared, endpoint: Endpoint, rows: pl.DataFrame) -> str:
    note = endpoint.definition[0].upper() + endpoint.definition[1:]
    if not endpoint.randomised:
        note += ", of those who reached this line: not a randomised comparison"
    if comparison.experiment.get("assessment", {}).get("progression_from") == "baseline":
        note += "; progression is growth from the baseline of a line, not from the nadir as in RECIST 1.1"
    followed = rows["follow_up_months"].drop_nulls()
    if followed.len():
        shortest, longest = (f"{months:.0f}" for months in np.quantile(followed.to_numpy(), (0, 1)))
        told = shortest if shortest == longest else f"{shortest} to {longest}"
        note += f". Median follow-up {told} months"
    return note + "."


def _remarks(comparison: Compared, endpoint: Endpoint, rows: pl.DataFrame) -> Iterator[str]:
    """Say where the endpoint has no meaning, whom a rule censored, and who is in one arm only."""
    for row in rows.iter_rows(named=True):
        if row["not_defined"] is not None:
            yield f"{row['arm']}: not defined: {row['not_defined']}."
        if row["censored_by_rule"] and row["not_defined"] is None:
            yield (
                f"{row['arm']}: a rule led {row['censored_by_rule']} of {row['n']} patients to the next line "
                "before progression, where this time is censored."
            )
        missing = comparison.missing.filter(arm=row["arm"], endpoint=endpoint.name)
        if missing.height:
            absent = "; ".join(_absent(comparison, each) for each in missing.iter_rows(named=True))
            yield (
                f"{row['arm']}: compared on the {row['n_shared']} patients in both arms (it has {row['n']}, "
                f"the control arm {row['n_control']}). {absent}."
            )


def _absent(comparison: Compared, missing: Row) -> str:
    arm = missing["absent_from"]
    said = f"{missing['patients']} are not in {arm}"
    if missing["why"] == "not begun":
        return f"{said}: they never began its first line, of which they tolerate no drug"
    among = next(each.get("among", {}) for each in comparison.experiment["arm"] if each["name"] == arm)
    words = Eligibility.model_validate(among).in_words()
    return f"{said}, which is about patients {words}" if words else said


def _against_control(row: Row, control: str) -> Iterator[str]:
    if row["not_defined"] is not None:
        yield from (NOTHING, NOTHING)
    elif row["arm"] == control:
        yield from ("1 (control)", "")
    elif not row["n_shared"]:
        yield from (NOTHING, NOTHING)
    else:
        yield from (hazard_ratio_text(row["hr"], row["hr_lo"], row["hr_hi"]), p_text(row["p"]))


def pairs_section(comparison: Compared) -> Section:
    """Word how arms compare with the control on the same patients."""
    told = comparison.table.filter(pl.col("n_shared") > 0)
    until = {row["endpoint"]: row["rmst_until"] for row in told.iter_rows(named=True) if row["rmst_until"]}
    ends = ", ".join(f"{end:.0f} months ({name})" for name, end in until.items())
    return Section(
        title=f"The same patients, against {comparison.control}",
        note="Intervals and p are paired by patient, as the simulation knows them; a trial knows less. "
        + (f"Mean months without the event are counted up to {ends}." if ends else ""),
        header=["Arm", "endpoint", "in both", "HR", "paired 95% CI", "p", "mean difference (paired 95% CI)"],
        rows=[
            [
                row["arm"],
                row["endpoint"],
                str(row["n_shared"]),
                NOTHING if row["hr"] is None else ratio_text(row["hr"]),
                interval_text(row["paired_hr_lo"], row["paired_hr_hi"], ratio_text),
                p_text(row["paired_p"]),
                _difference(row),
            ]
            for row in told.iter_rows(named=True)
        ],
        spare=frozenset({"p"}),
    )


def _difference(row: Row) -> str:
    if row["rmst_difference"] is None:
        return NOTHING
    lo, hi = (signed_text(row[f"paired_rmst_difference_{end}"]) for end in ("lo", "hi"))
    return f"{signed_text(row['rmst_difference'])} ({lo} to {hi})"


def neutropenia_section(comparison: Compared) -> Section:
    """Word the worst grades of neutropenia on the first line, where there are any of grade 3."""
    rates = comparison.neutropenia.filter(line=1)
    grave = bool((rates["grade_3_4_pct"] > 0).any())
    return Section(
        title="Neutropenia on the first line",
        note="Worst grade in weekly counts, % of those whose blood was counted (CTCAE 5.0).",
        header=["Arm", "n", "grade 2", "grade 3", "grade 4", "grade 3-4"],
        rows=[
            [
                row["arm"],
                str(row["n"]),
                *(percent_of(row, f"grade_{grade}") for grade in ("2", "3", "4", "3_4")),
            ]
            for row in rates.iter_rows(named=True)
            if grave
        ],
    )


def percent_of(row: Row, name: str) -> str:
    """Word the percentage of a row with half the width of its interval."""
    return percent_text(*(row[f"{name}_{of}"] for of in ("pct", "lo", "hi")))


def _mean_gain(row: Row) -> str:
    mean, error = row["mean_difference_months"], row["mean_difference_se"]
    return (
        signed_text(mean)
        if mean is None or error is None
        else f"{signed_text(mean)} ±{NORMAL_95 * error:.1f}"
    )


def gains_section(comparison: Compared) -> Section:
    """Word how the virtual twins fare."""
    return Section(
        title=f"Who gains against {comparison.control}",
        note="Each patient against the same one in the control arm, while both are followed: % of the pairs, "
        "and the mean in months.",
        header=[
            "Arm",
            "endpoint",
            "pairs",
            "gain ≥ 1 mo",
            "within 1 mo",
            "lose ≥ 1 mo",
            "mean",
        ],
        rows=[
            [
                row["arm"],
                row["endpoint"],
                str(row["n"]),
                *(percent_of(row, fate) for fate in ("gain", "same", "lose")),
                _mean_gain(row),
            ]
            for row in comparison.gains.iter_rows(named=True)
        ],
        spare=frozenset({"pairs"}),
    )
