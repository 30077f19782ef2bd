"""Failure of treatment with one drug, with two, and with pulses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumor_abm.theory.birth_death import surviving_share

Array = NDArray[np.float64]


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
    survival = surviving_share(division, death)
    return mutation / survival * math.log(size * survival)


def bozic_mono_failure(
    *, size: float, mutation: float, division: float, death: float, treated_death: float
) -> float:
    """Probability ``1 - exp(-M u (1 - s/s'))`` that a single drug fails, ``s' = 1 - d'/b < 0``.

    `mutation` is the sum over all mutations that protect. Resistant lineages from before treatment
    and during it count if they survive. Bozic et al. 2013, eLife 2:e00747.
    """
    survival, treated = surviving_share(division, death), _shrinking(division, treated_death)
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
    s, treated = surviving_share(division, death), _shrinking(division, treated_death)
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
    surviving_share(division, death)
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
    success = surviving_share(division, resistant_death)
    survival, later = 1.0, 0.0
    while abs(survival - later) > 1e-14 * survival:
        later = survival
        for days, death in reversed(phases):
            survival = float(_Lineage.of(division, death, mutation, success).after(survival, days))
    return -math.expm1(cells * math.log1p(-survival))
