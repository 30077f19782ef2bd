"""The genotypes that lived on each recorded day, in columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np
import polars as pl

from tumor_abm._base.genotype import Genotype, named

Row = tuple[Genotype, int, float]
"""Alterations, cells, and net growth per day."""


class Living:
    """Rows of day, genotype, cells and net growth, in the order of their days.

    The charts ask for the whole table again and again. So it is kept as numbers, of which polars makes a
    table at once, and each genotype is written down once.
    """

    def __init__(self) -> None:
        self._genotypes: dict[Genotype, int] = {}
        self._days, self._codes = array("d"), array("l")
        self._cells, self._net = array("q"), array("d")

    def note(self, day: float, rows: Iterable[Row]) -> None:
        """Add what lives on a day."""
        codes = self._genotypes
        for genotype, cells, net in rows:
            self._days.append(day)
            self._codes.append(codes.setdefault(genotype, len(codes)))
            self._cells.append(cells)
            self._net.append(net)

    def on(self, day: float) -> list[Row]:
        """Return what was noted of a day."""
        known = list(self._genotypes)
        rows = range(bisect_left(self._days, day), bisect_right(self._days, day))
        return [(known[self._codes[row]], self._cells[row], self._net[row]) for row in rows]

    def until(self, day: float) -> Living:
        """Return a copy of what was noted up to a day."""
        other, rows = Living(), slice(bisect_right(self._days, day))
        other._genotypes = dict(self._genotypes)
        other._days, other._codes = self._days[rows], self._codes[rows]
        other._cells, other._net = self._cells[rows], self._net[rows]
        return other

    def table(self) -> pl.DataFrame:
        """Return ``day, genotype, alterations, cells``."""
        known, codes = list(self._genotypes), np.array(self._codes)
        names = pl.Series("genotype", list(map(named, known)), dtype=pl.String)
        alterations = pl.Series("alterations", list(map(list, known)), dtype=pl.List(pl.String))
        return pl.DataFrame(
            [
                pl.Series("day", np.array(self._days)),
                names.gather(codes),
                alterations.gather(codes),
                pl.Series("cells", np.array(self._cells, dtype=float)),
            ]
        )
