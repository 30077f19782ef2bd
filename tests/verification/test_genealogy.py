"""The recorded genealogy: its trees, and the neutral mutations that it carries.

Mutations are not drawn: their expectation on every genealogy has the same mean and spreads less.
"""

import numpy as np
import pytest
import tumor_abm as ta


def yule(seed, size, *, division=1.0, dt):
    """Pure birth until at least `size` cells live."""
    population = ta.Population(
        engine="cells", division=[division], death=[0.0], initial=[1], dt=dt, seed=seed, genealogy=True
    )
    while population.counts[0] < 0.9 * size:
        population.step(round(0.05 / (division * dt)))
    while population.counts[0] < size:
        population.step()
    return population.genealogy


def mixed(**options):
    law = {
        "division": [0.3, 0.3],
        "death": [0.15, 0.15],
        "mutation": [[0.01, 0.02], [0, 0.01]],
        "switching": [[0, 0.05], [0.1, 0]],
        "initial": [20, 5],
        "seed": 4,
        "genealogy": True,
    }
    return ta.Population(engine="cells", **(law | options))


@pytest.fixture(scope="module")
def yule_spectra(seed):
    # dt = 0.001 overshoots 200 cells by 0.1: 0.05%.
    trees = (yule(seed + i, 200, dt=0.001) for i in range(1_500))
    return np.array([tree.site_frequency_spectrum()[:200] for tree in trees])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id_", "carriers"), [("SFS-YULE-N200-j1", 1), ("SFS-YULE-N200-j2", 2), ("SFS-YULE-N200-j5", 5)]
)
def test_mutations_without_death_follow_the_yule_spectrum(case, yule_spectra, id_, carriers):
    sites = case(id_)
    assert sites.expected == pytest.approx(200 / (carriers * (carriers + 1)))
    sites.check_mean(yule_spectra[:, carriers])


@pytest.mark.slow
def test_cumulative_mutations_fall_as_one_over_frequency(case, yule_spectra):
    case("SFS-YULE-CUM").check_mean(yule_spectra[:, 10:].sum(axis=1))


@pytest.mark.slow
def test_mutations_after_a_time_with_death(case, seed):
    seen = []
    # dt = 0.01 lowers the number by 1%, a tenth of a standard error.
    for i in range(2_000):
        population = ta.Population(
            engine="cells", division=[1.0], death=[0.5], initial=[1], dt=0.01, seed=seed + i, genealogy=True
        )
        population.step(800)
        spectrum = population.genealogy.site_frequency_spectrum()
        seen.append([spectrum[carriers] if carriers < spectrum.size else 0 for carriers in (1, 5)])
    singletons, in_five = np.transpose(seen)
    case("SFS-BD-TIME-j1").check_mean(singletons)
    case("SFS-BD-TIME-j5").check_mean(in_five)


@pytest.mark.slow
def test_divisions_in_the_ancestry_of_all_cells(case, seed):
    divisions = case("LINEAGE-DIVISIONS")
    seen = []
    # dt = 0.005 lowers the number by 0.4%, a tenth of a standard error.
    for i in range(3_000):
        population = ta.Population(
            engine="cells", division=[0.5], death=[0.3], initial=[1], dt=0.005, seed=seed + i, genealogy=True
        )
        population.step(5_000)
        nodes = population.genealogy.nodes
        seen.append(int((nodes["divisions"].cast(int) * nodes["descendants"].cast(int)).sum()))
    divisions.check_mean(seen)


@pytest.mark.slow
def test_trees_without_death_are_as_unbalanced_as_yule_says(case, seed):
    sackin = case("TREE-YULE-SACKIN")
    seen = []
    for i in range(2_000):
        nodes = yule(seed + i, 50, division=0.5, dt=0.002).nodes
        if nodes["descendants"][0] == 50:
            # Depths of the tips add up to the tips below every branching.
            seen.append(int(nodes["descendants"].cast(int).filter(nodes["day"].is_not_null()).sum()))
    assert len(seen) > 1_800
    sackin.check_mean(seen)


def test_clones_of_infinite_alleles_are_binomial(case, simulate):
    clones = case("CLONES-YULE")
    # dt = 0.001 overshoots 1000 cells by 0.5: 0.03 clones.
    runs = simulate(
        engine="cells",
        replicates=3_000,
        division=[1.0],
        death=[0.0],
        mutation=[[clones.params["u"]]],
        initial=[1],
        dt=0.001,
        until=ta.Until(total=1_000),
    )
    clones.check_mean(runs["clones_0"])


