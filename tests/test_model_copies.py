"""Models in files, copies and batches: what goes on goes on exactly, and what has no meaning is refused."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from mesa.batchrunner import batch_run
from tumor_abm import InputError, Population, Space, TumorModel
from tumor_abm._base.genotype import named

RATES: dict[str, Any] = {"division": [0.2], "death": [0.1], "initial": [500]}


def bare(**arguments: Any) -> TumorModel:
    return TumorModel.of_population(Population(seed=3, **RATES, **arguments), horizon_months=1)


def test_a_seed_gives_a_population_a_stream_of_its_own() -> None:
    population = Population(seed=3, **RATES)
    after = {}
    for seed in range(6):
        model = TumorModel.of_population(population, horizon_months=1, rng=seed)
        model.run(20)
        assert model.seed == seed
        after[seed] = model.cells
    assert len(set(after.values())) > 3
    again = TumorModel.of_population(population, horizon_months=1, seed=5)
    again.run(20)
    assert again.cells == after[5]
    untouched = TumorModel.of_population(population, horizon_months=1)
    untouched.run(20)
    population.step(20)
    assert untouched.cells == population.counts.sum()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon_months": -1}, "horizon_months: found -1; allowed: a finite number of months"),
        ({"model_reporters": 5}, "model_reporters: found 5; allowed: a table"),
        ({"collect_every_days": -1}, "collect_every_days: found -1; allowed: a whole number of days"),
    ],
)
def test_arguments_of_a_population_without_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TumorModel.of_population(Population(seed=3, **RATES), **arguments)


def test_a_patient_is_no_population_and_a_population_no_patient() -> None:
    with pytest.raises(InputError, match=r"population: found Population.* TumorModel\.of_population"):
        TumorModel(population=Population(seed=3, **RATES))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="population: found 'first-line advanced'; allowed: Population"):
        TumorModel.of_population("first-line advanced")  # type: ignore[arg-type]


def test_a_patient_lives_in_no_strip_and_has_no_placed_mutants() -> None:
    for space, message in (
        (Space(dimensions=2, width=64), "space.width: found 64; allowed: in a Population only"),
        (Space(dimensions=2, mutant="placed"), 'space.mutant: found "placed"; allowed: in a Population only'),
    ):
        with pytest.raises(InputError, match=message):
            TumorModel(engine="lattice", space=space)


def test_a_loaded_model_draws_the_numbers_that_the_saved_one_would(tmp_path: Path) -> None:
    one = TumorModel(rng=4)
    one.rng.random(5)
    one.random.random()
    one.save(tmp_path / "x")
    other = TumorModel.load(tmp_path / "x")
    assert one.rng.random(3).tolist() == other.rng.random(3).tolist()
    assert one.random.random() == other.random.random()


def test_reporters_that_are_functions_are_given_again(tmp_path: Path) -> None:
    def twice(model: TumorModel) -> np.int64:
        return np.int64(2 * model.cells)

    made: dict[str, Any] = {"model_reporters": {"cells": "cells", "twice": twice}}
    made["agent_reporters"] = {"cells": "cells", "root": lambda agent: agent.cells**0.5}
    one = TumorModel(rng=4, **made)
    one.run(3)
    one.save(tmp_path / "x")
    with pytest.raises(InputError, match='model_reporters: "twice" was collected by a function'):
        TumorModel.load(tmp_path / "x")
    with pytest.raises(InputError, match='found "thrice"; allowed: "cells", "twice"'):
        TumorModel.load(tmp_path / "x", model_reporters={"thrice": twice}, agent_reporters={})
    without = TumorModel.load(tmp_path / "x", model_reporters={}, agent_reporters={})
    without.run(2)
    assert list(without.datacollector.get_model_vars_dataframe().columns) == ["cells"]
    other = TumorModel.load(
        tmp_path / "x",
        model_reporters={"twice": twice},
        agent_reporters={"root": made["agent_reporters"]["root"]},
    )
    for model in (one, other):
        model.run(3)
    first, second = (model.datacollector for model in (one, other))
    assert first.get_model_vars_dataframe().equals(second.get_model_vars_dataframe())
    assert first.get_agent_vars_dataframe().equals(second.get_agent_vars_dataframe())
    assert (
        second.get_model_vars_dataframe()["twice"] == 2 * second.get_model_vars_dataframe()["cells"]
    ).all()


def test_every_flipped_byte_of_a_saved_model_is_found_or_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x"
    model = TumorModel.of_population(Population(seed=3, division=[0.2], death=[0.1], initial=[5]))
    model.save(path)
    whole = path.read_bytes()
    model.step()
    harmless = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            loaded = TumorModel.load(path)
        except InputError:
            continue
        loaded.step()
        assert loaded.cells == model.cells
        harmless += 1
    assert harmless < len(whole) / 5  # dates, and what a system may write of a file


@pytest.mark.parametrize(
    "engine", [{"engine": "clones"}, {"engine": "cells", "genealogy": True}, {"engine": "lattice"}]
)
def test_a_population_is_saved_loaded_pickled_and_copied(engine: dict[str, Any], tmp_path: Path) -> None:
    one = Population(seed=3, **RATES, **engine)
    one.step(10)
    one.set_rates(death=[0.15])
    one.save(tmp_path / "x")
    others = [
        Population.load(tmp_path / "x"),
        pickle.loads(pickle.dumps(one)),
        copy.deepcopy(one),
        copy.copy(one),
        one.fork(),
    ]
    for population in (one, *others):
        population.step(10)
    assert all(other._core.save() == one._core.save() for other in others)
    assert all((other.rates, other.seed, other.dt) == (one.rates, one.seed, one.dt) for other in others)
    TumorModel(rng=1).save(tmp_path / "y")
    with pytest.raises(InputError, match="no saved population"):
        Population.load(tmp_path / "y")


def test_forks_with_seeds_have_futures_of_their_own() -> None:
    one = Population(seed=3, **RATES)
    one.step(10)
    futures = {}
    for seed in (1, 2, 3, 3):
        twin = one.fork(seed=seed)
        assert (twin.day, twin.seed) == (10, seed)
        twin.step(20)
        futures.setdefault(seed, []).append(int(twin.counts[0]))
    assert futures[3][0] == futures[3][1]
    assert len({counts[0] for counts in futures.values()}) == 3
    with pytest.raises(InputError, match='seed: found "x"; allowed'):
        one.fork(seed="x")  # type: ignore[arg-type]


def test_a_patient_forked_with_a_seed_has_another_future_and_the_same_past() -> None:
    one = TumorModel(rng=4)
    one.run(30)
    same, other, again = one.fork(), one.fork(seed=8), one.fork(seed=8)
    assert other.seed == 8
    assert other.covariates == one.covariates
    assert other.history.equals(one.history)
    assert other.clones.equals(one.clones)
    for model in (one, same, other, again):
        model.run(60)
    assert one._core.save() == same._core.save()
    assert other._core.save() == again._core.save()
    assert other.cells != one.cells


@pytest.mark.parametrize(("dt", "every"), [(1.0, 7), (0.5, 1), (0.1, 1), (0.3, 2), (1.5, 1)])
def test_days_are_collected_whatever_the_step(dt: float, every: int) -> None:
    population = Population(seed=3, dt=dt, **RATES)
    model = TumorModel.of_population(population, horizon_months=2, collect_every_days=every)
    model.run(42)
    days = model.datacollector.get_model_vars_dataframe()["day"].to_numpy()
    assert model.day == 42
    passed = np.floor(days / every + 1e-9)
    assert (np.diff(passed) >= 1).all()
    assert passed[-1] == 42 // every
    assert np.abs(days[1:] - passed[1:] * every).max() < dt


@pytest.mark.parametrize("dt", [0.1, 0.7, 1 / 3, 0.05, 0.07])
def test_a_day_reached_by_many_steps_is_the_day_asked_for(dt: float) -> None:
    population = Population(seed=3, dt=dt, **{**RATES, "division": [0.1]})
    steps = 0
    for _ in range(5):
        population.step(100)
        steps += 100
        assert population.day == pytest.approx(steps * dt, rel=1e-15)
    model = TumorModel.of_population(Population(seed=3, dt=dt, **{**RATES, "division": [0.1]}))
    for _ in range(10):
        model.run(7 * dt)
    assert model.steps == 70
    if dt == 0.1:
        assert model.day == 7.0
    with pytest.raises(InputError, match="days: found -1"):
        model.run(-1)


ARMS: dict[str, Any] = {
    "title": "One arm",
    "question": "Is it collected?",
    "seed": 1,
    "horizon_months": 1,
    "accrual_months": 0,
    "arm": [{"name": "letrozole", "line": [{"regimen": ["letrozole"]}]}],
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"experiment": {**ARMS, "dt_days": 0.5}, "collect_every_days": 1},
        {"experiment": ARMS, "collect_every_days": 7},
        {"population": Population(seed=3, dt=0.25, **RATES), "horizon_months": 1, "collect_every_days": 3},
    ],
)
def test_batch_run_finds_the_last_row_up_to_every_step(arguments: dict[str, Any]) -> None:
    kind = TumorModel.of_population if "population" in arguments else TumorModel
    make = partial(kind, **arguments)
    rows = batch_run(
        make,
        parameters={"rng": [1, 2]},
        data_collection_period=5,
        display_progress=False,
    )
    model = make(rng=2)
    model.run()
    collected = model.datacollector.get_model_vars_dataframe().set_index("day")["cells"]
    of_second = [row for row in rows if row["rng"] == 2]
    assert len(of_second) > 3
    for row in of_second:
        day = row["Step"] * model.dt
        assert day - arguments["collect_every_days"] < row["day"] <= day
        assert row["cells"] == collected.loc[row["day"]]
    assert {row["cells"] for row in rows if row["rng"] == 1} != {row["cells"] for row in of_second}


def test_batch_run_takes_populations_on_two_processes() -> None:
    parameters = {"population": [Population(seed=3, **RATES)], "horizon_months": 1, "rng": [1, 2, 3]}
    alone, shared = (
        batch_run(TumorModel.of_population, parameters=parameters, number_processes=n, display_progress=False)
        for n in (1, 2)
    )

    def of(rows: list[dict[str, Any]]) -> set[tuple[int, int]]:
        return {(row["rng"], row["cells"]) for row in rows}

    assert of(alone) == of(shared)
    assert len(of(alone)) == 3


def test_a_rule_that_raises_leaves_the_patient_as_before_the_step() -> None:
    raising = [False]

    def rule(model: TumorModel) -> None:
        if raising[0]:
            raise RuntimeError("no opinion")

    model = TumorModel(rng=4, strategy=rule)
    model.run(3)
    raising[0] = True
    before, collected = model._core.save(), len(model.datacollector.get_model_vars_dataframe())
    with pytest.raises(RuntimeError, match="no opinion"):
        model.step()
    assert (model._core.save(), model.day, model.steps) == (before, 3.0, 3)
    raising[0] = False
    model.step()
    assert (model.day, model.steps) == (4.0, 4)
    assert len(model.datacollector.get_model_vars_dataframe()) == collected + 1


def test_a_reporter_that_raises_leaves_the_model_as_before_the_step() -> None:
    raising = [False]

    def report(model: TumorModel) -> int:
        if raising[0]:
            raise RuntimeError("no number")
        return model.cells

    model = TumorModel(rng=4, model_reporters={"day": "day", "cells": report})
    model.run(2)
    raising[0] = True
    before = model._core.save()
    with pytest.raises(RuntimeError, match="no number"):
        model.step()
    raising[0] = False
    assert model._core.save() == before
    model.step()
    assert model.datacollector.get_model_vars_dataframe()["day"].tolist() == [0, 1, 2, 3]


def test_drugs_may_be_named_in_a_list() -> None:
    model = TumorModel(rng=4)
    model.run(2)
    model.hold(["letrozole"], "palbociclib")
    assert set(model.drugs["state"]) == {"held"}
    model.resume(("letrozole",))
    assert model.drugs.sort("drug")["state"].to_list() == ["taken", "held"]
    for wrong in (lambda: model.hold(5), lambda: model.add(5), lambda: model.stop(["letrozole"])):
        with pytest.raises(InputError):
            wrong()  # type: ignore[no-untyped-call]


def test_genotypes_carry_what_they_are_called_by(tmp_path: Path) -> None:
    one = TumorModel(rng=4)
    one.run(300)
    one.save(tmp_path / "x")
    other = TumorModel.load(tmp_path / "x")
    met: set[tuple[str, ...]] = set()
    tables = [one.composition, other.composition]
    for model in (one, other, bare()):
        assert list(map(named, model.genotype_alterations)) == model.genotype_names
        tables += [model.clones, model.genotypes, model.history]
    for table in tables:
        assert table.schema["alterations"] == pl.List(pl.String)
        for genotype, carried in table.select("genotype", "alterations").iter_rows():
            assert named(tuple(carried)) == genotype
            met.add(tuple(carried))
    assert max(map(len, met)) > 1


def test_of_a_clone_that_died_out_only_zeros_are_known() -> None:
    model = TumorModel.of_population(Population(division=[0.0], death=[0.4], initial=[3], seed=1))
    (agent,) = model.agents
    assert (agent.genotype, agent.alterations) == ("type 0", ("type 0",))
    model.run()
    assert (agent.cells, agent.fraction) == (0, 0.0)
    for attribute in ("genotype", "alterations", "born_day", "division", "death", "net", "parent"):
        with pytest.raises(InputError, match="clone 0 has died out"):
            getattr(agent, attribute)
