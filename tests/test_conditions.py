"""Conditions of rules and choices that ask for scans, blood and disease."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import Results, run_experiment
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.treatment.condition import Condition

BLOOD = {"liquid_biopsy": {"every_weeks": 4, "genes": ["ESR1", "tumour fraction"]}}


def chosen(condition: dict[str, Any], **more: Any) -> Results:
    """Patients whose second line is capecitabine where something holds, fulvestrant where not."""
    options = [{"if": condition, "regimen": ["capecitabine"]}, {"regimen": ["fulvestrant"]}]
    return run_experiment(experiment(arm("chosen", ["letrozole"], {"choose": options}), **more))


def on_capecitabine(results: Results) -> set[int]:
    second = results.outcomes.filter(line=2).with_columns(pl.col("regimen").cast(pl.String))
    return set(second.filter(regimen="capecitabine")["patient"].to_list())


def began_second(results: Results) -> set[int]:
    return set(results.outcomes.filter(line=2)["patient"].to_list())


def test_bone_only_is_that_of_the_patient() -> None:
    results = chosen({"bone_only": True})
    bone_only = set(results.patients.filter("bone_only")["patient"].to_list())
    assert on_capecitabine(results) == bone_only & began_second(results) != set()


def test_any_holds_where_one_of_them_does() -> None:
    both = on_capecitabine(chosen({"any": [{"bone_only": True}, {"visceral": True}]}))
    bone_only, visceral = (on_capecitabine(chosen({name: True})) for name in ("bone_only", "visceral"))
    assert both == bone_only | visceral
    assert bone_only - visceral


def test_a_new_lesion_is_one_on_the_last_scan() -> None:
    results = chosen({"new_lesion": True})
    last = results.assessments.filter(line=1).sort("day").group_by("patient").last()
    shown = set(last.filter(pl.col("new_lesions") > 0)["patient"].to_list())
    assert on_capecitabine(results) == shown & began_second(results)
    assert on_capecitabine(chosen({"new_lesion": False})) == began_second(results) - shown


@pytest.mark.parametrize(("least", "counted"), [("SD", ["SD", "PR", "CR"]), ("PR", ["PR", "CR"])])
def test_best_response_is_that_of_the_line_before(least: str, counted: list[str]) -> None:
    results = chosen({"best_response": least})
    first = results.outcomes.filter(pl.col("line") == 1, pl.col("response").cast(pl.String).is_in(counted))
    assert on_capecitabine(results) == set(first["patient"].to_list()) & began_second(results)


def test_a_rule_can_ask_for_the_best_response_so_far() -> None:
    rule = {"when": {"best_response": "PR"}, "then": {"stop": "palbociclib"}}
    line = {"regimen": ["letrozole", "palbociclib"], "rule": [rule]}
    results = run_experiment(experiment(arm("stop at response", line)))
    stopped = results.events.filter(pl.col("event") == "rule").select("patient", "day")
    responded = (
        results.assessments.filter(pl.col("response").cast(pl.String).is_in(["PR", "CR"]))
        .group_by("patient")
        .agg(pl.col("day").min())
    )
    assert stopped.height > 5
    assert stopped.join(responded, on=["patient", "day"]).height == stopped.height


def test_neutrophils_are_those_of_the_day() -> None:
    rule = {"when": {"neutrophils_below": 1.5}, "then": {"stop": "palbociclib"}}
    line = {"regimen": ["letrozole", "palbociclib"], "rule": [rule]}
    results = run_experiment(experiment(arm("stop", line), trajectory_every_days=1))
    stopped = results.events.filter(pl.col("event") == "rule").select("patient", "day")
    counts = stopped.join(results.trajectory, on=["patient", "day"])
    assert counts.height == stopped.height > 0
    assert (counts["neutrophils"] < 1.5).all()


def test_the_tumour_fraction_is_read_and_falls_under_treatment() -> None:
    results = run_experiment(experiment(arm("treated", ["letrozole", "palbociclib"]), **BLOOD))
    read = results.liquid_biopsies.filter(pl.col("gene") == "tumour fraction")
    assert read["vaf"].is_between(0, 1).all()
    at_start, later = (read.filter(pl.col("day") == day)["vaf"].mean() for day in (0, 84))
    assert 0 < later < at_start


def test_a_rise_counts_from_the_least_of_the_line() -> None:
    when = {"ctdna": "tumour fraction", "rise": 3}
    line = {"regimen": ["letrozole", "palbociclib"], "rule": [{"when": when, "then": {"next_line": True}}]}
    results = run_experiment(experiment(arm("leave at a rise", line, ["fulvestrant"]), **BLOOD))
    left = results.events.filter(pl.col("event") == "rule").select("patient", left="day")
    assert left.height > 5
    read = results.liquid_biopsies.filter(pl.col("gene") == "tumour fraction", pl.col("line") == 1)
    for patient, day in left.iter_rows():
        own = read.filter(pl.col("patient") == patient, pl.col("day") <= day).sort("day")["vaf"].to_list()
        rises = [here > 0 and here >= 3 * min(own[: i + 1]) for i, here in enumerate(own)]
        assert rises == [False] * (len(own) - 1) + [True]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"any": [{"visceral": True}, {"months": 3}]}, "(there is visceral disease or 3 months have passed)"),
        ({"bone_only": False}, "there is no bone only disease"),
        ({"new_lesion": True}, "the last scan showed a new lesion"),
        ({"best_response": "CR"}, "the best response is CR"),
        ({"neutrophils_below": 0.5}, "neutrophils are below 0.5"),
        (
            {"ctdna": "ESR1", "above": 0.01, "rise": 2},
            "ESR1 is seen in ctDNA at 1% or more, risen 2-fold or more",
        ),
    ],
)
def test_words(written: dict[str, Any], words: str) -> None:
    assert Condition.model_validate(written).in_words() == words


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"tissue": "ESR1", "rise": 2}, "rise belongs to ctdna, not to tissue"),
        ({"ctdna": "ESR1", "rise": 0.5}, "rise"),
        ({"best_response": "PD"}, "best_response"),
        ({"neutrophils_below": 0}, "neutrophils_below"),
        ({"any": []}, "any"),
        ({"any": [{"ctdna": "PIK3CA"}]}, 'nobody measures "PIK3CA"'),
        ({"bone_only": True, "visceral": True}, "name exactly one of"),
    ],
)
def test_what_makes_no_condition(when: dict[str, Any], said: str) -> None:
    line = {"regimen": ["letrozole"], "rule": [{"when": when, "then": {"next_line": True}}]}
    with pytest.raises(InputError) as error:
        Experiment.from_dict(experiment(arm("a", line), **BLOOD))
    assert said in str(error.value)


MARKER = {
    "node": {
        "has_esr1_mutation": {
            "label": "Share of cells with a mutation of ESR1",
            "formula": "alteration.er_constitutive > 0",
            "unit": "fraction",
            "output": True,
        }
    }
}


def test_an_output_of_the_pathway_is_the_mean_of_the_cells() -> None:
    by_output = on_capecitabine(chosen({"output": "has_esr1_mutation", "above": 0.05}, **MARKER))
    by_tissue = on_capecitabine(chosen({"tissue": "ESR1"}, **MARKER))
    assert by_output == by_tissue != set()


def test_ki67_is_that_of_cells_under_their_drugs() -> None:
    def after_a_month_of(regimen: list[str]) -> Results:
        first = {"regimen": regimen, "until": {"months": 1}}
        second = {
            "choose": [
                {"if": {"output": "ki67_positive", "above": 0.1}, "regimen": ["capecitabine"]},
                {"regimen": ["fulvestrant"]},
            ]
        }
        return run_experiment(experiment(arm("x", first, second)))

    untreated, treated = after_a_month_of([]), after_a_month_of(["letrozole", "palbociclib"])
    in_both = began_second(untreated) & began_second(treated)
    assert on_capecitabine(treated) & in_both < on_capecitabine(untreated)


def test_an_output_is_said_and_one_that_is_none_is_refused() -> None:
    asked = Condition.model_validate({"output": "ki67_positive", "above": 0.1})
    assert asked.in_words() == "ki67 positive is 0.1 or more"
    with pytest.raises(InputError, match=r'line\[1\]\.choose\[0\]\.if\.output: .*"ki68".*ki67_positive'):
        chosen({"output": "ki68", "above": 0.1})
    with pytest.raises(InputError, match="asks for above"):
        chosen({"output": "ki67_positive"})
