"""Samples of patients whose cells are individuals: by place, with the lines that they descend in."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm import InputError
from tumor_abm._base.frames import frame
from tumor_abm.evolution.biopsy import Aim
from tumor_abm.model.clone_samples import LEAST_SHARE, CloneSamples, Taking, sample_through_treatment

CELLS, MONTHS, RADIUS = 1_000_000, 60.0, 0.2
RIMS = {"rim": (0.8, 0.0, 0.0), "other rim": (-0.8, 0.0, 0.0)}
TAKINGS = [
    Taking(name="any", cells=5_000),
    Taking(name="core", cells=300, place=Aim(shape="sphere", cells=300)),
    *(
        Taking(name=name, cells=300, place=Aim(shape="sphere", cells=300, centre=centre))
        for name, centre in RIMS.items()
    ),
    Taking(name="disc", cells=10**6, place=Aim(shape="sphere", cells=10**6, radius=RADIUS)),
    Taking(name="needle", cells=200, place=Aim(shape="needle", cells=200, direction=(0.0, 1.0, 0.0))),
    Taking(name="outside", cells=50, place=Aim(shape="sphere", cells=50, centre=(3.0, 0, 0), radius=0.5)),
]


def patient(engine: str = "lattice", **changes: Any) -> ta.TumorModel:
    given = {"rng": 3, "cells": CELLS, "clone_genealogy": True, "horizon_months": MONTHS} | changes
    return ta.TumorModel(engine=engine, collect_every_days=0, **given)


@pytest.fixture(scope="module")
def model() -> ta.TumorModel:
    return patient()


@pytest.fixture(scope="module")
def at_diagnosis() -> ta.TumorModel:
    return patient()


@pytest.fixture(scope="module")
def samples(model: ta.TumorModel) -> CloneSamples:
    return sample_through_treatment(model, takings=TAKINGS, seed=1)


@pytest.fixture(scope="module")
def mutations(samples: CloneSamples) -> pl.DataFrame:
    return samples.mutations(truncal=10, passengers_per_day=0.05, seed=2)


def lines_of(samples: CloneSamples) -> dict[int, list[int]]:
    """Every row of the tree with all that it descends from, itself first."""
    lines: dict[int, list[int]] = {}
    for clone, parent in samples.clones.select("clone", "parent").iter_rows():
        lines[clone] = [clone, *lines.get(parent, [])]
    return lines


@pytest.mark.parametrize("engine", ["cells", "lattice"])
def test_the_patient_is_the_same_with_and_without_a_genealogy(engine: str) -> None:
    sampled = patient(engine)
    sample_through_treatment(sampled, cells=500, seed=1)
    plain = patient(engine, clone_genealogy=False)
    plain.run()
    assert plain.outcomes.equals(sampled.outcomes)
    assert plain.clones.equals(sampled.clones)


def test_cells_are_of_their_place(samples: CloneSamples, at_diagnosis: ta.TumorModel) -> None:
    sites = at_diagnosis.sites
    assert sites is not None
    cells = np.argwhere(sites.genotype > 0) + np.array(sites.origin)
    middle = cells.mean(axis=0)
    radius = np.sqrt(2 * ((cells - middle) ** 2).sum() / len(cells))
    away = {
        name: table.select("x", "y").to_numpy() - middle
        for (name,), table in samples.cells.drop_nulls("x").group_by("sample")
    }
    nearest = np.sort(np.linalg.norm(cells - middle, axis=1))[:300]
    assert np.allclose(np.sort(np.linalg.norm(away["core, diagnosis"], axis=1)), nearest)
    assert away["rim, diagnosis"].mean(axis=0)[0] == pytest.approx(0.8 * radius, abs=0.1 * radius)
    assert away["other rim, diagnosis"].mean(axis=0)[0] == pytest.approx(-0.8 * radius, abs=0.1 * radius)
    inside = (np.linalg.norm(cells - middle, axis=1) <= RADIUS * radius).sum()
    assert len(away["disc, diagnosis"]) == inside > 50
    assert np.ptp(away["needle, diagnosis"][:, 1]) > radius > np.ptp(away["needle, diagnosis"][:, 0])
    names = at_diagnosis.genotype_alterations
    at = dict(
        zip(
            map(tuple, cells.tolist()),
            sites.genotype[tuple((cells - np.array(sites.origin)).T)].tolist(),
            strict=True,
        )
    )
    carried = dict(samples.clones.select("clone", "alterations").iter_rows())
    first = samples.cells.filter(pl.col("day") == 0).drop_nulls("x")
    assert all(carried[c] == list(names[at[x, y] - 1]) for c, x, y in first.select("clone", "x", "y").rows())


def test_a_place_without_cells_gives_no_sample(samples: CloneSamples) -> None:
    assert "outside, diagnosis" in samples.empty
    taken = set(samples.cells["sample"])
    assert not taken & set(samples.empty)
    moments = {name.split(", ")[1] for name in taken}
    asked = {f"{taking.name}, {moment}" for taking in TAKINGS for moment in moments}
    assert taken | set(samples.empty) == asked


def test_every_line_goes_back_to_the_first_cell(samples: CloneSamples) -> None:
    clones = samples.clones
    assert clones["parent"].null_count() == 1
    assert set(samples.cells["clone"]) <= set(clones["clone"])
    born = clones["born_day"].to_list()
    assert all(
        born[parent] < born[clone] for clone, parent in clones.select("clone", "parent").rows() if clone > 0
    )
    assert set(clones["event"]) == {"founding", "branching", "sampling"}
    sampling = clones.filter(event="sampling")
    assert set(sampling["born_day"]) <= set(samples.cells["day"])
    children = clones["parent"].value_counts().filter(pl.col("count") > 1)["parent"]
    assert set(clones.filter(event="branching")["clone"]) <= set(children)


def test_alterations_are_gained_where_clones_are_founded(
    samples: CloneSamples, mutations: pl.DataFrame
) -> None:
    """Individuals gain none: what they have, a counted clone had that they were."""
    drivers = mutations.filter(origin="driver")
    assert drivers.height > 3
    events = dict(samples.clones.select("clone", "event").iter_rows())
    assert {events[clone] for clone in drivers["clone"]} == {"founding"}


def test_random_samples_have_the_shares_of_all_real_cells(
    samples: CloneSamples, model: ta.TumorModel
) -> None:
    """Counted cells included. Chance: hypergeometric, six standard errors."""
    last = samples.cells.filter(sample="any, autopsy").join(samples.clones, on="clone")
    seen = 0
    for names, cells in model.genotypes.select("alterations", "fraction").iter_rows():
        share = last.filter(pl.col("alterations") == pl.lit(names, pl.List(pl.String)))["cells"].sum() / 5_000
        assert abs(share - cells) <= 6 * (cells * (1 - cells) / 5_000) ** 0.5 + 1 / 5_000
        seen += cells > 0.01
    assert seen > 2


def test_neighbours_are_closer_kin_than_cells_of_opposite_rims(samples: CloneSamples) -> None:
    lines = lines_of(samples)
    born = samples.clones["born_day"].to_list()

    def parted(one: int, other: int) -> float:
        shared = set(lines[one])
        return born[next(clone for clone in lines[other] if clone in shared)]

    of = {name: samples.cells.filter(sample=f"{name}, diagnosis")["clone"].to_list()[:100] for name in RIMS}
    within = np.mean([parted(a, b) for a, b in itertools.combinations(of["rim"], 2)])
    between = np.mean([parted(a, b) for a, b in itertools.product(*of.values())])
    assert within > between + 100  # days


def test_a_passenger_is_the_same_in_all_samples(samples: CloneSamples, mutations: pl.DataFrame) -> None:
    """Its carriers are the sampled cells below its line, whenever and wherever they were taken."""
    reads = samples.reads(ta.Sequencing(depth=500), mutations, seed=3)
    lines = lines_of(samples)
    passengers = reads.filter((pl.col("origin") == "passenger") & (pl.col("carriers") > 0))
    shared = passengers.group_by("mutation").agg(pl.col("sample").str.extract(", (.*)").n_unique())
    assert (shared["sample"] > 1).any()  # from diagnosis to autopsy
    chosen = passengers.filter(pl.col("mutation").is_in(shared["mutation"].sort()[::500].implode()))
    assert chosen.height > 10
    for row in chosen.iter_rows(named=True):
        own = samples.cells.filter(sample=row["sample"])
        below = [n for clone, n in own.select("clone", "cells").iter_rows() if row["clone"] in lines[clone]]
        assert row["carriers"] == sum(below)
    most = passengers.group_by("mutation").agg(pl.col("cancer_cell_fraction").max())
    assert most["cancer_cell_fraction"].min() >= LEAST_SHARE


def test_trees_know_the_places_of_sampled_cells(samples: CloneSamples) -> None:
    sequence = samples.tree_sequence()
    assert sequence.num_samples == samples.cells.height
    assert sequence.first().num_roots == 1
    told = [sequence.node(node).metadata for node in sequence.samples()]
    places = samples.cells.select("x", "y").rows()
    assert [tuple(each.get("place", (None, None))) for each in told] == places
    assert any("place" not in each for each in told)  # counted cells
    events = dict(samples.clones.select("clone", "event").iter_rows())
    assert {events[mutation.metadata["clone"]] for mutation in sequence.mutations()} == {"founding"}
    assert samples.newick().count(":") == samples.clones.height


def test_samples_depend_on_the_seed_alone_and_survive_a_save(samples: CloneSamples, tmp_path: Any) -> None:
    again = patient()
    again.save(tmp_path / "x")
    found = sample_through_treatment(ta.TumorModel.load(tmp_path / "x"), takings=TAKINGS, seed=1)
    assert found.cells.equals(samples.cells)
    assert found.clones.equals(samples.clones)


def test_who_was_operated_is_sampled_like_others() -> None:
    """Surgery leaves counted cells: lines go on through it to the first cell, and keep what they had."""
    of = {"adjuvant": {"regimen": ["letrozole"], "months": 60}, "name": "operated", "share": 1.0}
    tables = {
        "title": "operated",
        "question": "Who?",
        "seed": 5,
        "patients": 1,
        "engine": "lattice",
        "most_cells": CELLS,
        "max_clones": 50,
        "horizon_months": 6,
        "population": {"history": [of]},
        "arm": [{"name": "a", "line": [{"regimen": ["fulvestrant"]}]}],
    }
    model = ta.TumorModel(tables, clone_genealogy=True, collect_every_days=0)
    before = model.genotypes
    assert frame(model._core.lines()[2])["rest"].count() > 0
    found = sample_through_treatment(model, cells=2_000, seed=1)
    assert found.clones["parent"].null_count() == 1
    carried = dict(found.clones.select("clone", "alterations").iter_rows())
    assert set(map(tuple, carried.values())) & set(map(tuple, before["alterations"]))
    assert found.clones["born_day"].min() < -365
    mutations = found.mutations(truncal=5, passengers_per_day=0.01, seed=1)
    assert mutations.filter(origin="truncal")["clone"].unique().to_list() == [0]
    assert found.tree_sequence().first().num_roots == 1


def test_only_a_lattice_has_places() -> None:
    taking = [Taking(cells=10, place=Aim(shape="sphere", cells=10))]
    for engine in ("clones", "cells"):
        with pytest.raises(InputError, match='place: found one; allowed: with engine="lattice"'):
            sample_through_treatment(patient(engine), takings=taking, seed=1)


def test_what_is_not_recorded_is_not_sampled() -> None:
    with pytest.raises(InputError, match="clone_genealogy: found False; allowed: True"):
        sample_through_treatment(patient(clone_genealogy=False), cells=10, seed=1)
    with pytest.raises(InputError, match='all_clones: found engine="lattice"; allowed: "clones"'):
        _ = patient().all_clones
    with pytest.raises(InputError, match="place: found"):
        Taking(cells=10, place="core")  # type: ignore[arg-type]


def test_what_is_counted_again_goes_on_in_the_line_of_an_individual() -> None:
    file = Path(__file__).parent / "browser" / "decisive.toml"
    model = ta.TumorModel(
        file, patient=0, engine="cells", cells=200_000, clone_genealogy=True, collect_every_days=0
    )
    taken = sample_through_treatment(model, takings=[Taking(name="any", cells=500, every_days=28)], seed=1)
    rows = {row["clone"]: row for row in taken.clones.iter_rows(named=True)}
    assert taken.clones["born_day"].is_not_nan().all()
    counted_again = [
        row
        for row in rows.values()
        if row["event"] == "founding" and row["parent"] is not None and row["born_day"] > 28
    ]
    assert counted_again
    assert all(rows[row["parent"]]["born_day"] <= row["born_day"] for row in counted_again)
