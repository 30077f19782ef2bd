"""Trials as cohorts: patients with one history live the arms of every trial that enrols such patients.

Trials differ in the shares of histories, not in the histories themselves: most first-line trials enrol the
same patients. So a patient is grown and taken through earlier lines once, and lives the arms of all trials;
a trial's arm is then put together from the histories, each with its share. Scans follow one calendar here:
what another interval does is known, it delays what is seen by half the difference (`delay_months`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm._base.units import DAYS_PER_MONTH, DAYS_PER_WEEK
from tumor_abm.calibration.sample import Sample
from tumor_abm.config import Experiment
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.site import is_measurable
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.tables import simulate

# Nothing of these changes what happens to a patient up to the first progression.
_ELSEWHERE = (
    "title",
    "question",
    "control",
    "seed",
    "patients",
    "arm",
    "afterwards",
    "assessment",
    "horizon_months",
    "accrual_months",
    "trajectory_every_days",
    "liquid_biopsy",
)
_WEEKS = 8.0
_CURVE_MONTHS = 44.0
_FOLLOWED_MONTHS = 78.0
"""As first-line patients are followed in trials at least: what progresses late carries most mutations."""
_SPARED = {
    "title": "cohort",
    "question": "cohort",
    "end_with_last_line": True,
    "trajectory_every_days": 0,
    "horizon_months": _FOLLOWED_MONTHS,
    "assessment": {"calendar": [{"every_weeks": _WEEKS}], "window_days": 0},
}
_WEEKS_PER_MONTH = DAYS_PER_MONTH / DAYS_PER_WEEK
HALFWAY = np.arange(_WEEKS / 2, _CURVE_MONTHS * _WEEKS_PER_MONTH, _WEEKS) / _WEEKS_PER_MONTH
"""Months halfway between the scans."""


class Spared(Table):
    """Differences between trials that a search passes over, so that more trials share their patients.

    Attributes
    ----------
    least_share
        Histories with a smaller share of their trial are left out; the others make up for them.
    covariates
        What patients are or are not (before menopause, say, and have goserelin in every arm): all are taken
        as if they were not.
    drugs
        Lines before the trial of these drugs alone are left out.
    shares
        Whether lines before the trial that some had with one drug and some with another of its class count as
        lines with the first one.
    """

    least_share: float = Field(default=0.0, ge=0, lt=1)
    covariates: list[str] = Field(default_factory=list)
    drugs: list[str] = Field(default_factory=list)
    shares: bool = False

    def without(self, line: Mapping[str, Any]) -> bool:
        """Whether a line before the trial is left out."""
        return "regimen" in line and all(drug in self.drugs for drug in line["regimen"])

    def line(self, line: Mapping[str, Any], *, before: bool = False) -> dict[str, Any]:
        """Return a line, of the trial or before it, as those live it who are not what is passed over."""
        options = line.get("choose", [])
        if before and self.shares and options and "share" in options[0]:
            return {
                **{key: value for key, value in line.items() if key != "choose"},
                "regimen": options[0]["regimen"],
            }
        if not options or options[0].get("if", {}).get("covariate") not in self.covariates:
            return dict(line)
        rest = {key: value for key, value in line.items() if key != "choose"}
        return {**rest, "regimen": options[-1]["regimen"]}


ArmKey = tuple[str, ...]
"""Trial (its file) and name of the arm in it; and, where only they count, the arm whose patients count."""


@dataclass(kw_only=True)
class HistoryCohort:
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

    @property
    def share(self) -> float:
        """Largest share that it has of any trial."""
        return max(share for _, share in self.members.values())

    @property
    def is_relapsed(self) -> bool:
        """Whether its patients come from adjuvant therapy, with no line since."""
        past = self.tables["population"].get("history", [{}])[0]
        return "adjuvant" in past and "prior" not in past

    def draw_blood(self, asked: Mapping[str, Any]) -> None:
        """Measure in blood what a trial asks there of who enters an arm; nothing else hangs on it."""
        known = self.tables.get("liquid_biopsy", {})
        genes = sorted({*known.get("genes", []), *asked.get("genes", [])})
        self.tables["liquid_biopsy"] = {"every_weeks": _WEEKS, "genes": genes}

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
    table
        The table ``patients``.
    measurable
        Per patient: whether disease is measurable.
    outcomes
        First line of every patient and arm.
    clones
        Genotypes at baseline and progression of that line.
    """

    patients: int
    table: pl.DataFrame
    measurable: pl.DataFrame
    outcomes: pl.DataFrame
    clones: pl.DataFrame


