"""What of the planned doses was given, and how often doses were held, reduced or given up."""

from __future__ import annotations

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import Results, run_experiment
from tumor_abm.analysis.doses_given import dose_changes, dose_intensity
from tumor_abm.analysis.treatment_time import time_to_next

SURE = {"neutropenia": {"model": False}}


def one(line: object, **more: object) -> Results:
    return run_experiment(experiment(arm("a", line), **more))


def test_without_holds_all_is_given() -> None:
    results = one(["letrozole", "palbociclib"], **SURE)
    assert (results.doses["planned"] == results.doses["given"]).all()
    assert dose_intensity(results)["intensity_pct"].to_list() == pytest.approx([100.0, 100.0])


def test_doses_are_those_of_the_schedule() -> None:
    results = one(
        {"regimen": ["letrozole", "palbociclib"], "until": {"progression": False, "months": 5.5}}, **SURE
    )
    whole = results.doses.filter(pl.col("days") == 168)
    of_drug = dict(whole.group_by(pl.col("drug").cast(pl.String)).agg(pl.col("planned").first()).iter_rows())
    assert of_drug == {"letrozole": 168.0, "palbociclib": 126.0}


def test_a_lower_planned_dose_is_given_in_full() -> None:
    results = one([{"drug": "letrozole", "dose": 0.5}], **SURE)
    assert dose_intensity(results)["intensity_pct"].to_list() == pytest.approx([100.0])
    assert (results.doses["given"] == results.doses["days"] * 0.5).all()


def test_neutropenia_costs_doses() -> None:
    results = one(["letrozole", "palbociclib"])
    told = {row["drug"]: row for row in dose_intensity(results).iter_rows(named=True)}
    assert told["letrozole"]["intensity_pct"] == pytest.approx(100.0)
    assert told["palbociclib"]["intensity_lo"] < told["palbociclib"]["intensity_pct"] < 99
    changes = dose_changes(results).row(0, named=True)
    held = results.events.filter(pl.col("event") == "dose held")["patient"].n_unique()
    assert changes["held_pct"] == pytest.approx(100 * held / changes["n"])
    assert 0 < changes["reduced_pct"] <= changes["held_pct"]


def test_planned_holidays_are_not_given() -> None:
    results = one({"regimen": ["letrozole"], "holiday": {"on_weeks": 2, "off_weeks": 2}}, **SURE)
    long = results.doses.filter(pl.col("days") % 28 == 0)
    assert long.height > 0
    assert (long["given"] / long["planned"]).to_list() == pytest.approx([0.5] * long.height)


def test_a_drug_that_a_rule_brings_counts_from_its_day() -> None:
    rule = {"when": {"months": 2}, "then": {"replace": "letrozole", "with": "capecitabine"}}
    results = one({"regimen": ["letrozole"], "rule": [rule]}, **SURE)
    changed = results.events.filter(pl.col("event") == "rule").select("patient", "day")
    brought = results.doses.filter(pl.col("drug") == "capecitabine")
    assert (
        brought.join(changed, left_on=["patient", "start_day"], right_on=["patient", "day"]).height
        == changed.height
        > 5
    )
    told = time_to_next(results).filter(measure="chemotherapy").row(0, named=True)
    assert told["events"] >= changed.height


def test_results_of_before_have_no_doses(results: Results) -> None:
    assert dose_intensity(results).is_empty()
    assert dose_changes(results).is_empty()
