"""Baseline: the law of the lattice, vectorised with numpy.

Rule B can be vectorised without any change of the law. Every event gets a time in the step. A
daughter finds her site free if it was free from the start, or its cell died before; the first
daughter that does so takes it. The box has a size that is set beforehand and is not to be outgrown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class NumpyGrid:
    """Clone numbers (from 1) on the sites of a box, von Neumann neighbours."""

    def __init__(
        self, places: NDArray[np.int32], side: int, division: float, death: float, seed: int
    ) -> None:
        dimensions = places.shape[1]
        self.division, self.death = division, death
        self.rng = np.random.default_rng(seed)
        strides = side ** np.arange(dimensions)
        self.offsets = np.concatenate([strides, -strides])
        self.clone = np.zeros(side**dimensions, dtype=np.uint16)
        self.clone[(places + side // 2) @ strides] = 1
        # The time in the step from which a site is free.
        self.free_from = np.where(self.clone == 0, np.float32(-1), np.float32(2))
        self.first = np.zeros(self.clone.size, dtype=np.int32)

    @property
    def cells(self) -> int:
        return int(np.count_nonzero(self.clone))

    def step(self) -> None:
        cells = np.flatnonzero(self.clone)
        drawn = self.rng.random(cells.size, dtype=np.float32)
        dividing = cells[drawn < self.division]
        dying = cells[(drawn >= self.division) & (drawn < self.division + self.death)]
        self.free_from[dying] = self.rng.random(dying.size, dtype=np.float32)
        times = self.rng.random(dividing.size, dtype=np.float32)
        sites = dividing + self.offsets[self.rng.integers(self.offsets.size, size=dividing.size)]
        tried = np.flatnonzero(self.free_from[sites] < times)
        mothers, sites = dividing[tried], sites[tried]
        # Of several daughters on one site the earliest is written last.
        latest_first = np.argsort(-times[tried])
        self.first[sites[latest_first]] = latest_first
        placed = self.first[sites] == np.arange(sites.size)
        daughters = self.clone[mothers[placed]]
        self.clone[dying] = 0
        self.free_from[dying] = -1
        self.clone[sites[placed]] = daughters
        self.free_from[sites[placed]] = 2
