"""Long work ends when it is told to, says what it waits for, and refuses what would never end."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tumor_abm import InputError, Population, Reach, Space, TumorModel, _core, replicate, run_experiment
from tumor_abm.evolution.replication import Until
from tumor_abm.run import screening

ENDLESS: dict[str, Any] = {
    "title": "More new lesions than can be counted one by one",
    "question": "Are they drawn as a number?",
    "patients": 2,
    "seed": 1,
    "imaging": {"new_lesion_cells": 5e7},
    "population": {"base": "first_line_postmenopausal", "seeding": {"median": 1e9, "high": 1e9}},
    "arm": [{"name": "letrozole", "line": [{"regimen": ["letrozole"]}]}],
}
NOBODY: dict[str, Any] = {
    "title": "Eligibility that nobody meets",
    "question": "Is that said?",
    "patients": 20,
    "seed": 1,
    "population": {"base": "after_cdk46_inhibitor", "eligibility": {"prior_months_at_least": 600}},
    "arm": [{"name": "fulvestrant", "line": [{"regimen": ["fulvestrant"]}]}],
}


def seconds_to_end(work: Callable[[], object], after: float = 0.3) -> float:
    """Seconds from Ctrl-C to its exception."""
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(after, interrupt)
    timer.start()
    try:
        work()
        timer.join()
        time.sleep(1)
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    finally:
        timer.cancel()
    raise AssertionError("it was not interrupted")


def lattice(cells: int, **space: Any) -> Population:
    rates: dict[str, Any] = {"division": [0.25], "death": [0.2], "initial": [cells], "seed": 1}
    return Population(engine="lattice", space=Space(**space), **rates)


def test_a_large_lattice_with_diffusion_is_interrupted_while_it_is_made() -> None:
    diffusion = Reach(length=30, profile="diffusion")
    assert seconds_to_end(lambda: lattice(4_000_000, nutrient=diffusion), after=1.0) < 2


@pytest.mark.parametrize("engine", ["cells", "lattice"])
def test_a_step_of_many_cells_is_interrupted_and_was_never_taken(engine: str) -> None:
    if engine == "lattice":
        population = lattice(1_000_000, placement="push", depth=20)
    else:
        rates: dict[str, Any] = {"division": [0.25], "death": [0.2], "initial": [30_000_000], "seed": 1}
        population = Population(engine="cells", **rates)
    assert seconds_to_end(lambda: population.step(1_000), after=1.0) < 2
    taken = population.day
    assert taken < 1_000
    other = (
        lattice(1_000_000, placement="push", depth=20)
        if engine == "lattice"
        else Population(engine="cells", **rates)
    )
    other.step(int(taken))
    assert other._core.save() == population._core.save()


def test_the_check_of_all_patients_is_interrupted() -> None:
    spec = json.dumps(load_experiment_of(ENDLESS).to_core())
    assert seconds_to_end(lambda: _core.Experiment(spec).check(10_000_000)) < 2


def load_experiment_of(tables: dict[str, Any]) -> Any:
    from tumor_abm.config import Experiment

    return Experiment.from_dict(tables)


def test_lesions_beyond_number_are_drawn_as_a_number() -> None:
    results = run_experiment(ENDLESS)
    assert results.assessments["new_lesions"].to_numpy().max() > 1e6


def test_few_lesions_and_many_have_the_same_law() -> None:
    # New lesions up to the first scan are Poisson given the growth, which is the same: with a thousand times
    # the seeding there are a thousand times as many, give or take 4.9 standard deviations of the few.
    def lesions(seeding: float, patients: int) -> float:
        law = dict.fromkeys(("low", "median", "high"), seeding)
        population = {"base": "first_line_postmenopausal", "seeding": law}
        tables = {**ENDLESS, "patients": patients, "horizon_months": 6, "accrual_months": 0}
        results = run_experiment({**tables, "population": {**population, "bone_only": 1.0}})
        first = results.assessments.group_by("patient").first()
        return float(first["new_lesions"].sum()) / patients

    few, many = lesions(10.0, 200), lesions(10_000.0, 200)
    assert few * 200 > 200
    assert many / few == pytest.approx(1_000, rel=4.9 / (few * 200) ** 0.5)


def test_eligibility_that_nobody_meets_is_said_with_the_share_of_every_condition(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 300 candidates") as refused:
        run_experiment(NOBODY, tmp_path / "out")
    message = str(refused.value)
    assert "prior_months_at_least by 0 of " in message
    assert "prior lines over by " in message
    assert "at least 1 of 100 candidates" in message
    assert not (tmp_path / "out").exists()


def test_a_single_patient_whom_nobody_can_be_is_refused_soon() -> None:
    asked = {"visceral": True, "prior_ended": ["rule"]}
    impossible = {**NOBODY, "population": {"base": "after_cdk46_inhibitor", "eligibility": asked}}
    with pytest.raises(InputError, match=r"visceral by .* prior_ended by 0 of"):
        TumorModel(impossible, patient=3)


def test_rare_eligibility_is_said_with_the_time_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    def rare(*_: object) -> Any:
        return [("", 128, 1, [("visceral", 128, 60), ("altered", 60, 1)])]

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(_core, "Experiment", lambda _: SimpleNamespace(screen=rare))
        screening.screen("{}", 1_000, 2)
    assert "1 of 128 candidates is eligible (met: visceral by 60 of 128, altered by 1 of 60)" in caplog.text
    assert "to screen for 1000 patients takes about" in caplog.text


def test_what_all_candidates_meet_is_not_screened() -> None:
    assert _core.Experiment(json.dumps(load_experiment_of(ENDLESS).to_core())).screen(1) == []


def test_replicates_are_interrupted_within_a_step() -> None:
    rates: dict[str, Any] = {"division": [0.3], "death": [0.0], "initial": [20_000_000], "engine": "cells"}

    def work() -> object:
        return replicate(replicates=2, seed=1, until=Until(day=1_000), threads=2, **rates)

    assert seconds_to_end(work, after=1.0) < 2


def test_work_of_another_thread_is_interrupted_by_whoever_it_asks() -> None:
    class StoppedError(Exception):
        pass

    began, ended = time.monotonic(), []

    def heartbeat() -> None:
        if time.monotonic() > began + 0.5:
            raise StoppedError

    def work() -> None:
        with pytest.raises(StoppedError):
            _core.interruptible(lambda: lattice(1_000_000, placement="push", depth=20).step(10**9), heartbeat)
        ended.append("stopped")
        Population(division=[0.2], death=[0.1], initial=[100], seed=1).step(1)  # nobody is asked any more
        ended.append("went on")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(30)
    assert ended == ["stopped", "went on"]


def test_what_is_interruptible_returns_what_it_returns() -> None:
    assert _core.interruptible(lambda: 7, lambda: None) == 7
    with pytest.raises(ZeroDivisionError):
        _core.interruptible(lambda: 1 / 0, lambda: None)
