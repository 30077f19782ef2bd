"""Who the patient is and what is planned, as chosen on the page; and the model that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tumor_abm._base import seeds
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.errors import InputError, StepTooLongError
from tumor_abm.evolution.space import Space
from tumor_abm.model import TumorModel

OWN_LINES = "my own lines"
"""Choice of a strategy that is composed on the page."""

ENGINES = {
    "clones": "clones: counts, any size",
    "cells": "cells: each one, well mixed",
    "lattice 2-D": "lattice, flat: each has a place",
    "lattice 3-D": "lattice, solid: each has a place",
}
"""Choices of an engine, in words."""

INDIVIDUALS = (20_000, 200_000, 1_000_000, 10_000_000)
"""Choices of the number of cells held one by one in a tumour of lethal size."""

RATES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Choices of the factor on all mutation probabilities."""

_DEPTH = 10


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is chosen on the page.

    Attributes
    ----------
    patient
        Number of the patient in the population.
    seed
        As typed.
    population
        Name of the population.
    engine
        One of `ENGINES`.
    cells
        Of the engines that hold each cell: how many a tumour of lethal size has. Each stands for more.
    strategy
        Name of an arm, or `OWN_LINES`.
    lines
        Drugs of the composed lines.
    founder
        Alterations of the first cell; ``None``: drawn.
    mutation_rate
        Factor on all mutation probabilities.
    covariates
        Values that replace drawn ones.
    """

    patient: int = 2
    seed: str = "1"
    population: str
    engine: str = "clones"
    cells: int = INDIVIDUALS[1]
    strategy: str
    lines: tuple[tuple[str, ...], ...] = ()
    founder: tuple[str, ...] | None = None
    mutation_rate: float = 1.0
    covariates: dict[str, Any] = field(default_factory=dict)

    def model(self, catalogue: Catalogue) -> TumorModel:
        """Grow the patient's tumour and start the first line.

        Raises
        ------
        InputError
            A choice cannot be followed; the message says which.
        """
        options: dict[str, Any] = {}
        if self.population != catalogue.experiment.population_name:
            options["population"] = self.population
        if self.founder is not None:
            options["founder"] = list(self.founder)
        if self.covariates:
            options["covariates"] = dict(self.covariates)
        if self.engine not in ENGINES:
            raise InputError(key="engine", found=self.engine, allowed=ENGINES)
        tables = self.engine_tables()
        if "lattice" in tables:
            options["space"] = Space(**tables["lattice"])
        if tables:
            options |= {"engine": tables["engine"], "cells": tables["most_cells"]}
        try:
            return TumorModel(
                catalogue.tables,
                patient=self.patient,
                strategy=self.plan(),
                mutation_rate=self.mutation_rate,
                rng=seed_of(self.seed),
                collect_every_days=0,
                **options,
            )
        except StepTooLongError as error:
            raise InputError(too_fast(error)) from None

    def engine_tables(self) -> dict[str, Any]:
        """Return what an experiment says of the engine; nothing of the usual one."""
        if self.engine == "clones":
            return {}
        tables: dict[str, Any] = {"engine": self.engine.split()[0], "most_cells": self.cells}
        if self.engine.startswith("lattice"):
            tables["lattice"] = {
                "dimensions": 3 if self.engine.endswith("3-D") else 2,
                "neighbourhood": "moore",
                "placement": "push",
                "depth": _DEPTH,
            }
        return tables

    @property
    def individuals(self) -> int:
        """Cells that a tumour of lethal size holds one by one."""
        return 0 if self.engine == "clones" else self.cells

    def plan(self) -> str | list[list[str]]:
        """Return the strategy as a model takes it.

        Raises
        ------
        InputError
            A composed line has no drug.
        """
        return self.strategy if self.strategy != OWN_LINES else lines_of(self.lines)


def lines_of(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return composed lines as a model takes them.

    Raises
    ------
    InputError
        There is none, or one has no drug.
    """
    if not lines:
        raise InputError("compose at least one line of therapy", key="strategy")
    for number, drugs in enumerate(lines, 1):
        if not drugs:
            raise InputError(f"line {number} has no drug; choose one, or remove the line", key="strategy")
    return [list(drugs) for drugs in lines]


def seed_of(text: str) -> int:
    """Return the seed that was typed.

    Raises
    ------
    InputError
        It is no whole number from 0 to 2^64 - 1.
    """
    stripped = text.strip()
    if not (
        stripped.isascii() and stripped.isdigit() and len(stripped) <= 20 and int(stripped) <= seeds.MOST
    ):
        raise InputError(key="seed", found=text[:40], allowed=f"{seeds.ALLOWED}, e.g. 42")
    return int(stripped)


def too_fast(error: StepTooLongError) -> str:
    """Say that cells act too often for a step, and what would do."""
    return (
        f"Cells would act too often for steps of {error.dt:g} day: {error.division:.2g} divisions and "
        f"{error.death:.2g} deaths per cell and day. Slower growth or a lower turnover would do; in an "
        f"experiment file, steps of at most {error.longest:.2g} day."
    )
