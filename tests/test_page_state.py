"""The state of the page: its address, what was done by hand, and the way back to an earlier day."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tumor_abm.app.address import first_choices, query_of, start_of
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.checkpoints import MOST, Checkpoints
from tumor_abm.app.deed import Deed
from tumor_abm.app.life import Life
from tumor_abm.app.setup import OWN_LINES, RATES
from tumor_abm.errors import InputError


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.of(None)


@pytest.fixture
def life(catalogue: Catalogue) -> Life:
    life = Life(catalogue)
    life.begin(first_choices(catalogue))
    return life


def known(life: Life) -> list[object]:
    """All that is known of the twins of a life, as bytes of their cores and what was noted."""
    return [(twin.model._core.save(), twin.course().tables["states"].rows()) for twin in life.twins]


def same_address(life: Life, catalogue: Catalogue) -> Life:
    """The life that the address of another leads to."""
    assert life.choices is not None
    start = start_of(query_of(life.choices, life.deeds, life.day, first_choices(catalogue)), catalogue)
    other = Life(catalogue)
    other.follow(start.choices, start.deeds, start.day)
    return other


# --- the address ------------------------------------------------------------------------------


def test_a_link_opens_the_same_patient_on_the_same_day(life: Life, catalogue: Catalogue) -> None:
    life.advance(40)
    life.do(0, "stop", "palbociclib")
    life.advance(30)
    life.do(0, "line", "fulvestrant", {"drug": "everolimus", "dose": 0.5})
    life.advance(30)
    life.do(0, "hold")
    life.advance(10)
    other = same_address(life, catalogue)
    assert other.deeds == life.deeds
    assert known(other) == known(life)


def test_a_link_opens_both_twins(life: Life, catalogue: Catalogue) -> None:
    life.advance(20)
    life.do(0, "fork", "other", [["capecitabine"], ["fulvestrant"]])
    life.advance(20)
    life.do(1, "hold", "capecitabine")
    life.advance(20)
    assert known(same_address(life, catalogue)) == known(life)
    life.do(1, "keep")
    assert known(same_address(life, catalogue)) == known(life)


names = st.sampled_from(Catalogue.of(None).drugs)


@given(
    patient=st.integers(0, 2**53 - 1),
    seed=st.integers(0, 2**64 - 1).map(str),
    founder=st.none() | st.lists(st.sampled_from(Catalogue.of(None).alterations), unique=True).map(tuple),
    lines=st.lists(st.lists(names, min_size=1, unique=True).map(tuple), min_size=1).map(tuple),
    rate=st.floats(RATES[0], RATES[-1]),
    turnover=st.floats(0.1, 0.9),
    day=st.integers(0, 4000),
)
def test_every_choice_survives_the_address(
    catalogue: Catalogue,
    patient: int,
    seed: str,
    founder: tuple[str, ...] | None,
    lines: tuple[tuple[str, ...], ...],
    rate: float,
    turnover: float,
    day: int,
) -> None:
    usual = first_choices(catalogue)
    chosen = replace(
        usual,
        patient=patient,
        seed=seed,
        founder=founder,
        strategy=OWN_LINES,
        lines=lines,
        mutation_rate=rate,
        covariates={"turnover": turnover},
    )
    start = start_of("?" + query_of(chosen, [], day, usual), catalogue)
    assert start.choices == chosen
    assert start.day == day


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("patient=-1", "patient"),
        ("patient=two", "patient"),
        ("patient=[1]", "patient"),
        ("patient=1.5", "patient"),
        ("patient=true", "patient"),
        ("seed=x", "seed"),
        ("engine=steam", "engine"),
        ("population=Mars", "population"),
        ("strategy=none", "strategy"),
        ("lines=5", "lines"),
        ("lines=[[1]]", "lines"),
        ("founder=[2]", "founder"),
        ('founder=["no such thing"]', "founder"),
        ("mutation_rate=1e9", "mutation_rate"),
        ("covariates=[]", "covariates"),
        ("cells=7", "cells"),
        ("day=-3", "day"),
        ("day=nan", "day"),
        ("day=1e9", "day"),
        ("did=hello", "did"),
        ('did=[0,0,"dance",[]]', "did"),
        ('did=[0,7,"hold",[]]', "did"),
        ('did=[0,0,"line",[{"dose":1}]]', "did"),
        ('did=[0,0,"stop",[]]', "did"),
        ('did=[0,0,"fork",[]]', "did"),
        ("&".join(['did=[0,0,"hold",[]]'] * 201), "did"),
        ("lines=" + "[" * 100_000, "lines"),
    ],
)
def test_an_address_that_cannot_be_is_refused_by_its_key(catalogue: Catalogue, query: str, key: str) -> None:
    with pytest.raises(InputError, match=f"^{key}"):
        start_of(query, catalogue)


def test_what_an_address_says_beside_the_state_is_passed_over(catalogue: Catalogue) -> None:
    assert start_of("utm_source=mail&kernelid=7", catalogue).choices == first_choices(catalogue)


def test_a_deed_is_read_as_it_was_written() -> None:
    for deed in (
        Deed(0.0, 0, "line", ("letrozole", {"drug": "palbociclib", "dose": 0.8})),
        Deed(12.5, 1, "fork", ("other", [["capecitabine"]])),
        Deed(3.0, 0, "keep"),
    ):
        assert Deed.read(deed.written()) == deed
        json.loads(deed.written())


# --- the way back -----------------------------------------------------------------------------


def test_to_go_on_from_an_earlier_day_lives_what_was_lived(life: Life, catalogue: Catalogue) -> None:
    fresh = Life(catalogue)
    fresh.begin(first_choices(catalogue))
    fresh.advance(45)
    life.advance(200)
    life.go_back(45)
    assert known(life) == known(fresh)
    life.advance(155)
    fresh.advance(155)
    assert known(life) == known(fresh)


def test_to_go_back_forgets_what_was_done_later_and_keeps_what_was_done_before(life: Life) -> None:
    life.advance(30)
    life.do(0, "line", "fulvestrant")
    life.advance(30)
    life.do(0, "hold")
    life.advance(30)
    life.go_back(50)
    assert [deed.day for deed in life.deeds] == [30.0]
    assert life.twins[0].model.regimen == "fulvestrant"
    (events,) = [twin.record.events(twin.model) for twin in life.twins]
    assert events.filter(event="line ended")["detail"].to_list() == ["by hand"]
    life.go_back(10)
    assert life.deeds == []
    assert life.twins[0].model.line == 1


def test_to_go_back_before_the_fork_ends_the_comparison(life: Life) -> None:
    life.advance(30)
    life.do(0, "fork", "other", [["capecitabine"]])
    life.advance(30)
    life.go_back(40)
    assert [twin.model.day for twin in life.twins] == [40.0, 40.0]
    life.go_back(20)
    assert [twin.model.day for twin in life.twins] == [20.0]


def test_what_was_before_a_comparison_ended_cannot_be_reached_and_it_is_said(life: Life) -> None:
    life.advance(10)
    life.do(0, "fork", "other", [["capecitabine"]])
    life.advance(10)
    life.do(1, "keep")
    life.advance(10)
    with pytest.raises(InputError, match="On day 20 the comparison was ended"):
        life.go_back(15)
    assert life.day == 30


def test_states_that_are_kept_stay_few_and_lead_to_any_day(life: Life) -> None:
    model = life.twins[0].model
    kept = Checkpoints(model)
    for _ in range(3 * MOST):
        model.run(28)
        kept.note(model)
    assert MOST / 2 <= len(kept._states) <= MOST + 1
    for day in (0.0, 100.0, model.day):
        assert kept.before(day).day <= day
    assert model.day - kept._states[-1].day <= kept._every_days


# --- what is done by hand ----------------------------------------------------------------------


def test_the_last_drug_of_a_line_is_held_when_it_is_stopped(life: Life) -> None:
    life.do(0, "stop", "letrozole")
    assert [dosing["drug"] for dosing in life.twins[0].model.dosings] == ["palbociclib"]
    life.do(0, "stop", "palbociclib")
    drugs = life.twins[0].model.drugs.filter(drug="palbociclib")
    assert drugs["held_for"].to_list() == ["by hand"]
    assert life.twins[0].model.line == 1


def test_what_cannot_be_done_is_not_remembered(life: Life) -> None:
    with pytest.raises(InputError):
        life.do(0, "line", "no such drug")
    with pytest.raises(InputError):
        life.do(0, "stop", "capecitabine")
    assert life.deeds == []
