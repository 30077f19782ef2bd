"""The recorded genealogy: its trees, and the neutral mutations that it carries.

Mutations are not drawn: their expectation on every genealogy has the same mean and spreads less.
"""

import math

import numpy as np
import pytest
import tumor_abm as ta

pytestmark = pytest.mark.engine("cells")


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
def yule_spectra(seed_of):
    # dt = 0.001 overshoots 200 cells by 0.1: 0.05%.
    trees = (yule(seed_of("yule_spectra", i), 200, dt=0.001) for i in range(600))
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


@pytest.fixture(scope="module")
def trees(simulate):
    """Draw the genealogies of independent replicates."""

    def grow(**law):
        return list(ta.Genealogy.of_replicates(simulate(engine="cells", genealogy=True, initial=[1], **law)))

    return grow


@pytest.mark.slow
def test_mutations_in_both_daughters_are_twice_as_many(case, trees):
    both = case("SFS-YULE-BOTH")
    size = both.params["N"]
    # One mutation in each daughter is, in the mean, two per division. dt overshoots by 0.05%.
    grown = trees(replicates=700, division=[1.0], death=[0.0], dt=0.001, until=ta.Until(total=size))
    spectra = [tree.site_frequency_spectrum(2.0) for tree in grown]
    both.check_mean([spectrum[2] for spectrum in spectra])
    # Every living cell was born in a division of its own line.
    assert all(spectrum[1] == tree.cells.height for spectrum, tree in zip(spectra, grown, strict=True))


@pytest.mark.slow
def test_mutations_at_a_size_with_death(case, trees):
    # dt overshoots 1000 cells by 0.6: 0.06%.
    grown = trees(
        replicates=1_200,
        division=[1.0],
        death=[0.7],
        dt=0.001,
        until=ta.Until(total=1_000),
        restart_on_extinction=True,
    )
    spectra = np.array([tree.site_frequency_spectrum()[:1_000] for tree in grown])
    for carriers in ("1", "2", "30"):
        case(f"SFS-BD-SIZE-j{carriers}").check_mean(spectra[:, int(carriers)])


@pytest.mark.slow
def test_mutations_in_a_sample(case, trees):
    single, in_five = case("SFS-SAMPLE-j1"), case("SFS-SAMPLE-j5")
    size, sample = single.params["N"], single.params["n"]
    # dt overshoots 1000 cells by 0.25.
    grown = trees(
        replicates=6_000,
        division=[1.0],
        death=[0.0],
        dt=0.0005,
        until=ta.Until(total=size),
        sample=sample,
    )
    spectra = np.array([tree.site_frequency_spectrum() for tree in grown])
    assert spectra.shape == (6_000, sample + 1)
    single.check_mean(spectra[:, 1])
    in_five.check_mean(spectra[:, 5])


@pytest.fixture(scope="module")
def yule_trees(trees):
    # Until the birth of cell 51: the tree of 50 cells with the whole time in which there were 50.
    return trees(replicates=1_500, division=[0.5], death=[0.0], dt=0.002, until=ta.Until(total=51))


@pytest.mark.engine("clones")
@pytest.mark.slow
def test_clones_of_which_every_mutant_founds_one_are_a_tree(case, seed):
    # At one mutation a division every clone is one cell, and its descendants carry its mutation.
    spectra = []
    for i in range(600):
        law = {"division": [1.0], "death": [0.0], "mutation": [[1.0]], "initial": [1], "dt": 0.002}
        population = ta.Population(engine="clones", **law, seed=seed + i)
        # 50 steps multiply 180 cells by 1.1: the size is not passed over unseen.
        while population.counts[0] < 180:
            population.step(25)
        while population.counts[0] < 200:
            population.step()
        clones = population.clones
        parents = np.searchsorted(clones["clone"], clones["parent"].fill_null(0)).astype(int)
        carriers = np.ones(clones.height, dtype=int)
        for clone in range(clones.height - 1, 0, -1):
            carriers[parents[clone]] += carriers[clone]
        assert carriers[0] == population.counts[0]
        spectra.append(np.bincount(carriers[1:], minlength=201)[:200])
    spectra = np.array(spectra)
    # dt = 0.002 overshoots 200 cells by 0.2: 0.1%.
    for carriers in (1, 2, 5):
        case(f"SFS-YULE-N200-j{carriers}").check_mean(spectra[:, carriers])
    case("SFS-YULE-CUM").check_mean(spectra[:, 10:].sum(axis=1))


@pytest.mark.parametrize("engine", ["clones", "lattice"], scope="session")
def test_time_from_one_cell_to_fifty(case, simulate):
    height = case("TREE-YULE-HEIGHT")
    # dt = 0.005 slows growth by 0.12% and is seen half a step late: 0.01 day, an eighth of a standard error.
    runs = simulate(
        replicates=1_000, division=[0.5], death=[0.0], initial=[1], dt=0.005, until=ta.Until(total=50)
    )
    height.check_mean(runs["day"])