def cohorts_of(
    trials: Mapping[str, Mapping[str, Any]],
    *,
    wanted: Collection[ArmKey],
    spared: Spared | None = None,
    stride_days: int = 1,
) -> list[HistoryCohort]:
    """Divide trials into cohorts that share what they can.

    Parameters
    ----------
    trials
        Tables of the experiment of every trial, by name.
    wanted
        Arms that are looked at; others are not simulated.
    spared
        Differences between trials that are passed over.
    stride_days
        Days that cells live through at once.
    """
    spared = spared or Spared()
    found: dict[str, HistoryCohort] = {}
    for trial, tables in trials.items():
        common = {key: value for key, value in tables.items() if key not in _ELSEWHERE}
        for share, history, population in _histories(tables.get("population", {}), spared):
            component = {**common, **_SPARED, "population": population, "stride_days": stride_days}
            cohort = found.setdefault(_canonical(component), HistoryCohort(tables=component))
            for arm in tables["arm"]:
                lived = _lived(arm, history, spared)
                if lived is not None and (trial, arm["name"]) in wanted:
                    known = {_canonical(other): name for name, other in cohort.arms.items()}
                    name = known.get(_canonical(lived), f"arm {len(cohort.arms) + 1}")
                    cohort.arms[name] = lived
                    cohort.members[trial, arm["name"]] = (name, share)
                    if "liquid_biopsy" in tables:
                        cohort.draw_blood(tables["liquid_biopsy"])
    return [cohort for cohort in found.values() if cohort.arms]


def delay_months(tables: Mapping[str, Any]) -> float:
    """Months by which a trial sees progression later than the calendar of the cohorts does."""
    calendar = tables.get("assessment", {}).get("calendar", [{"every_weeks": _WEEKS}])
    return float(calendar[0]["every_weeks"] - _WEEKS) / 2 / _WEEKS_PER_MONTH


def drugs_of_arms(cohorts: Collection[HistoryCohort]) -> dict[ArmKey, set[str]]:
    """Return the drugs that patients of every arm of a trial are given, in it or before."""
    found: dict[ArmKey, set[str]] = {}
    for cohort in cohorts:
        before = _drugs_in(cohort.tables["population"])
        for key, (name, _) in cohort.members.items():
            found.setdefault(key, set()).update(before, _drugs_in(cohort.arms[name]))
    return found


def _drugs_in(tables: Any) -> set[str]:
    """Drugs of all regimens in a part of an experiment."""
    if isinstance(tables, Mapping):
        regimen = tables.get("regimen", [])
        drugs = {dosing if isinstance(dosing, str) else dosing["drug"] for dosing in regimen}
        return drugs.union(*map(_drugs_in, tables.values()))
    if isinstance(tables, list | tuple):
        return set().union(*map(_drugs_in, tables))
    return set()


def live(cohort: HistoryCohort, knowledge: Knowledge, *, patients: int, seed: int, jobs: int) -> Lives:
    """Simulate a cohort."""
    spec = json.dumps(cohort.experiment(knowledge, seed).to_core(), allow_nan=False)
    tables = simulate(spec, Chunk(0, patients), jobs)
    frames = {name: pl.DataFrame(tables[name]) for name in ("patients", "outcomes", "clones")}
    return Lives(
        patients=patients,
        table=frames["patients"],
        measurable=frames["patients"].select("patient", measurable=is_measurable(knowledge.sites)),
        outcomes=frames["outcomes"].filter(pl.col("line") == 1),
        clones=frames["clones"].filter(pl.col("line") == 1),
    )


