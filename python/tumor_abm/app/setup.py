"""Who the patient is and what is planned, as chosen on the page; and the model that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tumor_abm.app.catalogue import Catalogue
from tumor_abm.errors import InputError
from tumor_abm.model import TumorModel

OWN_LINES = "my own lines"
"""Choice of a strategy that is composed on the page."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is chosen on the page.

    Attributes
    ----------
    patient
        Number of the patient in the population.
    seed
        As typed.
    population
        Name of the population.
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
    strategy: str
    lines: tuple[tuple[str, ...], ...] = (("letrozole", "palbociclib"), ("fulvestrant",))
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
        return TumorModel(
            catalogue.tables,
            patient=self.patient,
            strategy=self.plan(),
            mutation_rate=self.mutation_rate,
            rng=seed_of(self.seed),
            collect_every_days=0,
            **options,
        )

    def plan(self) -> str | list[list[str]]:
        """Return the strategy as a model takes it.

        Raises
        ------
        InputError
            A composed line has no drug.
        """
        return self.strategy if self.strategy != OWN_LINES else lines_of(self.lines)


def lines_of(lines: tuple[tuple[str, ...], ...]) -> list[list[str]]:
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
        It is no whole number from 0 to 2^63 - 1.
    """
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit() and len(stripped) < 20 and int(stripped) < 2**63):
        raise InputError(key="seed", found=text[:40], allowed="a whole number from 0 to 2^63 - 1, e.g. 42")
    return int(stripped)
