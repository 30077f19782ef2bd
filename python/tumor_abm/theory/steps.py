"""Birth and death in steps: the Galton-Watson process that the engines run."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def galton_watson_pmf(
    divide: float, die: float, steps: int, cells: int = 1, largest: int | None = None
) -> Array:
    """Probabilities of 0, 1, ..., `largest` cells after `steps` steps of the law.

    Coefficients of the `steps`-fold composition of ``f(x) = p0 + (1 - p0 - p2) x + p2 x^2`` raised
    to `cells`, with p2 = `divide` and p0 = `die` (exclusive in a step). Harris 1963, The Theory of
    Branching Processes. `largest` defaults to the most cells there can be.
    """
    length = (cells * 2**steps if largest is None else largest) + 1
    pmf = np.array([0.0, 1.0])
    for _ in range(steps):
        squared = np.convolve(pmf, pmf)[:length]
        pmf = _padded(pmf, squared.size) * (1 - divide - die) + divide * squared
        pmf[0] += die
    law = np.array([1.0])
    for _ in range(cells):
        law = np.convolve(law, pmf)[:length]
    return _padded(law, length)


def _padded(values: Array, length: int) -> Array:
    return np.pad(values[:length], (0, max(0, length - values.size)))


def galton_watson_mean(divide: float, die: float, steps: int, cells: float = 1.0) -> float:
    """Mean ``n m^T`` after T steps, ``m = 1 + p2 - p0``. Harris 1963."""
    return float(cells * (1 + divide - die) ** steps)


def galton_watson_variance(divide: float, die: float, steps: int, cells: float = 1.0) -> float:
    """Variance ``n v m^(T-1) (m^T - 1)/(m - 1)``, ``v = p1 + 4 p2 - m^2``. Harris 1963."""
    mean = 1 + divide - die
    one_step = 1 - divide - die + 4 * divide - mean**2
    generations = steps if mean == 1 else (mean**steps - 1) / (mean - 1)
    return float(cells * one_step * mean ** (steps - 1) * generations)


def step_growth_rate(division: float, death: float, dt: float) -> float:
    """Exponential growth rate of a population stepped by `dt` days: ``ln(1 + (b - d) dt) / dt``.

    Tends to b - d as `dt` falls; 0.5% below it at b - d = 0.01 and dt = 1.
    """
    return math.log1p((division - death) * dt) / dt


def mean_counts(
    *,
    division: ArrayLike,
    death: ArrayLike,
    mutation: ArrayLike,
    initial: ArrayLike,
    steps: int,
    dt: float = 1.0,
) -> Array:
    """Mean number of cells of every type after `steps` steps of the law, by powers of its mean matrix.

    One cell of type i has on average ``1 + (b_i - d_i - b_i sum_j u_ij) dt`` cells of type i and
    ``b_i u_ij dt`` first cells of clones of type j. Arguments as in `tumor_abm.Population`.
    Exact; Harris 1963, ch. II.
    """
    births = np.asarray(division, dtype=float) * dt
    mutants = births[:, None] * np.asarray(mutation, dtype=float)
    stay = 1 + births - np.asarray(death, dtype=float) * dt - mutants.sum(axis=1)
    start: Array = np.asarray(initial, dtype=float)
    means: Array = start @ np.linalg.matrix_power(np.diag(stay) + mutants, steps)
    return means
