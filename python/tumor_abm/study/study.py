"""A study of clonal evolution as a user writes it: the keys of the TOML file and their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, model_validator

from tumor_abm._base import lattice, seeds
from tumor_abm._base.problems import Problems
from tumor_abm._base.table import Table
from tumor_abm._base.toml import read_toml
from tumor_abm.evolution.biopsy import AimedShape
from tumor_abm.evolution.neutrality import HIGHEST_FREQUENCY, LOWEST_FREQUENCY
from tumor_abm.study.phases import PhaseOfRates

WHOLE = "whole tumour"
"""The sample that stands for the tumour: cells drawn at random from all of it."""

_MOST_CELLS = 10_000_000


class ScenarioSpace(lattice.LatticeShape):
    """Where cells live, if not in a well-mixed tumour.

    Attributes
    ----------
    dimensions
        2 or 3.
    mutant
        Which daughter carries a mutation: ``random``, or the ``placed`` one.
    """

    dimensions: int = Field(ge=2, le=lattice.MOST_DIMENSIONS)
    placement: lattice.Placement = "any_free"
    mutant: lattice.Mutant = "random"

    @model_validator(mode="after")
    def _depth_with_push(self) -> ScenarioSpace:
        if (self.placement == "push") != (self.depth is not None):
            raise ValueError('depth: allowed with placement = "push", and only there')
        return self


class Scenario(Table):
    """A way to grow. Every tumour starts from one cell of the first type.

    Attributes
    ----------
    name
        Shown in tables and figures.
    types
        Names of the cell types.
    division, death
        Per day, one per type.
    mutation
        ``[i][j]``: probability per division of ``i`` that one daughter is the first of a clone of
        ``j``. The diagonal makes neutral clones of the same type.
    space
        The lattice; a well-mixed tumour when absent.
    treatment
        Phases that follow on growth, as `tumor_abm.Phase`; the tumour is sampled after the last one.
    """

    name: str = Field(min_length=1, max_length=60)
    types: list[str] = Field(min_length=1)
    division: list[float]
    death: list[float]
    mutation: list[list[float]]
    space: ScenarioSpace | None = None
    treatment: list[PhaseOfRates] = Field(default_factory=list)

    @model_validator(mode="after")
    def _shapes(self) -> Scenario:
        types = len(self.types)
        for name in ("division", "death", "mutation"):
            if len(getattr(self, name)) != types:
                raise ValueError(
                    f"{name}: found {len(getattr(self, name))} entries; allowed: {types}, one per type"
                )
        if any(len(row) != types for row in self.mutation):
            raise ValueError(f"mutation: allowed: {types} rows of {types}")
        rates = np.array([*self.division, *self.death, *np.ravel(self.mutation)])
        if (rates < 0).any():
            raise ValueError("found a rate or probability below 0")
        if any(sum(row) > 1 for row in self.mutation):
            raise ValueError("mutation: found a row with a sum above 1; at most one daughter mutates")
        if self.division[0] <= self.death[0]:
            raise ValueError("the first type does not grow: division must be above death")
        for k, phase in enumerate(self.treatment):
            self._check_phase(f"treatment[{k}]", phase)
        return self

    def _check_phase(self, at: str, phase: PhaseOfRates) -> None:
        """Refuse rates of another number of types, drugs without a lattice, and phases without an end."""
        types = len(self.types)
        for name in ("division", "death", "mutation", "switching", "drug_division", "drug_death"):
            given = getattr(phase, name)
            rows = [given] if given and not isinstance(given[0], list) else given or []
            if given is not None and (len(given) != types or any(len(row) != types for row in rows)):
                raise ValueError(f"{at}.{name}: found {len(given)}; allowed: {types}, one per type")
            if any(rate < 0 for row in rows for rate in row):
                raise ValueError(f"{at}.{name}: found a number below 0")
        if self.space is None and (phase.drug_division or phase.drug_death):
            raise ValueError(
                f"{at}: drug_division and drug_death are allowed with space, where a drug is dimmed"
            )
        until = phase.until
        if until.total is until.below is until.day is None and not until.counts:
            raise ValueError(f"{at}.until: missing; allowed: day, total, counts or below")
        if any(int(kind) >= types for kind in until.counts):
            raise ValueError(f"{at}.until.counts: allowed: types from 0 to {types - 1}")

    @property
    def fastest(self) -> float:
        """The highest rate of events that any cell can have, per day."""
        found, rates = 0.0, {"division": self.division, "death": self.death}
        for phase in (None, *self.treatment):
            given = {} if phase is None else {name: getattr(phase, name) for name in rates}
            rates |= {name: value for name, value in given.items() if value is not None}
            found = max(found, *map(sum, zip(rates["division"], rates["death"], strict=True)))
        return found


class PlannedBiopsy(Table):
    """A biopsy of every tumour.

    Attributes
    ----------
    name
        Shown in tables and figures.
    shape
        ``"sphere"``: the cells nearest to a point; ``"needle"``: those nearest to a straight line;
        ``"random"``: any. A well-mixed tumour has no places: there, all are random cells.
    cells
        How many are taken.
    centre
        A point in radii of the tumour from its middle: ``[0, 0, 0]`` is the middle, ``[1, 0, 0]``
        the rim. 2-D leaves the third number out.
    direction
        Of the needle.
    """

    name: str = Field(min_length=1, max_length=40)
    shape: AimedShape = "sphere"
    cells: int = Field(ge=1, le=1_000_000)
    centre: list[float] = Field(default=[0.0, 0.0, 0.0], min_length=3, max_length=3)
    direction: list[float] = Field(default=[1.0, 0.0, 0.0], min_length=3, max_length=3)

    @model_validator(mode="after")
    def _points_somewhere(self) -> PlannedBiopsy:
        if self.shape == "needle" and not any(self.direction[:2]):
            raise ValueError("direction: a needle must point somewhere in the first two dimensions")
        return self


class Genome(Table):
    """Neutral mutations.

    Attributes
    ----------
    mutations_per_division
        Mean number, Poisson; each in one of the two daughters.
    truncal
        Mutations that the first cell had already.
    """

    mutations_per_division: float = Field(default=20.0, ge=0, le=1e5)
    truncal: int = Field(default=100, ge=0, le=1_000_000)


class Reading(Table):
    """Sequencing of every sample, and what is read from it.

    Attributes
    ----------
    depth, purity, overdispersion, least_reads, least_vaf
        As in `tumor_abm.Sequencing`.
    single_cells
        Cells of the whole tumour that are sequenced one by one; 0: none.
    dropout, false_positives
        Errors of single cells, as in `tumor_abm.evolution.sequencing.SingleCellErrors`; without any, the
        table has no column ``carried``.
    fit_from, fit_to
        Range of variant allele fractions (of a pure sample) to which the law of neutral growth is
        fitted; by default that of Williams et al. 2016.
    clonal_from
        Estimated cancer cell fraction from which a mutation is called clonal.
    """

    depth: float = Field(default=200.0, gt=0, le=1e6)
    purity: float = Field(default=0.8, gt=0, le=1)
    overdispersion: float = Field(default=0.0, ge=0, le=0.5)
    least_reads: int = Field(default=4, ge=1, le=1_000_000)
    least_vaf: float = Field(default=0.02, ge=0, lt=1)
    single_cells: int = Field(default=0, ge=0, le=1_000)
    dropout: float = Field(default=0.0, ge=0, le=1)
    false_positives: float = Field(default=0.0, ge=0, le=1)
    fit_from: float = Field(default=LOWEST_FREQUENCY, gt=0, lt=0.5)
    fit_to: float = Field(default=HIGHEST_FREQUENCY, gt=0, lt=0.5)
    clonal_from: float = Field(default=0.8, gt=0, le=1)

    @model_validator(mode="after")
    def _range(self) -> Reading:
        if self.fit_from >= self.fit_to:
            raise ValueError("fit_from: must be below fit_to")
        return self


class StudyFile(Table):
    """A study.

    Attributes
    ----------
    title
        Its name.
    question
        The question it answers, a sentence.
    seed
        Names all random numbers; drawn when absent, and written into the results.
    replicates
        Tumours per scenario.
    cells
        Living cells at which a tumour is taken out, or treatment begins.
    dt_days
        Step of the law.
    within_days
        A tumour that has not grown so large by then is an error.
    whole_tumour_cells
        Cells drawn at random that stand for the whole tumour.
    snapshots
        Moments at which sizes of clones are noted, for the Muller plot.
    genome, sequencing
        Neutral mutations, and how samples are read.
    scenario
        Ways to grow.
    biopsy
        Samples of every tumour.
    """

    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    seed: int | None = Field(default=None, ge=0, le=seeds.MOST)
    replicates: int = Field(default=8, ge=1, le=100_000)
    cells: int = Field(default=50_000, ge=100, le=_MOST_CELLS)
    dt_days: float = Field(default=0.25, gt=0, le=10)
    within_days: float = Field(default=20_000.0, gt=0, le=1e7)
    whole_tumour_cells: int = Field(default=1_000, ge=1, le=1_000_000)
    snapshots: int = Field(default=60, ge=2, le=1_000)
    genome: Genome = Field(default_factory=Genome)
    sequencing: Reading = Field(default_factory=Reading)
    scenario: list[Scenario] = Field(min_length=1)
    biopsy: list[PlannedBiopsy] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names(self) -> StudyFile:
        for what, names in (
            ("scenario", [scenario.name for scenario in self.scenario]),
            ("biopsy", [WHOLE, *(sample.name for sample in self.biopsy)]),
        ):
            twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
            if twice is not None:
                raise ValueError(f'{what}: the name "{twice}" is there twice')
        largest = max([self.whole_tumour_cells, *(sample.cells for sample in self.biopsy)])
        if largest > self.cells:
            raise ValueError(f"cells: found {self.cells}; a sample takes more, {largest}")
        for i, scenario in enumerate(self.scenario):
            acting = scenario.fastest
            if acting * self.dt_days > 0.5:
                raise ValueError(
                    f"scenario[{i}]: dt_days = {self.dt_days:g} is too long for its rates; "
                    f"at most {0.5 / acting:.3g} would do"
                )
        return self


class Study:
    """A study that was found sound.

    Parameters
    ----------
    written
        What the user wrote, defaults filled.
    seed
        The one used, drawn or given.
    file
        Where it was read from.
    """

    def __init__(self, written: StudyFile, *, seed: int, file: Path | None = None) -> None:
        self.written = written
        self.seed = seed
        self.file = file

    @classmethod
    def from_dict(
        cls,
        data: dict[str, Any],
        *,
        file: Path | None = None,
        replicates: int | None = None,
        seed: int | None = None,
    ) -> Study:
        """Check a study given as tables, as TOML would give them.

        Raises
        ------
        InputError
            Something is wrong: one line per problem, with its place.
        """
        given = {"replicates": replicates, "seed": seed}
        data = data | {key: value for key, value in given.items() if value is not None}
        problems = Problems(file)
        try:
            written = StudyFile.model_validate(data)
        except ValidationError as error:
            problems.add_invalid(error, StudyFile)
            problems.raise_if_any()
            raise
        return cls(written, seed=seeds.drawn() if written.seed is None else written.seed, file=file)

    @property
    def tumours(self) -> int:
        """Tumours in all scenarios."""
        return len(self.written.scenario) * self.written.replicates

    def resolved(self) -> dict[str, Any]:
        """Return the study with every default filled in."""
        tables = self.written.model_dump() | {"seed": self.seed}
        for error in ("dropout", "false_positives"):
            if not tables["sequencing"][error]:
                del tables["sequencing"][error]
        for scenario in tables["scenario"]:
            if not scenario["treatment"]:
                del scenario["treatment"]
        return tables


def load_study(path: str | Path, *, replicates: int | None = None, seed: int | None = None) -> Study:
    """Read a study from a TOML file.

    Parameters
    ----------
    path
        The file.
    replicates, seed
        Instead of those of the file.

    Raises
    ------
    InputError
        There is no such file, or something in it is wrong.
    """
    return Study.from_dict(read_toml(path), file=Path(path), replicates=replicates, seed=seed)
