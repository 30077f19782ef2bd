"""Effects in subgroups, and their interactions, as tables for terminal and report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.covariate import RESPONSE_IN_CONTROL
from tumor_abm.analysis.estimates_in_words import (
    hazard_ratio_text,
    interval_text,
    months,
    p_text,
    ratio_text,
    signed_text,
)
from tumor_abm.analysis.subgroups import LEAST_EVENTS

_HEADER = [
    *("Subgroup", "n", "median", "control", "HR (95% CI)", "paired 95% CI"),
    *("mean gain (paired 95% CI)", "p (adjusted)", "paired p (adjusted)"),
]


def subgroup_sections(comparison: Compared) -> list[Section]:
    """Word the effects in subgroups: a section per endpoint and arm, and one on who gains by what."""
    pairs = comparison.interactions.select("endpoint", "arm").unique(maintain_order=True)
    found = [_section(comparison, *pair) for pair in pairs.iter_rows()]
    return [*found, _gains(comparison)] if found else []


def _section(comparison: Compared, endpoint: str, arm: str) -> Section:
    interactions = comparison.interactions.filter(endpoint=endpoint, arm=arm)
    levels = comparison.subgroups.filter(endpoint=endpoint, arm=arm)
    rows: list[list[str]] = []
    for test in interactions.iter_rows(named=True):
        told = [_with_adjusted(test[name], test[f"{name}_holm"]) for name in ("p", "paired_p")]
        rows.append([test["label"], *[""] * (len(_HEADER) - 3), *told])
        rows += [_level(row) for row in levels.filter(covariate=test["covariate"]).iter_rows(named=True)]
    return Section(
        title=f"{endpoint} in subgroups: {arm} against {comparison.control}",
        note=_note(comparison),
        header=_HEADER,
        rows=rows,
        remarks=tuple(_remarks(interactions)),
        spare=frozenset({"mean gain (paired 95% CI)", "median", "control"}),
    )


def _with_adjusted(p: float | None, adjusted: float | None) -> str:
    return NOTHING if p is None else f"{p_text(p)} ({p_text(adjusted)})"


def _level(row: dict[str, Any]) -> list[str]:
    gain = NOTHING
    if row["rmst_difference"] is not None:
        lo, hi = (signed_text(row[f"paired_rmst_difference_{end}"]) for end in ("lo", "hi"))
        gain = f"{signed_text(row['rmst_difference'])} ({lo} to {hi})"
    return [
        f"  {row['level']}",
        str(row["n"]),
        *(months(row[name]) if row["n"] else NOTHING for name in ("median_months", "control_median_months")),
        hazard_ratio_text(row["hr"], row["hr_lo"], row["hr_hi"]) if row["n"] else NOTHING,
        interval_text(row["paired_hr_lo"], row["paired_hr_hi"], ratio_text),
        gain,
        *("", ""),
    ]


def _note(comparison: Compared) -> str:
    tests = comparison.interactions["p"].drop_nulls().len()
    return (
        "p: whether the hazard ratio differs between the subgroups of a covariate, as a trial of this size "
        f"would see it, and paired, as the simulation knows it. Of {tests} such tests {0.05 * tests:.1f} "
        "fall below 0.05 by chance; adjusted: for their number, by Holm."
    )


def _remarks(interactions: pl.DataFrame) -> Iterator[str]:
    for row in interactions.iter_rows(named=True):
        if row["unknown"]:
            yield f"{row['label']}: not known of {row['unknown']} patients, who are left out."
        if row["p"] is None:
            yield (
                f"{row['label']}: not tested: fewer than two subgroups with "
                f"{LEAST_EVENTS} events in each arm."
            )
        if row["covariate"] == RESPONSE_IN_CONTROL:
            yield (
                f"{row['label']}: an outcome, which no trial can ask for in the other arm, and luck is part "
                "of it: who did badly by chance gains."
            )


def _gains(comparison: Compared) -> Section:
    told = comparison.interactions.filter(pl.col("gain_p").is_not_null())
    return Section(
        title=f"Who gains against {comparison.control}, and what it goes with",
        note="Each patient's own gain in months against the covariate, uncut: Spearman's rank correlation, "
        "or Kruskal and Wallis' test where the covariate is a word. Adjusted: for all tests here, by Holm.",
        header=["Covariate", "arm", "endpoint", "rank correlation", "p", "adjusted"],
        rows=[
            [
                row["label"],
                row["arm"],
                row["endpoint"],
                NOTHING if row["gain_rho"] is None else f"{row['gain_rho']:+.2f}".replace("-", "−"),
                p_text(row["gain_p"]),
                p_text(row["gain_p_holm"]),
            ]
            for row in told.iter_rows(named=True)
        ],
    )
