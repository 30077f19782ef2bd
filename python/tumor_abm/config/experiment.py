"""An experiment, checked and resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

import tumor_abm._core as _core
from tumor_abm._base import seeds
from tumor_abm._base.arguments import is_whole
from tumor_abm._base.problems import Problems, shown
from tumor_abm._base.table import merged
from tumor_abm._base.toml import read_toml
from tumor_abm._base.units import DAYS_PER_MONTH, DAYS_PER_WEEK
from tumor_abm.config.checks import (
    check_arms,
    check_calendars,
    check_lines,
    check_names,
    check_sums,
    check_value,
)
from tumor_abm.config.tidy import tidy, undocumented
from tumor_abm.config.written import CORE, Written
from tumor_abm.errors import InputError, of_file
from tumor_abm.knowledge import Knowledge, PatientLaws, plain
from tumor_abm.knowledge.checks import check_laws
from tumor_abm.knowledge.library import CLINIC, NETWORK, complete, inherited
from tumor_abm.knowledge.patient_laws import UNSAID
from tumor_abm.knowledge.site import without_unknown
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.treatment import Arm, Line

_KNOWLEDGE_TABLES = ("drug", "alteration", "source", "pathway", "imaging", *NETWORK, *CLINIC)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A cohort of virtual patients and the strategies they live through.

    Attributes
    ----------
    seed
        Names all random streams.
    written
        What the user wrote, defaults filled.
    knowledge
        What is known, with the changes of the experiment.
    population, population_name
        Laws of the patients.
    alterations
        Names of the alterations in play.
    file
        Where it was read from.
    """

    seed: int
    written: Written
    knowledge: Knowledge
    population: PatientLaws
    population_name: str
    alterations: list[str]
    file: Path | None = None

    @property
    def title(self) -> str:
        """Its name."""
        return self.written.title

    @property
    def question(self) -> str:
        """The question it answers."""
        return self.written.question

    @property
    def patients(self) -> int:
        """Virtual patients."""
        return self.written.patients

    @property
    def arms(self) -> list[Arm]:
        """Strategies in the order of the file."""
        return self.written.arm

    @property
    def control(self) -> str:
        """Name of the arm that the others are compared with."""
        return self.written.control or self.arms[0].name

    @property
    def core_set(self) -> list[str]:
        """Alterations that are in play where none are listed."""
        return _core_set(self.knowledge, _drugs_given(self.written, self.population))

    @property
    def drugs(self) -> list[str]:
        """Drugs that any arm or prior line can give, sorted."""
        lines = list(_lines(self.written, self.population))
        asked = {condition.taken for line in lines for _, condition in line.conditions()}
        eligible = [asked for _, asked in self.population.eligibilities()] + [arm.among for arm in self.arms]
        named = {drug for eligibility in eligible for _, drug in eligibility.drugs()}
        given = _drugs_given(self.written, self.population)
        return sorted(given | named | {drug for drug in asked if drug is not None})

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        *,
        file: str | Path | None = None,
        patients: int | None = None,
        seed: int | None = None,
        knowledge: Knowledge | None = None,
    ) -> Experiment:
        """Check an experiment given as tables, as TOML would give them.

        Parameters
        ----------
        data
            Tables of the experiment.
        file
            Named in messages; files of `knowledge` are looked for beside it.
        patients, seed
            Replace those of `data`.
        knowledge
            What is known, in the place of what comes with the package.

        Raises
        ------
        InputError
            Something is wrong: one line per problem, with its place.
        """
        data = {**data, **_given(patients=patients, seed=seed)}
        problems = Problems(file)
        knowledge = _known(data, file, problems, knowledge or Knowledge.shipped())
        written: Written | None = None
        try:
            written = Written.model_validate(data)
        except ValidationError as error:
            problems.add_invalid(error, Written)
        found = _population(data, knowledge, problems) if knowledge else None
        if knowledge is None or written is None or found is None:
            problems.raise_if_any()
            raise AssertionError("an experiment is neither whole nor faulty")
        population_name, population = found
        alterations = _in_play(written, _core_set(knowledge, _drugs_given(written, population)))
        measured = written.liquid_biopsy.genes if written.liquid_biopsy else []
        check_names(written, population, alterations, knowledge, problems)
        check_sums(written, population, knowledge, problems)
        before: list[tuple[tuple[str | int, ...], list[Line]]] = [
            (("population", *at), lines) for at, lines in population.pasts
        ]
        for at, lines in [*before, (("afterwards",), written.afterwards)]:
            check_lines(
                lines,
                at,
                knowledge=knowledge,
                alterations=alterations,
                measured=measured,
                problems=problems,
            )
        check_arms(
            written.arm, knowledge=knowledge, alterations=alterations, measured=measured, problems=problems
        )
        check_value(written, knowledge.drugs, problems)
        check_calendars(written, problems)
        problems.raise_if_any()
        experiment = cls(
            seed=seeds.drawn() if written.seed is None else written.seed,
            written=written,
            knowledge=knowledge,
            population=population,
            population_name=population_name,
            alterations=list(alterations),
            file=None if file is None else Path(file),
        )
        experiment._check_in_core()
        return experiment

    def _check_in_core(self) -> None:
        with of_file(self.file):
            _core.Experiment(json.dumps(self.to_core(), allow_nan=False))

    def to_core(self) -> dict[str, Any]:
        """Return the experiment as the core reads it, with the drugs and alterations it uses."""
        written, knowledge = self.written, self.knowledge
        assay = written.liquid_biopsy
        return self._engine() | {
            "seed": self.seed,
            "dt": written.dt_days,
            "stride_days": written.stride_days,
            "horizon_days": written.horizon_months * DAYS_PER_MONTH,
            "accrual_days": written.accrual_months * DAYS_PER_MONTH,
            "end_with_last_line": written.end_with_last_line,
            "max_clones": written.max_clones,
            "trajectory_every_days": written.trajectory_every_days,
            "alterations": [
                knowledge.alterations[name].to_core(name, knowledge.pathway.effects)
                for name in self.alterations
            ],
            "drugs": [knowledge.drugs[name].to_core(name, knowledge.pathway.targets) for name in self.drugs],
            "pathway": knowledge.pathway.to_core(),
            "therapies": [therapy.to_core(name) for name, therapy in knowledge.therapies.items()],
            "population": self.population.to_core(
                self.population_name,
                measurable={name: site.measurable for name, site in knowledge.sites.items()},
                covariates=knowledge.pathway.drawn,
                alterations=self.alterations,
                drugs=knowledge.drugs,
            ),
            "imaging": knowledge.imaging.to_core(),
            "assessment": {
                "calendar": [period.to_core() for period in written.assessment.calendar],
                "window_days": written.assessment.window,
                "missed": written.assessment.missed,
                "not_evaluable": written.assessment.not_evaluable,
            },
            "criteria": written.assessment.criteria(),
            "liquid_biopsy": None
            if assay is None
            else {
                "every_days": assay.every_weeks * DAYS_PER_WEEK,
                "genes": assay.genes,
                **plain(knowledge.assay),
            },
            "neutropenia": knowledge.neutropenia.to_core() if written.neutropenia.model else None,
            "arms": [arm.to_core(knowledge.drugs, written.afterwards) for arm in self.arms],
        }

    def _engine(self) -> dict[str, Any]:
        written = self.written
        if written.engine == "clones":
            return {}
        options: dict[str, Any] = {"most_cells": written.most_cells}
        if written.engine == "lattice":
            options["space"] = written.lattice.to_core()
        return {"engine": {written.engine: options}}

    def resolved(self) -> dict[str, Any]:
        """Return the experiment with everything written out, the seed and all constants included.

        Running it again gives the same results, whatever the package knows by then.
        """
        written, knowledge = self.written, self.knowledge
        sampled = bool(written.biopsy or written.liquid_biopsy_panel)
        population = plain(self.population)
        population["target_lesions"] = self.population.target_lesions.value
        population["founder"] = {
            name: share for name, share in population["founder"].items() if name in self.alterations
        }
        population["prior"] = [tidy(line) for line in self.population.prior]
        population["history"] = [tidy(history) for history in self.population.history]
        population["eligibility"] = tidy(self.population.eligibility)
        tables: dict[str, Any] = {
            "title": self.title,
            "question": self.question,
            "seed": self.seed,
            "patients": self.patients,
            "control": self.control,
            "self_contained": True,
            "horizon_months": written.horizon_months,
            "accrual_months": written.accrual_months,
            "end_with_last_line": written.end_with_last_line,
            "dt_days": written.dt_days,
            "stride_days": written.stride_days,
            "max_clones": written.max_clones,
            "trajectory_every_days": written.trajectory_every_days,
            "alterations": self.alterations,
            "assessment": {**tidy(written.assessment), "window_days": written.assessment.window},
            "neutropenia": {"model": False},
            "afterwards": [tidy(line) for line in written.afterwards],
            "arm": [tidy(arm) for arm in self.arms],
            "population": {"name": self.population_name, **population},
            **knowledge.clinic(),
            **knowledge.pathway.tables(),
            "imaging": plain(knowledge.imaging),
            "drug": {name: undocumented(knowledge.drugs[name]) for name in self.drugs},
            "alteration": {
                name: undocumented(knowledge.alterations[name], sampled=sampled) for name in self.alterations
            },
        }
        worth = {"utility": written.utility, "price": written.price}
        tables |= {key: tidy(table) for key, table in worth.items() if table is not None}
        if written.engine != "clones":
            tables |= {"engine": written.engine, "most_cells": written.most_cells}
        if written.engine == "lattice":
            tables["lattice"] = tidy(written.lattice)
        if written.neutropenia.model:
            tables["neutropenia"] = {"model": True, **knowledge.neutropenia.to_core()}
        if written.liquid_biopsy is not None:
            tables["liquid_biopsy"] = {
                "every_weeks": written.liquid_biopsy.every_weeks,
                "genes": written.liquid_biopsy.genes,
                **plain(knowledge.assay),
            }
        if sampled:
            tables["genome"] = tidy(written.genome)
            tables["biopsy"] = [tidy(sample) for sample in written.biopsy]
            tables["liquid_biopsy_panel"] = [tidy(panel) for panel in written.liquid_biopsy_panel]
        return tables

    def to_toml(self) -> str:
        """Return `resolved` as TOML."""
        return tomli_w.dumps(self.resolved())


