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
    factor: Numbers
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
        Quantities, a row per parameter set.
    """

    def __init__(self, points: Numbers, values: Numbers) -> None:
        self._centre = points.mean(axis=0)
        self._scale = np.maximum(points.std(axis=0), 1e-9)
        self._points = self._standard(points)
        products = self._points @ self._points.T / self._points.shape[1]
        self._processes = [_fitted(products, column) for column in values.T]

    def _standard(self, points: Numbers) -> Numbers:
        scaled: Numbers = (points - self._centre) / self._scale
        return scaled

    def predict(self, points: Numbers) -> Numbers:
        """Expected quantities, a row per parameter set."""
        products = self._standard(points) @ self._points.T / self._points.shape[1]
        columns = [
            one.middle + one.spread * (_kernel(products, one) @ one.weights) for one in self._processes
        ]
        return np.stack(columns, axis=1)

    def uncertainty(self, points: Numbers) -> Numbers:
        """Standard deviations of the expectations, without the noise of a single simulation."""
        standard = self._standard(points)
        products = standard @ self._points.T / self._points.shape[1]
        own = (standard**2).mean(axis=1)
        columns = []
        for one in self._processes:
            cross = _kernel(products, one)
            solved = np.linalg.solve(one.factor, cross.T)
            variance = _kernel(own, one) - (solved**2).sum(axis=0)
            columns.append(one.spread * np.sqrt(np.maximum(variance, 0.0)))
        return np.stack(columns, axis=1)

    @property
    def noise(self) -> Numbers:
        """Standard deviation of a single simulation around the expectation, per quantity."""
        return np.array([one.noise * one.spread for one in self._processes])


def _kernel(products: Numbers, one: _Process) -> Numbers:
    covariance: Numbers = 1.0 + one.linear * products + one.quadratic * products**2
    return covariance


def _fitted(products: Numbers, column: Numbers) -> _Process:
    middle = float(np.median(column))
    spread = max(float(column.std()), 1e-9)
    standard = (column - middle) / spread
    # Far-off simulations say little about where the fit is good, and much to a Gaussian: they are drawn in.
    standard = np.clip(standard, -3.0, 3.0)
    n = len(column)
    best: tuple[float, _Process] | None = None
    for linear in _LINEAR:
        for quadratic in _QUADRATIC:
            signal = 1.0 + linear * products + quadratic * products**2
            eigenvalues, vectors = np.linalg.eigh(signal)
            eigenvalues = np.maximum(eigenvalues, 0.0)
            projected = vectors.T @ standard
            for noise in _NOISE:
                total = eigenvalues + noise**2
                likelihood = -0.5 * float((projected**2 / total).sum() + np.log(total).sum())
                if best is None or likelihood > best[0]:
                    weights = vectors @ (projected / total)
                    # A square root of signal + noise, for `uncertainty`.
                    factor = vectors * np.sqrt(total)
                    best = (
                        likelihood,
                        _Process(weights, factor, linear, quadratic, noise, middle, spread),
                    )
    if best is None or n == 0:
        raise AssertionError("a grid of kernels was tried")
    return best[1]
