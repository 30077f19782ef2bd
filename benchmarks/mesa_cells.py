"""Baseline: the law for individual cells as a plain Mesa model, well mixed."""

from __future__ import annotations

import mesa


class Cell(mesa.Agent):
    """A cell that knows its clone."""

    def __init__(self, model: MesaCells, clone: int) -> None:
        super().__init__(model)
        self.clone = clone

    def act(self) -> None:
        drawn = self.random.random()
        if drawn < self.model.division:
            Cell(self.model, self.clone)
        elif drawn < self.model.division + self.model.death:
            self.remove()


class MesaCells(mesa.Model):
    """Cells that do not see each other, so their order does not matter and is not shuffled."""

    def __init__(self, cells: int, division: float, death: float, seed: int) -> None:
        super().__init__(seed=seed)
        self.division, self.death = division, death
        Cell.create_agents(self, cells, clone=0)

    def step(self) -> None:
        self.agents.do("act")
