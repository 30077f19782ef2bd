"""What a doctor sees and does, through whole experiments; RECIST by hand is tested in the core."""

from __future__ import annotations

from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from arms import arm, experiment
from tumor_abm import Results, TumorModel, run_experiment
from tumor_abm.analysis.toxicity import neutropenia
from tumor_abm.config import Experiment
from tumor_abm.config.notices import notices
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge

TABLES = ("outcomes", "overall", "assessments", "clones", "trajectory", "events")


def twins_are_alike(results: Results) -> bool:
    one, other = results.arms
    return all(
        results[table].filter(arm=one).drop("arm").equals(results[table].filter(arm=other).drop("arm"))
        for table in TABLES
    )


# --- one rule of progression for all arms ---------------------------------------------------------


def adaptive(drug: str, stop_at: float) -> dict[str, Any]:
    return {
        "regimen": ["letrozole", drug],
        "adaptive": {"stop_at": stop_at, "resume_at": 0.0, "drugs": [drug]},
    }


def test_an_adaptive_line_that_never_stops_is_the_line_itself() -> None:
    results = run_experiment(
        experiment(
            arm("continuous", ["letrozole", "palbociclib"], ["fulvestrant"]),
            arm("sham", adaptive("palbociclib", -1.0), ["fulvestrant"]),
        )
    )
    assert twins_are_alike(results)


def test_pauses_at_a_response_leave_bone_only_patients_as_they_are() -> None:
    results = run_experiment(
        experiment(
            arm("continuous", ["letrozole", "palbociclib"]), arm("adaptive", adaptive("palbociclib", -0.3))
        )
    )
    bone_only = results.patients.filter("bone_only")["patient"]
    of_bone = {name: results[name].filter(pl.col("patient").is_in(bone_only.implode())) for name in TABLES}
    assert 3 <= bone_only.len() < results.patients.height
    assert twins_are_alike(Results(of_bone, results.experiment, {}))
    assert not twins_are_alike(results)


def test_rules_on_sums_are_refused_where_nobody_has_a_sum() -> None:
    for nobody in ({"bone_only": 1.0}, {"eligibility": {"measurable": False}}):
        for line in (
            {"regimen": ["letrozole"], "adaptive": {}},
            {"regimen": ["letrozole"], "until": {"response": -0.5}},
        ):
            with pytest.raises(
                InputError, match=r"arm\[0\]\.line\[0\]: disease that cannot be measured has no sum"
            ):
                Experiment.from_dict(experiment(arm("x", line), population=nobody))


def test_progression_from_the_baseline_holds_for_every_arm() -> None:
    def months(progression_from: str) -> list[float]:
        arms = arm("continuous", ["letrozole"]), arm("adaptive", {"regimen": ["letrozole"], "adaptive": {}})
        results = run_experiment(experiment(*arms, assessment={"progression_from": progression_from}))
        means = results.outcomes.group_by("arm", maintain_order=True).agg(pl.col("pfs_months").mean())
        return means["pfs_months"].to_list()

    nadir, baseline = months("nadir"), months("baseline")
    assert all(late > early for early, late in zip(nadir, baseline, strict=True))


# --- scans ----------------------------------------------------------------------------------------


def test_missed_scans_leave_no_row_and_unclear_ones_no_judgement() -> None:
    def assessments(**shares: float) -> pl.DataFrame:
        arms = arm("x", {"regimen": ["letrozole"], "until": {"progression": False, "months": 24}})
        return run_experiment(experiment(arms, assessment=shares, end_with_last_line=True)).assessments

    whole, missed, unclear = assessments(), assessments(missed=0.5), assessments(not_evaluable=0.5)
    assert 0.4 * whole.height < missed.height < 0.6 * whole.height
    assert unclear.height == whole.height
    without_news = unclear.filter(new_lesions=0)
    assert 0.4 < (without_news["response"] == "NE").mean() < 0.6
    assert unclear.filter(response="NE")["sld_mm"].null_count() == unclear.filter(response="NE").height


def test_who_falls_ill_between_scans_leaves_the_line_without_objective_progression() -> None:
    results = run_experiment(
        experiment(
            arm("x", ["letrozole"], ["fulvestrant"]),
            assessment={"symptomatic_share": 0.2, "calendar": [{"every_weeks": 52}]},
            imaging={"new_lesion_cells": 1e12},
            patients=160,
        )
    )
    ends = results.outcomes.filter(pl.col("end_reason") == "deterioration")
    assert ends.height > 0
    assert not ends["pfs_event"].any()
    assert set(results.outcomes["end_reason"]) & {"progression", "deterioration"} == {
        "progression",
        "deterioration",
    }


