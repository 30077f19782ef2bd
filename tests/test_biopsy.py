"""Biopsies take the cells that lie in their shape."""

import numpy as np
import pytest
import tumor_abm as ta


@pytest.fixture(scope="module")
def solid():
    population = ta.Population(
        engine="lattice",
        division=[0.5],
        death=[0.1],
        mutation=[[0.01]],
        initial=[1_000],
        dt=0.5,
        seed=2,
        space=ta.Space(dimensions=3, placement="any_free"),
        genealogy=True,
    )
    population.step(20)
    return population


def distance(population, point):
    return np.linalg.norm(population.cells.select("x", "y", "z").to_numpy() - np.array(point), axis=1)


def test_a_sphere_holds_the_cells_within_its_radius(solid):
    biopsy = solid.biopsy(ta.Sphere(centre=(2, 0, -1), radius=3))
    away = distance(solid, (2, 0, -1))
    assert np.array_equal(biopsy.rows, np.flatnonzero(away <= 3))
    assert 50 < biopsy.cells.height < 125
    nearest = solid.biopsy(ta.Sphere(centre=(2, 0, -1), cells=40))
    assert nearest.cells.height == 40
    assert away[nearest.rows].max() <= np.sort(away)[40]


def test_a_needle_is_a_cylinder(solid):
    biopsy = solid.biopsy(ta.Needle(through=(0, 0, 0), direction=(0, 2, 0), radius=1.5, length=6))
    cells = biopsy.cells
    aside = np.hypot(cells["x"].to_numpy(), cells["z"].to_numpy())
    assert aside.max() <= 1.5
    assert cells["y"].abs().max() == 3
    through = solid.biopsy(ta.Needle(through=(0, 0, 0), direction=(0, 2, 0), radius=1.5))
    assert set(biopsy.rows) < set(through.rows)
    assert (
        through.cells["y"].min()
        == solid.cells.filter((solid.cells["x"] ** 2 + solid.cells["z"] ** 2) <= 2)["y"].min()
    )
    assert solid.biopsy(ta.Needle(through=(0, 0, 0), direction=(1, 0, 0), cells=25)).cells.height == 25


def test_a_biopsy_knows_clones_and_tree(solid):
    biopsy = solid.biopsy(ta.Sphere(centre=(0, 0, 0), radius=2.5))
    assert biopsy.cells.select("clone", "type", "x", "y", "z").equals(
        solid.cells[biopsy.rows].select("clone", "type", "x", "y", "z")
    )
    assert biopsy.genealogy.cells["node"].equals(biopsy.cells["node"])
    whole = solid.genealogy
    again = whole.restrict(biopsy.rows)
    assert again.nodes.equals(biopsy.genealogy.nodes)
    assert biopsy.genealogy.newick().count(",") >= biopsy.cells.height - 1_000


def test_random_cells_are_drawn_without_replacement(solid):
    one, two = (solid.biopsy(ta.RandomCells(cells=200), seed=seed) for seed in (1, 2))
    assert len(set(one.rows)) == 200
    assert not np.array_equal(one.rows, two.rows)
    assert np.array_equal(one.rows, solid.biopsy(ta.RandomCells(cells=200), seed=1).rows)
    mixed = ta.Population(engine="cells", division=[0.1], death=[0.1], initial=[500], seed=1)
    biopsy = mixed.biopsy(ta.RandomCells(cells=20), seed=1)
    assert biopsy.genealogy is None
    assert biopsy.cells.columns[:3] == ["cell", "clone", "type"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (lambda: ta.Sphere(centre=(0, 0), radius=1, cells=1), "sphere: found radius 1 and cells 1"),
        (lambda: ta.Sphere(centre=(0, 0, 0), radius=-1), "sphere.radius: found -1"),
        (lambda: ta.Sphere(centre=(0, 0, 0), cells=0), "sphere.cells: found 0"),
        (lambda: ta.Needle(through=(0, 0, 0), direction=(0, 0, 0), radius=1), "needle.direction: found"),
        (lambda: ta.Sphere(centre=(0, 0), radius=1), "sphere.centre: found .*3 finite numbers"),
        (lambda: ta.RandomCells(cells=10**7), "random.cells: found 10000000; allowed: at most the cells"),
    ],
)
def test_impossible_biopsies_are_refused(solid, shape, message):
    with pytest.raises(ValueError, match=message):
        solid.biopsy(shape())


def test_a_well_mixed_tumour_has_no_places():
    mixed = ta.Population(engine="cells", division=[0.1], death=[0.1], initial=[50], seed=1)
    with pytest.raises(ValueError, match="cells without places"):
        mixed.biopsy(ta.Sphere(centre=(0, 0, 0), radius=1))
    with pytest.raises(ValueError, match="counts cells and holds none"):
        ta.Population(division=[0.1], death=[0.1], initial=[5], seed=1).biopsy(ta.RandomCells(cells=1))
