"""The lattice behind `Population` and `replicate`: invariants, reach, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta

SEED = 20_260_417
FLAT = ta.Space(dimensions=2)


def test_no_two_cells_share_a_site_and_every_cell_is_counted():
    pop = ta.Population(
        division=[0.2, 0.2],
        death=[0.05, 0.05],
        mutation=[[0, 0.01], [0, 0]],
        initial=[5, 0],
        seed=SEED,
        engine="lattice",
        space=FLAT,
    )
    pop.step(80)
    cells = pop.cells
    assert cells.columns == ["clone", "type", "x", "y"]
    assert cells.select("x", "y").is_unique().all()
    assert cells.height == pop.counts.sum() > 100
    assert (
        cells.group_by("clone").len().sort("clone").rows()
        == pop.clones.select("clone", "cells").sort("clone").rows()
    )


@pytest.mark.parametrize(
    "space",
    [
        ta.Space(placement="push", depth=3, neighbourhood="moore"),
        ta.Space(dimensions=2, neighbourhood="moore", nutrient=ta.Reach(length=5, profile="diffusion")),
    ],
    ids=["pushing", "diffusing"],
)
def test_lattice_gives_the_same_for_any_number_of_threads(space):
    def run(threads: int) -> pl.DataFrame:
        return ta.replicate(
            replicates=20,
            division=[0.3],
            death=[0.1],
            initial=[1],
            until=ta.Until(total=500),
            seed=SEED,
            engine="lattice",
            space=space,
            threads=threads,
        )

    assert run(1).equals(run(2))
    assert run(1).equals(run(4))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"space": ta.Space(dimensions=4)}, r"space\.dimensions: found 4; allowed: 1, 2, 3"),
        ({"space": ta.Space(neighbourhood="hex")}, r"space\.neighbourhood: found 'hex'"),
        ({"space": ta.Space(placement="push")}, r"space\.depth: found None"),
        ({"space": ta.Space(depth=2)}, r"space\.depth: found 2"),
        ({"space": ta.Space(placement="push", depth=0)}, r"space\.depth: found 0"),
        ({"space": ta.Space(dimensions=2, width=40)}, r"space\.width: found 40; allowed: a multiple of 16"),
        ({"space": ta.Space(dimensions=1, width=64)}, r"space\.width: found 64; allowed: none in 1-D"),
        ({"space": ta.Space(drug=ta.Reach(length=0))}, r"space\.drug\.length: found 0"),
        ({"space": ta.Space(drug=ta.Reach(length="3"))}, r"space\.drug\.length: found '3'"),
        ({"space": ta.Space(drug=ta.Reach(length=3, profile="flat"))}, r"space\.drug\.profile: found 'flat'"),
        ({"space": ta.Space(nutrient=3.0)}, r"space\.nutrient: found 3\.0"),
        ({"places": [[0, 0]]}, r"places: found shape \(1, 2\)"),
        ({"places": [[0, 0, 0], [0, 0, 1]]}, r"places: found 2; allowed: one for each founder, 1"),
        ({"engine": "cells", "places": [[0, 0, 0]]}, r"places: found one; allowed: with engine='lattice'"),
        ({"drug_division": [0.4], "drug_death": [0.4]}, r"dt = 1 day is too long"),
        ({"drug_death": [0.1, 0.2]}, r"drug_death: found shape \(2,\)"),
        ({"trait": ta.Trait(drift=0.1)}, r"trait: found one; allowed: with engine='cells' only"),
        ({"engine": "clones", "space": ta.Space()}, r"space: found one; allowed: with engine='lattice' only"),
    ],
)
def test_bad_space_is_refused_by_name(wrong, message):
    rates = {"division": [0.1], "death": [0.0], "initial": [1], "seed": SEED, "engine": "lattice"}
    with pytest.raises(ValueError, match=message):
        ta.Population(**{**rates, **wrong})


def test_the_drug_kills_the_rim_first_and_nutrients_feed_it_only():
    """A disc of radius 60: shares by depth, deaths by share, and divisions only where food is."""
    disc = [[x, y] for x in range(-60, 61) for y in range(-60, 61) if x * x + y * y <= 3600]
    pop = ta.Population(
        division=[0.2],
        death=[0.0],
        drug_division=[0.2],
        drug_death=[0.3],
        initial=[len(disc)],
        places=disc,
        seed=SEED,
        engine="lattice",
        space=ta.Space(dimensions=2, nutrient=ta.Reach(length=6, profile="linear"), drug=ta.Reach(length=8)),
    )
    start = pop.cells.with_columns(depth=60.5 - (pl.col("x") ** 2 + pl.col("y") ** 2).sqrt())
    # The outline of a disc of sites is rough by less than a site, and shares are rounded.
    assert (start["drug"] - (-start["depth"] / 8).exp()).abs().max() < 0.12
    assert (start["nutrient"] - (1 - start["depth"] / 6).clip(0)).abs().max() < 0.18
    assert start.filter(pl.col("depth") > 7)["nutrient"].max() == 0
    pop.step()
    there = start.join(pop.cells.select("x", "y"), on=["x", "y"], how="anti")
    rim, core = start["depth"] < 4, start["depth"] > 30
    died = [there.filter(pl.col("depth") < 4).height, there.filter(pl.col("depth") > 30).height]
    for found, share in zip(died, (start.filter(rim)["drug"], start.filter(core)["drug"]), strict=True):
        # A site may be filled again within the step, at the rim only: by at most a fifth of the cells.
        expected = 0.3 * share.sum()
        assert 0.8 * expected - 4.5 * expected**0.5 < found < expected + 4.5 * expected**0.5


@pytest.mark.parametrize("length", [1.0, 4.0])
def test_all_profiles_begin_at_the_outline(length):
    # A slab of 41 sites: L^2 c'' = c with c = 1 on both outlines is a hyperbolic cosine of the depth.
    def shares(profile):
        reach = ta.Reach(length=length, profile=profile)
        places = [[x, y] for x in range(41) for y in range(64)]
        pop = ta.Population(
            division=[0.0],
            death=[0.0],
            initial=[len(places)],
            places=places,
            engine="lattice",
            seed=SEED,
            space=ta.Space(dimensions=2, width=64, drug=reach),
        )
        return pop.cells.with_columns(depth=20.5 - (pl.col("x") - 20).abs())

    depth = pl.col("depth")
    exact = {
        "exponential": (-depth / length).exp(),
        "linear": (1 - depth / length).clip(0),
        "diffusion": ((20.5 - depth) / length).cosh() / np.cosh(20.5 / length),
    }
    for profile, expected in exact.items():
        # Shares are rounded to 1/63, and the field is solved to 0.001.
        assert shares(profile).select((pl.col("drug") - expected).abs().max()).item() < 0.5 / 63 + 1e-3


def test_without_the_drug_its_reach_changes_nothing():
    def run(**changes):
        space = ta.Space(dimensions=2, drug=ta.Reach(length=3, profile="diffusion"))
        law = {"division": [0.3], "death": [0.05], "initial": [20], "seed": SEED, "engine": "lattice"}
        pop = ta.Population(**law, **{"space": space} | changes)
        pop.step(40)
        return pop.cells.select("x", "y")

    assert run().equals(run(space=FLAT))
    assert not run().equals(run(drug_death=[0.2]))


def test_a_drug_that_reaches_every_cell_is_the_rates_with_it():
    law = {"initial": [50], "seed": SEED, "dt": 0.5}
    for engine in ("clones", "cells", "lattice"):
        drugged = ta.Population(
            division=[0.5], death=[0.1], drug_division=[0.25], drug_death=[0.125], engine=engine, **law
        )
        plain = ta.Population(division=[0.25], death=[0.125], engine=engine, **law)
        drugged.step(20)
        plain.step(20)
        assert (drugged.counts == plain.counts).all()


def test_founders_stand_where_they_are_put_each_a_clone():
    places = [[0, 0], [5, 31], [5, 32]]
    pop = ta.Population(
        division=[0.1, 0.1],
        death=[0.0, 0.0],
        initial=[1, 2],
        places=places,
        seed=SEED,
        engine="lattice",
        space=ta.Space(dimensions=2, width=48),
    )
    cells = pop.cells.sort("clone")
    assert cells.select("x", "y").rows() == [tuple(place) for place in places]
    assert cells["type"].to_list() == [0, 1, 1]
    assert pop.clones.height == 3
