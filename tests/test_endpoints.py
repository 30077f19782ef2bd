"""Endpoints against patients whose stories are written by hand."""

from __future__ import annotations

import polars as pl
import pytest
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.endpoints import (
    OS,
    PFS1,
    PFS2,
    PFS_FROM_START,
    Endpoint,
    Kind,
    endpoints,
    without_meaning,
)
from tumor_abm.analysis.wording import endpoint_section, sections, summary_section
from tumor_abm.plots import plot_kaplan_meier
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results

MONTH = 30.4375
OUTCOMES = {
    **{"patient": pl.Int64, "arm": pl.String, "line": pl.Int64, "start_day": pl.Int64},
    **{"pfs_months": pl.Float64, "pfs_event": pl.Boolean, "response": pl.String, "end_reason": pl.String},
}
OVERALL = {
    **{"patient": pl.Int64, "arm": pl.String, "os_months": pl.Float64, "os_event": pl.Boolean},
    **{"pfs2_months": pl.Float64, "pfs2_event": pl.Boolean},
}
ONE, TWO = [{"regimen": ["letrozole"]}], [{"regimen": ["letrozole"]}, {"regimen": ["fulvestrant"]}]
COURSE = {"regimen": ["capecitabine"], "until": {"cycles": 6}}
RULE = {"when": {"ctdna": "ESR1"}, "then": {"next_line": True}}


def told(arms, lines, overall=(), **experiment):
    """Results of arms (name to lines): `lines` are rows of outcomes, in months."""
    outcomes = [
        (patient, arm, line, round(start * MONTH), pfs, event, "SD", reason)
        for patient, arm, line, start, pfs, event, reason in lines
    ]
    tables = {
        "outcomes": pl.DataFrame(outcomes, schema=OUTCOMES, orient="row"),
        "overall": pl.DataFrame(list(overall), schema=OVERALL, orient="row"),
    }
    run = {"control": next(iter(arms)), "arm": [{"name": name, "line": line} for name, line in arms.items()]}
    return Results(tables, run | experiment, {})


def lived(*arms):
    """Rows of `overall` of one patient who lives these arms."""
    return [(0, arm, 30.0, True, 20.0, True) for arm in arms]


@pytest.fixture
def one_and_two():
    lines = [(0, "one", 1, 0, 8.0, True, "progression"), (0, "two", 1, 0, 8.0, True, "progression")]
    return told({"one": ONE, "two": TWO}, lines, lived("one", "two"))


def test_who_gets_one_line_has_no_second_progression(one_and_two):
    assert PFS2.observations(one_and_two)["arm"].to_list() == ["two"]
    comparison = compare(one_and_two)
    row = comparison.table.filter(endpoint="PFS2", arm="one").row(0, named=True)
    assert (row["n"], row["median_months"], row["not_defined"]) == (None, None, "the arm has one line")
    assert comparison.table.filter(endpoint="PFS2")["hr"].to_list() == [None, None]
    assert comparison.gains["endpoint"].to_list() == ["OS"]
    assert "one: not defined: the arm has one line." in endpoint_section(comparison, PFS2).remarks


def test_lines_given_afterwards_are_lines():
    results = told({"one": ONE}, [], lived("one"), afterwards=ONE)
    assert PFS2.undefined(results.experiment, "one") is None
    assert PFS2.observations(results).height == 1


def test_endpoint_without_meaning_in_any_arm_is_left_out_and_said():
    lines = [(0, "one", 1, 0, 8.0, True, "progression")]
    results = told({"one": ONE}, lines, lived("one"), end_with_last_line=True)
    assert endpoints(results) == [PFS1]
    assert set(without_meaning(results)) == {PFS2, OS}
    remarks = summary_section(compare(results)).remarks
    assert "PFS2 is not defined: the arm has one line." in remarks
    assert any("later deaths are not seen" in remark for remark in remarks)
    assert sections(compare(results))[-1].remarks == remarks


def test_a_planned_course_has_no_progression_free_survival_of_its_own():
    arms = {"course": [COURSE, *ONE], "until progression": TWO}
    lines = [
        (0, "course", 1, 0, 4.0, False, "completed"),
        (0, "course", 2, 4, 7.0, True, "progression"),
        (0, "until progression", 1, 0, 9.0, True, "progression"),
    ]
    results = told(arms, lines, lived(*arms))
    row = compare(results).table.filter(arm="course", endpoint="PFS1").row(0, named=True)
    assert row["not_defined"] == "the line ends as planned"
    assert (row["n"], row["median_months"], row["orr_pct"], row["cbr_pct"]) == (1, None, 0.0, None)
    assert PFS2.undefined(results.experiment, "course") is not None
    assert PFS_FROM_START in endpoints(results)
    rows = PFS_FROM_START.observations(results).sort("arm").select("arm", "event").rows()
    assert rows == [("course", True), ("until progression", True)]
    assert PFS_FROM_START.observations(results).sort("arm")["months"].to_list() == pytest.approx(
        [11, 9], abs=0.02
    )


