"""The lattice behind `Population` and `replicate`: exact small clusters, invariants, refusals."""

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


@pytest.mark.parametrize(("placement", "square"), [("random_neighbour", 1 / 6), ("any_free", 4 / 27)])
def test_four_cells_form_a_square_as_often_as_enumeration_says(placement, square):
    """Cases LAT-SQUARE4-B and -C. The step of 0.02 shifts the share by less than 3 dt P."""
    rounds, dt, found = 4000, 0.02, 0
    used = 0
    for replicate in range(rounds):
        pop = ta.Population(
            division=[1.0],
            death=[0.0],
            initial=[1],
            dt=dt,
            seed=SEED + replicate,
            engine="lattice",
            space=ta.Space(dimensions=2, placement=placement),
        )
        while pop.counts[0] < 4:
            pop.step()
        if pop.counts[0] == 4:
            used += 1
            spread = pop.cells.select(
                pl.col("x").max() - pl.col("x").min(), pl.col("y").max() - pl.col("y").min()
            )
            found += spread.row(0) == (1, 1)
    share = found / used
    allowed = 4.5 * np.sqrt(square * (1 - square) / used) + 3 * dt * square
    assert abs(share - square) < allowed


def test_no_mutant_is_as_likely_in_space_as_in_a_well_mixed_population():
    """Case SPATIAL-P0-INVARIANT: (1-u)^(N-1), in any geometry; N - 1 divisions are made."""
    replicates, size, mutation, dt = 4000, 200, 0.005, 0.02
    lives = ta.replicate(
        replicates=replicates,
        division=[1.0, 1.0],
        death=[0.0, 0.0],
        mutation=[[0, mutation], [0, 0]],
        initial=[1, 0],
        dt=dt,
        until=ta.Until(total=size),
        seed=SEED,
        engine="lattice",
        space=FLAT,
    )
    free = (lives["n_1"] == 0).mean()
    expected = float(((1 - mutation) ** lives["divisions"].cast(pl.Float64)).mean())
    assert abs(free - expected) < 4.5 * np.sqrt(expected * (1 - expected) / replicates)
    assert abs(expected - (1 - mutation) ** (size - 1)) < 0.01


def test_lattice_gives_the_same_for_any_number_of_threads():
    def run(threads: int) -> pl.DataFrame:
        return ta.replicate(
            replicates=20,
            division=[0.3],
            death=[0.1],
            initial=[1],
            until=ta.Until(total=500),
            seed=SEED,
            engine="lattice",
            space=ta.Space(placement="push", depth=3, neighbourhood="moore"),
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
        ({"trait": ta.Trait(drift=0.1)}, r"trait: found one; allowed: with engine='cells' only"),
        ({"genealogy": True}, r"genealogy: found True"),
        ({"engine": "clones", "space": ta.Space()}, r"space: found one; allowed: with engine='lattice' only"),
    ],
)
def test_bad_space_is_refused_by_name(wrong, message):
    rates = {"division": [0.1], "death": [0.0], "initial": [1], "seed": SEED, "engine": "lattice"}
    with pytest.raises(ValueError, match=message):
        ta.Population(**{**rates, **wrong})
