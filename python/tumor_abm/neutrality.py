"""Numbers that say how a tumour evolved: the 1/f law of neutral growth, and diversity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOWEST_FREQUENCY, HIGHEST_FREQUENCY = 0.12, 0.24
"""Range of variant allele fractions of Williams et al. 2016."""
NEUTRAL_FROM = 0.98
"""R^2 from which they called a tumour neutral."""

_FEWEST = 12


@dataclass(frozen=True)
class NeutralFit:
    """How well the subclonal mutations of a tumour follow the law of neutral growth.

    Without selection the number of mutations with a variant allele fraction of at least f is
    ``mutation_rate * (1/f - 1/highest)``: Williams et al. 2016, doi:10.1038/ng.3489.

    Attributes
    ----------
    mutation_rate
        Slope: mutations per haploid genome and effective division, i.e. half the mutations of a
        division (of a diploid genome) over the share of lines that survive.
    r_squared
        Share of the variance of the cumulative numbers that the line explains. The line has to pass
        through zero at `highest`, and the variance is that around the mean. NaN with fewer than 12
        mutations.
    mutations
        Number in the range.
    lowest, highest
        Range of variant allele fractions.
    """

    mutation_rate: float
    r_squared: float
    mutations: int
    lowest: float
    highest: float


def cumulative(
    vaf: ArrayLike, *, lowest: float = LOWEST_FREQUENCY, highest: float = HIGHEST_FREQUENCY
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count mutations with at least a variant allele fraction, within a range.

    Returns
    -------
    inverse, numbers
        ``1/f - 1/highest`` of every mutation in the range, rising, and the number of mutations in
        the range that are at least as frequent.
    """
    values = np.asarray(vaf, dtype=float)
    kept = np.sort(values[(values >= lowest) & (values <= highest)])[::-1]
    inverse = 1 / kept - 1 / highest
    return inverse, np.searchsorted(inverse, inverse, side="right")


def neutral_fit(
    vaf: ArrayLike, *, lowest: float = LOWEST_FREQUENCY, highest: float = HIGHEST_FREQUENCY
) -> NeutralFit:
    """Fit the law of neutral growth to variant allele fractions.

    Parameters
    ----------
    vaf
        Of called mutations; divided by the purity of the sample beforehand.
    lowest, highest
        The range that is fitted: above the noise of sequencing, below clonal mutations.
    """
    if not 0 < lowest < highest:
        raise ValueError(f"lowest, highest: found {lowest}, {highest}; allowed: 0 < lowest < highest")
    inverse, numbers = cumulative(vaf, lowest=lowest, highest=highest)
    if inverse.size < _FEWEST:
        return NeutralFit(math.nan, math.nan, inverse.size, lowest, highest)
    slope = float(inverse @ numbers / (inverse @ inverse))
    residual = float(np.sum((numbers - slope * inverse) ** 2))
    whole = float(np.sum((numbers - numbers.mean()) ** 2))
    r_squared = 1 - residual / whole if whole > 0 else math.nan
    return NeutralFit(slope, r_squared, inverse.size, lowest, highest)


def inverse_simpson(sizes: ArrayLike) -> float:
    """Effective number of clones: one over the chance that two cells are of one clone.

    Simpson 1949, doi:10.1038/163688a0. NaN without cells.
    """
    cells = np.asarray(sizes, dtype=float)
    total = cells.sum()
    return float(total**2 / np.sum(cells**2)) if total > 0 else math.nan
