"""A population with explicit rates as a batch file has it, and what it becomes for `tumor_abm.replicate`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.evolution.replication import Cycle, Phase
from tumor_abm.evolution.space import Space
from tumor_abm.evolution.trait import Trait
from tumor_abm.study.phases import Matrix, PhaseOfRates, StopRule
from tumor_abm.study.study import ScenarioSpace


class StageOfRates(PhaseOfRates):
    """A phase, or, with `phases`, a cycle of phases until a rule of its own.

    Attributes
    ----------
    phases
        Run in order, then from the first again.
    """

    phases: list[PhaseOfRates] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _cycle_without_rates(self) -> StageOfRates:
        spare = self.model_fields_set - {"phases", "until"}
        if self.phases is not None and spare:
            raise ValueError(f"found phases with {sorted(spare)[0]}; allowed: rates within the phases")
        return self

    def stage(self) -> Phase | Cycle:
        """Return the phase or cycle."""
        if self.phases is None:
            return self.phase()
        return Cycle(phases=[phase.phase() for phase in self.phases], until=self.until.until())


class TraitOfCells(Table):
    """A heritable trait, as in `tumor_abm.Trait`.

    Attributes
    ----------
    rate
        The rate that it multiplies.
    drift
        Standard deviation of the change at a division.
    limit
        It stays within this distance of 0.
    """

    rate: Literal["division", "death"] = "division"
    drift: float
    limit: float | None = None


class BarePopulation(Table):
    """Populations with explicit rates, as `tumor_abm.replicate` takes them.

    Attributes
    ----------
    replicates
        Populations of a run.
    until
        End of the first phase.
    division, death
        Per day, one per type.
    initial
        Cells of each type on day 0.
    mutation
        ``[i][j]``: probability per division of ``i`` that one daughter is of type ``j``.
    switching
        ``[i][j]``: hazard per day that a cell of ``i`` turns into ``j``.
    treatment
        Phases and cycles that follow on the first phase.
    restart_on_extinction
        Begin again when the first phase ends in extinction.
    dt
        Step in days.
    engine
        How cells are held: ``clones``, ``cells`` or ``lattice``.
    max_clones
        Living clones of a type that are kept apart.
    trait
        With engine ``cells`` only.
    space
        With engine ``lattice`` only.
    drug_division, drug_death
        Rates of cells that the drug reaches in full.
    phases
        Rows of the table: of the ``last`` phase, or of ``all``.
    max_attempts
        Restarts before giving up.
    """

    replicates: int = Field(default=1_000, ge=1, le=100_000_000)
    until: StopRule
    division: list[float] = Field(min_length=1)
    death: list[float] = Field(min_length=1)
    initial: list[int] = Field(min_length=1)
    mutation: Matrix | None = None
    switching: Matrix | None = None
    treatment: list[StageOfRates] = Field(default_factory=list)
    restart_on_extinction: bool = False
    dt: float = Field(default=1.0, gt=0)
    engine: Literal["clones", "cells", "lattice"] = "clones"
    max_clones: int = Field(default=1, ge=1)
    trait: TraitOfCells | None = None
    space: ScenarioSpace | None = None
    drug_division: list[float] | None = None
    drug_death: list[float] | None = None
    phases: Literal["last", "all"] = "last"
    max_attempts: int = Field(default=1_000_000, ge=1)

    def arguments(self) -> dict[str, Any]:
        """Return all arguments of `tumor_abm.replicate` but ``replicates`` and ``seed``."""
        plain = {key: getattr(self, key) for key in type(self).model_fields if key != "replicates"}
        return plain | {
            "until": self.until.until(),
            "treatment": [stage.stage() for stage in self.treatment],
            "trait": None if self.trait is None else Trait(**self.trait.model_dump()),
            "space": None if self.space is None else Space(**self.space.model_dump()),
        }
