"""The law in plain Python, one cell after the other: slow, readable, and the oracle of the engines.

Nothing here is shared with the engines, and nothing is clever. A tumour is a dictionary of cells; in
a step each living cell divides, dies or stays. Two-hit alterations are a chain of types with a silent
one in the middle, reversible states are types that cells turn into and back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random

Site = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Law:
    """Rates per day and type; `mutation[i][j]` per division, `switching[i][j]` per day."""

    division: Sequence[float]
    death: Sequence[float]
    mutation: Sequence[Sequence[float]]
    switching: Sequence[Sequence[float]]
    dt: float = 1.0

    def event(self, kind: int, rng: Random) -> str:
        """What a cell does in a step: one of three things that exclude each other."""
        drawn = rng.random()
        if drawn < self.division[kind] * self.dt:
            return "divide"
        if drawn < (self.division[kind] + self.death[kind]) * self.dt:
            return "die"
        return "stay"

    def mutant(self, kind: int, rng: Random) -> int | None:
        """Type of the daughter that mutates at a division, if one does; the other is as its mother."""
        drawn = rng.random()
        for other, probability in enumerate(self.mutation[kind]):
            if drawn < probability:
                return other
            drawn -= probability
        return None

    def turned(self, kind: int, rng: Random) -> int:
        """Type of a cell at the end of a step: it turns at most once, by competing hazards."""
        hazard = sum(self.switching[kind])
        if hazard > 0 and rng.random() < 1 - math.exp(-hazard * self.dt):
            return rng.choices(range(len(self.switching)), weights=self.switching[kind])[0]
        return kind


@dataclass
class Cell:
    """A cell, the clone it belongs to (founded by a mutant), and whether it was born mutant just now."""

    kind: int
    clone: int
    new: bool = False
    site: Site = ()


@dataclass
class Tumour:
    """A well-mixed tumour."""

    cells: dict[int, Cell] = field(default_factory=dict)
    clones: int = 0
    born: int = 0
    divisions: int = 0

    def found(self, initial: Sequence[int]) -> None:
        """Put founder cells in, a clone for each type."""
        for kind, cells in enumerate(initial):
            if cells:
                for _ in range(cells):
                    self.add(Cell(kind, self.clones))
                self.clones += 1

    def add(self, cell: Cell) -> None:
        """A new cell."""
        self.cells[self.born] = cell
        self.born += 1

    def step(self, law: Law, rng: Random) -> None:
        """Every cell that lives at the start divides, dies or stays; then old types turn."""
        for name in list(self.cells):
            match law.event(self.cells[name].kind, rng):
                case "divide":
                    self.add(self.daughter(self.cells[name], law, rng))
                case "die":
                    del self.cells[name]
        self.turn(law, rng)

    def daughter(self, mother: Cell, law: Law, rng: Random) -> Cell:
        """The second cell of a division. Which of the two mutates matters in space only."""
        self.divisions += 1
        mutant = law.mutant(mother.kind, rng)
        if mutant is None:
            return Cell(mother.kind, mother.clone)
        self.clones += 1
        return Cell(mutant, self.clones - 1, new=True)

    def turn(self, law: Law, rng: Random) -> None:
        """Reversible turns; mutants born in this step wait for the next."""
        for cell in self.cells.values():
            if not cell.new:
                cell.kind = law.turned(cell.kind, rng)
            cell.new = False

    def counts(self, types: int) -> list[int]:
        """Living cells of each type."""
        kinds = [cell.kind for cell in self.cells.values()]
        return [kinds.count(kind) for kind in range(types)]


@dataclass(kw_only=True)
class Colony(Tumour):
    """A tumour on a lattice, one cell a site; a daughter needs a site."""

    dimensions: int = 2
    neighbourhood: str = "von_neumann"
    placement: str = "random_neighbour"
    depth: int | None = None
    mutant: str = "random"
    at: dict[Site, int] = field(default_factory=dict)

    def add(self, cell: Cell) -> None:
        """A new cell; founders after the first are not placed by this reference."""
        cell.site = cell.site or (0,) * self.dimensions
        assert cell.site not in self.at
        self.at[cell.site] = self.born
        super().add(cell)

    def directions(self) -> list[Site]:
        """Steps to the neighbours."""
        near = [step for step in product((-1, 0, 1), repeat=self.dimensions) if any(step)]
        if self.neighbourhood == "moore":
            return near
        return [step for step in near if sum(map(abs, step)) == 1]

    def step(self, law: Law, rng: Random) -> None:
        """As without space, but events have an order, and a division without room is lost."""
        events = [(rng.random(), name, law.event(cell.kind, rng)) for name, cell in self.cells.items()]
        for _, name, event in sorted(events):
            if event == "die":
                del self.at[self.cells.pop(name).site]
            elif event == "divide" and (site := self.free_site(self.cells[name].site, rng)) is not None:
                mother = self.cells[name]
                daughter = self.daughter(mother, law, rng)
                daughter.site = site
                if daughter.new and self.mutant == "random" and rng.random() < 0.5:
                    # The mutant keeps the place of the mother; both wait for the next step.
                    mother.kind, daughter.kind = daughter.kind, mother.kind
                    mother.clone, daughter.clone = daughter.clone, mother.clone
                    mother.new, daughter.new = daughter.new, mother.new
                self.add(daughter)
        self.turn(law, rng)

    def free_site(self, site: Site, rng: Random) -> Site | None:
        """Where the daughter of a cell on `site` goes, if anywhere."""
        if self.placement == "any_free":
            free = [near for step in self.directions() if (near := moved(site, step, 1)) not in self.at]
            return rng.choice(free) if free else None
        step = rng.choice(self.directions())
        for distance in range(1, (self.depth or 1) + 1):
            if moved(site, step, distance) not in self.at:
                # Push the cells in between outwards, the outermost first.
                for pushed in range(distance - 1, 0, -1):
                    name = self.at.pop(moved(site, step, pushed))
                    self.cells[name].site = moved(site, step, pushed + 1)
                    self.at[self.cells[name].site] = name
                return moved(site, step, 1)
        return None


def moved(site: Site, step: Site, distance: int) -> Site:
    """The site so many steps away."""
    return tuple(x + distance * dx for x, dx in zip(site, step, strict=True))


def lives(
    tumour: Tumour, initial: Sequence[int], phases: Sequence[tuple[int, Law]], rng: Random
) -> Iterator[Tumour]:
    """The tumour at the end of every phase, each a number of steps under a law."""
    tumour.found(initial)
    for steps, law in phases:
        for _ in range(steps):
            tumour.step(law, rng)
        yield tumour