def load_experiment(
    path: str | Path,
    *,
    patients: int | None = None,
    seed: int | None = None,
    knowledge: Knowledge | None = None,
) -> Experiment:
    """Read an experiment from a TOML file and check it.

    Parameters
    ----------
    path
        The file.
    patients, seed
        Replace those of the file.
    knowledge
        What is known, in the place of what comes with the package.

    Raises
    ------
    InputError
        The file cannot be read, or something in it is wrong: one line per problem, with its place.
    """
    tables = read_toml(path)
    try:
        return Experiment.from_dict(tables, file=path, patients=patients, seed=seed, knowledge=knowledge)
    except RecursionError:
        raise InputError("tables are nested too deeply", file=path) from None


def _lines(written: Written, population: PatientLaws) -> Iterator[Line]:
    for _, lines in population.pasts:
        yield from lines
    for arm in written.arm:
        yield from arm.line
    yield from written.afterwards


def _drugs_given(written: Written, population: PatientLaws) -> set[str]:
    return {dosing.drug for line in _lines(written, population) for _, dosing in line.dosings()}


def _core_set(knowledge: Knowledge, drugs: set[str]) -> list[str]:
    """Return the core set, without what matters only under drugs that are not given."""
    reached = {target for drug in drugs & knowledge.drugs.keys() for target in knowledge.drugs[drug].effects}
    return knowledge.core_alterations_with(reached)