@pytest.mark.slow
def test_time_from_one_cell_to_many(case, yule_trees):
    height = case("TREE-YULE-HEIGHT")
    # The first division makes two cells of one, the 49th makes 50.
    height.check_mean([tree.branching_days[height.params["n"] - 2] for tree in yule_trees])


@pytest.mark.slow
def test_branchings_without_death_are_spread_evenly(case, yule_trees):
    gamma = case("TREE-YULE-GAMMA")
    gamma.check_mean([tree.gamma(gamma.params["n"]) for tree in yule_trees])


@pytest.mark.slow
def test_lines_that_will_survive(case, trees):
    lines = case("TREE-LTT")
    b, d, s, end = (lines.params[name] for name in ("b", "d", "s", "T"))
    left = end - s
    extinct = d * math.expm1((b - d) * left) / (b * math.exp((b - d) * left) - d)
    assert lines.expected == pytest.approx(math.exp((b - d) * s) * (1 - extinct))
    # dt = 0.0025 lowers the number by 0.2%, a seventh of a standard error.
    grown = trees(
        replicates=10_000, division=[b], death=[d], dt=0.0025, until=ta.Until(day=end, extinct=False)
    )
    lines.check_mean([tree.lines(s) for tree in grown])


@pytest.mark.slow
def test_mutations_after_a_time_with_death(case, trees):
    # dt = 0.005 lowers the number by 0.5%, two fifths of a standard error.
    grown = trees(
        replicates=24_000,
        division=[1.0],
        death=[0.5],
        dt=0.005,
        until=ta.Until(day=8, extinct=False),
    )
    spectra = [tree.site_frequency_spectrum() for tree in grown]
    for carriers in ("1", "5"):
        j = int(carriers)
        seen = [spectrum[j] if j < spectrum.size else 0 for spectrum in spectra]
        case(f"SFS-BD-TIME-j{carriers}").check_mean(seen)


@pytest.mark.slow
def test_divisions_in_the_ancestry_of_all_cells(case, trees):
    divisions = case("LINEAGE-DIVISIONS")
    # dt = 0.005 lowers the number by 0.4%, a fifth of a standard error.
    grown = trees(
        replicates=10_000,
        division=[0.5],
        death=[0.3],
        dt=0.005,
        until=ta.Until(day=25, extinct=False),
    )
    nodes = [tree.nodes for tree in grown]
    seen = [int((of["divisions"].cast(int) * of["descendants"].cast(int)).sum()) for of in nodes]
    divisions.check_mean(seen)


@pytest.mark.slow
def test_trees_without_death_are_as_unbalanced_as_yule_says(case, seed):
    sackin = case("TREE-YULE-SACKIN")
    seen = []
    for i in range(600):
        nodes = yule(seed + i, 50, division=0.5, dt=0.002).nodes
        if nodes["descendants"][0] == 50:
            # Depths of the tips add up to the tips below every branching.
            seen.append(int(nodes["descendants"].cast(int).filter(nodes["day"].is_not_null()).sum()))
    assert len(seen) > 540
    sackin.check_mean(seen)


