"""Baseline: the law for individual cells, vectorised with numpy."""

from __future__ import annotations

import numpy as np


class NumpyCells:
    """Cells as an array of clone numbers. The law looks at every cell of every step."""

    def __init__(self, cells: int, division: float, death: float, seed: int) -> None:
        self.clone = np.zeros(cells, dtype=np.uint32)
        self.division, self.death = division, death
        self.rng = np.random.default_rng(seed)

    def step(self) -> None:
        drawn = self.rng.random(self.clone.size, dtype=np.float32)
        daughters = self.clone[drawn < self.division]
        dead = (drawn >= self.division) & (drawn < self.division + self.death)
        self.clone = np.concatenate([self.clone[~dead], daughters])


class NumpyEvents(NumpyCells):
    """The same law with draws for events only: how many, then which; daughters take dead cells' places."""

    def step(self) -> None:
        n = self.clone.size
        divided = self.rng.binomial(n, self.division)
        died = self.rng.binomial(n - divided, self.death / (1 - self.division))
        chosen = self.rng.choice(n, divided + died, replace=False)
        daughters, dead = self.clone[chosen[:divided]], chosen[divided:]
        reused = min(divided, died)
        self.clone[dead[:reused]] = daughters[:reused]
        if divided > died:
            self.clone = np.concatenate([self.clone, daughters[reused:]])
        elif died > divided:
            self.clone = np.delete(self.clone, dead[reused:])
