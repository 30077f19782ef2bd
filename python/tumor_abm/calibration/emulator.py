"""A fast stand-in for the simulation: what it would give for parameters it was not run with.

Every simulated parameter set gives shares of its few patients, which are right on average: medians, hazard
ratios and the loss are not, and are made of what the emulator gives. A Gaussian process per output, whose
kernel holds all linear, quadratic and product terms of the parameters, shrunk by their likelihood, averages
the noise over all sets: it says more than the loss of the best set found (Kennedy & O'Hagan 2001, J R Stat
Soc B 63:425; Vernon et al. 2010, Bayesian Anal 5:619). A few parameters move everything and most move little:
which ones is learnt from all outputs together, and counts in the kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_Kernel = tuple[float, float]
"""Weights of the linear and of the quadratic terms."""

_LINEAR = (0.1, 0.3, 1.0)
_QUADRATIC = (0.0, 0.03, 0.1, 0.3)
_KERNELS: tuple[_Kernel, ...] = tuple(product(_LINEAR, _QUADRATIC))
_SHARED = (0.0, 0.4, 0.7, 0.85)
"""Shares of the noise that sets of the same patients may have in common; the likeliest is taken."""
_ROUNDS = 2
"""Times that the relevance of the parameters is learnt."""
_ENOUGH = 2
"""Sets per parameter from which on it can be learnt."""
_LEAST_RELEVANCE = 0.3
_NOISE = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


class Emulator:
    """Gaussian processes of all outputs over the parameters.

    Parameters
    ----------
    points
        Parameter sets, a row each, as shares of the ranges.
    values
        Outputs, a row per parameter set; NaN where a simulation said nothing of one.
    patients
        How many each set was simulated with: few make more noise. None: the same for all.
    seeds
        Names the patients: sets of the same seed share theirs, and part of the noise. None: no two do.
    """

    def __init__(
        self,
        points: Numbers,
        values: Numbers,
        *,
        patients: NDArray[np.int64] | None = None,
        seeds: NDArray[np.int64] | None = None,
    ) -> None:
        number = len(points)
        patients = np.ones(number, dtype=np.int64) if patients is None else patients
        seeds = np.arange(number) if seeds is None else seeds
        self._whitening = [_whitening(patients, seeds, shared) for shared in _SHARED]
        self._centre = points.mean(axis=0)
        spread = np.maximum(points.std(axis=0), 1e-9)
        self.relevance: Numbers = np.ones_like(spread)
        """How much the outputs move with each parameter, squared; 1 on average."""
        rounds = _ROUNDS if len(points) >= _ENOUGH * points.shape[1] else 0
        for _ in range(rounds):
            self._scale = spread / np.sqrt(self.relevance)
            self._learn(self._standard(points), values)
            self.relevance = self._relevance(spread)
        self._scale = spread / np.sqrt(self.relevance)
        self._learn(self._standard(points), values)

    def _learn(self, points: Numbers, values: Numbers) -> None:
        self._points = points
        silent = np.isnan(values)
        said = np.maximum((~silent).sum(axis=0), 1)
        self._middle: Numbers = np.where(silent, 0.0, values).sum(axis=0) / said
        values = np.where(silent, self._middle, values)
        spread = np.maximum(values.std(axis=0), 1e-9)
        standard = (values - self._middle) / spread
        products = points @ points.T / points.shape[1]
        fits = [_likeliest(_whitened(products, white), white @ standard) for white in self._whitening]
        stretched = [values.shape[1] * float(np.log(np.diag(white)).sum()) for white in self._whitening]
        place = int(np.argmax([fit[2] + more for fit, more in zip(fits, stretched, strict=True)]))
        white, (self._kernels, noise, _) = self._whitening[place], fits[place]
        self.shared = _SHARED[place]
        """Share of the noise that simulations of the same patients have in common."""
        self.noise: Numbers = noise * spread
        """Standard deviation of a single simulation of the usual number of patients, per output."""
        self._weights = np.zeros_like(values)
        parts = _whitened(products, white)
        for kernel, columns in self._by_kernel():
            eigenvalues, vectors = np.linalg.eigh(_covariance(parts, kernel))
            total = np.maximum(eigenvalues, 0.0)[:, None] + noise[columns] ** 2
            projected = vectors.T @ (white @ standard[:, columns]) / total
            self._weights[:, columns] = white.T @ (vectors @ projected) * spread[columns]

    def _relevance(self, spread: Numbers) -> Numbers:
        """Squared slopes over the sets, averaged over all outputs (automatic relevance, MacKay 1994)."""
        steps = np.diag(spread)
        here, up, down = (self.predict(self._centre + step) for step in (0 * steps, steps, -steps))
        slopes, bends = (up - down) / 2, up + down - 2 * here
        squared = (slopes**2 + bends**2).mean(axis=1)
        found = squared / max(float(squared.mean()), 1e-300) + _LEAST_RELEVANCE
        relevance: Numbers = found / found.mean()
        return relevance

    def distance(self, points: Numbers, middle: Numbers) -> Numbers:
        """Root mean square distance, in standard deviations of the sets, weighted by relevance."""
        found: Numbers = np.sqrt((((points - middle) / self._scale) ** 2).mean(axis=1))
        return found

    def _standard(self, points: Numbers) -> Numbers:
        scaled: Numbers = (points - self._centre) / self._scale
        return scaled

    def _by_kernel(self) -> Iterator[tuple[_Kernel, NDArray[np.intp]]]:
        """Columns of the outputs that have a kernel."""
        for i, kernel in enumerate(_KERNELS):
            columns = np.flatnonzero(self._kernels == i)
            if len(columns):
                yield kernel, columns

    def predict(self, points: Numbers) -> Numbers:
        """Return expected outputs, a row per parameter set."""
        products = self._standard(points) @ self._points.T / self._points.shape[1]
        found: Numbers = np.tile(self._middle, (len(points), 1))
        for kernel, columns in self._by_kernel():
            found[:, columns] += _covariance(_parts(products), kernel) @ self._weights[:, columns]
        return found


_Parts = tuple[Numbers, Numbers, Numbers]
"""Constant, linear and quadratic part of a covariance."""


def _parts(products: Numbers) -> _Parts:
    return np.ones_like(products), products, products**2


def _covariance(parts: _Parts, kernel: _Kernel) -> Numbers:
    constant, linear, quadratic = parts
    covariance: Numbers = constant + kernel[0] * linear + kernel[1] * quadratic
    return covariance


def _whitening(patients: NDArray[np.int64], seeds: NDArray[np.int64], shared: float) -> Numbers:
    """Matrix that makes noise of the simulations independent, and of the variance of the usual number."""
    common = np.where(seeds[:, None] == seeds, shared, 0.0)
    np.fill_diagonal(common, 1.0)
    few = np.sqrt(np.median(patients) / patients)
    found: Numbers = np.linalg.inv(np.linalg.cholesky(common * np.outer(few, few)))
    return found


def _whitened(products: Numbers, white: Numbers) -> _Parts:
    constant, linear, quadratic = (white @ part @ white.T for part in _parts(products))
    return constant, linear, quadratic


def _likeliest(parts: _Parts, standard: Numbers) -> tuple[NDArray[np.intp], Numbers, float]:
    """Kernel (its place) and noise that are likeliest, per output, and the likelihood of all outputs."""
    likelihoods = []
    for kernel in _KERNELS:
        eigenvalues, vectors = np.linalg.eigh(_covariance(parts, kernel))
        projected = (vectors.T @ standard) ** 2
        for noise in _NOISE:
            total = np.maximum(eigenvalues, 0.0) + noise**2
            likelihoods.append(-0.5 * ((1 / total) @ projected + np.log(total).sum()))
    kernels, noises = np.divmod(np.argmax(likelihoods, axis=0), len(_NOISE))
    return kernels, np.array(_NOISE)[noises], float(np.max(likelihoods, axis=0).sum())