def test_who_falls_ill_with_progression_on_the_scan_goes_on_where_progression_ends_no_line() -> None:
    results = run_experiment(
        experiment(
            arm("x", {"regimen": ["letrozole"], "until": {"progression": False, "months": 60}}),
            patients=80,
            assessment={"symptomatic_share": 0.2, "calendar": [{"every_weeks": 52}]},
        )
    )
    ill = results.outcomes.filter(pl.col("end_reason") == "deterioration")
    assert not ill["pfs_event"].any()
    scans = results.assessments.group_by("patient", "day").len()
    assert (scans["len"] == 1).all()
    assert results.assessments.filter(response="PD").height > 20


def test_confirmed_responses_are_fewer() -> None:
    def responders(assessment: dict[str, float]) -> set[int]:
        outcomes = run_experiment(
            experiment(arm("x", ["letrozole", "palbociclib"]), patients=100, assessment=assessment)
        ).outcomes
        return set(outcomes.filter(pl.col("response").is_in(["CR", "PR"]))["patient"])

    at_once, confirmed = responders({}), responders({"confirmed_after_weeks": 4})
    assert confirmed < at_once
    assert len(confirmed) > len(at_once) / 2


def test_growth_over_the_nadir_is_real_while_lesions_are_seen() -> None:
    """A lesion too small to be measured counts as 5 mm, so small ones alone make no progression.

    One that has disappeared and comes back adds 5 mm at once, as RECIST 1.1 counts it; here none disappears.
    """
    results = run_experiment(
        experiment(
            arm("x", ["letrozole", "palbociclib"]),
            patients=150,
            imaging={"measurement_sigma": 0.0, "visible_mm": 0.0},
            trajectory_every_days=1,
        )
    )
    grown = results.events.filter((pl.col("event") == "progression") & (pl.col("detail") == "growth"))
    seen = results.trajectory.join(grown.select("patient", progressed="day"), on="patient")
    seen = seen.filter(pl.col("day") <= pl.col("progressed"))
    true = seen.group_by("patient").agg(
        nadir=pl.col("sld_mm").min(), now=pl.col("sld_mm").sort_by("day").last()
    )
    measurable = results.patients.filter(~pl.col("bone_only"))["patient"]
    true = true.filter(pl.col("patient").is_in(measurable.implode()))
    assert true.height > 20
    assert (true["now"] > (1.2 - 1e-9) * true["nadir"]).all()


# --- endpoints ------------------------------------------------------------------------------------


def test_pfs2_is_progression_on_the_second_line_or_death() -> None:
    lines = (
        {"regimen": ["paclitaxel"], "until": {"months": 3}},
        ["letrozole", "ribociclib"],
        ["fulvestrant"],
        ["capecitabine"],
    )
    results = run_experiment(experiment(arm("one", ["letrozole"]), arm("four", *lines), patients=80))
    overall = results.overall.filter(arm="four")
    outcomes = results.outcomes.filter(arm="four")
    second = outcomes.filter(line=2).select(
        "patient",
        progressed=pl.col("pfs_event") & (pl.col("end_reason") != "death"),
        months=pl.col("start_day") / 30.4375 + pl.col("pfs_months"),
    )
    third = outcomes.filter(line=3).select("patient", third=pl.col("start_day") / 30.4375)
    known = overall.join(second, on="patient", how="left").join(third, on="patient", how="left")
    on_second = known.filter("progressed")
    assert on_second.height > 30
    assert on_second["pfs2_event"].all()
    assert (on_second["pfs2_months"] - on_second["months"]).abs().max() < 1e-9
    others = known.filter(~pl.col("progressed").fill_null(value=False))
    left = others.filter(pl.col("third").is_not_null())
    assert not left["pfs2_event"].any()
    assert (left["pfs2_months"] == left["third"]).all()
    died = others.filter(pl.col("third").is_null())
    assert (died["pfs2_event"] == died["os_event"]).all()
    assert (died["pfs2_months"] == died["os_months"]).all()


def test_one_line_has_no_pfs2() -> None:
    overall = run_experiment(experiment(arm("one", ["letrozole"]))).overall
    assert overall["pfs2_months"].null_count() == overall["pfs2_event"].null_count() == overall.height


# --- doses ----------------------------------------------------------------------------------------


def noticed(*arms: dict[str, Any], **more: Any) -> str:
    return "\n".join(notices(Experiment.from_dict(experiment(*arms, **more))))


def test_a_plain_experiment_says_nothing() -> None:
    assert noticed(arm("x", ["letrozole"])) == ""


def test_a_list_that_leaves_out_the_core_set_says_what() -> None:
    said = noticed(arm("x", ["letrozole"]), alterations=["RB1 loss", "PTEN loss"])
    assert "leaves out CCNE1 amplification, ESR1 Y537S" in said
    assert "CDK6-high" in said
    assert "TYMS" not in said  # no antimetabolite is given
    assert noticed(arm("x", ["letrozole"]), alterations=["core", "PTEN loss"]) == ""


