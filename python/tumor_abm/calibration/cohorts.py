"""Trials as cohorts: patients with one history live the arms of every trial that enrols such patients.

Trials differ in the shares of histories, not in the histories themselves: most first-line trials enrol the
same patients. So a patient is grown and taken through earlier lines once, and lives the arms of all trials;
a trial's arm is then put together from the histories, each with its share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._table import merged
from tumor_abm.calibration.sample import Sample
from tumor_abm.config import Experiment
from tumor_abm.execution.chunk import Chunk
from tumor_abm.execution.tables import simulate
from tumor_abm.knowledge import Knowledge

# Nothing of these changes what happens to a patient.
_DESCRIPTIVE = ("title", "question", "control", "seed", "patients", "arm", "afterwards")
_SPARED = {
    "afterwards": [],
    "end_with_last_line": True,
    "trajectory_every_days": 0,
    "horizon_months": 44.0,
    "accrual_months": 0.0,
}

ArmKey = tuple[str, str]
"""Trial (its file) and name of the arm in it."""


@dataclass(kw_only=True)
class Cohort:
    """Patients of one history, and the arms of all trials that they live.

    Attributes
    ----------
    tables
        The experiment, without arms.
    arms
        Arms by the name they have here.
    members
        For every arm of a trial: name of the arm here, and share of the trial's patients.
    """

    tables: dict[str, Any]
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[ArmKey, tuple[str, float]] = field(default_factory=dict)

    def experiment(self, knowledge: Knowledge, seed: int) -> Experiment:
        """Return the experiment that simulates the cohort."""
        arms = [{**arm, "name": name} for name, arm in self.arms.items()]
        return Experiment.from_dict({**self.tables, "seed": seed, "arm": arms}, knowledge=knowledge)


@dataclass(frozen=True, kw_only=True)
class Lives:
    """What became of a cohort.

    Attributes
    ----------
    patients
        How many were enrolled.
    outcomes
        First line of every patient and arm.
    carriers
        Per arm, patient and moment: share of cells with each alteration.
    """

    patients: int
    measurable: pl.DataFrame
    outcomes: pl.DataFrame
    clones: pl.DataFrame


def cohorts_of(trials: Mapping[str, Mapping[str, Any]]) -> list[Cohort]:
    """Divide trials into cohorts that share what they can.

    Parameters
    ----------
    trials
        Tables of the experiment of every trial, by name.
    """
    found: dict[str, Cohort] = {}
    for trial, tables in trials.items():
        common = {key: value for key, value in tables.items() if key not in _DESCRIPTIVE}
        for share, population in _histories(tables.get("population", {})):
            component = {
                **common,
                **_SPARED,
                "population": population,
                "title": "cohort",
                "question": "cohort",
            }
            cohort = found.setdefault(_canonical(component), Cohort(tables=component))
            for arm in tables["arm"]:
                lived = {key: value for key, value in arm.items() if key not in ("name", "labels")}
                known = {_canonical(other): name for name, other in cohort.arms.items()}
                name = known.get(_canonical(lived), f"arm {len(cohort.arms) + 1}")
                cohort.arms[name] = lived
                cohort.members[trial, arm["name"]] = (name, share)
    return list(found.values())


def live(cohort: Cohort, knowledge: Knowledge, *, patients: int, seed: int, jobs: int) -> Lives:
    """Simulate a cohort."""
    spec = json.dumps(cohort.experiment(knowledge, seed).to_core(), allow_nan=False)
    tables = simulate(spec, Chunk(0, patients), jobs)
    frames = {name: pl.DataFrame(tables[name]) for name in ("patients", "outcomes", "clones")}
    return Lives(
        patients=patients,
        measurable=frames["patients"].select("patient", measurable=~pl.col("bone_only")),
        outcomes=frames["outcomes"].filter(pl.col("line") == 1),
        clones=frames["clones"].filter(pl.col("line") == 1),
    )


def samples(cohorts: list[Cohort], lives: list[Lives]) -> dict[ArmKey, Sample]:
    """Put the arms of the trials together from the cohorts."""
    parts: dict[ArmKey, list[Sample]] = {}
    for cohort, lived in zip(cohorts, lives, strict=True):
        by_arm = lived.outcomes.join(lived.measurable, on="patient").partition_by("arm", as_dict=True)
        for key, (name, share) in cohort.members.items():
            rows = by_arm.get((name,))
            if rows is not None:
                parts.setdefault(key, []).append(_sample(rows, share / lived.patients))
    return {key: Sample.joined(found) for key, found in parts.items()}


def carriers(
    cohorts: list[Cohort], lives: list[Lives], key: ArmKey, alterations: list[str], moment: str, above: float
) -> float:
    """Share of the patients of a trial's arm with any of `alterations` in more than `above` of their cells.

    Parameters
    ----------
    moment
        ``"baseline"`` or ``"progression"``.
    """
    having = everybody = 0.0
    carried = pl.any_horizontal(pl.col("genotype").str.contains(name, literal=True) for name in alterations)
    for cohort, lived in zip(cohorts, lives, strict=True):
        if key not in cohort.members:
            continue
        name, share = cohort.members[key]
        cells = lived.clones.filter((pl.col("arm") == name) & (pl.col("moment") == moment))
        part = cells.group_by("patient").agg(pl.col("fraction").filter(carried).sum())
        having += share / lived.patients * part.filter(pl.col("fraction") > above).height
        everybody += share / lived.patients * part.height
    return having / everybody if everybody else float("nan")


def _sample(rows: pl.DataFrame, weight: float) -> Sample:
    return Sample(
        months=rows["pfs_months"].to_numpy(),
        event=rows["pfs_event"].cast(pl.Float64).to_numpy(),
        response=rows["response"].cast(pl.String).is_in(["CR", "PR"]).cast(pl.Float64).to_numpy(),
        measurable=rows["measurable"].cast(pl.Float64).to_numpy(),
        weight=np.full(rows.height, weight),
    )


def _histories(population: Any) -> list[tuple[float, dict[str, Any]]]:
    """The population once per history, each with its share."""
    table = {"base": population} if isinstance(population, str) else dict(population)
    histories = table.pop("history", [])
    if not histories:
        return [(1.0, table)]
    total = sum(history.get("share", 1.0) for history in histories)
    return [
        (history.get("share", 1.0) / total, merged(table, {"history": [{**history, "share": 1.0}]}))
        for history in histories
    ]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
