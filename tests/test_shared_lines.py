"""Arms that begin with the same lines are lived once up to where they part, and as if each were alone."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import run_experiment

PALBOCICLIB = ["letrozole", "palbociclib"]
WEEKS = {"regimen": ["paclitaxel"], "until": {"months": 4}}
SWITCH = {
    "regimen": PALBOCICLIB,
    "rule": [{"when": {"months": 6}, "then": {"replace": "letrozole", "with": "fulvestrant"}}],
}
ARMS = [
    arm("one line", PALBOCICLIB),
    arm("two lines", PALBOCICLIB, ["fulvestrant"]),
    arm("three lines", PALBOCICLIB, ["fulvestrant"], ["capecitabine"]),
    arm("another third line", PALBOCICLIB, ["fulvestrant"], WEEKS),
    arm("another second line", PALBOCICLIB, WEEKS, ["capecitabine"]),
    arm("a rule", SWITCH, ["fulvestrant"]),
    arm("alike", PALBOCICLIB, ["fulvestrant"], ["capecitabine"]),
    arm("other scans", PALBOCICLIB, ["fulvestrant"], calendar=[{"every_weeks": 4}]),
    arm("of some", PALBOCICLIB, ["fulvestrant"], ["exemestane"], among={"measurable": True}),
    arm("capecitabine first", ["capecitabine"], ["fulvestrant"]),
    arm("capecitabine first, then palbociclib", ["capecitabine"], PALBOCICLIB),
]
ALL_DRUGS = arm("all drugs", ["paclitaxel", "capecitabine", *PALBOCICLIB, "fulvestrant", "exemestane"])
"""Beside every arm: what a patient bears hangs on the drugs of an experiment."""
NEVER_BORNE = {"capecitabine": {"discontinuation_per_month": 10.0}}
AFTER_CAPECITABINE = {
    "prior": [{"regimen": ["capecitabine"], "until": {"toxicity": True}}],
    "eligibility": {"prior_ended": ["toxicity"]},
}
CASES: dict[str, dict[str, Any]] = {
    "to death": {},
    "to the last line": {"end_with_last_line": True},
    "in half days, for a year and a half": {"dt_days": 0.5, "horizon_months": 18},
    "cell by cell": {"engine": "cells", "horizon_months": 24},
    "one drug is never borne": {"drug": NEVER_BORNE},
    "the first line is skipped at enrolment": {
        "drug": NEVER_BORNE,
        "population": AFTER_CAPECITABINE,
    },
}


@pytest.mark.parametrize("case", CASES)
def test_arms_that_begin_alike_are_lived_as_if_each_were_alone(case: str) -> None:
    more = {"patients": 6, "trajectory_every_days": 7, "liquid_biopsy": {"every_weeks": 8, "genes": ["ESR1"]}}
    together = run_experiment(experiment(ALL_DRUGS, *ARMS, **more, **CASES[case]))
    seen = 0
    for each in ARMS:
        alone = run_experiment(experiment(ALL_DRUGS, each, **more, **CASES[case]))
        for name, table in alone.tables.items():
            if "arm" in table.columns:
                expected = of_arm(table, each["name"])
                found = of_arm(together.tables[name], each["name"])
                assert found.equals(expected, null_equal=True), (each["name"], name)
                seen += expected.height
    assert seen > 1000


def of_arm(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of an arm, texts as such."""
    return table.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).filter(arm=name)


def test_the_line_that_is_skipped_at_enrolment_is_skipped_in_these_cases() -> None:
    skipped = experiment(*ARMS[-2:], patients=6, **CASES["the first line is skipped at enrolment"])
    events = run_experiment(skipped).tables["events"]
    first = events.filter((pl.col("event").cast(pl.String) == "line skipped") & (pl.col("line") == 1))
    assert first.height == 12