def _in_play(written: Written, core_set: list[str]) -> list[str]:
    """Return the alterations that are listed, with the core set in the place of its name."""
    listed = [CORE] if written.alterations is None else written.alterations
    core = [name for name in core_set if name not in listed]
    return [name for entry in listed for name in (core if entry == CORE else [entry])]


def _given(**values: int | None) -> dict[str, int]:
    """Check what a caller puts in the place of values of the file."""
    given = {key: value for key, value in values.items() if value is not None}
    bounds = {"patients": (1, 10_000_000), "seed": (0, seeds.MOST)}
    for key, value in given.items():
        low, high = bounds[key]
        if not is_whole(value) or not low <= value <= high:
            raise InputError(f"found {shown(value)}; allowed: a whole number from {low} to {high}", key=key)
    return {key: int(value) for key, value in given.items()}


def _known(
    data: Mapping[str, Any], file: str | Path | None, problems: Problems, knowledge: Knowledge
) -> Knowledge | None:
    """Lay the tables of an experiment over what is known."""
    tables = {key: data[key] for key in _KNOWLEDGE_TABLES if isinstance(data.get(key), Mapping)}
    for key, own in (("liquid_biopsy", ("every_weeks", "genes")), ("neutropenia", ("model",))):
        if isinstance(data.get(key), Mapping):
            constants = knowledge.tables[key]
            tables[key] = {
                name: value for name, value in data[key].items() if name not in own and name in constants
            }
    if data.get("self_contained") is True:
        spare = {"liquid_biopsy": plain(knowledge.assay), "neutropenia": plain(knowledge.neutropenia)}
        if not any(key in data for key in NETWORK):  # written before the pathway was data
            spare |= {key: knowledge.tables.get(key, {}) for key in NETWORK}
        if not any(key in data for key in CLINIC):  # written before sites and kinds of therapy were data
            spare |= knowledge.clinic()
        return complete(merged(spare, tables), problems)
    files = data.get("knowledge")
    folder = Path() if file is None else Path(file).parent
    for name in files if isinstance(files, list) else []:
        if isinstance(name, str):
            knowledge = knowledge.with_file(folder / name)
    before = len(problems.lines)
    knowledge = knowledge.updated(tables, problems)
    return knowledge if len(problems.lines) == before else None


