"""A fast stand-in for the simulation: what it would give for parameters it was not run with.

Every simulated parameter set gives shares of its few patients, which are right on average: medians, hazard
ratios and the loss are not, and are made of what the emulator gives. A ridge regression per output (linear
and square terms around a middle; sets near by and of many patients weigh more) averages the noise over all
sets: it says more than the loss of the best set found (Kennedy & O'Hagan 2001, J R Stat Soc B 63:425; Vernon
et al. 2010, Bayesian Anal 5:619). An output depends on few of the parameters: patients who are never given a
drug do not tell its potency. Those that it cannot depend on are left out of its regression, and their noise
with them. How much a parameter moves outputs is learnt from all of them together (automatic relevance,
MacKay 1994). Sets of the same patients err together, so that what differs between them is known better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SLOPE = 0.8
"""Standard deviation, to begin with, of what an output changes by over the range of a parameter."""
_BEND = 1.2
"""The same of what the square of the way through the range changes."""
_LEAST = 0.01
"""The least that either is held to be, whatever is learnt."""
_ROUNDS = 4
"""Times that they are learnt."""
_NEAR = 0.25
"""Root mean square distance (shares of the ranges) at which a set weighs 0.6 of one in the middle."""
_VARIANCE = (0.01, 0.25)
"""Least and largest p(1 - p) of a share p, the variance of one patient."""
_UNEVEN = 1.5
"""Patients of a trial are worth so many fewer: histories with a small share have few."""
_SHARED = 0.6
"""Share of the noise that sets of the same patients have in common."""
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
    seeds
        Names the patients: sets of the same seed share theirs, and part of the noise. None: no two do.
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
        seeds: NDArray[np.int64] | None = None,
        relevant: Mask | None = None,
    ) -> None:
        self.middle = middle
        sets, outputs = values.shape
        patients = np.ones(sets, dtype=np.int64) if patients is None else patients
        seeds = np.arange(sets) if seeds is None else seeds
        relevant = np.ones((outputs, len(middle)), dtype=np.bool_) if relevant is None else relevant
        distances = ((points - middle) ** 2).mean(axis=1)
        deviations = np.exp(0.25 * (distances - distances.min()) / _NEAR**2) / np.sqrt(patients)
        groups = _alike(self._terms(points), values, relevant, deviations, seeds)
        spread = np.concatenate([np.full(len(middle), _SLOPE), np.full(len(middle), _BEND)])
        for _ in range(_ROUNDS):
            spread = _relevance(groups, spread)
        self._coefficients = np.zeros((1 + len(spread), outputs))
        for group in groups:
            found, _ = group.solved(spread)
            self._coefficients[group.terms[:, None], group.columns] = found

    def _terms(self, points: Numbers) -> Numbers:
        """One, the parameters, and their squares, from the middle."""
        away = points - self.middle
        found: Numbers = np.hstack([np.ones((len(points), 1)), away, away**2])
        return found

    def predict(self, points: Numbers) -> Numbers:
        """Return expected outputs, a row per parameter set."""
        found: Numbers = self._terms(points) @ self._coefficients
        return found


@dataclass(frozen=True)
class _Group:
    """Outputs of one variance that depend on the same parameters and are known of the same sets."""

    columns: NDArray[np.intp]
    terms: NDArray[np.intp]
    squares: Numbers
    products: Numbers

    def solved(self, spread: Numbers) -> tuple[Numbers, Numbers]:
        """Coefficients that are likeliest, a column per output, and the variance that is left in each."""
        beforehand = np.concatenate([[1e-6], spread[self.terms[1:] - 1] ** -2.0])
        left = np.linalg.inv(self.squares + np.diag(beforehand))
        return left @ self.products, np.diag(left)


def _alike(
    terms: Numbers, values: Numbers, relevant: Mask, deviations: Numbers, seeds: NDArray[np.int64]
) -> list[_Group]:
    """Divide outputs into those that are solved together."""
    variances, silent = _variances(values), np.isnan(values)
    columns: dict[tuple[bytes, float, bytes], list[int]] = {}
    for output, variance in enumerate(variances):
        key = (silent[:, output].tobytes(), float(variance), relevant[output].tobytes())
        columns.setdefault(key, []).append(output)
    white: dict[bytes, tuple[Numbers, Numbers, Mask]] = {}
    found = []
    for (said, variance, _), of_group in columns.items():
        if said not in white:
            known = ~silent[:, of_group[0]]
            whitening = _whitening(deviations[known], seeds[known])
            white[said] = (whitening, whitening @ terms[known], known)
        whitening, whitened, known = white[said]
        own = np.flatnonzero(np.concatenate([[True], relevant[of_group[0]], relevant[of_group[0]]]))
        outputs = whitening @ values[known][:, of_group]
        found.append(
            _Group(
                columns=np.array(of_group),
                terms=own,
                squares=whitened[:, own].T @ whitened[:, own] / variance,
                products=whitened[:, own].T @ outputs / variance,
            )
        )
    return found


def _variances(values: Numbers) -> Numbers:
    """Variance of one patient, per output."""
    silent = np.isnan(values)
    mean = np.where(silent, 0.0, values).sum(axis=0) / np.maximum((~silent).sum(axis=0), 1)
    found: Numbers = np.round(_UNEVEN * np.clip(mean * (1 - mean), *_VARIANCE), _DIGITS).astype(np.float64)
    return found


def _whitening(deviations: Numbers, seeds: NDArray[np.int64]) -> Numbers:
    """Matrix that makes noise of the simulations independent and of the variance of one patient."""
    common = np.where(seeds[:, None] == seeds, _SHARED, 0.0)
    np.fill_diagonal(common, 1.0)
    found: Numbers = np.linalg.inv(np.linalg.cholesky(common * np.outer(deviations, deviations)))
    return found


def _relevance(groups: Sequence[_Group], spread: Numbers) -> Numbers:
    """How much each term moves outputs: root mean square of the coefficients, given what was held before."""
    squared, number = np.zeros_like(spread), np.zeros_like(spread)
    for group in groups:
        found, left = group.solved(spread)
        outputs = len(group.columns)
        squared[group.terms[1:] - 1] += (found[1:] ** 2).sum(axis=1) + outputs * left[1:]
        number[group.terms[1:] - 1] += outputs
    learnt: Numbers = np.maximum(np.sqrt(squared / np.maximum(number, 1.0)), _LEAST)
    return learnt
