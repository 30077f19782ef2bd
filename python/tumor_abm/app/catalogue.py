"""What can be chosen on the page."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from tumor_abm._base.paths import is_directory
from tumor_abm._base.toml import read_toml
from tumor_abm.app.cohort import FinishedRun
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Drug
from tumor_abm.knowledge.patient_laws import PatientLaws
from tumor_abm.model.setup import genes_in_blood
from tumor_abm.run.results import EXPERIMENT
from tumor_abm.treatment import Line

_EVERY_WEEKS = 8


@dataclass(frozen=True)
class Catalogue:
    """Patients, strategies, drugs and alterations of an experiment.

    Attributes
    ----------
    experiment
        The experiment as checked.
    tables
        The same as written, with liquid biopsies for the eye if it has none: a sample leaves no
        trace in the patient.
    cohort
        The finished run whose patients can be opened, if one was.
    """

    experiment: Experiment
    tables: Mapping[str, Any]
    cohort: FinishedRun | None = None

    @classmethod
    def of(cls, file: Path | None) -> Catalogue:
        """Return the catalogue of an experiment file or a finished run, or of the app's own strategies.

        Raises
        ------
        InputError
            The file cannot be read, or is wrong; or the directory holds no run that can be opened.
        """
        if file is None:
            text = resources.files("tumor_abm.app").joinpath("strategies.toml").read_text(encoding="utf-8")
            tables = tomllib.loads(text)
            return cls(Experiment.from_dict(tables), tables)
        cohort = FinishedRun.of(file) if is_directory(file) else None
        if cohort is not None:
            file = file / EXPERIMENT
        tables = dict(read_toml(file))
        experiment = Experiment.from_dict(tables, file=file)
        if isinstance(tables.get("knowledge"), list):
            tables["knowledge"] = [str((file.parent / name).resolve()) for name in tables["knowledge"]]
        in_play = [name for name in experiment.core_set if name in experiment.alterations]
        genes = genes_in_blood(experiment.knowledge, in_play)
        if genes:
            tables.setdefault("liquid_biopsy", {"every_weeks": _EVERY_WEEKS, "genes": genes})
        tables["seed"] = experiment.seed
        return cls(experiment, tables, cohort)

    @property
    def arms(self) -> list[str]:
        """Names of the strategies."""
        return [arm.name for arm in self.experiment.arms]

    @cached_property
    def _lines(self) -> dict[str, list[dict[str, Any]]]:
        return {arm["name"]: arm["line"] for arm in self.experiment.resolved()["arm"]}

    def lines(self, arm: str) -> list[dict[str, Any]]:
        """Return the lines of an arm as tables."""
        if arm not in self._lines:
            raise InputError(key="strategy", found=arm, allowed=self.arms)
        return self._lines[arm]

    def lines_in_words(self, arm: str) -> list[str]:
        """Say what each line of an arm gives, and until when."""
        return [", ".join(Line.model_validate(line).in_words()) for line in self.lines(arm)]

    def drugs_of_lines(self, arm: str) -> tuple[tuple[str, ...], ...]:
        """Return the drugs of each line of an arm; where they are chosen, those of the last choice."""
        lines = map(Line.model_validate, self.lines(arm))
        return tuple(tuple(dosing.drug for dosing in line.options[-1].regimen) for line in lines)

    @cached_property
    def drugs(self) -> list[str]:
        """Drugs that can be given, by class."""
        known = self.experiment.knowledge.drugs
        return sorted(known, key=lambda name: (known[name].class_, name))

    @cached_property
    def drugs_by_class(self) -> list[dict[str, Any]]:
        """The drugs, by class: ``name``, ``class``, and what is told of each as ``hint``."""
        known = self.experiment.knowledge.drugs
        return [
            {"name": name, "class": known[name].class_, "hint": _told(known[name])} for name in self.drugs
        ]

    @property
    def populations(self) -> list[str]:
        """Populations from which the patient can come; the experiment's own first."""
        own = self.experiment.population_name
        return [own, *(name for name in self.experiment.knowledge.populations if name != own)]

    def population(self, name: str) -> PatientLaws:
        """Return the laws of a population by its name."""
        own = self.experiment.population_name
        return self.experiment.population if name == own else self.experiment.knowledge.populations[name]

    @property
    def alterations(self) -> list[str]:
        """Alterations in play."""
        return list(self.experiment.alterations)

    @cached_property
    def colour_order(self) -> list[str]:
        """All known alterations in an order that no choice changes: the core set first."""
        known = self.experiment.knowledge
        return list(dict.fromkeys([*known.core_alterations, *self.alterations, *known.alterations]))

    @property
    def states(self) -> list[str]:
        """Alterations in play that are reversible states."""
        known = self.experiment.knowledge.alterations
        return [name for name in self.alterations if known[name].origin.kind == "state"]


def _told(drug: Drug) -> str:
    """Say what a drug is, how it is given, and where that is from."""
    dose = f"{drug.dose.value:g} {drug.dose.unit}"
    parts = [
        drug.label,
        drug.given or f"{dose}, {drug.route}",
        drug.toxicity and f"Main toxicity: {drug.toxicity}",
    ]
    parts.append(f"Source: {', '.join(drug.source)}" if drug.source else "")
    return ". ".join(part for part in parts if part)
