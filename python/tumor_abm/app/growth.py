"""The growth of a tumour from one cell to enrolment, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumor_abm._base.genotype import Genotype
from tumor_abm.model import TumorModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Growth:
    """When each genotype of the first day had its first cell of those that live on, and how many it has.

    What was between is not known: a straight line on a log scale is drawn through it.

    Attributes
    ----------
    born_day
        Days since enrolment, negative, by genotype.
    cells
        Living cells on the first day, by genotype.
    """

    born_day: dict[Genotype, float]
    cells: dict[Genotype, int]

    @classmethod
    def of(cls, model: TumorModel) -> Growth:
        """Return the growth of a patient who is at the first day."""
        born: dict[Genotype, float] = {}
        cells: dict[Genotype, int] = {}
        for carried, day, number in model.clones["alterations", "born_day", "cells"].iter_rows():
            genotype = tuple(carried)
            born[genotype] = min(day, born.get(genotype, day))
            cells[genotype] = cells.get(genotype, 0) + number
        return cls(born, cells)

    @property
    def first_day(self) -> float:
        """Day of the first cell; 0 if there is no tumour."""
        return min(self.born_day.values(), default=0.0)

    def days(self, points: int) -> Floats:
        """Return days from the first cell to enrolment, evenly spread; none if there was no growth."""
        if self.first_day >= 0:
            return np.empty(0)
        return np.linspace(self.first_day, 0.0, points)

    def on(self, genotype: Genotype, days: Floats) -> Floats:
        """Return the cells of a genotype before enrolment: 1 when it was born, straight in logs since."""
        born, cells = self.born_day.get(genotype, 0.0), self.cells.get(genotype, 0)
        if born >= 0 or cells < 1:
            return np.zeros(len(days))
        grown = np.exp(np.log(cells) * (days - born) / -born)
        return np.where(days < born, 0.0, grown)
