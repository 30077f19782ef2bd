"""Is a sample of a law, are two of one law? By tables of counts, or by the energy distance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


def chi_square_p(observed: ArrayLike, probabilities: ArrayLike) -> float:
    """p of a chi-square test; cells are pooled, rarest first, until each expects at least 5."""
    observed, probabilities = np.asarray(observed, dtype=float), np.asarray(probabilities, dtype=float)
    assert observed.shape == probabilities.shape
    assert math.isclose(probabilities.sum(), 1, abs_tol=1e-9), "the cells must cover everything"
    order = np.argsort(probabilities, kind="stable")
    expected = probabilities[order] * observed.sum()
    starts, pooled = [0], 0.0
    for cell, size in enumerate(expected):
        if pooled >= 5:
            starts.append(cell)
            pooled = 0.0
        pooled += size
    assert len(starts) > 1, "too few observations to test anything"
    seen = np.add.reduceat(observed[order], starts)
    wanted = np.add.reduceat(expected, starts)
    return float(stats.chi2.sf(np.sum((seen - wanted) ** 2 / wanted), len(starts) - 1))


def table_p(first: Iterable[tuple[int, ...]], second: Iterable[tuple[int, ...]]) -> float:
    """p of the chi-square test of homogeneity; values expected less than 5 times are pooled."""
    seen = [Counter(sample) for sample in (first, second)]
    sizes = [sum(counter.values()) for counter in seen]
    values = sorted(seen[0].keys() | seen[1].keys())
    table = np.array([[counter[value] for value in values] for counter in seen], dtype=float)
    rare = table.sum(axis=0) * min(sizes) / sum(sizes) < 5
    columns = [table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)]
    return float(stats.chi2_contingency(np.hstack([c for c in columns if c.sum() > 0])).pvalue)


def energy_p(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    exceeding: int = 20,
    permutations: int = 2_000_000,
) -> float:
    """p of the energy distance (Szekely and Rizzo 2004) between samples of one size, by permutation.

    Members are paired at random and pairs swapped: a subgroup of all permutations, under which the test
    is exact and cheaper. Swaps are drawn until so many exceed what was seen (Besag and Clifford 1991), so
    that a clear agreement costs few of them and p can be as small as one in their largest number.
    """
    assert first.shape == second.shape
    points, n = np.concatenate([first, second]), len(first)
    spread = points.std(axis=0)
    points = points / np.where(spread > 0, spread, 1)
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    # The energy distance is minus this quadratic form of the signs of the pairs, up to a factor.
    form = apart[:n, :n] + apart[n:, n:] - apart[:n, n:] - apart[n:, :n]
    energy, above, drawn = -form.sum(), 0, 0
    while drawn < permutations:
        size = (min(max(drawn, 100), 10_000, permutations - drawn), n)
        signs = 2.0 * rng.integers(0, 2, size, dtype=np.int8) - 1
        more = np.cumsum(-((signs @ form) * signs).sum(axis=1) >= energy * (1 - 1e-12))
        if above + more[-1] >= exceeding:
            return exceeding / (drawn + 1 + int(np.argmax(above + more >= exceeding)))
        above, drawn = above + int(more[-1]), drawn + len(signs)
    return (above + 1) / (drawn + 1)
