"""Baseline: the law for counts of types in plain Python, one tumour at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

FEW = 10.0
"""Expected successes below which they are found one by one."""


def step(rng: Random, counts: Sequence[int], division: float, death: float, mutation: float) -> list[int]:
    """Return the counts after a step; a mutant is of any type."""
    after = list(counts)
    for kind, cells in enumerate(counts):
        divided = binomial(rng, cells, division)
        died = binomial(rng, cells - divided, death / (1.0 - division))
        mutants = binomial(rng, divided, mutation)
        after[kind] += divided - died - mutants
        for _ in range(mutants):
            after[rng.randrange(len(after))] += 1
    return after


def binomial(rng: Random, trials: int, chance: float) -> int:
    """Successes in so many trials: by the waits between few of them, else by BTRS (Hörmann 1993)."""
    if trials <= 0 or chance <= 0.0:
        return 0
    if chance > 0.5:
        return trials - binomial(rng, trials, 1.0 - chance)
    if trials * chance < FEW:
        return _one_by_one(rng, trials, chance)
    spread = math.sqrt(trials * chance * (1.0 - chance))
    b = 1.15 + 2.53 * spread
    a, c = -0.0873 + 0.0248 * b + 0.01 * chance, trials * chance + 0.5
    alpha, inside = (2.83 + 5.1 / b) * spread, 0.92 - 4.2 / b
    mode = math.floor((trials + 1) * chance)
    highest = math.lgamma(mode + 1) + math.lgamma(trials - mode + 1)
    odds = math.log(chance / (1.0 - chance))
    while True:
        u, v = rng.random() - 0.5, 1.0 - rng.random()
        us = 0.5 - abs(u)
        if us <= 0.0:
            continue
        k = math.floor((2.0 * a / us + b) * u + c)
        if not 0 <= k <= trials:
            continue
        if us >= 0.07 and v <= inside:
            return k
        below = math.lgamma(k + 1) + math.lgamma(trials - k + 1)
        if math.log(v * alpha / (a / (us * us) + b)) <= highest - below + (k - mode) * odds:
            return k


def _one_by_one(rng: Random, trials: int, chance: float) -> int:
    scale, passed, found = math.log1p(-chance), 0, 0
    while True:
        passed += math.floor(math.log(1.0 - rng.random()) / scale) + 1
        if passed > trials:
            return found
        found += 1