def _population(
    data: Mapping[str, Any], knowledge: Knowledge, problems: Problems
) -> tuple[str, PatientLaws] | None:
    given = data.get("population", DEFAULT_POPULATION)
    table = {"base": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping):
        return None
    base = table.get("base", None if data.get("self_contained") is True else DEFAULT_POPULATION)
    laws: dict[str, Any] = {}
    if base is not None:
        if not isinstance(base, str) or base not in knowledge.populations:
            where = ["population"] if isinstance(given, str) else ["population", "base"]
            if "population" not in data or (not isinstance(given, str) and "base" not in table):
                known = ", ".join(map(shown, knowledge.populations)) or "none is known"
                problems.add(where, f"missing; the default {shown(base)} was replaced; allowed: {known}")
                return None
            problems.add_unknown(where, str(base), "population", knowledge.populations)
            return None
        laws = inherited(knowledge.tables["population"], base, "population", problems) or {}
    changes = {key: value for key, value in table.items() if key not in ("base", "name")}
    name = table.get("name", f"{base}, changed" if changes else base)
    if not isinstance(name, str):
        problems.add(["population", "name"], f"found {shown(name)}; allowed: a text in quotes")
        return None
    entry = without_unknown(merged(laws, changes), knowledge.sites, ["population"], problems)
    try:
        found = PatientLaws.model_validate(entry)
    except ValidationError as error:
        problems.add_invalid(error, PatientLaws, ["population"])
        return None
    for covariate in found.unsaid(knowledge.pathway.drawn):
        problems.add(["population", "covariate", covariate], UNSAID)
    check_laws(found, knowledge.pathway, ["population"], problems)
    return name, found