def test_a_genealogy_holds_together():
    population = mixed()
    population.step(30)
    genealogy = population.genealogy
    nodes, cells = genealogy.nodes, genealogy.cells
    assert cells.height == population.counts.sum()
    parent = nodes["parent"].cast(int).fill_null(-1).to_numpy()
    has_parent = parent >= 0
    days = nodes["day"].fill_null(genealogy.day).to_numpy()
    assert (parent < np.arange(nodes.height)).all()
    assert (days[has_parent] > days[parent[has_parent]]).all()
    living = nodes["day"].is_null().to_numpy()
    assert np.array_equal(np.flatnonzero(living), np.sort(cells["node"].to_numpy()))
    children = np.bincount(parent[has_parent], minlength=nodes.height)
    assert (children[living] == 0).all()
    assert (children[~living] == 2).all()
    assert nodes["descendants"].cast(int).to_numpy()[~has_parent].sum() == cells.height


def test_recording_changes_nothing():
    plain, recorded = mixed(genealogy=False), mixed()
    for _ in range(3):
        plain.step(10)
        recorded.step(10)
        assert recorded.genealogy.nodes.height <= 2 * recorded.counts.sum()
    assert plain.clones.equals(recorded.clones)
    assert plain.cells.equals(recorded.cells)


def test_looking_early_and_often_gives_the_same_tree():
    once, often = mixed(trait=ta.Trait(drift=0.01)), mixed(trait=ta.Trait(drift=0.01))
    once.step(30)
    for _ in range(30):
        often.step()
        _ = often.genealogy
    # Nodes may be numbered otherwise.
    columns = ["day", "divisions", "descendants"]
    nodes = [of.genealogy.nodes.select(columns).sort(columns) for of in (once, often)]
    assert nodes[0].equals(nodes[1])
    spectra = [of.genealogy.site_frequency_spectrum() for of in (once, often)]
    assert np.array_equal(*spectra)


def test_newick_is_one_balanced_line_a_founder():
    population = mixed(initial=[3, 0], death=[0.0, 0.0])
    population.step(8)
    lines = population.genealogy.newick().splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.count("(") == line.count(")")
        assert line.endswith(";")
    assert sum(line.count(",") + 1 for line in lines) == population.counts.sum()


def test_tree_sequence_carries_the_same_mutations():
    pytest.importorskip("tskit")
    population = mixed(initial=[30, 0])
    population.step(20)
    genealogy = population.genealogy
    trees = genealogy.tree_sequence(3.0, seed=5)
    assert trees.num_samples == genealogy.cells.height
    assert [trees.node(n).population for n in genealogy.cells["node"]] == genealogy.cells["type"].to_list()
    spectrum = trees.allele_frequency_spectrum(polarised=True, span_normalise=False)
    assert np.array_equal(spectrum, genealogy.site_frequency_spectrum(3.0, seed=5))
    assert genealogy.mutate(3.0, seed=5).sum() == trees.num_mutations > 0
    assert genealogy.tree_sequence().num_mutations == 0


def test_an_extinct_population_has_an_empty_genealogy():
    population = mixed(division=[0.0, 0.0], death=[0.4, 0.4], mutation=None)
    population.step(60)
    assert population.counts.sum() == 0
    assert population.genealogy.nodes.height == 0
    assert population.genealogy.newick() == ""
    assert population.genealogy.site_frequency_spectrum().tolist() == [0]


def test_what_was_not_recorded_is_refused():
    with pytest.raises(ValueError, match="genealogy: not recorded"):
        _ = ta.Population(engine="cells", division=[0.1], death=[0.1], initial=[1], seed=1).genealogy
    with pytest.raises(ValueError, match="genealogy: found True"):
        ta.Population(division=[0.1], death=[0.1], initial=[1], seed=1, genealogy=True)
    genealogy = mixed().genealogy
    with pytest.raises(ValueError, match="mutations_per_division: found -1"):
        genealogy.mutate(-1, seed=1)
    with pytest.raises(ValueError, match="lengths: found 'years'"):
        genealogy.newick(lengths="years")
