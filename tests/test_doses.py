"""When drugs are given: holds, holidays, reductions, cycles."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import TumorModel, run_experiment


def dosing_days(drug: str, days: int, **given: Any) -> tuple[list[int], dict[int, str]]:
    """Days on which a drug is given to one patient, and what holds it on the others."""
    model = TumorModel(**given)
    taken, held = [], {}
    while model.running and model.day < days:
        rows = model.drugs.filter(drug=drug)
        if rows.height and rows["state"][0] == "taken":
            taken.append(int(model.day))
        elif rows.height and rows["state"][0] == "held":
            held[int(model.day)] = rows["held_for"][0]
        model.step()
    return taken, held


def stays(*drugs: Any, **more: Any) -> dict[str, Any]:
    line = {"regimen": list(drugs), "until": {"progression": False, "months": 24}, **more}
    return experiment(
        arm("x", line), neutropenia={"mean_transit_h": 240, "hold_below": 1.5, "resume_at": 1.5}
    )


def test_a_dose_that_is_due_during_a_hold_is_given_when_it_is_over() -> None:
    delayed = 0
    for patient in range(8):
        taken, held = dosing_days("docetaxel", 250, experiment=stays("docetaxel"), patient=patient)
        assert len(taken) > 3
        for before, after in pairwise(taken):
            due = before + 21
            assert after >= due
            assert all(day in held for day in range(due, after))
            delayed += after > due
    assert delayed > 5


@pytest.mark.parametrize(
    ("pause", "days"),
    [
        ({"holiday": {"on_weeks": 5, "off_weeks": 3}}, [0, 21, 56, 77, 112]),
        ({}, [0, 21, 42, 63, 84, 105]),
    ],
)
def test_a_holiday_puts_off_the_doses_of_an_infusion(pause: dict[str, Any], days: list[int]) -> None:
    plan = stays("docetaxel", **pause) | {"neutropenia": {"model": False}}
    assert dosing_days("docetaxel", 120, experiment=plan)[0] == days


def test_loading_doses_are_put_off_too() -> None:
    plan = stays("fulvestrant", holiday={"on_weeks": 1, "off_weeks": 3})
    assert dosing_days("fulvestrant", 120, experiment=plan)[0] == [0, 28, 56, 84, 112]


def test_an_oral_drug_keeps_its_calendar() -> None:
    plan = stays("palbociclib", "letrozole", holiday={"on_weeks": 1, "off_weeks": 1})
    plan["neutropenia"] = {"model": False}
    taken, _ = dosing_days("palbociclib", 57, experiment=plan)
    assert taken == [*range(7), *range(14, 21), *range(28, 35), *range(42, 49), 56]


def test_a_hold_by_hand_puts_off_an_infusion() -> None:
    model = TumorModel(experiment=stays("docetaxel") | {"neutropenia": {"model": False}})
    taken = []
    while model.day < 90:
        if model.day == 20:
            model.hold("docetaxel")
        if model.day == 30:
            model.resume("docetaxel")
        if model.drugs.filter(drug="docetaxel")["state"][0] == "taken":
            taken.append(int(model.day))
        model.step()
    assert taken == [0, 30, 51, 72]


def test_an_adaptive_pause_puts_off_an_infusion() -> None:
    adaptive = {"stop_at": -0.05, "resume_at": -0.04, "drugs": ["docetaxel"]}
    plan = stays("docetaxel", adaptive=adaptive) | {"neutropenia": {"model": False}}
    plan["assessment"] = {"calendar": [{"every_weeks": 5}], "window_days": 0}
    paused = 0
    for patient in range(12):
        taken, held = dosing_days("docetaxel", 300, experiment=plan, patient=patient)
        for before, after in pairwise(taken):
            assert after >= before + 21
            assert all(held.get(day) == "adaptive dosing" for day in range(before + 21, after))
            paused += after > before + 21
    assert paused  # else nothing was tested


def test_cycles_are_counted_by_doses() -> None:
    until = {"progression": False, "cycles": 4}
    plan = stays("docetaxel", until=until)
    for patient in range(4):
        taken, _ = dosing_days("docetaxel", 400, experiment=plan, patient=patient)
        assert len(taken) == 4


def test_a_rule_that_adds_a_drug_leaves_the_cycles_of_the_others() -> None:
    rule = {"when": {"months": 1}, "then": {"add": "letrozole"}}
    plan = stays("docetaxel", rule=[rule]) | {"neutropenia": {"model": False}}
    assert dosing_days("docetaxel", 120, experiment=plan)[0] == [0, 21, 42, 63, 84, 105]
    swap = {
        "when": {"months": 1},
        "then": {"replace": "docetaxel", "with": {"drug": "docetaxel", "dose": 0.8}},
    }
    plan = stays("docetaxel", rule=[swap]) | {"neutropenia": {"model": False}}
    assert dosing_days("docetaxel", 120, experiment=plan)[0] == [0, 21, 42, 63, 84, 105]


def test_a_rule_that_cannot_give_its_drug_is_refused_and_the_other_drug_goes_on() -> None:
    never_borne = {"capecitabine": {"discontinuation_per_month": 10.0}}
    rule = {"when": {"months": 4}, "then": {"replace": "letrozole", "with": "capecitabine"}}
    results = run_experiment(
        experiment(
            arm(
                "x",
                {"regimen": ["capecitabine"], "until": {"progression": False, "toxicity": True}},
                {"regimen": ["letrozole"], "until": {"progression": False, "months": 12}, "rule": [rule]},
            ),
            drug=never_borne,
        )
    )
    refused = results.events.filter(event="rule refused")
    assert refused.height > 20
    assert set(refused["detail"]) == {"capecitabine was not tolerated before"}
    second = results.outcomes.filter(pl.col("line") == 2).join(refused.select("patient"), on="patient")
    assert set(second["end_reason"]) <= {"completed", "death", "censored"}


def test_who_bears_no_drug_of_a_line_is_watched_until_progression() -> None:
    never_borne = {"capecitabine": {"discontinuation_per_month": 10.0}}
    lines = [{"regimen": ["capecitabine"]}, {"regimen": ["letrozole"]}]
    results = run_experiment(experiment(arm("x", *lines), drug=never_borne))
    first = results.outcomes.filter(pl.col("line") == 1)
    stopped = results.events.filter(event="drug stopped").filter(pl.col("line") == 1)
    assert stopped.height > 20
    watched = first.join(stopped.select("patient"), on="patient")
    assert set(watched["end_reason"]) <= {"progression", "death", "censored", "deterioration"}
    assert watched.filter(pl.col("end_reason") == "progression")["pfs_event"].all()
    leaves_at_once = [{"regimen": ["capecitabine"], "until": {"toxicity": True}}, {"regimen": ["letrozole"]}]
    hurried = run_experiment(experiment(arm("x", *leaves_at_once), drug=never_borne)).outcomes
    hurried = hurried.filter(pl.col("line") == 1).join(stopped.select("patient"), on="patient")
    assert set(hurried["end_reason"]) == {"toxicity"}
    assert hurried["pfs_months"].max() < watched["pfs_months"].median()


# --- neutrophils ----------------------------------------------------------------------------------


def test_doses_are_reduced_along_the_levels_of_the_label() -> None:
    """Of a drug that is toxic enough for everybody to reach the lowest level."""
    results = run_experiment(
        experiment(
            arm("x", {"regimen": ["letrozole", "ribociclib"], "until": {"progression": False, "months": 24}}),
            drug={"ribociclib": {"neutrophil_slope": 0.6}},
        )
    )
    reduced = results.events.filter(event="dose reduced")["detail"]
    assert set(reduced) == {"ribociclib to 67%", "ribociclib to 33%"}


def test_held_doses_are_noted_on_dosing_days_only() -> None:
    results = run_experiment(experiment(arm("x", ["letrozole", "palbociclib"]), patients=60))
    held = results.events.filter(event="dose held")
    started = results.events.filter(event="line started").select("patient", "line", start="day")
    day = held.join(started, on=["patient", "line"]).select(day=(pl.col("day") - pl.col("start")) % 28)
    assert day.height > 30
    assert (day["day"] < 21).all()
    resumed = results.events.filter(event="dose resumed")
    assert resumed.height <= held.height


def test_trilaciclib_spares_the_marrow() -> None:
    """Severe neutropenia in 42.1% without and 5.1% with it (Weiss et al. 2019), which set its parameters."""
    outcomes = run_experiment("g1t28_02", patients=300).outcomes.filter(line=1)
    severe = {name: (group["lowest_neutrophils"] < 0.5).mean() for (name,), group in outcomes.group_by("arm")}
    assert 0.3 < severe["EP"] < 0.55
    assert severe["trilaciclib+EP"] < 0.12


# --- notices --------------------------------------------------------------------------------------
