"""Baseline: the law of the lattice as a plain Mesa model, an agent for every cell."""

from __future__ import annotations

from collections.abc import Sequence

import mesa
from mesa.discrete_space import CellAgent, OrthogonalMooreGrid


class TumourCell(CellAgent):
    """A cell that knows its clone; it divides into a free neighbouring site (rule C)."""

    def __init__(self, model: MesaGrid, site: object, clone: int) -> None:
        super().__init__(model)
        self.clone = clone
        self.cell = site

    def act(self) -> None:
        drawn = self.random.random()
        if drawn < self.model.death:
            self.remove()
        elif drawn < self.model.death + self.model.division:
            free = [site for site in self.cell.neighborhood if site.is_empty]
            if free:
                TumourCell(self.model, self.random.choice(free), self.clone)


class MesaGrid(mesa.Model):
    """Cells act in random order, each once a step; newborns wait for the next step."""

    def __init__(
        self, places: Sequence[tuple[int, ...]], side: int, division: float, death: float, seed: int
    ) -> None:
        super().__init__(seed=seed)
        self.division, self.death = division, death
        dimensions = len(places[0])
        self.grid = OrthogonalMooreGrid((side,) * dimensions, torus=False, capacity=1, random=self.random)
        for place in places:
            TumourCell(self, self.grid[tuple(x + side // 2 for x in place)], clone=0)

    def step(self) -> None:
        self.agents.shuffle_do("act")
