"""What a batch moves: an experiment, a study of clonal evolution, or a population with explicit rates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import polars as pl
from pydantic import ValidationError

import tumor_abm._core as _core
from tumor_abm._base.problems import Problems
from tumor_abm._base.table import Table
from tumor_abm.batch.bare_population import BarePopulation
from tumor_abm.config import Experiment
from tumor_abm.config.written import Written
from tumor_abm.errors import EngineError, InputError
from tumor_abm.evolution.replication import replicate
from tumor_abm.knowledge import Knowledge
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.experiment import checked_spec, knowing
from tumor_abm.run.side_by_side import Stopped
from tumor_abm.run.tables import Tables, simulate
from tumor_abm.study.study import Study, StudyFile
from tumor_abm.study.tumour import simulate as grow

NO_SEED = 0
"""Of a base, whose runs have seeds of their own."""


class Ready(Protocol):
    """A base with the values of a point, found sound."""

    @property
    def size(self) -> int:
        """Patients, tumours or populations of a run."""

    @property
    def types(self) -> int:
        """Cell types of its tables, if these have a column for each."""

    def run(self, seed: int, stopped: Stopped, size: int | None = None) -> Tables:
        """Run it, or only so many patients, tumours or populations of it."""


@dataclass(frozen=True)
class Base(ABC):
    """A kind of question, as tables with all defaults written out."""

    tables: Mapping[str, Any]

    kind: ClassVar[str]
    known: ClassVar[tuple[str, ...]]
    kept: ClassVar[tuple[str, ...]]
    model: ClassVar[type[Table]]
    holds_lock: ClassVar[bool] = False
    """Whether a run holds the interpreter's lock for much of its time, so that threads would wait."""

    @abstractmethod
    def at(self, tables: Mapping[str, Any]) -> Ready:
        """Check the base with other values.

        Raises
        ------
        InputError
            A value is refused; the key is named.
        """


@dataclass
class ReadyExperiment:
    """An experiment that was found sound.

    Attributes
    ----------
    experiment
        The experiment.
    screened
        Whether of every history somebody was found eligible.
    """

    experiment: Experiment
    screened: bool = False

    @property
    def size(self) -> int:
        """Number of patients."""
        return self.experiment.patients

    @property
    def types(self) -> int:
        """No table has a column for each."""
        return 0

    def run(self, seed: int, stopped: Stopped, size: int | None = None) -> Tables:
        """Let the first patients live all arms, on one thread.

        Raises
        ------
        InputError
            Of a history hardly anybody is eligible, so that patients would be sought for ever.
        """
        if not self.screened:  # by the seed of the base, so that all runs of a point fare alike
            _core.Experiment(checked_spec(self.experiment)).screen(1, _told(stopped))
            self.screened = True
        spec = checked_spec(replace(self.experiment, seed=seed))
        return simulate(spec, Chunk(0, size or self.size), threads=1, progress=_told(stopped))


@dataclass(frozen=True)
class ExperimentBase(Base):
    """Experiments: patients who live through strategies."""

    open: Experiment | None = None
    """As written, which may leave numbers open."""

    kind = "experiment"
    known = (
        *("patients", "outcomes", "overall", "assessments", "liquid_biopsies"),
        *("clones", "trajectory", "events", "doses"),
    )
    kept = ("outcomes", "overall")
    model = Written

    @classmethod
    def of(cls, tables: Mapping[str, Any], file: Path | None) -> ExperimentBase:
        """Return the experiment of a file, with all that it rests on written out."""
        experiment = Experiment.from_dict(tables, file=file, seed=NO_SEED)
        return cls(experiment.resolved(), experiment)

    def known_as(self, knowledge: Knowledge) -> dict[str, Any]:
        """Return the tables of the experiment where this is known instead of what comes with the package."""
        if self.open is None:
            raise InputError("found an experiment with changes; allowed: one as it is in its file")
        return knowing(self.open, knowledge).resolved()

    def at(self, tables: Mapping[str, Any]) -> ReadyExperiment:
        """Check the experiment with other values."""
        experiment = Experiment.from_dict(tables)
        checked_spec(experiment)
        return ReadyExperiment(experiment)


@dataclass(frozen=True)
class ReadyStudy:
    """A study that was found sound."""

    study: Study

    @property
    def size(self) -> int:
        """Number of tumours."""
        return self.study.tumours

    @property
    def types(self) -> int:
        """No table has a column for each."""
        return 0

    def run(self, seed: int, stopped: Stopped, size: int | None = None) -> Tables:
        """Grow the tumours one after the other."""
        study = Study(self.study.written, seed=seed)
        parts = [
            grow(study, *divmod(tumour, study.written.replicates), stopped)
            for tumour in range(size or self.size)
        ]
        return {name: pl.concat([part[name] for part in parts]).to_arrow() for name in parts[0]}


class StudyBase(Base):
    """Studies of `tumor-abm evolve`: tumours that are grown, sampled and sequenced."""

    kind = "study"
    known = (
        *("tumours", "clones", "history", "cells", "spectrum", "variants", "single_cells"),
        *("nodes", "sampled_cells"),
    )
    kept = ("tumours",)
    holds_lock = True
    model = StudyFile

    @classmethod
    def of(cls, tables: Mapping[str, Any], file: Path | None) -> StudyBase:
        """Return the study of a file, with all defaults written out."""
        return cls(_without_none(Study.from_dict(dict(tables), file=file, seed=NO_SEED).resolved()))

    def at(self, tables: Mapping[str, Any]) -> ReadyStudy:
        """Check the study with other values."""
        return ReadyStudy(Study.from_dict(dict(tables)))


@dataclass(frozen=True)
class ReadyPopulation:
    """A population that was found sound."""

    population: BarePopulation

    @property
    def size(self) -> int:
        """Number of populations."""
        return self.population.replicates

    @property
    def types(self) -> int:
        """Number of types."""
        return len(self.population.division)

    def run(self, seed: int, stopped: Stopped, size: int | None = None) -> Tables:
        """Run the populations, on one thread."""
        arguments = self.population.arguments()
        found = replicate(
            **arguments, replicates=size or self.size, seed=seed, threads=1, progress=_told(stopped)
        )
        return {"outcomes": found.rename({"replicate": "population"}).to_arrow()}


class _PopulationTables(Table):
    """What the paths of a population begin with."""

    population: BarePopulation


class PopulationBase(Base):
    """Populations with explicit rates."""

    kind = "population"
    known = ("outcomes",)
    kept = ("outcomes",)
    model = _PopulationTables

    @classmethod
    def of(cls, population: BarePopulation) -> PopulationBase:
        """Return a population with all defaults written out."""
        return cls({"population": _without_none(population.model_dump())})

    def at(self, tables: Mapping[str, Any]) -> ReadyPopulation:
        """Check the population with other values."""
        problems = Problems()
        try:
            found = _PopulationTables.model_validate(tables).population
        except ValidationError as error:
            problems.add_invalid(error, _PopulationTables)
            problems.raise_if_any()
            raise
        try:
            replicate(**found.arguments(), replicates=0, seed=0, threads=1)
        except InputError as error:
            joint = ": " if isinstance(error, EngineError) else "."
            raise InputError(f"population{joint}{error}") from None
        return ReadyPopulation(found)


def _told(stopped: Stopped) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if stopped():
            raise KeyboardInterrupt

    return tell


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
