"""A fast stand-in for the simulation: what it would give for parameters it was not run with.

Every simulated parameter set gives shares of its few patients, which are right on average: medians, hazard
ratios and the loss are not, and are made of what the emulator gives. A ridge regression per output (linear
and square terms around a middle; sets near by and of many patients weigh more) averages the noise over all
sets: it says more than the loss of the best set found (Kennedy & O'Hagan 2001, J R Stat Soc B 63:425; Vernon
et al. 2010, Bayesian Anal 5:619). An output depends on few of the parameters: patients who are never given a
drug do not tell its potency. Those that it cannot depend on are left out of its regression, and their noise
with them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SLOPE = 0.8
"""Standard deviation, beforehand, of what an output changes by over the range of a parameter."""
_BEND = 1.2
"""The same of what the square of the way through the range changes."""
_NEAR = 0.25
"""Root mean square distance (shares of the ranges) at which a set weighs 0.6 of one in the middle."""
_VARIANCE = (0.01, 0.25)
"""Least and largest p(1 - p) of a share p, the variance of one patient."""
_UNEVEN = 1.5
"""Patients of a trial are worth so many fewer: histories with a small share have few."""
_DIGITS = 2
"""Of variances: outputs of the same variance and the same parameters are solved together."""


class Emulator:
    """Ridge regressions of all outputs over the parameters.

    Parameters
    ----------
    points
        Parameter sets, a row each, as shares of the ranges.
    values
        Outputs, a row per parameter set: shares of patients; NaN where a simulation said nothing of one.
    middle
        Where the regressions are made for.
    patients
        How many each set was simulated with: few make more noise. None: the same for all.
    relevant
        A row per output and a column per parameter: whether it can depend on it. None: on all.
    """

    def __init__(
        self,
        points: Numbers,
        values: Numbers,
        *,
        middle: Numbers,
        patients: NDArray[np.int64] | None = None,
        relevant: Mask | None = None,
    ) -> None:
        self.middle = middle
        outputs = values.shape[1]
        relevant = np.ones((outputs, len(middle)), dtype=np.bool_) if relevant is None else relevant
        terms = self._terms(points)
        distances = ((points - middle) ** 2).mean(axis=1)
        weights = np.exp(-0.5 * distances / _NEAR**2)
        weights = weights / max(float(weights.max()), 1e-300) * (1.0 if patients is None else patients)
        self._coefficients = np.zeros((terms.shape[1], outputs))
        variances = _variances(values)
        for own, columns in _alike(relevant, variances, np.isnan(values)):
            known = ~np.isnan(values[:, columns[0]])
            kept = np.flatnonzero(np.concatenate([[True], own, own]))
            weighed = weights[known] / variances[columns[0]]
            found = _ridge(terms[known][:, kept], values[known][:, columns], weighed)
            self._coefficients[kept[:, None], columns] = found

    def _terms(self, points: Numbers) -> Numbers:
        """One, the parameters, and their squares, from the middle."""
        away = points - self.middle
        found: Numbers = np.hstack([np.ones((len(points), 1)), away, away**2])
        return found

    def predict(self, points: Numbers) -> Numbers:
        """Return expected outputs, a row per parameter set."""
        found: Numbers = self._terms(points) @ self._coefficients
        return found


def _variances(values: Numbers) -> Numbers:
    """Variance of one patient, per output."""
    silent = np.isnan(values)
    mean = np.where(silent, 0.0, values).sum(axis=0) / np.maximum((~silent).sum(axis=0), 1)
    found: Numbers = np.round(_UNEVEN * np.clip(mean * (1 - mean), *_VARIANCE), _DIGITS).astype(np.float64)
    return found


def _alike(
    relevant: Mask, variances: Numbers, silent: Mask
) -> Iterator[tuple[Mask, NDArray[np.intp]]]:
    """Parameters, and the outputs that depend on them, of one variance and known of the same sets."""
    groups: dict[tuple[bytes, float, bytes], list[int]] = {}
    for output, variance in enumerate(variances):
        key = (relevant[output].tobytes(), float(variance), silent[:, output].tobytes())
        groups.setdefault(key, []).append(output)
    for columns in groups.values():
        yield relevant[columns[0]], np.array(columns)


def _ridge(terms: Numbers, values: Numbers, weights: Numbers) -> Numbers:
    """Coefficients that are likeliest, given what they were held to be beforehand."""
    parameters = (terms.shape[1] - 1) // 2
    beforehand = np.diag([1e-6, *[_SLOPE**-2] * parameters, *[_BEND**-2] * parameters])
    weighted = (terms * weights[:, None]).T
    found: Numbers = np.linalg.solve(weighted @ terms + beforehand, weighted @ values).astype(np.float64)
    return found