@pytest.mark.parametrize("engine", ["clones", "cells", "lattice"], scope="session")
def test_clones_of_infinite_alleles_are_binomial(case, simulate):
    clones = case("CLONES-YULE")
    # dt = 0.001 overshoots 1000 cells by 0.5: 0.03 clones.
    runs = simulate(
        replicates=1_000,
        division=[1.0],
        death=[0.0],
        mutation=[[clones.params["u"]]],
        initial=[1],
        dt=0.001,
        until=ta.Until(total=1_000),
        max_clones=10_000,
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


@pytest.mark.slow
def test_tree_sequences_keep_to_the_rules_of_tskit(case, trees):
    tskit = pytest.importorskip("tskit")
    rules, singletons, length = (case(f"TSKIT-{name}") for name in ("INVARIANTS", "AFS-j1", "BRANCHLEN"))
    size, u = rules.params["n"], rules.params["u"]
    assert singletons.params["u"] == u
    assert length.params["n"] == size
    # dt overshoots 60 cells by 0.015.
    law = {"replicates": 600, "division": [1.0], "death": [0.0], "dt": 0.0005}
    spectrum = []
    broken = 0
    for seed, grown in enumerate(trees(**law, until=ta.Until(total=size))):
        n = grown.cells.height
        sequence = grown.tree_sequence(u, seed=seed)
        tree = sequence.first()
        seen = sequence.allele_frequency_spectrum(polarised=True, span_normalise=False)
        spectrum.append(seen[1])
        parent, child = sequence.edges_parent, sequence.edges_child
        depths = [tree.depth(sample) for sample in sequence.samples()]
        kept = (
            sequence.num_trees == tree.num_roots == 1
            and (sequence.num_nodes, sequence.num_edges) == (2 * n - 1, 2 * n - 2)
            and bool((sequence.nodes_time[parent] > sequence.nodes_time[child]).all())
            and bool(tskit.is_unknown_time(sequence.mutations_time).all())
            and seen.sum() == sequence.num_mutations == sequence.num_sites
            and np.array_equal(np.unique(parent, return_counts=True)[1], np.full(n - 1, 2))
            and tree.sackin_index() == sum(depths)
        )
        broken += not kept
    rules.record(
        found=f"{broken} of {law['replicates']:,}", tolerance="exact", passed=broken == rules.expected
    )
    singletons.check_mean(spectrum)
    lengths = []
    # All branches from the first division until the birth of cell 61.
    for grown in trees(**law, until=ta.Until(total=size + 1)):
        tree = grown.tree_sequence().first()
        since_last = grown.day - grown.branching_days[size - 1]
        lengths.append(tree.total_branch_length - tree.num_samples() * since_last)
    length.check_mean(lengths)


def test_genealogies_of_replicates_are_those_of_populations():
    law = {"division": [0.3, 0.3], "death": [0.1, 0.1], "mutation": [[0, 0.05], [0, 0]], "initial": [20, 0]}
    law |= {"engine": "cells", "genealogy": True, "seed": 3}
    runs = ta.replicate(**law, replicates=2, until=ta.Until(day=15), threads=2)
    first, second = ta.Genealogy.of_replicates(runs)
    alone = ta.Population(**law)
    alone.step(15)
    assert first.nodes.equals(alone.genealogy.nodes)
    assert first.cells.equals(alone.genealogy.cells.select("node", "clone", "type"))
    assert first.day == 15
    assert not first.nodes.equals(second.nodes)
    drawn = ta.replicate(**law, replicates=2, until=ta.Until(day=15), sample=7, threads=1)
    assert [tree.cells.height for tree in ta.Genealogy.of_replicates(drawn)] == [7, 7]


def test_a_part_of_the_cells_has_a_part_of_the_tree():
    pytest.importorskip("tskit")
    population = mixed(initial=[1, 0], death=[0.0, 0.0])
    population.step(45)
    whole = population.genealogy
    chosen = np.random.default_rng(1).choice(whole.cells.height, 50, replace=False)
    part = whole.restrict(chosen)
    assert part.cells.drop("node").equals(whole.cells[chosen].drop("node"))
    # tskit finds the same.
    expected = whole.tree_sequence().simplify(whole.cells["node"].to_numpy()[chosen])
    found = part.tree_sequence()
    assert found.num_nodes == expected.num_nodes
    assert (
        found.simplify(part.cells["node"].to_numpy())
        .first(sample_lists=True)
        .kc_distance(expected.first(sample_lists=True))
        == 0
    )
    # A line keeps the divisions of the nodes that are passed over.
    divisions = part.nodes["divisions"].cast(int).to_numpy()
    all_divisions = whole.nodes["divisions"].cast(int).to_numpy()
    for row, node in zip(chosen, part.cells["node"], strict=True):
        before = whole.cells["node"][int(row)]
        assert ancestry(part, node, divisions) == ancestry(whole, before, all_divisions)
    with pytest.raises(ValueError, match="a cell twice"):
        whole.restrict(np.array([1, 1]))


def ancestry(genealogy, node, divisions):
    """Divisions from the founder to a node."""
    parents, total = genealogy.nodes["parent"].to_list(), 0
    while node is not None:
        total += divisions[node]
        node = parents[node]
    return total


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
    law = {"division": [0.1], "death": [0.1], "initial": [1], "until": ta.Until(day=5), "replicates": 1}
    with pytest.raises(ValueError, match="sample: found 5; allowed: with genealogy=True"):
        ta.replicate(**law, engine="cells", sample=5)
    with pytest.raises(ValueError, match="genealogy: found True with phases='all'"):
        ta.replicate(**law, engine="cells", genealogy=True, phases="all")
    with pytest.raises(ValueError, match="gamma: found several founders"):
        mixed().genealogy.gamma()
    with pytest.raises(ValueError, match=r"days: found 5\.0; allowed: finite and at most"):
        mixed().genealogy.lines(5)
    genealogy = mixed().genealogy
    with pytest.raises(ValueError, match="mutations_per_division: found -1"):
        genealogy.mutate(-1, seed=1)
    with pytest.raises(ValueError, match="lengths: found 'years'"):
        genealogy.newick(lengths="years")