def test_core_stands_for_the_core_set() -> None:
    listed = Experiment.from_dict(experiment(arm("x", ["letrozole"]), alterations=["core", "PTEN loss"]))
    plain = Experiment.from_dict(experiment(arm("x", ["letrozole"])))
    assert listed.alterations == [*plain.alterations, "PTEN loss"]


def test_a_drug_without_a_target_says_so() -> None:
    said = noticed(arm("x", ["letrozole", "bevacizumab"]))
    assert "bevacizumab: has no target in the pathway" in said
    assert "letrozole:" not in said


def test_adaptive_dosing_says_what_it_cannot_do() -> None:
    said = noticed(arm("x", {"regimen": ["letrozole"], "adaptive": {}}))
    assert "do not compete" in said
    assert "lattice" in said
    assert "never holds in disease that cannot be measured" in said
    assert 'progression_from = "baseline"' in said


# --- competition ----------------------------------------------------------------------------------


def test_untreated_growth_is_logistic_where_cells_compete() -> None:
    """Net growth r (1 - N / K): the logistic curve, from many cells, so that chance is small."""
    laws = {"net_growth_per_day": 0.02, "turnover": 0.5, "lethal_volume_cm3": 900.0}
    model = TumorModel(
        experiment(arm("x", ["letrozole"]), alterations=["RB1 loss"]),
        strategy=lambda model: None,
        population={"carrying_capacity_cm3": 1000.0},
        covariates={**laws, "diagnosis_volume_cm3": 100.0},
        mutation_rate=0.0,
        horizon_months=24,
    )
    imaging = Knowledge.shipped().imaging
    capacity = 1000 * imaging.cells_per_cm3.value / (1 + imaging.stroma_per_cell.value)
    cells = float(model.cells)
    for _ in range(140):
        model.step()
        cells += 0.02 * cells * (1 - cells / capacity)
        assert abs(model.cells / cells - 1) < 1e-3  # ten standard deviations of 1e10 cells
    assert model.cells > 0.5 * capacity


def test_grades_of_neutropenia_are_rates_per_arm() -> None:
    def outcomes(arm: str, counts: list[float | None]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "patient": range(len(counts)),
                "arm": [arm] * len(counts),
                "line": pl.Series([1] * len(counts), dtype=pl.UInt32),
                "lowest_neutrophils": pl.Series(counts, dtype=pl.Float64),
            }
        )

    table = pl.concat([outcomes("b", [2.5, 1.7, 1.2, 0.7, 0.4]), outcomes("a", [0.99, 1.0, None])])
    rates = neutropenia(Results({"outcomes": table}, {"arm": [{"name": "b"}, {"name": "a"}]}, {}))
    assert rates.select(~cs.matches("_(lo|hi)$")).rows() == [
        ("b", 1, 5, 20.0, 20.0, 20.0, 20.0, 40.0),
        ("a", 1, 2, 0.0, 50.0, 50.0, 0.0, 50.0),
    ]
    first = rates.row(0, named=True)  # one, and two, in five: Wilson's limits
    assert (first["grade_4_lo"], first["grade_4_hi"]) == pytest.approx((3.62, 62.45), abs=0.01)
    assert (first["grade_3_4_lo"], first["grade_3_4_hi"]) == pytest.approx((11.76, 76.93), abs=0.01)


# --- scan calendars of arms -----------------------------------------------------------------------


def days_of_scans(results: Results, name: str) -> list[int]:
    first = results.assessments.filter(arm=name, line=1)
    return sorted(first["day"].unique().to_list())


def test_an_arm_is_scanned_by_its_own_calendar() -> None:
    own = [{"every_weeks": 4, "until_month": 4}, {"every_weeks": 26}]
    results = run_experiment(
        experiment(
            arm("usual", ["letrozole"]),
            arm("often, then rarely", ["letrozole"], calendar=own),
            assessment={"window_days": 0.0},
        )
    )
    assert days_of_scans(results, "usual")[:4] == [56, 112, 168, 224]
    assert days_of_scans(results, "often, then rarely")[:6] == [28, 56, 84, 112, 140, 322]


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ([{"every_weeks": 1}], "scans every 7 days; allowed: at least 14"),
        ([{"every_weeks": 4}, {"every_weeks": 8}], "until_month is missing"),
        ([{"every_weeks": 0}], "every_weeks"),
    ],
)
def test_a_calendar_of_an_arm_that_cannot_be_is_refused(calendar: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=r"arm\[0\]") as error:
        Experiment.from_dict(experiment(arm("a", ["letrozole"], calendar=calendar)))
    assert said in str(error.value)
