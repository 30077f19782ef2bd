"""Interim looks: how far a test statistic must go at each, so that all looks together keep the level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from tumor_abm._base.arguments import is_real
from tumor_abm.errors import InputError

Floats = NDArray[np.float64]

_GRID = 2001
"""Points of the grid on which the path of the statistic is integrated."""
_FURTHEST = 12.0
"""A bound beyond which no statistic goes."""


def spent(information: float, level: float) -> float:
    """Return the two-sided level spent by some share of the information, as O'Brien and Fleming spend it.

    Notes
    -----
    Lan and DeMets (1983, Biometrika 70:659): each side of half the level spends
    ``2 - 2 Phi(z / sqrt(information))``, z being the normal quantile of a quarter of the level.

    Examples
    --------
    >>> round(spent(0.5, 0.05), 4), round(spent(1.0, 0.05), 4)
    (0.0031, 0.05)
    """
    return 4.0 * float(norm.sf(norm.isf(level / 4) / math.sqrt(information)))


def checked_looks(looks: Sequence[float]) -> tuple[float, ...]:
    """Return information fractions, or say what is wrong with them.

    Raises
    ------
    InputError
        They do not rise from above 0 to below 1.
    """
    whole = all(is_real(look) for look in looks)
    if not whole or any(not before < look < 1 for before, look in zip((0.0, *looks), looks, strict=False)):
        allowed = "shares of the final events, above 0, below 1 and rising, e.g. 0.5, 0.75"
        raise InputError(key="looks", found=list(looks), allowed=allowed)
    return tuple(float(look) for look in looks)


def boundaries(looks: Sequence[float], level: float = 0.05) -> Floats:
    """Return how far from 0 a standardised statistic must be at each look, and at the end, to reject.

    Parameters
    ----------
    looks
        Shares of the final information at which is looked; the end is added.
    level
        Two-sided level of all looks together.

    Notes
    -----
    Without a difference the score is a Brownian motion in information (Armitage, McPherson and Rowe 1969, J R
    Stat Soc A 132:235). Its density between the bounds is carried from look to look by Simpson's rule.

    Examples
    --------
    >>> boundaries([0.5]).round(3).tolist()
    [2.963, 1.969]
    """
    shares = (*checked_looks(looks), 1.0)
    found: list[float] = []
    points, density, before, gone = np.zeros(1), np.ones(1), 0.0, 0.0
    for share in shares:
        step = math.sqrt(share - before)
        to_spend = spent(share, level) - gone
        weights = density * _weights(points)
        bound = _bound(points, weights, step, math.sqrt(share), to_spend)
        found.append(bound)
        edge = bound * math.sqrt(share)
        grid = np.linspace(-edge, edge, _GRID)
        density = norm.pdf((grid[:, None] - points[None, :]) / step) @ weights / step
        points, before, gone = grid, share, gone + to_spend
    return np.array(found)


def _bound(points: Floats, weights: Floats, step: float, scale: float, to_spend: float) -> float:
    """Return the standardised bound that is crossed first at this look with the chance `to_spend`."""

    def left(z: float) -> float:
        above, below = norm.sf((z * scale - points) / step), norm.cdf((-z * scale - points) / step)
        return float(weights @ (above + below)) - to_spend

    return float(brentq(left, 0.0, _FURTHEST, xtol=1e-10))


def _weights(points: Floats) -> Floats:
    """Weights of Simpson's rule; of one point, all of it."""
    if points.size == 1:
        return np.ones(1)
    weights = np.full(points.size, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    weights *= (points[1] - points[0]) / 3
    return weights
