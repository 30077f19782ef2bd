"""Closed forms that the engines must reproduce, from the published theory of growing tumours.

Rates are per day, times in days, concentrations in any one unit. In the formulas ``b`` and ``d``
are the division and death rate, ``r = b - d``, ``s = 1 - d/b``, ``M`` is the number of cells at
detection and ``u`` the probability per division that one daughter mutates (at most one does:
convention A of Bozic et al. 2013). Results for continuous time say so; the engines step by `dt`,
and approach them linearly as `dt` falls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

__all__ = [
    "Response",
    "accumulation_ratio",
    "birth_death_pmf",
    "bozic_dual_failure",
    "bozic_mono_failure",
    "clone_sizes_with_death",
    "clone_sizes_with_fitness",
    "compound_poisson_pmf",
    "detection_time_mean",
    "detection_time_sd",
    "expected_doubly_resistant",
    "expected_resistant",
    "extinction_by",
    "extinction_time_median",
    "galton_watson_mean",
    "galton_watson_pmf",
    "galton_watson_variance",
    "gompertz",
    "lea_coulson_pmf",
    "linear_fractional",
    "log_kill",
    "logistic",
    "luria_delbruck_mean",
    "luria_delbruck_pmf",
    "mean_cells",
    "mean_counts",
    "mean_divisions",
    "mean_resistant_clones",
    "mutant_free",
    "norton_simon",
    "oral_steady_state",
    "plated_none",
    "pulsed_failure",
    "reach_before_extinction",
    "relapse_time",
    "resistance_factor",
    "resistance_present",
    "response_nadir",
    "step_growth_rate",
    "time_to_steady_state",
    "two_step_failure",
    "ultimate_extinction",
    "variance_cells",
]


# Birth and death


def linear_fractional(division: float, death: float, days: float) -> tuple[float, float]:
    """Parameters alpha and beta of the law of a birth-death process started from one cell.

    ``P(N = 0) = alpha`` and ``P(N = n) = (1 - alpha)(1 - beta) beta^(n-1)`` with
    ``alpha = d (e^rt - 1) / (b e^rt - d)`` and ``beta = alpha b/d``; at b = d both are
    ``bt / (1 + bt)``. Continuous time; Kendall 1948, Ann Math Stat 19:1.
    """
    grown = _grown(division, death, days)
    scale = 1 + min(division, death) * grown
    return death * grown / scale, division * grown / scale


def birth_death_pmf(division: float, death: float, days: float, largest: int) -> Array:
    """Probabilities of 0, 1, ..., `largest` cells after `days`, from one cell.

    Continuous time; Kendall 1948, Ann Math Stat 19:1 (see `linear_fractional`).
    """
    alpha, beta = linear_fractional(division, death, days)
    living = (1 - alpha) * (1 - beta) * beta ** np.arange(largest, dtype=float)
    return np.concatenate([[alpha], living])


def extinction_by(division: float, death: float, days: float, cells: int = 1) -> float:
    """Probability ``alpha(t)^n`` that `cells` cells have left no descendant after `days`.

    Continuous time; Kendall 1948, Ann Math Stat 19:1. Exact for 1e12 cells: the survival of one
    cell, not its extinction, is what is computed.
    """
    scale = 1 + min(division, death) * _grown(division, death, days)
    survival = math.exp(min(division - death, 0.0) * days) / scale
    return math.exp(cells * math.log1p(-survival)) if survival < 1 else 0.0


def _grown(division: float, death: float, days: float) -> float:
    """``(1 - e^(-|r| t)) / |r|``, which is t at b = d."""
    gap = abs(division - death)
    return -math.expm1(-gap * days) / gap if gap > 0 else days


def extinction_time_median(division: float, death: float, cells: int) -> float:
    """Day by which `cells` declining cells (d > b) are extinct with probability one half.

    Solves ``alpha(t)^n = 1/2``; about ``(ln(n (1 - b/d)) - ln ln 2) / (d - b)`` for many cells.
    Continuous time; from Kendall 1948, Ann Math Stat 19:1.
    """
    if not death > division:
        raise ValueError(
            f"death: found {death}; allowed: above division ({division}), a declining population"
        )
    survival = -math.expm1(-math.log(2) / cells)
    shrunk = death * survival / (death - division + division * survival)
    return math.log(shrunk) / (division - death)


def ultimate_extinction(division: float, death: float, cells: int = 1) -> float:
    """Probability ``min(1, d/b)^n`` that the descendants of `cells` cells die out.

    Holds in continuous time and, with exclusive events, for every step `dt`: d/b is the fixed
    point of both. Athreya and Ney 1972, Branching Processes; Harris 1963.
    """
    return 1.0 if death >= division else (death / division) ** cells


def reach_before_extinction(division: float, death: float, size: int, cells: int = 1) -> float:
    """Probability to reach `size` cells before none: ``(1 - (d/b)^n) / (1 - (d/b)^M)``.

    The gambler's ruin, e.g. Feller 1968, An Introduction to Probability Theory, ch. XIV; ``n/M``
    at b = d.
    """
    if death == 0:
        return 1.0
    odds = math.log(death / division)
    if odds == 0:
        return cells / size
    ratio = math.expm1(-abs(odds) * cells) / math.expm1(-abs(odds) * size)
    return ratio if odds < 0 else ratio * math.exp((cells - size) * odds)


def mean_cells(division: ArrayLike, death: ArrayLike, days: ArrayLike, cells: float = 1.0) -> float:
    """Mean number of cells ``n e^rt``; arrays are successive stretches of time with their own rates.

    Continuous time; Kendall 1948, Ann Math Stat 19:1.
    """
    return float(cells * np.exp(np.sum((np.asarray(division) - np.asarray(death)) * np.asarray(days))))


def variance_cells(division: float, death: float, days: float, cells: float = 1.0) -> float:
    """Variance of the number of cells: ``n (b + d)/r e^rt (e^rt - 1)``; ``2 n b t`` at b = d.

    Continuous time; Kendall 1948, Ann Math Stat 19:1.
    """
    rate = division - death
    if rate == 0:
        return 2 * cells * division * days
    return cells * (division + death) / rate * math.exp(rate * days) * math.expm1(rate * days)


def detection_time_mean(division: float, death: float, size: float) -> float:
    """Mean day on which a surviving tumour reaches `size` cells: ``(ln(M s) + gamma) / r``.

    gamma = 0.5772 is Euler's constant: the surviving population grows as ``W e^rt`` with W
    exponential. Continuous time, one cell at day 0; Athreya and Ney 1972; Durrett 2015, Branching
    Process Models of Cancer.
    """
    return (math.log(size * _surviving(division, death)) + float(np.euler_gamma)) / (division - death)


def detection_time_sd(division: float, death: float) -> float:
    """Spread around `detection_time_mean`, a standard deviation: ``pi / (sqrt(6) r)``."""
    _surviving(division, death)
    return math.pi / (math.sqrt(6) * (division - death))


def _surviving(division: float, death: float) -> float:
    if not division > death:
        raise ValueError(f"division: found {division}; allowed: above death ({death}), a growing population")
    return 1 - death / division


# Steps: the Galton-Watson process


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


# Mutants in a growing population


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
    return size / _surviving(division, death)


def resistance_factor(
    *, division: float, death: float, resistant_division: float, resistant_death: float
) -> float:
    """Factor F of the probability ``1 - exp(-M u F)`` that resistance is present at detection.

    ``F = 1/s int_0^1 (1 - q) / (1 - q y^a) dy`` with q = d_R/b_R < 1 and
    ``a = (b_R - d_R) / (b - d)``; ``-ln(s) / (1 - s)`` when neutral. Iwasa, Nowak and Michor 2006,
    Genetics 172:2557.
    """
    survival = _surviving(division, death)
    odds = 1 - _surviving(resistant_division, resistant_death)
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


# Treatment with one drug and with two


def expected_resistant(size: float, mutation: float, division: float, death: float) -> float:
    """Mean number ``M (u/s) ln(M s)`` of cells with one neutral mutation at detection.

    The mean of a heavy tail: a typical tumour has fewer. Bozic et al. 2013, eLife 2:e00747.
    """
    return size * _per_lineage(size, mutation, division, death)


def expected_doubly_resistant(
    *, size: float, mutation: float, division: float, death: float, n1: float, n2: float, n12: float
) -> float:
    """Mean number of cells at detection that resist both of two drugs.

    n1, n2 and n12 count the mutations that protect from drug 1, drug 2 and both. With
    ``m = (u/s) ln(M s)`` mutations of each kind in the ancestry of a cell the mean is
    ``M [1 - e^(-n12 m) (1 - (1 - e^(-n1 m)) (1 - e^(-n2 m)))]``, about ``M (n12 m + n1 n2 m^2)``.
    After Bozic et al. 2013, eLife 2:e00747.
    """
    per_lineage = _per_lineage(size, mutation, division, death)
    both_hits = math.expm1(-n1 * per_lineage) * math.expm1(-n2 * per_lineage)
    return -size * math.expm1(-n12 * per_lineage + math.log1p(-both_hits))


def _per_lineage(size: float, mutation: float, division: float, death: float) -> float:
    survival = _surviving(division, death)
    return mutation / survival * math.log(size * survival)


def bozic_mono_failure(
    *, size: float, mutation: float, division: float, death: float, treated_death: float
) -> float:
    """Probability ``1 - exp(-M u (1 - s/s'))`` that a single drug fails, ``s' = 1 - d'/b < 0``.

    `mutation` is the sum over all mutations that protect. Resistant lineages from before treatment
    and during it count if they survive. Bozic et al. 2013, eLife 2:e00747.
    """
    survival, treated = _surviving(division, death), _shrinking(division, treated_death)
    return -math.expm1(-size * mutation * (1 - survival / treated))


def bozic_dual_failure(
    *,
    size: float,
    mutation: float,
    division: float,
    death: float,
    treated_death: float,
    n1: float,
    n2: float,
    n12: float,
    lesions: int = 1,
) -> float:
    """Probability that two drugs given together fail, by equation (1) of Bozic et al. 2013.

    One minus the product of the probabilities that no lineage with a mutation against both drugs
    survives: from one step before and during treatment, ``exp(-M u n12 (1 - s/s'))``, and from two
    steps. A logarithmic approximation, good for large tumours; `two_step_failure` is finer.
    `size` cells are spread over `lesions` equal lesions. Bozic et al. 2013, eLife 2:e00747.
    """
    s, treated = _surviving(division, death), _shrinking(division, treated_death)
    cells = size / lesions
    supply = (treated - s) / (s * treated)
    one_step = -cells * mutation * n12 * (1 - s / treated)
    two_steps = sum(
        first * (second + n12) * math.log(1 / (s * cells) + mutation * (second + n12) * supply)
        for first, second in ((n1, n2), (n2, n1))
    )
    before = cells * mutation**2 * supply * two_steps
    during = -cells * mutation**2 * (2 * n1 * n2 + n12 * (n1 + n2)) * s / treated**2
    return -math.expm1(lesions * (one_step + before + during))


def _shrinking(division: float, treated_death: float) -> float:
    if not treated_death > division:
        raise ValueError(
            f"treated_death: found {treated_death}; allowed: above division ({division}), a decline"
        )
    return 1 - treated_death / division


class _Lineage(NamedTuple):
    """Survival Q of what one cell leaves: ``dQ/dt = supply + gain Q - loss Q^2``, backward in time.

    A cell divides (b), dies (d) and mutates (u per division) into a type that survives with
    probability e: ``supply = b u e``, ``gain = 2b(1-u) + b u (1-e) - b - d``, ``loss = b (1-u)``.
    """

    supply: float
    gain: float
    loss: float

    @classmethod
    def of(cls, division: float, death: float, mutation: float, success: float) -> _Lineage:
        return cls(
            supply=division * mutation * success,
            gain=2 * division * (1 - mutation) + division * mutation * (1 - success) - division - death,
            loss=division * (1 - mutation),
        )

    def fixed_points(self) -> tuple[float, float]:
        """Stable and unstable stationary survival, each without cancellation."""
        larger = (abs(self.gain) + math.sqrt(self.gain**2 + 4 * self.supply * self.loss)) / 2
        if self.gain >= 0:
            return larger / self.loss, -self.supply / larger
        return self.supply / larger, -larger / self.loss

    def after(self, start: float, days: ArrayLike) -> Array:
        """Survival `days` earlier than a time at which it was `start`."""
        stable, unstable = self.fixed_points()
        decay = np.exp(-self.loss * (stable - unstable) * np.asarray(days, dtype=float))
        to_stable, to_unstable = (start - stable) * decay, start - unstable
        survival: Array = (stable * to_unstable - unstable * to_stable) / (to_unstable - to_stable)
        return survival


def two_step_failure(
    *,
    size: float,
    division: float,
    death: float,
    treated_death: float,
    first: float,
    second: float,
    both: float = 0.0,
    cost: float = 0.0,
) -> float:
    """Probability that two drugs given together fail, by the backward Kolmogorov equation.

    `first`, `second` and `both` are mutation probabilities per division against drug 1, 2 and both.
    The tumour has ``M e^(-r t)`` sensitive cells t days before treatment. Each of their mutants
    leaves a surviving doubly resistant lineage with a probability Q(t) that solves the equation
    from its stationary value under treatment at t = 0. Each resistance multiplies the net growth
    rate by ``1 - cost`` through the division rate. Refines equation (1) of Bozic et al. 2013, eLife
    2:e00747, and gives the simulated values of its Table 2; the method is that of Iwasa, Nowak and
    Michor 2006, Genetics 172:2557.
    """
    rate = division - death
    _surviving(division, death)
    single = death + rate * (1 - cost)
    success = rate * (1 - cost) ** 2 / (death + rate * (1 - cost) ** 2)
    lineages = both * division * size / rate * success
    sensitive = both * success
    # Simpson's rule over the whole past of the tumour, until M e^(-r t) < e^-40.
    ago = np.linspace(0, (math.log(size) + 40) / rate, 4001)
    share = ago[1] / 3 * np.concatenate([[1], np.tile([4, 2], 2000)[:-1], [1]])
    for one, other in ((first, second), (second, first)):
        treated, _ = _Lineage.of(single, treated_death, other + both, success).fixed_points()
        untreated = _Lineage.of(single, death, other + both, success).after(treated, ago)
        lineages += one * division * size * float(share @ (np.exp(-rate * ago) * untreated))
        sensitive += one * treated
    mutation = first + second + both
    if mutation > 0:
        during, _ = _Lineage.of(division, treated_death, mutation, sensitive / mutation).fixed_points()
        lineages += size * during
    return -math.expm1(-lineages)


def pulsed_failure(
    *,
    division: float,
    resistant_death: float,
    mutation: float,
    phases: Sequence[tuple[float, float]],
    cells: int,
) -> float:
    """Probability that periodic dosing of `cells` sensitive cells ends in resistance.

    `phases` are (days, death rate of sensitive cells), in order of one period, repeated for ever;
    resistant cells divide alike and die at `resistant_death` throughout. ``1 - (1 - e)^n`` with e
    the periodic solution of the backward Kolmogorov equation at the start of a period. Continuous
    time; after Foo and Michor 2009, PLoS Comput Biol 5:e1000557.
    """
    success = _surviving(division, resistant_death)
    survival, later = 1.0, 0.0
    while abs(survival - later) > 1e-14 * survival:
        later = survival
        for days, death in reversed(phases):
            survival = float(_Lineage.of(division, death, mutation, success).after(survival, days))
    return -math.expm1(cells * math.log1p(-survival))


# Growth and response without chance


def gompertz(initial: float, capacity: float, rate: float, days: float) -> float:
    """Gompertz growth ``N' = a N ln(K/N)``: ``K (N0/K)^exp(-a t)``. Laird 1964, Br J Cancer 18:490."""
    return norton_simon(initial, capacity, rate, 0.0, days)


def norton_simon(initial: float, capacity: float, rate: float, kill: float, days: float) -> float:
    """Gompertz growth with a kill in proportion to unperturbed growth, ``N' = a N ln(K/N) (1 - c)``.

    ``K (N0/K)^exp(-a (1 - c) t)``, c = `kill`. Norton and Simon 1977, Cancer Treat Rep 61:1307.
    """
    return float(capacity * (initial / capacity) ** math.exp(-rate * (1 - kill) * days))


def logistic(initial: float, capacity: float, rate: float, days: float) -> float:
    """Logistic growth ``N' = r N (1 - N/K)``: ``K / (1 + (K/N0 - 1) e^-rt)``. Verhulst 1838."""
    return capacity / (1 + (capacity / initial - 1) * math.exp(-rate * days))


def log_kill(initial: float, surviving: float, rate: float, interval: float, cycles: int) -> float:
    """Cells after `cycles` that each leave a fraction `surviving` and then `interval` days of growth.

    ``N0 (S e^(r T))^n``. Skipper, Schabel and Wilcox 1964, Cancer Chemother Rep 35:1.
    """
    return initial * math.exp(cycles * (math.log(surviving) + rate * interval))


class Response(NamedTuple):
    """Course of a lesion under a drug; see `response_nadir`."""

    nadir_day: float
    """Day of the smallest volume."""
    nadir_volume: float
    """Smallest volume, relative to the start."""
    progression_day: float
    """Day on which the diameter is 20% above its smallest."""
    best_diameter_change: float
    """Smallest diameter relative to the start, minus 1."""


def response_nadir(resistant: float, decline: float, growth: float) -> Response:
    """Response of a lesion in which a fraction `resistant` grows on while the rest declines.

    The volume is ``(1 - f) e^(-d t) + f e^(g t)``, smallest at ``ln((1 - f) d / (f g)) / (d + g)``;
    progression is +20% of the diameter over the nadir, 1.728 times the volume (RECIST 1.1,
    Eisenhauer 2009, Eur J Cancer 45:228, without its 5 mm rule). Stein et al. 2008, Oncologist 13:1046.
    """

    def volume(day: float) -> float:
        return (1 - resistant) * math.exp(-decline * day) + resistant * math.exp(growth * day)

    nadir = max(0.0, math.log((1 - resistant) * decline / (resistant * growth)) / (decline + growth))
    target = 1.2**3 * volume(nadir)
    early, late = nadir, max(nadir, math.log(target / resistant) / growth)
    while late - early > 1e-12 * late:
        middle = (early + late) / 2
        if middle in (early, late):
            break
        early, late = (middle, late) if volume(middle) < target else (early, middle)
    return Response(nadir, volume(nadir), late, volume(nadir) ** (1 / 3) - 1)


def relapse_time(size: float, mutation: float, division: float, death: float) -> float:
    """Days from the start of a single drug until resistant cells number `size`, ignoring chance.

    ``ln(M / X) / r`` with X from `expected_resistant`; `mutation` sums over all mutations that
    protect. After Bozic et al. 2013, eLife 2:e00747.
    """
    return math.log(size / expected_resistant(size, mutation, division, death)) / (division - death)


# Drug concentrations


def oral_steady_state(
    amount_over_volume: float, absorption: float, elimination: float, interval: float, hours: float
) -> float:
    """Concentration `hours` after a dose, when doses every `interval` hours have gone on for long.

    ``F D ka / (V (ka - ke)) [e^(-ke t) / (1 - e^(-ke T)) - e^(-ka t) / (1 - e^(-ka T))]``, with
    `amount_over_volume` = F D / V and rates per hour, ka different from ke. Gibaldi and Perrier
    1982, Pharmacokinetics.
    """
    left = math.exp(-elimination * hours) / -math.expm1(-elimination * interval)
    unabsorbed = math.exp(-absorption * hours) / -math.expm1(-absorption * interval)
    return amount_over_volume * absorption / (absorption - elimination) * (left - unabsorbed)


def accumulation_ratio(elimination: float, interval: float) -> float:
    """Steady-state over first-dose level: ``1 / (1 - e^(-ke T))``. Gibaldi and Perrier 1982."""
    return -1 / math.expm1(-elimination * interval)


def time_to_steady_state(elimination: float, fraction: float = 0.9) -> float:
    """Time to a `fraction` of steady state: ``-ln(1 - f) / ke``. Gibaldi and Perrier 1982."""
    return -math.log1p(-fraction) / elimination
