"""Cells that are drawn, removed, passed on and told apart, and samples of one tumour at several times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from scipy import stats
from tumor_abm import InputError

ENGINES = ["clones", "cells", "lattice"]
RATES = {"division": [0.3, 0.3], "death": [0.1, 0.1], "mutation": [[0.02, 0.0], [0.0, 0.02]]}


def grown(engine: str, steps: int = 12, seed: int = 1, **more: object) -> ta.Population:
    population = ta.Population(engine=engine, initial=[40, 20], seed=seed, **RATES, **more)  # type: ignore[arg-type]
    population.step(steps)
    return population


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_removed_is_gone_and_nothing_else(engine: str) -> None:
    population = grown(engine)
    before = population.clones.select("clone", "cells")
    sample = population.sample(50, seed=2)
    population.remove(sample)
    gone = before.join(sample.clones.select("clone", gone="cells"), on="clone", how="left").fill_null(0)
    left = gone.select("clone", cells=pl.col("cells") - pl.col("gone")).filter(pl.col("cells") > 0)
    assert left.sort("clone").equals(population.clones.select("clone", "cells").sort("clone"))
    assert population.counts.sum() == before["cells"].sum() - 50
    population.step(5)
    assert population.clones["cells"].sum() == population.counts.sum()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_passage_has_the_cells_that_seeded_it_and_goes_on(engine: str) -> None:
    population = grown(engine)
    before = population.counts.copy()
    sample = population.sample(30, seed=3)
    passage = population.seed_from(sample, seed=4)
    assert passage.counts.sum() == 30
    assert (
        passage.clones.select("clone", "cells")
        .sort("clone")
        .equals(sample.clones.select("clone", "cells").sort("clone"))
    )
    assert passage.day == population.day
    assert np.array_equal(population.counts, before)
    passage.step(20)
    assert set(passage.all_clones["parent"].drop_nulls()) if passage._keeps_extinct else passage.counts.sum()


def test_a_sample_of_clones_follows_the_hypergeometric_law() -> None:
    population = ta.Population(division=[0.0, 0.0], death=[0.0, 0.0], initial=[30, 70], seed=1)
    drawn = [
        int(population.sample(20, seed=s).clones.filter(pl.col("type") == 0)["cells"].sum())
        for s in range(3000)
    ]
    law = stats.hypergeom(100, 30, 20)
    support = np.arange(2, 12)
    observed = np.array([np.sum(np.array(drawn) == k) for k in support])
    expected = 3000 * law.pmf(support)
    rest = 3000 - observed.sum(), 3000 - expected.sum()
    p = stats.chisquare([*observed, rest[0]], [*expected, rest[1]]).pvalue
    assert p > 1e-6


def test_a_sample_of_more_cells_than_numpy_takes_has_the_right_mean() -> None:
    population = ta.Population(division=[0.0, 0.0], death=[0.0, 0.0], initial=[3 * 10**9, 10**9], seed=1)
    few = population.sample(40_000, seed=2).clones["cells"].to_list()
    assert sum(few) == 40_000
    # Far fewer than there are: binomial, nearly.
    assert abs(few[0] - 30_000) < 4.9 * np.sqrt(40_000 * 0.75 * 0.25)
    most = population.sample(4 * 10**9 - 1_000, seed=2).clones["cells"].to_list()
    assert sum(most) == 4 * 10**9 - 1_000


@pytest.mark.parametrize("engine", ENGINES)
def test_after_a_removal_the_law_is_that_of_the_cells_that_are_left(engine: str) -> None:
    """Half of the cells are removed: numbers afterwards are those of a population that began with half."""
    space = {"space": ta.Space(dimensions=2, placement="any_free")} if engine == "lattice" else {}
    finals = {"removed": [], "founded": []}
    for k in range(150):
        # Without room for all, space would matter; a population that only dies has none to look for.
        rates = {"division": [0.0], "death": [0.2]} if space else {"division": [0.2], "death": [0.1]}
        whole = ta.Population(engine=engine, initial=[80], seed=k, **rates, **space)
        whole.remove(whole.sample(40, seed=k))
        half = ta.Population(engine=engine, initial=[40], seed=10_000 + k, **rates, **space)
        for name, population in (("removed", whole), ("founded", half)):
            population.step(8)
            finals[name].append(int(population.counts.sum()))
    p = stats.mannwhitneyu(finals["removed"], finals["founded"]).pvalue
    assert p > 1e-6


def test_a_resection_on_a_lattice_leaves_room_that_is_grown_into() -> None:
    tumour = ta.Population(
        engine="lattice", space=ta.Space(dimensions=2), division=[0.4], death=[0.0], initial=[1], seed=1
    )
    while tumour.counts.sum() < 1_500:
        tumour.step()
    core = tumour.biopsy(ta.Sphere(centre=(0, 0), radius=6))
    tumour.remove(core)
    inside = lambda: tumour.cells.filter(pl.col("x") ** 2 + pl.col("y") ** 2 <= 36).height  # noqa: E731
    assert inside() == 0
    tumour.step(40)
    assert inside() == core.cells.height


@pytest.mark.parametrize("engine", ENGINES)
def test_barcodes_tell_every_cell_apart(engine: str) -> None:
    population = grown(engine, keep_extinct=True)
    of_before = dict(population.clones.select("clone", "cells").iter_rows())
    total = int(population.counts.sum())
    population.barcode()
    clones = population.clones
    assert clones.height == total
    assert (clones["cells"] == 1).all()
    assert dict(clones["parent"].value_counts().iter_rows()) == of_before
    assert set(of_before) <= set(population.all_clones["clone"])
    population.step(5)
    assert population.clones["cells"].sum() == population.counts.sum()


def test_more_barcodes_than_clones_are_refused() -> None:
    population = ta.Population(division=[0.1], death=[0.1], initial=[50], max_clones=20, seed=1)
    with pytest.raises(InputError, match="barcodes: found 50; allowed: at most 20 cells of a type"):
        population.barcode()


@pytest.mark.parametrize("engine", ENGINES)
def test_cells_that_have_gone_on_cannot_be_removed(engine: str) -> None:
    population = grown(engine)
    sample = population.sample(int(population.counts.sum()), seed=1)
    population.step(10)
    with pytest.raises(InputError, match="cells: found cells that have"):
        population.remove(sample)
    with pytest.raises(InputError, match="cells: found 10000000; allowed: at most the cells that are there"):
        population.sample(10_000_000)


# --- samples of one tumour at several times --------------------------------------------------


def followed(engine: str = "cells") -> ta.Population:
    tumour = grown(engine, seed=5, genealogy=True, keep_extinct=True)
    tumour.remember("diagnosis", tumour.sample(60, seed=1))
    tumour.set_rates(death=[0.19, 0.1])
    tumour.step(10)
    tumour.remember("relapse", tumour.sample(60, seed=2))
    return tumour


@pytest.mark.parametrize("engine", ["cells", "lattice"])
def test_samples_of_different_times_have_one_genealogy(engine: str) -> None:
    tumour = followed(engine)
    tree = tumour.remembered
    assert {name: rows.size for name, rows in tree.samples.items()} == {"diagnosis": 60, "relapse": 60}
    parents = tree.nodes["parent"].to_numpy()
    assert all(parent < node for node, parent in enumerate(parents) if parent == parent)
    assert tree.cells["node"].max() < tree.nodes.height
    # What is known of the relapse alone is the same with and without the first sample.
    alone = tumour.genealogy
    assert alone.cells.height == tumour.counts.sum()
    assert alone.nodes["descendants"].max() <= alone.cells.height


def test_a_passenger_is_the_same_in_both_samples() -> None:
    tumour = followed()
    mutations = ta.Mutations.draw(tumour.remembered, 5.0, seed=3)
    samples = tumour.remembered.samples
    both = [mutations.carriers(rows) > 0 for rows in samples.values()]
    shared, first_alone = (both[0] & both[1]).sum(), (both[0] & ~both[1]).sum()
    assert shared > 20
    assert first_alone > 20
    reads = ta.Sequencing(depth=200).samples(mutations, samples, seed=4)
    assert reads.group_by("mutation").len()["len"].unique().to_list() == [2]


def test_the_first_sample_is_what_it_was_when_it_was_taken() -> None:
    """Divisions between sampled cells do not change when the tumour goes on."""
    tumour = grown("cells", seed=5, genealogy=True)
    sample = tumour.sample(60, seed=1)
    tumour.remember("diagnosis", sample)
    then = tumour.remembered.site_frequency_spectrum(2.0)
    tumour.step(15)
    tumour.remember("relapse", tumour.sample(1, seed=2))
    later = tumour.remembered.restrict(tumour.remembered.samples["diagnosis"])
    # The cells, and all divisions on the way to them, are the same.
    assert later.nodes["divisions"].sum() == then.sum()
    assert np.allclose(later.site_frequency_spectrum(2.0), then)


def test_remembered_cells_do_not_change_the_future_and_survive_saving(tmp_path: Path) -> None:
    plain = grown("cells", seed=5, genealogy=True, keep_extinct=True)
    plain.set_rates(death=[0.19, 0.1])
    plain.step(10)
    tumour = followed()
    assert np.array_equal(tumour.counts, plain.counts)
    tumour.save(tmp_path / "x")
    again = ta.Population.load(tmp_path / "x")
    assert again.remembered.nodes.equals(tumour.remembered.nodes)
    assert again.remembered.cells.equals(tumour.remembered.cells)
    twin = tumour.fork(seed=9)
    twin.remember("more", twin.sample(5, seed=1))
    assert set(tumour.remembered.samples) == {"diagnosis", "relapse"}


def test_trees_of_several_samples_can_be_written() -> None:
    tumour = followed()
    tree = tumour.remembered
    text = tree.newick()
    assert all(f"{node}:" in text for node in tree.cells["node"])
    sequence = tree.tree_sequence(2.0, seed=1)
    assert sequence.num_samples == tree.cells["node"].n_unique()


def test_remembering_needs_a_genealogy_and_a_name_of_its_own() -> None:
    tumour = followed()
    with pytest.raises(InputError, match="name: found 'relapse' twice"):
        tumour.remember("relapse", tumour.sample(1))
    plain = grown("cells")
    with pytest.raises(InputError, match="remember: no genealogy is recorded"):
        plain.remember("a", plain.sample(1))
    with pytest.raises(InputError, match="remembered: no cells are"):
        _ = plain.remembered
