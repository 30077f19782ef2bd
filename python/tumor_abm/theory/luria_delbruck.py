"""Mutants in a growing population: Luria and Delbrueck, and their successors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tumor_abm.theory.birth_death import surviving_share

Array = NDArray[np.float64]


def mutant_free(size: int, mutation: float) -> float:
    """Probability ``(1 - u)^(M-1)`` that `size` cells grown from one, without death, hold no mutant.

    Exact on any geometry: M - 1 divisions led here. Luria and Delbrueck 1943, Genetics 28:491.
    """
    return math.exp((size - 1) * math.log1p(-mutation))


def luria_delbruck_pmf(size: int, mutation: float, largest: int) -> Array:
    """Probabilities of 0, 1, ..., `largest` mutants among `size` cells grown from one, without death.

    With k cells of which j are mutants the next division adds a mutant with probability
    ``j/k + u (k - j)/k``. Exact in continuous time, mutants neutral; Angerer 2001, J Math Biol 42:145.
    """
    mutants = np.arange(largest + 1, dtype=float)
    law = np.zeros(largest + 1)
    law[0] = 1.0
    for cells in range(1, size):
        gain = law * (mutants + mutation * (cells - mutants)) / cells
        law -= gain
        law[1:] += gain[:-1]
    return law


def luria_delbruck_mean(size: int, mutation: float) -> float:
    """Mean number of mutants among `size` cells grown from one: ``M - G(M+1-u) / (G(M) G(2-u))``.

    G is the gamma function; about ``u M (ln M + gamma - 1)``. Exact in continuous time, mutants
    neutral, no death: the expectation of the chain of `luria_delbruck_pmf`.
    """
    log_sensitive = math.lgamma(size + 1 - mutation) - math.lgamma(size) - math.lgamma(2 - mutation)
    return size - math.exp(log_sensitive)


def clone_sizes_with_fitness(growth_ratio: float, largest: int) -> Array:
    """Probabilities that a mutant clone has 0, 1, ..., `largest` cells, without death.

    ``q_k = rho B(k, rho + 1)`` with B the beta function and rho = `growth_ratio`, the growth rate
    of the parent type over that of the mutant; ``1 / (k (k+1))`` when neutral. Mandelbrot 1974,
    J Appl Prob 11:437; Zheng 1999, Math Biosci 162:1.
    """
    sizes = np.zeros(largest + 1)
    mass = growth_ratio / (growth_ratio + 1)
    for cells in range(1, largest + 1):
        sizes[cells] = mass
        mass *= cells / (cells + growth_ratio + 1)
    return sizes


def clone_sizes_with_death(death_ratio: float, largest: int) -> Array:
    """Probabilities that a neutral mutant clone has 0, 1, ..., `largest` living cells at detection.

    ``q_n = (1-p) int_0^1 y^(n-1) (1-y) / (1-py) dy`` with p = `death_ratio` = d/b < 1; the number of
    clones ever born is Poisson with mean `mean_divisions` times u. Keller and Antal 2015, J Stat
    Mech P01011; Kessler and Levine 2013, PNAS 110:11682.
    """
    p = death_ratio
    # The integral is sum_k p^k / ((n+k)(n+k+1)), summed from its far end, where it is below 1e-17.
    far = 0 if p == 0 else math.ceil(40 / -math.log(p))
    sizes = np.zeros(largest + 1)
    integral = 0.0
    for cells in range(largest + far, 0, -1):
        integral = 1 / (cells * (cells + 1)) + p * integral
        if cells <= largest:
            sizes[cells] = (1 - p) * integral
    sizes[0] = 1 + (1 - p) * math.log1p(-p) / p if p > 0 else 0.0
    return sizes


def compound_poisson_pmf(clones: float, sizes: Array) -> Array:
    """Law of the number of cells in a Poisson number of clones with mean `clones`.

    ``sizes[k]`` is the probability that a clone has k cells; the law is returned as far as `sizes`
    goes. ``p_0 = exp(-m (1 - q_0))``, ``p_n = (m/n) sum_k k q_k p_(n-k)``; Panjer 1981, ASTIN Bull 12:22.
    """
    law = np.zeros(sizes.size)
    law[0] = math.exp(-clones * (1 - sizes[0]))
    weights = clones * np.arange(sizes.size) * sizes
    for n in range(1, sizes.size):
        law[n] = weights[1 : n + 1] @ law[n - 1 :: -1] / n
    return law


def lea_coulson_pmf(mutations: float, largest: int) -> Array:
    """Luria-Delbrueck law in the limit of a large population with `mutations` = M u.

    ``p_0 = e^-m``, ``p_n = (m/n) sum_(j<n) p_j / (n - j + 1)``. Neutral, no death; Lea and Coulson
    1949, J Genet 49:264; Ma, Sandri and Sarkar 1992, J Appl Prob 29:255.
    """
    return compound_poisson_pmf(mutations, clone_sizes_with_fitness(1.0, largest))


def plated_none(mutations: float, efficiency: float) -> float:
    """Probability ``exp(m e ln e / (1 - e))`` that a sample of a fraction `efficiency` holds no mutant.

    m = `mutations` = M u; neutral, no death. Stewart, Gordon and Levin 1990, Genetics 124:175.
    """
    return math.exp(mutations * efficiency * math.log(efficiency) / (1 - efficiency))


def mean_divisions(size: float, division: float, death: float) -> float:
    """Mean number of divisions ``M / s`` until a surviving tumour has `size` cells.

    Iwasa, Nowak and Michor 2006, Genetics 172:2557. Exact for every `dt` but for the start.
    """
    return size / surviving_share(division, death)


def resistance_factor(
    *, division: float, death: float, resistant_division: float, resistant_death: float
) -> float:
    """Factor F of the probability ``1 - exp(-M u F)`` that resistance is present at detection.

    ``F = 1/s int_0^1 (1 - q) / (1 - q y^a) dy`` with q = d_R/b_R < 1 and
    ``a = (b_R - d_R) / (b - d)``; ``-ln(s) / (1 - s)`` when neutral. Iwasa, Nowak and Michor 2006,
    Genetics 172:2557.
    """
    survival = surviving_share(division, death)
    odds = 1 - surviving_share(resistant_division, resistant_death)
    speed = (resistant_division - resistant_death) / (division - death)
    # The integral as its series sum_k q^k / (1 + a k), to 1e-17.
    terms = np.arange(1 if odds == 0 else math.ceil(40 / -math.log(odds)))
    return float((1 - odds) * np.sum(odds**terms / (1 + speed * terms))) / survival


def resistance_present(size: float, mutation: float, factor: float) -> float:
    """Probability ``1 - exp(-M u F)`` of resistant cells at detection, F from `resistance_factor`.

    Iwasa, Nowak and Michor 2006, Genetics 172:2557.
    """
    return -math.expm1(-size * mutation * factor)


def mean_resistant_clones(size: float, mutation: float, division: float, death: float) -> float:
    """Mean number ``M u (-ln s) / (1 - s)`` of living neutral mutant clones at detection; its law is Poisson.

    Bozic and Nowak 2014, PNAS 111:15964.
    """
    return (
        size
        * mutation
        * resistance_factor(
            division=division, death=death, resistant_division=division, resistant_death=death
        )
    )
