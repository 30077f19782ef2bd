"""Every clone that ever lived, and the genealogy of cells, in every engine."""

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta

SPACES = {
    "random neighbour": ta.Space(dimensions=2, neighbourhood="moore"),
    "any free": ta.Space(dimensions=3, placement="any_free", neighbourhood="moore"),
    "push": ta.Space(dimensions=2, placement="push", depth=6),
}


def grown(engine, steps=80, **options):
    law = {
        "division": [0.5, 0.6],
        "death": [0.1, 0.1],
        "mutation": [[0.04, 0.04], [0, 0.02]],
        "initial": [60, 0],
        "dt": 0.25,
        "seed": 4,
        "keep_extinct": True,
    }
    if engine in SPACES:
        law |= {"engine": "lattice", "space": SPACES[engine], "max_clones": 10**9}
    else:
        law["engine"] = engine
    population = ta.Population(**(law | options))
    population.step(steps)
    return population


@pytest.mark.parametrize("engine", ["clones", "cells", *SPACES])
def test_clones_that_died_out_are_remembered(engine):
    population = grown(engine, steps=0)
    peaks, lived = {}, {}
    for _ in range(80):
        population.step()
        for clone, cells in population.clones.select("clone", "cells").iter_rows():
            peaks[clone] = max(peaks.get(clone, 0), cells)
            lived[clone] = population.day
    clones = population.all_clones
    assert clones["clone"].is_sorted()
    assert clones.filter(pl.col("died_day").is_null()).drop("died_day").equals(population.clones)
    extinct = clones.filter(pl.col("died_day").is_not_null())
    assert extinct.height > 3
    assert (extinct["cells"] == 0).all()
    assert (extinct["died_day"] > extinct["born_day"]).all()
    # Clones that lived through a step were seen; others had their one cell for less than a step.
    seen = clones.filter(pl.col("clone").is_in(list(peaks)))
    founder = seen["parent"].is_null()
    expected = pl.Series([peaks[clone] for clone in seen["clone"]]).set(
        founder, seen["peak"].filter(founder)[0]
    )
    assert (seen["peak"] == expected).all()
    died = seen.filter(pl.col("died_day").is_not_null())
    last_seen = [lived[clone] for clone in died["clone"]]
    assert np.allclose(died["died_day"] - 0.25, last_seen)
    parents = clones.drop_nulls("parent").join(
        clones.select(pl.col("clone").alias("parent"), pl.col("born_day").alias("before")),
        on="parent",
        how="left",
    )
    assert (parents["before"] <= parents["born_day"]).all()


@pytest.mark.parametrize("space", SPACES)
def test_a_clone_is_born_where_its_cells_are(space):
    clones = grown(space, steps=60).all_clones
    axes = [axis for axis in ("x", "y", "z") if axis in clones.columns]
    assert len(axes) == SPACES[space].dimensions
    founder = clones.row(0, named=True)
    assert max(abs(founder[axis]) for axis in axes) <= 3
    if space != "push":
        # Nothing moves: a clone of the last step is still where it was born.
        population, met = grown(space, steps=40), 0
        for _ in range(20):
            population.step()
            new = population.clones.filter(pl.col("born_day") == population.day)
            cells = population.cells.filter(pl.col("clone").is_in(new["clone"].to_list())).sort("clone")
            assert cells.select(axes).equals(new.select(axes))
            met += new.height
        assert met > 5


@pytest.mark.parametrize("engine", [pytest.param("cells", marks=pytest.mark.dear), *SPACES])
def test_every_clone_with_its_descendants_is_a_branch_of_the_tree(engine):
    population = grown(engine, genealogy=True)
    genealogy, clones = population.genealogy, population.all_clones
    assert genealogy.cells.height == population.counts.sum() > 100
    assert genealogy.cells.drop("node").equals(population.cells)
    parents = dict(clones.select("clone", "parent").iter_rows())

    def line(clone):
        while clone is not None:
            yield clone
            clone = parents[clone]

    members = {}
    for node, clone in genealogy.cells.select("node", "clone").iter_rows():
        for ancestor in line(clone):
            members.setdefault(ancestor, []).append(node)
    descendants = genealogy.nodes["descendants"].to_numpy()
    branches = 0
    for clone, nodes in members.items():
        if parents[clone] is None:
            continue
        below = genealogy.descendants(pl.Series(nodes))
        assert descendants[below == len(nodes)].min() == len(nodes)
        branches += 1
    assert branches > 10


@pytest.mark.parametrize("space", SPACES)
def test_recording_changes_nothing_in_space(space):
    plain, recorded = grown(space), grown(space, genealogy=True, keep_extinct=False)
    assert plain.cells.equals(recorded.cells)
    assert plain.clones.equals(recorded.clones)
    nodes = recorded.genealogy.nodes
    assert nodes.height <= 2 * recorded.counts.sum()


def test_space_shapes_the_tree():
    # At the surface only a few cells divide: more divisions in the past of a cell than well mixed.
    law = {"death": [0.0], "division": [0.5], "mutation": None, "initial": [1], "genealogy": True, "steps": 0}
    depth = {}
    for engine in ("cells", "random neighbour"):
        population = grown(engine, **law)
        while population.counts[0] < 3_000:
            population.step()
        nodes = population.genealogy.nodes
        burden = (nodes["divisions"].cast(int) * nodes["descendants"].cast(int)).sum()
        depth[engine] = burden / population.counts.sum()
    assert depth["random neighbour"] > 1.3 * depth["cells"]


def test_genealogies_of_lattice_replicates():
    law = {"division": [0.5], "death": [0.2], "initial": [10], "dt": 0.25, "seed": 3, "engine": "lattice"}
    runs = ta.replicate(**law, replicates=3, until=ta.Until(total=300), genealogy=True, sample=20, threads=2)
    again = ta.replicate(**law, replicates=3, until=ta.Until(total=300), genealogy=True, sample=20, threads=1)
    assert runs.equals(again)
    for tree in ta.Genealogy.of_replicates(runs):
        assert tree.cells.height == 20
        assert tree.site_frequency_spectrum().sum() > 0


def test_what_was_not_kept_is_refused():
    with pytest.raises(ValueError, match="all_clones: not kept; allowed: with keep_extinct=True"):
        _ = grown("clones", keep_extinct=False).all_clones
    with pytest.raises(ValueError, match="genealogy: found True; allowed: engine='cells', 'lattice'"):
        grown("clones", genealogy=True)
