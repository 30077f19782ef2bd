"""A share of some patients, and how well so many tell it."""

from __future__ import annotations

import math

import polars as pl

from tumor_abm.analysis.survival import NORMAL_95


def share_limits(share: float, n: float) -> tuple[float, float]:
    """Return the 95% limits of a share that was found among `n` (Wilson 1927).

    Parameters
    ----------
    share
        Found, from 0 to 1.
    n
        Among how many, at least 1.

    Examples
    --------
    >>> [round(limit, 3) for limit in share_limits(0.0, 10)]
    [0.0, 0.278]
    """
    spread = NORMAL_95**2 / n
    middle = (share + spread / 2) / (1 + spread)
    width = NORMAL_95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - width), min(1.0, middle + width)


def percent_limits(percent: float | None, n: int) -> tuple[float | None, float | None]:
    """Return the 95% limits of a percentage found among `n`; nothing of nobody."""
    if percent is None or n == 0:
        return None, None
    low, high = share_limits(percent / 100, n)
    return 100 * low, 100 * high


def with_limits(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return a table with the limits of its percentages of ``n``, each beside it.

    Parameters
    ----------
    table
        With the column ``n``.
    names
        Columns of percentages, ``NAME_pct``; their limits are ``NAME_lo`` and ``NAME_hi``.
    """
    limits = {
        stem: [percent_limits(*row) for row in table.select(f"{stem}_pct", "n").iter_rows()]
        for stem in (name.removesuffix("_pct") for name in names)
    }
    beside = [
        pl.Series(f"{stem}_{end}", [pair[place] for pair in pairs], pl.Float64)
        for stem, pairs in limits.items()
        for place, end in enumerate(("lo", "hi"))
    ]
    order = [
        each
        for name in table.columns
        for each in (name, *(f"{name[:-4]}_{end}" for end in ("lo", "hi") if name in names))
    ]
    return table.with_columns(beside).select(order)
