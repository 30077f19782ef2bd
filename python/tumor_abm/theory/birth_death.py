"""Birth and death in continuous time: laws, extinction, detection."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


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
    return (math.log(size * surviving_share(division, death)) + float(np.euler_gamma)) / (division - death)


def detection_time_sd(division: float, death: float) -> float:
    """Spread around `detection_time_mean`, a standard deviation: ``pi / (sqrt(6) r)``."""
    surviving_share(division, death)
    return math.pi / (math.sqrt(6) * (division - death))


def surviving_share(division: float, death: float) -> float:
    """Probability ``s = 1 - d/b`` that the lineage of one cell survives; needs ``b > d``."""
    if not division > death:
        raise ValueError(f"division: found {division}; allowed: above death ({death}), a growing population")
    return 1 - death / division