@pytest.mark.parametrize(
    ("lines", "months", "event"),
    [
        pytest.param([(1, 0, 5, True, "progression"), (2, 5, 9, True, "death")], 5, True, id="first counts"),
        pytest.param(
            [(1, 0, 4, False, "completed"), (2, 4, 6, True, "death")], 10, True, id="planned switch"
        ),
        pytest.param([(1, 0, 4, False, "rule"), (2, 4, 6, False, "censored")], 10, False, id="by a rule"),
        pytest.param(
            [(1, 0, 4, False, "completed"), (2, 4, 3, False, "rule"), (3, 7, 2, True, "progression")],
            9,
            True,
            id="two switches",
        ),
        pytest.param(
            [(1, 0, 4, False, "toxicity"), (2, 4, 6, True, "progression")], 4, False, id="toxicity is no plan"
        ),
        pytest.param([(1, 0, 4, False, "completed")], 4, False, id="nothing follows"),
        pytest.param([(2, 0, 4, True, "progression")], None, None, id="first line never begun"),
    ],
)
def test_progression_from_the_start_goes_across_planned_switches(lines, months, event):
    results = told({"a": [COURSE, *TWO]}, [(0, "a", *line) for line in lines], lived("a"))
    rows = PFS_FROM_START.observations(results).select("months", "event").rows()
    assert rows == ([] if months is None else [(pytest.approx(months, abs=0.02), event)])


def test_patients_whom_a_rule_censors_are_counted():
    lines = [(0, "a", 1, 0, 4.0, False, "rule"), (1, "a", 1, 0, 9.0, True, "progression")]
    results = told({"a": [{**ONE[0], "rule": [RULE]}, *ONE]}, lines, lived("a"))
    comparison = compare(results)
    assert comparison.table.filter(endpoint="PFS1")["censored_by_rule"].to_list() == [1]
    assert "a rule led 1 of 2 patients to the next line" in endpoint_section(comparison, PFS1).remarks[0]


def test_progression_from_the_baseline_is_named(one_and_two):
    assert "baseline" not in endpoint_section(compare(one_and_two), PFS1).note
    run = one_and_two.experiment | {"assessment": {"progression_from": "baseline"}}
    changed = Results(one_and_two.tables, run, {})
    assert "growth from the baseline" in endpoint_section(compare(changed), PFS1).note


def test_an_arm_without_meaning_is_not_drawn(one_and_two):
    figure = plot_kaplan_meier(one_and_two, PFS2)
    said = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "two" in said
    assert "one" not in said.split()


def test_every_endpoint_has_a_name_of_its_own():
    every = [*(Endpoint(Kind.PFS, line) for line in (1, 2, 3)), PFS_FROM_START, PFS2, OS]
    assert [each.name for each in every] == [
        *("PFS1", "PFS line 2", "PFS line 3", "PFS from start", "PFS2", "OS")
    ]
    assert len({each.stem for each in every}) == len(every)


@pytest.mark.parametrize(
    ("lines", "months", "event"),
    [
        pytest.param(
            [(1, 0, 8, True, "progression"), (2, 8, 6, True, "progression"), (3, 14, 9, True, "death")],
            14,
            True,
            id="progression on the second line",
        ),
        pytest.param(
            [(1, 0, 8, False, "toxicity"), (2, 8, 6, True, "progression"), (3, 14, 9, True, "progression")],
            14,
            True,
            id="on the second line, though it is the first progression",
        ),
        pytest.param(
            [(1, 0, 8, True, "progression"), (2, 8, 6, False, "toxicity"), (3, 14, 9, True, "progression")],
            14,
            False,
            id="a third line without progression on the second censors",
        ),
        pytest.param([(1, 0, 30, True, "death")], 30, True, id="death on the first line"),
        pytest.param(
            [(1, 0, 8, True, "progression"), (2, 8, 22, True, "death")], 30, True, id="on the second"
        ),
        pytest.param(
            [(1, 0, 8, True, "progression"), (2, 8, 6, False, "toxicity")],
            30,
            True,
            id="death after the last",
        ),
    ],
)
def test_pfs2_is_progression_on_the_second_line_or_death(lines, months, event):
    results = told({"a": [*TWO, *ONE]}, [(0, "a", *line) for line in lines], lived("a"))
    rows = PFS2.observations(results).select("months", "event").rows()
    assert rows == [(pytest.approx(months, abs=0.02), event)]


def test_the_table_of_the_core_agrees_with_the_definition_of_pfs2():
    lines = [{"regimen": [drug]} for drug in ("letrozole", "fulvestrant", "capecitabine")]
    results = run_experiment(
        {
            "title": "Three lines",
            "question": "When does the second fail?",
            "patients": 40,
            "seed": 6,
            "trajectory_every_days": 0,
            "arm": [{"name": "three lines", "line": lines}],
        }
    )
    both = PFS2.observations(results).join(results.overall, on=["patient", "arm"])
    assert both["months"].to_numpy() == pytest.approx(both["pfs2_months"].to_numpy(), abs=1e-6)
    assert both["event"].equals(both["pfs2_event"])
