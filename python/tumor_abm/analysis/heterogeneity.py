"""Whether effects differ between subgroups, and what many such tests are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2
from scipy.stats import f as fisher

from tumor_abm._base.arguments import numbers


def heterogeneity(effects: ArrayLike, standard_errors: ArrayLike) -> float | None:
    """Test whether independent effects of subgroups are all the same.

    Parameters
    ----------
    effects
        On a scale on which they are about normal, such as log hazard ratios.
    standard_errors
        Of each, above 0.

    Returns
    -------
    float or None
        p-value; ``None`` of fewer than two effects.

    Notes
    -----
    Cochran's Q (1954, Biometrics 10:101) on k - 1 degrees of freedom. Of log hazard ratios that were each
    estimated within its subgroup it is Wald's test of the interaction in a Cox model that is stratified by
    the subgroups.
    """
    effects, weights = _weighed(effects, standard_errors)
    if effects.size < 2:
        return None
    return float(chi2.sf(_dispersion(effects, weights), effects.size - 1))


def heterogeneity_of_few(effects: ArrayLike, standard_errors: ArrayLike, n: ArrayLike) -> float | None:
    """Test the same where standard errors are themselves estimated, each from `n` patients.

    Notes
    -----
    Welch's test (1951, Biometrika 38:330); of two subgroups it is his t-test.
    """
    effects, weights = _weighed(effects, standard_errors)
    left = numbers("n", n) - 1
    k = effects.size
    if k < 2 or (left < 1).any():
        return None
    doubt = float((((1 - weights / weights.sum()) ** 2) / left).sum())
    ratio = _dispersion(effects, weights) / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * doubt)
    return float(fisher.sf(ratio, k - 1, (k**2 - 1) / (3 * doubt)))


def _weighed(effects: ArrayLike, standard_errors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    return numbers("effects", effects), numbers("standard_errors", standard_errors) ** -2.0


def _dispersion(effects: np.ndarray, weights: np.ndarray) -> float:
    mean = float((weights * effects).sum() / weights.sum())
    return float((weights * (effects - mean) ** 2).sum())


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for their number, so that any false one is as rare as each says (Holm 1979).

    ``None`` is no test and stays.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    made = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(made):
        least = max(least, min(1.0, p * (len(made) - rank)))
        adjusted[place] = least
    return adjusted
