"""Which values of a long curve are drawn, when more are known than can be told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def extremes(values: ArrayLike, points: int, *, steady: bool = False) -> NDArray[np.intp]:
    """Return the places of about so many values, among them every dip, peak and gap that can be seen.

    Of each of `points` / 2 stretches the least and the greatest value are drawn, since every n-th value would
    miss what passes in between; of the whole, the first and the last. A gap, which is what is not a number,
    is drawn with the values at its edges.

    With `steady` a curve that grows keeps what is drawn of it but for its end, until there are twice as many
    values: stretches are as long as a power of two.

    Examples
    --------
    >>> extremes([5, 5, 0, 5, 5, 5, 5, 9, 5, 5], 4).tolist()
    [0, 2, 5, 7, 9]
    """
    drawn = np.asarray(values, dtype=float)
    if drawn.size <= points:
        return np.arange(drawn.size)
    gap = np.isnan(drawn)
    edges = np.flatnonzero(gap[1:] != gap[:-1])
    if steady:
        starts = np.arange(0, drawn.size, _doubled(drawn.size, points // 2))
    else:
        starts = np.linspace(0, drawn.size, points // 2, endpoint=False).astype(int)
    least = _first_of_each(np.where(gap, np.inf, drawn), np.minimum, starts, gap)
    greatest = _first_of_each(np.where(gap, -np.inf, drawn), np.maximum, starts, gap)
    return np.unique(np.concatenate([[0, drawn.size - 1], edges, edges + 1, least, greatest])).astype(np.intp)


def _first_of_each(
    values: NDArray[np.float64], extreme: np.ufunc, starts: NDArray[np.intp], gap: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return where each stretch has its extreme first; of one that is all gap, nothing."""
    lengths = np.diff(starts, append=values.size)
    is_extreme = (values == np.repeat(extreme.reduceat(values, starts), lengths)) & ~gap
    places = np.flatnonzero(is_extreme)
    _, first = np.unique(np.repeat(np.arange(starts.size), lengths)[places], return_index=True)
    return places[first]


def _doubled(count: int, stretches: int) -> int:
    """Return the least power of two of which no more than so many make up a count."""
    return 1 << max(0, (-(-count // max(stretches, 1)) - 1).bit_length())


def steadily(count: int, points: int) -> NDArray[np.intp]:
    """Return at most so many places of `count`, evenly but for the last one.

    Of a greater count they are the same and a new last one, until there are twice as many.

    Examples
    --------
    >>> steadily(10, 4).tolist(), steadily(12, 4).tolist()
    ([0, 4, 8, 9], [0, 4, 8, 11])
    """
    if count <= points:
        return np.arange(count)
    return np.unique([*range(0, count, _doubled(count, points - 1)), count - 1]).astype(np.intp)


def evenly(count: int, points: int) -> NDArray[np.intp]:
    """Return so many places of `count`, as far apart as can be, the first and the last among them.

    Examples
    --------
    >>> evenly(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, count - 1, min(count, points)).round().astype(np.intp))
