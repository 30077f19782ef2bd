"""A fast stand-in for the simulation: what it would give for parameters it was not run with.

Every simulated parameter set gives all target quantities, each with the noise of its few patients. A Gaussian
process per quantity, whose kernel holds all linear, quadratic and product terms of the parameters, shrunk by
their likelihood, averages that noise over all sets: it says more than the loss of the best set found
(Kennedy & O'Hagan 2001, J R Stat Soc B 63:425; Vernon et al. 2010, Bayesian Anal 5:619).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_LINEAR = (0.1, 0.3, 1.0)
_QUADRATIC = (0.0, 0.03, 0.1, 0.3)
_NOISE = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class _Process:
    """The process of one quantity, on standardised values."""

    weights: Numbers
    linear: float
    quadratic: float
    noise: float
    middle: float
    spread: float


class Emulator:
    """Gaussian processes of all quantities over the parameters.

    Parameters
    ----------
    points
        Parameter sets, a row each, as shares of the ranges.
    values
        Quantities, a row per parameter set; NaN where a simulation said nothing of one.
    """

    def __init__(self, points: Numbers, values: Numbers) -> None:
        self._centre = points.mean(axis=0)
        self._scale = np.maximum(points.std(axis=0), 1e-9)
        self._points = self._standard(points)
        products = self._points @ self._points.T / self._points.shape[1]
        self._processes = _fitted(products, values)

    def _standard(self, points: Numbers) -> Numbers:
        scaled: Numbers = (points - self._centre) / self._scale
        return scaled

    def predict(self, points: Numbers) -> Numbers:
        """Return expected quantities, a row per parameter set."""
        products = self._standard(points) @ self._points.T / self._points.shape[1]
        columns = [
            one.middle + one.spread * (_kernel(products, one) @ one.weights) for one in self._processes
        ]
        return np.stack(columns, axis=1)

    @property
    def noise(self) -> Numbers:
        """Standard deviation of a single simulation around the expectation, per quantity."""
        return np.array([one.noise * one.spread for one in self._processes])


def _kernel(products: Numbers, one: _Process) -> Numbers:
    covariance: Numbers = 1.0 + one.linear * products + one.quadratic * products**2
    return covariance


def _fitted(products: Numbers, values: Numbers) -> list[_Process]:
    middle = np.nanmedian(values, axis=0)
    values = np.where(np.isnan(values), middle, values)
    spread = np.maximum(values.std(axis=0), 1e-9)
    # Far-off simulations say little about where the fit is good, and much to a Gaussian: they are drawn in.
    standard = np.clip((values - middle) / spread, -3.0, 3.0)
    best: list[tuple[float, _Process] | None] = [None] * values.shape[1]
    for linear in _LINEAR:
        for quadratic in _QUADRATIC:
            eigenvalues, vectors = np.linalg.eigh(1.0 + linear * products + quadratic * products**2)
            projected = vectors.T @ standard
            for noise in _NOISE:
                total = np.maximum(eigenvalues, 0.0) + noise**2
                likelihoods = -0.5 * ((projected**2 / total[:, None]).sum(axis=0) + np.log(total).sum())
                for i, likelihood in enumerate(likelihoods):
                    known = best[i]
                    if known is None or likelihood > known[0]:
                        weights = vectors @ (projected[:, i] / total)
                        one = _Process(weights, linear, quadratic, noise, float(middle[i]), float(spread[i]))
                        best[i] = (float(likelihood), one)
    return [found[1] for found in best if found is not None]
