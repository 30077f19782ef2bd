"""Numbers that say how a tumour evolved: the 1/f law of neutral growth, and diversity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumor_abm._base.arguments import is_real, numbers, whole
from tumor_abm._base.sums import dot, total
from tumor_abm.errors import InputError

LOWEST_FREQUENCY, HIGHEST_FREQUENCY = 0.12, 0.24
"""Range of variant allele fractions of Williams et al. 2016."""
NEUTRAL_FROM = 0.98
"""R^2 from which they called a tumour neutral; it holds for `NeutralFit.r_squared`, which is theirs."""
GRID_STEP = 0.001
"""Distance of the variant allele fractions at which mutations are counted, as in neutralitytestr."""

_FEWEST, _MOST_BINS = 12, 1_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NeutralFit:
    """How well the subclonal mutations of a tumour follow the law of neutral growth.

    Without selection the number of mutations with a variant allele fraction above f, up to
    `highest`, is ``M(f) = mutation_rate * (1/f - 1/highest)``: Williams et al. 2016,
    doi:10.1038/ng.3489. The statistics are those of their R package neutralitytestr 0.0.3. All are
    NaN with fewer than 12 mutations.

    Attributes
    ----------
    mutation_rate
        Slope of the least-squares line through the origin: mutations per haploid genome and
        effective division, i.e. half the mutations of a division (of a diploid genome) over the
        share of lines that survive.
    r_squared
        Of that line, as R gives it for ``lm(y ~ x + 0)``: one less the residual sum of squares over
        the sum of squares *around zero*. It is higher than an R^2 around the mean.
    area
        Between the normalised curves, ``M(f)`` over its largest value and the law: the difference of
        their integrals over ``1/f - 1/highest``, as a share of that range. What lies above and what
        lies below the law cancel.
    kolmogorov_distance
        Largest distance of the cumulative shares of mutations from the law.
    mean_distance
        Mean distance of the normalised curves over the grid of fractions.
    mutations
        Number in the range.
    lowest, highest
        Range of variant allele fractions.
    """

    mutation_rate: float
    r_squared: float
    area: float
    kolmogorov_distance: float
    mean_distance: float
    mutations: int
    lowest: float
    highest: float


def cumulative(
    vaf: ArrayLike, *, lowest: float = LOWEST_FREQUENCY, highest: float = HIGHEST_FREQUENCY
) -> tuple[Floats, NDArray[np.int64]]:
    """Count mutations above a variant allele fraction, within a range.

    Returns
    -------
    inverse, numbers
        ``1/f - 1/highest`` for f from `highest` down to `lowest` by 0.001, and the number of
        mutations with a fraction above f and at most `highest`.
    """
    rising = _fractions(vaf, lowest, highest)
    steps = int((highest - lowest) / GRID_STEP + 1e-10)
    fractions = highest - GRID_STEP * np.arange(steps + 1)
    above = rising.size - np.searchsorted(rising, fractions, side="right")
    return 1 / fractions - 1 / highest, above - above[0]


def spectrum(vaf: ArrayLike, *, bins: int = 50) -> tuple[Floats, NDArray[np.int64]]:
    """Count mutations by variant allele fraction, in bins of one width from 0 to 1.

    Parameters
    ----------
    vaf
        Of called mutations; what is missing (null, NaN) is passed over.
    bins
        How many.

    Returns
    -------
    edges, numbers
        Of the bins, ``bins + 1`` and ``bins`` of them; a fraction on an edge belongs to the bin above it,
        1 to the last.
    """
    values = _fractions(vaf, LOWEST_FREQUENCY, HIGHEST_FREQUENCY)
    counted, edges = np.histogram(values[np.isfinite(values)], whole("bins", bins, 1, _MOST_BINS), (0.0, 1.0))
    return edges, counted.astype(np.int64)


def neutral_fit(
    vaf: ArrayLike, *, lowest: float = LOWEST_FREQUENCY, highest: float = HIGHEST_FREQUENCY
) -> NeutralFit:
    """Fit the law of neutral growth to variant allele fractions.

    Parameters
    ----------
    vaf
        Of called mutations; divided by the purity of the sample beforehand. What is missing (null, NaN)
        is passed over.
    lowest, highest
        The range that is fitted: above the noise of sequencing, below clonal mutations.
    """
    values = _fractions(vaf, lowest, highest)
    within = values[(values > lowest) & (values < highest)]
    inverse, numbers = cumulative(values, lowest=lowest, highest=highest)
    if within.size < _FEWEST or numbers[-1] == 0:
        nan = math.nan
        return NeutralFit(nan, nan, nan, nan, nan, within.size, lowest, highest)
    slope = dot(inverse, numbers) / dot(inverse, inverse)
    residual = total((numbers - slope * inverse) ** 2)
    span = 1 / lowest - 1 / highest
    expected, observed = inverse / span, numbers / numbers[-1]
    return NeutralFit(
        mutation_rate=slope,
        r_squared=1 - residual / dot(numbers, numbers),
        area=abs(_area(expected - observed, inverse)) / span,
        kolmogorov_distance=_kolmogorov(1 - (1 / within - 1 / highest) / span),
        mean_distance=total(np.abs(expected - observed)) / expected.size,
        mutations=within.size,
        lowest=lowest,
        highest=highest,
    )


def _area(heights: Floats, at: Floats) -> float:
    """Area below straight lines between points."""
    return dot(np.diff(at), (heights[1:] + heights[:-1]) / 2)


def _fractions(vaf: ArrayLike, lowest: float, highest: float) -> Floats:
    """Return fractions in rising order, once they and the range are found to be such."""
    if not (is_real(lowest) and is_real(highest) and 0 < lowest < highest <= 1):
        found = f"found {lowest!r}, {highest!r}"
        raise InputError(f"lowest, highest: {found}; allowed: 0 < lowest < highest <= 1")
    values = numbers("vaf", vaf)
    if values.ndim != 1:
        raise InputError(f"vaf: found shape {values.shape}; allowed: a list of fractions")
    return np.sort(values)


def _kolmogorov(expected: Floats) -> float:
    """Largest distance of the empirical distribution from the shares expected at its points, rising."""
    points = np.arange(expected.size + 1) / expected.size
    return float(max((points[1:] - expected).max(), (expected - points[:-1]).max()))


def inverse_simpson(sizes: ArrayLike) -> float:
    """Effective number of clones: one over the chance that two cells are of one clone.

    Simpson 1949, doi:10.1038/163688a0. NaN without cells.
    """
    cells = numbers("sizes", sizes)
    of_all = total(cells)
    return of_all**2 / dot(cells, cells) if of_all > 0 else math.nan
