"""Where a design reads sampled axes: points of the unit cube, a dimension per axis."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from tumor_abm._base.seeds import derive

DesignName = Literal["grid", "latin_hypercube", "sobol", "random", "saltelli", "morris"]
DESIGNS: tuple[DesignName, ...] = get_args(DesignName)

LEVELS = 4
"""Of an axis in a design of Morris; a step goes over half of them, so that all are met equally often."""


def size_of(design: DesignName, dimensions: int, points: int) -> int:
    """Return how many points a design has: with some, each that was asked for brings others."""
    more = {"saltelli": dimensions + 2, "morris": dimensions + 1}
    return points * more.get(design, 1)


def cube(design: DesignName, dimensions: int, points: int, seed: int) -> NDArray[np.float64]:
    """Return the points of a design, a row each."""
    stream = np.random.default_rng(derive(seed, "design"))
    if design == "random":
        return stream.random((points, dimensions))
    if design == "saltelli":
        return _crossed(qmc.Sobol(2 * dimensions, rng=stream).random(points))
    if design == "morris":
        return (levels_of(dimensions, points, seed) + 0.5) / LEVELS
    sampler = (qmc.Sobol if design == "sobol" else qmc.LatinHypercube)(dimensions, rng=stream)
    return np.asarray(sampler.random(points))


def _crossed(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return of each pair A, B: A, then A with each coordinate of B, then B (Saltelli 2002)."""
    first, second = np.hsplit(pairs, 2)
    dimensions = first.shape[1]
    rows = np.repeat(first[:, None], dimensions + 2, axis=1)
    for k in range(dimensions):
        rows[:, 1 + k, k] = second[:, k]
    rows[:, -1] = second
    return rows.reshape(-1, dimensions)


def levels_of(dimensions: int, trajectories: int, seed: int) -> NDArray[np.int64]:
    """Return the levels, from 0, of trajectories that move every axis once, in any order (Morris 1991)."""
    stream = np.random.default_rng(derive(seed, "design"))
    step = LEVELS // 2
    rows = np.empty((trajectories, dimensions + 1, dimensions), dtype=np.int64)
    for trajectory in rows:
        trajectory[:] = stream.integers(LEVELS, size=dimensions)
        for moved, k in enumerate(stream.permutation(dimensions), start=1):
            trajectory[moved:, k] = (trajectory[0, k] + step) % LEVELS
    return rows.reshape(-1, dimensions)