def samples(
    cohorts: list[HistoryCohort], lives: list[Lives], wanted: Collection[ArmKey] | None = None
) -> dict[ArmKey, Sample]:
    """Put the arms of the trials together from the cohorts: all, or those `wanted`."""
    parts: dict[ArmKey, list[Sample]] = {}
    for cohort, lived in zip(cohorts, lives, strict=True):
        outcomes = lived.outcomes.join(lived.measurable, on="patient")
        for key in cohort.members if wanted is None else wanted:
            if key[:2] in cohort.members:
                name, share = cohort.members[key[:2]]
                rows = outcomes.filter(pl.col("arm") == name)
                for of in key[2:]:
                    theirs, _ = cohort.members.get((key[0], of), ("", 0.0))
                    living = outcomes.filter(pl.col("arm") == theirs)
                    rows = rows.join(living, on="patient", how="semi")
                if rows.height:
                    parts.setdefault(key, []).append(_sample(rows, share / lived.patients))
    return {key: Sample.joined(found) for key, found in parts.items()}


def carriers(
    cohorts: list[HistoryCohort],
    lives: list[Lives],
    key: ArmKey,
    alterations: list[str],
    moment: str,
    above: float,
    *,
    relapsed: bool = False,
) -> float:
    """Share of the patients of a trial's arm with any of `alterations` in more than `above` of their cells.

    Parameters
    ----------
    moment
        ``"baseline"`` or ``"progression"``.
    relapsed
        Only patients who come from adjuvant therapy, with no line since.
    """
    having = everybody = 0.0
    carried = pl.any_horizontal(pl.col("alterations").list.contains(name) for name in alterations)
    for cohort, lived in zip(cohorts, lives, strict=True):
        if key not in cohort.members or (relapsed and not cohort.is_relapsed):
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


def _histories(population: Any, spared: Spared) -> list[tuple[float, str, dict[str, Any]]]:
    """Return the population once per history, with its share and its name."""
    table: dict[str, Any] = {"base": population} if isinstance(population, str) else dict(population)
    histories = [
        history for history in table.pop("history", []) if history.get("share", 1.0) >= spared.least_share
    ] or [{"name": "", "share": 1.0}]
    if "covariate" in table:
        table["covariate"] = _unspared(table["covariate"], spared)
    total = sum(history["share"] for history in histories)
    found = []
    for history in histories:
        past = {key: value for key, value in history.items() if key not in ("name", "share")}
        if "covariate" in past.get("eligibility", {}):
            asked = _unspared(past["eligibility"]["covariate"], spared)
            past["eligibility"] = {**past["eligibility"], "covariate": asked}
        if "prior" in past:
            past["prior"] = [
                spared.line(line, before=True) for line in past["prior"] if not spared.without(line)
            ]
        past = {key: value for key, value in past.items() if value}
        lived = {"history": [{"name": "past", "share": 1.0, **past}]} if past else {}
        found.append((history["share"] / total, history.get("name", ""), {**table, **lived}))
    return found


def _unspared(of_covariates: Mapping[str, Any], spared: Spared) -> dict[str, Any]:
    return {name: value for name, value in of_covariates.items() if name not in spared.covariates}


def _lived(arm: Mapping[str, Any], history: str, spared: Spared) -> dict[str, Any] | None:
    """Return an arm as patients of one history live it, none if they are not asked in."""
    lived = {key: value for key, value in arm.items() if key not in ("name", "labels")}
    among = dict(lived.pop("among", {}))
    histories = among.pop("history", [history])
    if history not in histories:
        return None
    lived["line"] = [spared.line(line) for line in lived["line"]]
    return {**lived, "among": among} if among else lived


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
