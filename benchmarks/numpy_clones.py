"""Baseline: the same law for counts of types, vectorised over replicates with numpy."""

from __future__ import annotations

import numpy as np


def grow_to(
    size: int, replicates: int, division: float, death: float, mutation: np.ndarray, seed: int
) -> tuple[np.ndarray, int]:
    """Grow `replicates` populations from one cell of type 0 to `size` cells; restart extinct ones.

    Returns the final counts, shape ``(replicates, types)``, and the steps that were computed.
    """
    rng = np.random.default_rng(seed)
    types = len(mutation)
    final = np.zeros((replicates, types), dtype=np.int64)
    counts = np.zeros((replicates, types), dtype=np.int64)
    counts[:, 0] = 1
    place = np.arange(replicates)
    steps = 0
    while len(place):
        step(rng, counts, division, death, mutation)
        steps += len(place)
        total = counts.sum(axis=1)
        counts[total == 0] = np.eye(1, types, dtype=np.int64)
        done = total >= size
        final[place[done]] = counts[done]
        counts, place = counts[~done], place[~done]
    return final, steps


def step(
    rng: np.random.Generator, counts: np.ndarray, division: float, death: float, mutation: np.ndarray
) -> None:
    """Take a step of all replicates, in place."""
    leave = mutation.sum(axis=1)
    divided = rng.binomial(counts, division)
    died = rng.binomial(counts - divided, death / (1 - division))
    mutants = rng.binomial(divided, leave)
    counts += divided - mutants - died
    for i in np.flatnonzero(leave):
        # multinomial over targets: the shares of the mutants of type i
        counts += rng.multinomial(mutants[:, i], mutation[i] / leave[i])
