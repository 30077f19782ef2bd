"""Growth on a lattice against exact enumeration, scaling laws and published simulations.

The cases hold in continuous time. Steps are so short that the error of order `dt` is small against
the tolerance; where it is not negligible, the test says how large it is.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta

SHAPES = {
    "1D": ta.Space(dimensions=1),
    "2D-VN4": ta.Space(dimensions=2),
    "2D-Moore8": ta.Space(dimensions=2, neighbourhood="moore"),
    "3D-VN6": ta.Space(dimensions=3),
    "3D-Moore26": ta.Space(dimensions=3, neighbourhood="moore"),
}
PLACEMENT = {"B": "random_neighbour", "C": "any_free"}


def space_of(case, **changes):
    """The lattice a case speaks of."""
    shape = SHAPES[case.params.get("neighbourhood", "1D")]
    return ta.Space(**{**vars(shape), "placement": PLACEMENT[case.params["rule"]], **changes})


def colony(space, seed, dt, **changes):
    """One cell that divides at rate 1 and never dies."""
    law = {"division": [1.0], "death": [0.0], "initial": [1]}
    return ta.Population(**law | changes, dt=dt, seed=seed, engine="lattice", space=space)


def contacts(cells):
    """Pairs of cells that share a face."""
    axes = [axis for axis in ("x", "y", "z") if axis in cells.columns]
    sites = set(cells.select(axes).rows())
    return sum(
        (*site[:axis], site[axis] + 1, *site[axis + 1 :]) in sites
        for site in sites
        for axis in range(len(axes))
    )


def clusters(case, seed, replicates, dt):
    """Contacts of clusters of exactly so many cells; some grow past it within a step."""
    found = []
    for replicate in range(replicates):
        pop = colony(space_of(case), seed + replicate, dt)
        while pop.counts[0] < case.params["N"]:
            pop.step()
        if pop.counts[0] == case.params["N"]:
            found.append(contacts(pop.cells))
    assert len(found) > 0.9 * replicates
    return np.array(found)


@pytest.mark.parametrize(
    "name",
    [
        "LAT-2D-VN4-B-TIME",
        "LAT-2D-Moore8-B-TIME",
        "LAT-2D-Moore8-C-TIME",
        "LAT-3D-VN6-B-TIME",
        "LAT-3D-VN6-C-TIME",
        "LAT-3D-Moore26-B-TIME",
        "LAT-3D-Moore26-C-TIME",
        "LAT-1D-TIME-C",
    ],
)
def test_time_to_a_few_cells_is_that_of_all_histories(case, simulate, name):
    case = case(name)
    lives = simulate(
        replicates=9000,
        until=ta.Until(total=case.params["N"]),
        division=[1.0],
        death=[0.0],
        initial=[1],
        dt=0.004,
        engine="lattice",
        space=space_of(case),
    )
    case.check_mean(lives["day"])


@pytest.mark.dear
@pytest.mark.parametrize(
    "name",
    [
        "LAT-2D-VN4-B-CONTACTS",
        "LAT-2D-Moore8-B-CONTACTS",
        "LAT-3D-VN6-C-CONTACTS",
        "LAT-3D-Moore26-B-CONTACTS",
        "LAT-3D-Moore26-C-CONTACTS",
    ],
)
def test_few_cells_touch_as_all_histories_say(case, seed, name):
    case = case(name)
    case.check_mean(clusters(case, seed, replicates=6000, dt=0.01))


@pytest.mark.dear
@pytest.mark.parametrize("name", ["LAT-SQUARE4-B", "LAT-SQUARE4-C"])
def test_four_cells_form_a_square_as_often_as_all_histories_say(case, seed, name):
    case = case(name)
    # Of the shapes of four cells only the square has four contacts.
    case.check_mean(clusters(case, seed, replicates=12_000, dt=0.01) == 4)


def test_no_mutant_is_as_likely_in_space_as_in_a_well_mixed_population(case, simulate):
    case = case("SPATIAL-P0-INVARIANT")
    mutation = case.params["u"]
    lives = simulate(
        replicates=8000,
        until=ta.Until(total=case.params["N"], counts={1: 1}),
        division=[1.0, 1.0],
        death=[0.0, 0.0],
        mutation=[[0, mutation], [0, 0]],
        initial=[1, 0],
        dt=0.05,
        engine="lattice",
        space=space_of(case),
    )
    case.check_mean(lives["n_1"] == 0)


@pytest.mark.parametrize(
    ("name", "shape"), [("SPATIAL-2D-GROWTH", "2D-VN4"), ("SPATIAL-3D-GROWTH", "3D-VN6")]
)
def test_the_front_moves_at_constant_speed(case, simulate, name, shape):
    case = case(name)
    lives = simulate(
        replicates=2,
        until=ta.Until(total=1e4),
        treatment=[ta.Phase(until=ta.Until(total=size)) for size in (1e5, 1e6)],
        phases="all",
        division=[1.0],
        death=[0.0],
        initial=[1],
        # The speed itself depends on dt, the ratio of two speeds does not.
        dt=0.2,
        engine="lattice",
        space=space_of(case) if "neighbourhood" in case.params else SHAPES[shape],
    )
    days = lives["day"].to_numpy().reshape(2, 3)
    radius = lives["n_0"].to_numpy().reshape(2, 3) ** (1 / SHAPES[shape].dimensions)
    speeds = np.diff(radius, axis=1) / np.diff(days, axis=1)
    case.check_value((speeds[:, 1] / speeds[:, 0]).mean())


def family(space, seed, size, dt):
    """Parents of the cells of a colony, in order of birth: every placed daughter founds a clone."""
    pop = colony(space, seed, dt, mutation=[[1.0]], max_clones=2 * size)
    while pop.counts[0] < size:
        pop.step()
    clones = pop.clones.sort("clone")
    assert (clones["cells"] == 1).all()
    assert (clones["clone"] == np.arange(clones.height)).all()
    return clones["parent"].fill_null(0).to_list()


def test_cells_of_a_colony_descend_from_a_long_line_of_placed_daughters(case, seed):
    case = case("SPATIAL-MEANMUT-NEW")
    means = []
    for replicate in range(20):
        parents = family(space_of(case, mutant="placed"), seed + replicate, case.params["N"], dt=0.04)
        depth = [0] * len(parents)
        for cell, parent in enumerate(parents[1:], start=1):
            depth[cell] = depth[parent] + 1
        means.append(np.mean(depth))
    case.check_value(np.mean(means))


@pytest.mark.dear
def test_clones_of_a_colony_have_sizes_of_a_rough_front(case, seed):
    case = case("SPATIAL-2D-CLONE-EXPONENT")
    parents = family(space_of(case, mutant="placed"), seed, case.params["N"], dt=0.2)
    descendants = [1] * len(parents)
    for cell in range(len(parents) - 1, 0, -1):
        descendants[parents[cell]] += descendants[cell]
    sizes = np.array(descendants)
    at = np.array(case.params["x"])
    slope = np.polyfit(np.log(at), np.log([(sizes > x).mean() for x in at]), 1)[0]
    case.check_value(-slope)


def test_sectors_of_a_flat_front_coarsen(case, seed):
    """A row of founders, each a clone of its own, on a strip that meets itself; it grows both ways."""
    case = case("SPATIAL-SECTORS")
    width, heights = case.params["L"], case.params["h"]
    pop = colony(
        space_of(case, width=width),
        seed,
        dt=0.2,
        initial=[width],
        places=np.stack([np.zeros(width, dtype=int), np.arange(width)], axis=1),
    )
    while pop.counts[0] < 2.2 * max(heights) * width:
        pop.step(10)
    rows = pop.cells.filter(pl.col("x").abs().is_in(heights))
    assert rows["y"].is_between(0, width - 1).all()
    sectors = rows.group_by("x").agg(pl.len().alias("cells"), pl.col("clone").n_unique().alias("sectors"))
    assert sectors.height == 2 * len(heights)
    assert (sectors["cells"] == width).all()
    mean = sectors.group_by(pl.col("x").abs()).agg(pl.col("sectors").mean()).sort("x")
    case.check_value(np.polyfit(np.log(mean["x"]), np.log(mean["sectors"]), 1)[0])
