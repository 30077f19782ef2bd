"""Small experiments that once came out wrong, each with an answer that needs no reference to us."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from tumor_abm import TumorModel, compare, run_experiment
from tumor_abm.config import load_experiment
from tumor_abm.errors import InputError

CASES = Path(__file__).parent / "cases"


def case(name: str) -> Path:
    return CASES / f"{name}.toml"


def test_the_same_drug_for_a_part_of_the_same_patients_has_a_hazard_ratio_of_one() -> None:
    results = run_experiment(case("among_is_one"))
    visceral = results.patients["visceral"].sum()
    compared = compare(results).table.filter(arm="same, visceral only")
    assert compared.height >= 2
    for column in ("hr", "paired_hr_lo", "paired_hr_hi"):
        assert set(compared[column]) == {1.0}
    assert set(compared["n"]) == set(compared["n_shared"]) == {visceral}


def test_an_adaptive_line_that_never_stops_is_the_same_to_the_byte() -> None:
    results = run_experiment(case("sham_adaptive"))
    continuous, sham = results.arms
    for name in ("outcomes", "overall", "assessments", "clones", "trajectory", "events"):
        one, other = (results[name].filter(arm=arm).drop("arm") for arm in (continuous, sham))
        assert one.equals(other), name
    ratios = compare(results).table.filter(pl.col("arm") == sham)["hr"].drop_nulls()
    assert set(ratios) == {1.0}


def test_adaptive_dosing_of_bone_only_disease_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"arm\[1\]\.line\[0\]: disease that cannot be measured has no sum of diameters"
    ):
        load_experiment(case("bone_only_adaptive"))


def test_who_gets_one_line_has_no_pfs2() -> None:
    table = compare(run_experiment(case("one_line_two_lines"))).table.filter(endpoint="PFS2")
    assert table["hr"].null_count() == 2
    one = table.row(by_predicate=pl.col("arm") == "one line", named=True)
    assert one["median_months"] is None
    assert one["not_defined"] == "the arm has one line"


def test_docetaxel_is_given_on_the_first_day_after_a_hold() -> None:
    for patient in range(5):
        model = TumorModel(case("docetaxel_held"), patient=patient)
        given, held = [], set()
        while model.running and model.line == 1 and model.drugs.height:  # until she bears it no more
            state = model.drugs.filter(drug="docetaxel")["state"][0]
            if state == "taken":
                given.append(int(model.day))
            elif state == "held":
                held.add(int(model.day))
            model.step()
        assert len(given) >= 2
        for before, after in pairwise(given):
            assert after >= before + 21
            assert held.issuperset(range(before + 21, after))


def test_eligibility_that_nobody_meets_is_said() -> None:
    with pytest.raises(InputError, match="prior_months_at_least"):
        run_experiment(case("nobody_eligible"))


def test_more_new_lesions_than_can_be_counted_one_by_one_come_to_an_end() -> None:
    outcomes = run_experiment(case("endless_seeding")).outcomes
    assert outcomes["patient"].n_unique() == 2
