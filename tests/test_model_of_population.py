"""A model of a population with explicit rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tumor_abm
from polars.testing import assert_frame_equal
from tumor_abm import InputError, TumorModel
from tumor_abm.model.bare import Bare


def explicit(**arguments: Any) -> tumor_abm.Population:
    return tumor_abm.Population(
        division=[0.14, 0.12], death=[0.1, 0.05], mutation=[[0, 1e-2], [0, 0]], initial=[200, 0], **arguments
    )


def bare(**arguments: Any) -> TumorModel:
    return TumorModel.of_population(explicit(**arguments), horizon_months=2)


def test_a_population_with_explicit_rates_is_stepped_too() -> None:
    alone = explicit(seed=3)
    stepped = TumorModel.of_population(alone, horizon_months=2)
    stepped.run(30)
    assert alone.day == 0
    alone.step(30)
    assert stepped.cells == int(alone.counts.sum())
    assert sum(agent.cells for agent in stepped.agents) == stepped.cells
    assert {agent.unique_id for agent in stepped.agents} == set(alone.clones["clone"])
    twin = stepped.fork()
    twin.set_rates(division=[0, 0], death=[0.4, 0.4])
    twin.run()
    stepped.run()
    assert (twin.cells, twin.running) == (0, False)
    assert stepped.day == pytest.approx(61, abs=1)
    assert stepped.datacollector.get_model_vars_dataframe()["cells"].iloc[-1] == stepped.cells


def test_a_bare_lattice_can_be_seen_and_knows_no_drugs() -> None:
    flat = bare(seed=1, engine="lattice", space=tumor_abm.Space(dimensions=2))
    flat.run(5)
    assert flat.sites is not None
    assert int((flat.sites.genotype > 0).sum()) == flat.cells
    assert flat.records()["outcomes"].is_empty()
    assert flat.drugs.is_empty()
    with pytest.raises(InputError, match="not a known drug"):
        flat.intervene("letrozole")
    with pytest.raises(InputError, match="use intervene"):
        TumorModel(rng=1).set_rates(division=[0.1])


@pytest.mark.parametrize("of_patient", [True, False])
def test_genotypes_are_the_clones_added_up_in_the_order_of_the_oldest(of_patient: bool) -> None:
    model = TumorModel(rng=1) if of_patient else bare(seed=2)
    for _ in range(3):
        model.run(20)
        expected = model.clones.group_by("genotype", maintain_order=True).agg(
            pl.col("alterations").first(),
            pl.col("cells", "fraction").sum(),
            pl.col("division", "death").first(),
        )
        assert model.genotypes.height > 1
        assert_frame_equal(model.genotypes, expected, abs_tol=1e-15, rel_tol=1e-12)


def bytes_of(model: TumorModel) -> bytes:
    assert isinstance(model._core, Bare)
    return model._core.saved()[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"engine": "clones", "keep_extinct": True, "switching": [[0, 0.01], [0.02, 0]]},
        {"engine": "cells", "genealogy": True, "trait": tumor_abm.Trait(drift=0.02, limit=0.5)},
        {
            "engine": "lattice",
            "space": tumor_abm.Space(dimensions=2, drug=tumor_abm.Reach(length=3)),
            "drug_death": [0.12, 0.05],
            "genealogy": True,
        },
    ],
    ids=lambda arguments: arguments["engine"],
)
def test_a_saved_population_goes_on_exactly(arguments: dict[str, Any], tmp_path: Path) -> None:
    one = bare(seed=5, **arguments)
    one.run(10)
    one.set_rates(division=[0.1, 0.15], death=[0.09, 0.05])
    one.run(3)
    one.save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]
    other, twin = TumorModel.load(tmp_path / "x"), one.fork()
    assert bytes_of(one) == bytes_of(other)
    for each in (one, other, twin):
        each.run(10)
        each.set_rates(death=[0.05, 0.05])
        each.run()
    assert one.day == other.day == pytest.approx(61, abs=1)
    assert bytes_of(one) == bytes_of(other) == bytes_of(twin)
    assert one.clones.equals(other.clones)
    assert one.history.equals(other.history)
    assert (one.steps, one.seed, one.engine) == (other.steps, other.seed, other.engine)
    first, second = (each.datacollector.get_model_vars_dataframe() for each in (one, other))
    assert first.equals(second)


def test_files_that_are_no_saved_population_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    bare(seed=1).save(path)
    whole = path.read_bytes()
    for bad in (whole[: len(whole) // 2], whole[:200] + b"\0\0\0\0" + whole[204:]):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="x: no saved model"):
            TumorModel.load(path)
    core = bytes_of(bare(seed=1))
    for bad, message in [
        (b"", "no saved population"),
        (TumorModel(rng=1)._core.save(), "no saved population"),
        (core[:8] + b"\xff\0\0\0" + core[12:], "format 255"),
        (core[:-3], "cut off or damaged"),
        (core[:50] + b"\xff" + core[51:], "cut off or damaged"),
    ]:
        with pytest.raises(ValueError, match=message):
            tumor_abm._core.Population.load(bad)
