"""Cells as individuals: the table of cells, and a trait that they inherit.

The oracle for the trait is the law in plain numpy, cell by cell, for all replicates at once.
"""

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from scipy import stats

GROWING = {
    "engine": "cells",
    "division": [0.3, 0.3],
    "death": [0.1, 0.1],
    "mutation": [[0.01, 0.02], [0, 0.01]],
    "initial": [100, 0],
}


def cell_by_cell(*, replicates, start, division, death, rate, drift, limit, steps, seed):
    """Cells per replicate after `steps`: the law for a trait on `rate`, one number a cell."""
    rng = np.random.default_rng(seed)
    replicate, trait = np.repeat(np.arange(replicates), start), np.zeros(replicates * start)
    for _ in range(steps):
        b = division * np.exp(trait) if rate == "division" else np.full(trait.size, division)
        d = death * np.exp(trait) if rate == "death" else np.full(trait.size, death)
        drawn = rng.random(trait.size)
        divides, lives = drawn < b, (drawn < b) | (drawn >= b + d)
        daughters = (trait[divides] + drift * rng.standard_normal(divides.sum())).clip(-limit, limit)
        replicate = np.concatenate([replicate[lives], replicate[divides]])
        trait = np.concatenate([trait[lives], daughters])
    return np.bincount(replicate, minlength=replicates)


@pytest.mark.parametrize("trait", [None, ta.Trait(drift=0.02)])
def test_cells_clones_and_counts_are_one_population(trait):
    population = ta.Population(**GROWING, trait=trait, seed=1)
    population.step(25)
    cells, clones = population.cells, population.clones
    assert cells.height == population.counts.sum()
    held = cells.group_by("clone", "type").agg(cells=pl.len().cast(pl.UInt64)).sort("clone")
    assert held.equals(clones.select("clone", "type", "cells"))
    assert (clones["peak"] >= clones["cells"]).all()
    assert (cells["trait"] == 0).all() == (trait is None)


def test_clones_have_no_table_of_cells():
    population = ta.Population(division=[0.1], death=[0.1], initial=[10], seed=1)
    with pytest.raises(ValueError, match="cells: the engine 'clones'"):
        _ = population.cells


def test_the_peak_of_a_clone_outlives_its_decline():
    population = ta.Population(engine="cells", division=[0.2], death=[0.1], initial=[5_000], seed=1)
    population.step(10)
    peak = population.counts[0]
    population.set_rates(division=[0.0])
    population.step(10)
    assert population.clones["peak"].to_list() == [peak]
    assert population.clones["cells"][0] < peak / 2


def test_first_daughters_differ_by_the_drift(seed):
    population = ta.Population(
        engine="cells", division=[0.3], death=[0.1], initial=[100_000], trait=ta.Trait(drift=0.4), seed=seed
    )
    population.step()
    traits = population.cells["trait"].to_numpy()
    assert (traits == 0).sum() == 100_000 - (100_000 + population.divisions - population.counts[0])
    # Daughters are independent of each other, so the test is exact.
    assert stats.kstest(traits[traits != 0] / 0.4, "norm").pvalue > 1e-6


@pytest.mark.parametrize("rate", ["division", "death"])
@pytest.mark.parametrize("drift", [0.0, 0.2])
def test_a_trait_follows_the_law_cell_by_cell(simulate, seed, rate, drift):
    law = {"replicates": 100_000, "start": 3, "division": 0.12, "death": 0.07, "steps": 8}
    law |= {"drift": drift, "limit": 0.8}
    runs = simulate(
        engine="cells",
        replicates=law["replicates"],
        division=[law["division"]],
        death=[law["death"]],
        initial=[law["start"]],
        trait=ta.Trait(rate=rate, drift=drift, limit=law["limit"]),
        until=ta.Until(day=law["steps"], extinct=False),
    )
    ours, theirs = runs["n_0"].to_numpy().astype(int), cell_by_cell(**law, rate=rate, seed=seed)
    most = max(ours.max(), theirs.max()) + 1
    tables = np.array([np.bincount(counts, minlength=most) for counts in (ours, theirs)])
    assert stats.chi2_contingency(tables[:, tables.sum(axis=0) >= 20]).pvalue > 1e-6


def test_a_trait_acts_in_large_populations_as_in_small_ones(seed):
    # Many more cells than are drawn for together, with traits far apart.
    population = ta.Population(
        engine="cells",
        division=[0.18],
        death=[0.0],
        initial=[100_000],
        trait=ta.Trait(drift=0.5, limit=1.0),
        seed=seed,
    )
    population.step(5)
    traits = population.cells["trait"].to_numpy()
    before = population.divisions
    population.step()
    chance = 0.18 * np.exp(traits)
    error = np.sqrt((chance * (1 - chance)).sum())
    assert abs(population.divisions - before - chance.sum()) < 4.5 * error


@pytest.mark.parametrize("changes", [{}, {"switching": [[0, 0.02], [0.08, 0]]}])
def test_clones_and_cells_agree_on_clones_after_many_steps(simulate, changes):
    law = GROWING | changes | {"replicates": 20_000, "initial": [3, 0], "division": [0.2, 0.25]}
    runs = {
        engine: simulate(**law | {"engine": engine}, max_clones=10_000, until=ta.Until(day=20))
        for engine in ("clones", "cells")
    }
    for column in ("n_0", "n_1", "clones_0", "clones_1", "divisions"):
        pair = [runs[engine][column].to_numpy() for engine in runs]
        # Conservative for counts.
        assert stats.ks_2samp(*pair, method="asymp").pvalue > 1e-6, column


def test_a_trait_that_drifts_too_far_is_refused():
    population = ta.Population(
        engine="cells", division=[0.3], death=[0.1], initial=[1_000], trait=ta.Trait(drift=2.0), seed=1
    )
    with pytest.raises(
        ValueError, match=r"a cell of type 0 has .* times its rate by its trait.*smaller dt, drift"
    ):
        population.step(100)


def test_first_replicates_with_a_trait_do_not_depend_on_threads():
    law = {**GROWING, "division": [0.2, 0.2], "initial": [1, 0], "trait": ta.Trait(drift=0.01), "seed": 3}
    runs = [ta.replicate(**law, replicates=50, until=ta.Until(total=300), threads=t) for t in (1, 2)]
    assert runs[0].equals(runs[1])
