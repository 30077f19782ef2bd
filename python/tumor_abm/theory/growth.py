"""Growth and response without chance."""

from __future__ import annotations

import math
from typing import NamedTuple

from tumor_abm.theory.treatment import expected_resistant


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
