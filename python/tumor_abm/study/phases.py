"""Phases of growth and treatment as files have them, and what they become."""

from __future__ import annotations

from pydantic import Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.evolution.replication import Phase, Until

Matrix = list[list[float]]


class StopRule(Table):
    """When a phase ends, as in `tumor_abm.Until`.

    Attributes
    ----------
    total
        At least so many living cells.
    counts
        Type (from 0) to number: at least so many living cells of it.
    below
        At most so many living cells, but at least one.
    extinct
        No living cell.
    day
        So many days since the phase began.
    """

    total: float | None = None
    counts: dict[str, float] = Field(default_factory=dict)
    below: float | None = None
    extinct: bool = True
    day: float | None = None

    @model_validator(mode="after")
    def _types(self) -> StopRule:
        for key in self.counts:
            if not (key.isascii() and key.isdigit()):
                raise ValueError(f'counts: found "{key}"; allowed: the number of a type, from 0')
        return self

    def until(self) -> Until:
        """Return the rule."""
        counts = {int(key): cells for key, cells in self.counts.items()}
        return Until(total=self.total, counts=counts, below=self.below, extinct=self.extinct, day=self.day)


class PhaseOfRates(Table):
    """A stretch of time under constant rates; what is absent stays as in the phase before.

    Attributes
    ----------
    division, death
        Per day, one per type.
    mutation, switching
        A row per type.
    drug_division, drug_death
        Rates of cells that the drug reaches in full.
    until
        When it ends, counted from its start.
    """

    division: list[float] | None = None
    death: list[float] | None = None
    mutation: Matrix | None = None
    switching: Matrix | None = None
    drug_division: list[float] | None = None
    drug_death: list[float] | None = None
    until: StopRule = Field(default_factory=StopRule)

    def phase(self) -> Phase:
        """Return the phase."""
        rates = {key: getattr(self, key) for key in PhaseOfRates.model_fields if key != "until"}
        return Phase(**rates, until=self.until.until())
