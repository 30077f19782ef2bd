"""A line of no drug: what becomes of patients who are looked at and get nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import Results, TumorModel, run_experiment
from tumor_abm.analysis.treatment_time import time_on_regimens, time_to_next
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.report import write_report
from tumor_abm.treatment import Line


@pytest.fixture(scope="module")
def observed() -> Results:
    """Treated at once, after one untreated line, and never."""
    return run_experiment(
        experiment(
            arm("at once", ["letrozole", "palbociclib"], ["fulvestrant"]),
            arm("later", [], ["letrozole", "palbociclib"]),
            arm("never", "observation"),
        )
    )


def of_arm(results: Results, name: str, line: int = 1) -> pl.DataFrame:
    return results.outcomes.filter(arm=name, line=line).with_columns(pl.col("end_reason").cast(pl.String))


def test_a_line_of_nothing_ends_at_progression_like_any_other(observed: Results) -> None:
    for name in ("later", "never"):
        line = of_arm(observed, name)
        assert line["regimen"].cast(pl.String).unique().to_list() == ["observation"]
        assert line.filter(end_reason="progression").height > 0.8 * line.height
        assert not line["end_reason"].is_in(["toxicity", "completed", "rule"]).any()


def test_treatment_delays_progression(observed: Results) -> None:
    pair = of_arm(observed, "at once").join(of_arm(observed, "never"), on="patient")
    assert (pair["pfs_months"] - pair["pfs_months_right"]).mean() > 3


def test_the_drugs_come_when_observation_is_over(observed: Results) -> None:
    assert of_arm(observed, "later", 2)["regimen"].cast(pl.String).unique().to_list() == [
        "letrozole + palbociclib"
    ]


def test_no_drug_is_held_stopped_or_counted(observed: Results) -> None:
    never = observed.events.filter(pl.col("arm") == "never")["event"].cast(pl.String).unique().to_list()
    assert not {"dose held", "dose reduced", "drug stopped", "line skipped"} & set(never)
    assert observed.doses.filter(pl.col("arm") == "never").is_empty()


def test_tables_of_times_call_it_observation_and_no_treatment(observed: Results) -> None:
    told = time_on_regimens(observed).filter(arm="never")
    assert told["regimen"].to_list() == ["observation"]
    later = time_to_next(observed).filter(arm="later", measure="next treatment").row(0, named=True)
    never = time_to_next(observed).filter(arm="never", measure="next treatment").row(0, named=True)
    assert later["median_months"] < (never["median_months"] or float("inf"))


def test_a_second_line_of_nothing_is_no_next_treatment() -> None:
    results = run_experiment(
        experiment(arm("then nothing", ["letrozole"], []), arm("nothing more", ["letrozole"]))
    )
    rows = time_to_next(results).filter(measure="next treatment").drop("arm").rows()
    assert rows[0] == rows[1]


def test_the_report_shows_it_on_the_strip(observed: Results, tmp_path: Any) -> None:
    page = write_report(observed, tmp_path).read_text(encoding="utf-8")
    assert "observation" in page
    assert "until progression" in page


@pytest.mark.parametrize("written", [[], "observation", ["observation"]])
def test_it_can_be_written_in_three_ways(written: Any) -> None:
    assert Line.model_validate({"regimen": written}).regimen == []
    chosen = Line.model_validate(
        {"choose": [{"if": {"visceral": True}, "regimen": ["letrozole"]}, {"regimen": written}]}
    )
    assert chosen.in_words()[0] == "letrozole if there is visceral disease; else observation"


@pytest.mark.parametrize("strategy", [[[]], ["observation"], [{"regimen": []}]])
def test_a_model_can_be_left_untreated(strategy: Any) -> None:
    model = TumorModel(strategy=strategy, rng=3)
    model.run(30)
    assert (model.line, model.regimen, model.drugs.height) == (1, "observation", 0)
    assert model.events["event"].cast(pl.String).to_list() == ["line started"]


def test_drugs_can_be_given_after_all() -> None:
    model = TumorModel(strategy=["observation"], rng=3)
    model.run(30)
    model.intervene("letrozole")
    assert (model.line, model.regimen) == (1, "letrozole")
    model.follow([[]])
    assert (model.line, model.regimen) == (2, "observation")
    with pytest.raises(InputError, match="nothing to hold"):
        model.hold()


def test_a_rule_adds_a_drug_to_nothing() -> None:
    rule = {"when": {"months": 2}, "then": {"add": "letrozole"}}
    results = run_experiment(experiment(arm("watchful", {"regimen": [], "rule": [rule]})))
    added = results.events.filter(pl.col("event") == "rule")
    assert added["detail"].cast(pl.String).unique().to_list() == ["now on letrozole"]
    assert not (results.outcomes["end_reason"].cast(pl.String) == "rule").any()


def test_a_line_of_nothing_before_the_trial_is_no_prior_line() -> None:
    population = {"base": "first_line_postmenopausal", "prior": [{"regimen": []}]}
    results = run_experiment(experiment(arm("now", ["letrozole"]), population=population, patients=5))
    assert results.patients["prior_lines"].to_list() == [0] * 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"regimen": [], "until": {"cycles": 6}}, "observation has no cycles; allowed: until.months"),
        ({"regimen": [], "adaptive": {}}, "observation has no drug that could pause"),
        ({"regimen": "obsevation"}, "regimen"),
        ({"regimen": [], "adaptive": {"drugs": ["letrozole"]}}, "not given in this line (given: nothing)"),
    ],
)
def test_what_needs_a_drug_is_refused(line: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r"arm\[0\]\.line\[0\]") as error:
        Experiment.from_dict(experiment(arm("nothing", line)))
    assert said in str(error.value)


def test_no_drug_is_called_observation() -> None:
    with pytest.raises(InputError, match="word for no drug"):
        Experiment.from_dict(experiment(arm("a", []), drug={"observation": {"base": "letrozole"}}))


def test_it_is_written_out_and_read_again() -> None:
    one = Experiment.from_dict(experiment(arm("nothing", "observation", ["letrozole"])))
    again = Experiment.from_dict(one.resolved())
    assert again.to_core() == one.to_core()
