"""The problem that calibration solves: free parameters, what is simulated, what it is held against."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from tumor_abm._table import Table
from tumor_abm.calibration.cohorts import ArmKey, Cohort, carriers, cohorts_of, live, samples
from tumor_abm.calibration.parameters import Free, Parameters, shipped_toml
from tumor_abm.calibration.targets import Prevalence, Target, penalty, targets_of
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence

IMPOSSIBLE = 1e4
"""Loss of a parameter set that cannot be simulated: cells too fast for steps of a day, or no eligible patient."""


class PrevalenceRange(Table):
    """Share of patients with an alteration at some moment, as written in ``calibration.toml``."""

    trial: str
    arm: str
    alterations: list[str] = Field(min_length=1)
    moment: str
    above: float = Field(gt=0, lt=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    sigma: float = Field(gt=0)
    source: list[str]
    note: str = ""


class Written(Table):
    """``calibration.toml``.

    Attributes
    ----------
    trials
        Trials (files of ``experiments/trials``) that are simulated.
    splits
        Rows of the table of trials that enter the loss, by their ``split``.
    prior_weight
        Loss of a parameter one standard deviation of an even distribution away from the middle of its range.
    parameter
        Free parameters.
    prevalence
        Ranges of prevalence.
    """

    trials: list[str] = Field(min_length=1)
    splits: list[str] = Field(min_length=1)
    prior_weight: float = Field(ge=0)
    parameter: dict[str, Free]
    prevalence: dict[str, PrevalenceRange] = Field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """What a parameter set gives.

    Attributes
    ----------
    loss
        Misfit and prior together.
    misfit
        Sum of the penalties of the targets.
    table
        A row per target: published, simulated, deviation, inside the interval or not.
    """

    loss: float
    misfit: float
    table: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Free parameters, cohorts and targets.

    Attributes
    ----------
    knowledge
        What is changed by the parameters.
    parameters
        The free ones.
    cohorts
        What is simulated.
    targets, prevalences
        What it is held against.
    shown
        Rows that are predicted and do not enter the loss.
    prior_weight
        See `Written`.
    """

    knowledge: Knowledge
    parameters: Parameters
    cohorts: list[Cohort]
    targets: list[Target]
    prevalences: list[Prevalence]
    shown: list[Target]
    prior_weight: float

    @classmethod
    def shipped(cls) -> Problem:
        """Return the problem of the package: its trials, free parameters and targets."""
        from tumor_abm import trials

        written = Written.model_validate(tomllib.loads(shipped_toml()))
        tables = {name: trials.tables(name) for name in written.trials}
        return cls.of(written, tables, Knowledge.shipped())

    @classmethod
    def of(cls, written: Written, trials: Mapping[str, Mapping[str, Any]], knowledge: Knowledge) -> Problem:
        """Make the problem of what is written.

        Parameters
        ----------
        trials
            Tables of the experiment of every trial, by name.
        """
        arms = _labelled(trials)
        rows = evidence.trials()
        fitted = rows.filter(pl.col("split").is_in(written.splits))
        near = rows.filter(pl.col("split").str.starts_with("validate-near"))
        prevalences = []
        for name, one in written.prevalence.items():
            if (one.trial, one.arm, "") not in arms:
                raise InputError(f"no trial has the arm {one.trial} {one.arm}", key=f"prevalence.{name}")
            settings = one.model_dump(exclude={"trial", "arm", "source", "note"})
            prevalences.append(Prevalence(name=name, key=arms[one.trial, one.arm, ""][0], **settings))
        return cls(
            knowledge=knowledge,
            parameters=Parameters.of(written.parameter, knowledge),
            cohorts=cohorts_of(trials),
            targets=targets_of(fitted, arms),
            prevalences=prevalences,
            shown=targets_of(near, arms),
            prior_weight=written.prior_weight,
        )

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of everything that the loss depends on, but for patients and seed."""
        described = {
            "parameters": [vars(one) for one in self.parameters],
            "cohorts": [
                vars(one) | {"members": sorted(map(str, one.members.items()))} for one in self.cohorts
            ],
            "targets": [vars(one) for one in self.targets],
            "prevalences": [vars(one) for one in self.prevalences],
            "prior_weight": self.prior_weight,
            "knowledge": {".".join(map(str, k)): q.value for k, q in self.knowledge.numbers().items()},
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()

    def prior(self, values: Mapping[str, float]) -> float:
        """Loss of leaving the middles of the plausible ranges."""
        shares = np.array([one.share(values[one.name]) for one in self.parameters])
        return self.prior_weight * float(((shares - 0.5) ** 2 * 12).sum())

    def evaluate(
        self, values: Mapping[str, float], *, patients: int, seed: int, jobs: int, near: bool = False
    ) -> Evaluation:
        """Simulate a parameter set and hold it against the targets.

        Parameters
        ----------
        values
            By name of the parameter.
        patients
            Patients of every cohort; the same patients whatever the parameters.
        near
            Predict the rows that do not enter the loss, too.
        """
        knowledge = self.knowledge.with_numbers(self.parameters.overrides(values))
        prior = self.prior(values)
        try:
            lives = [
                live(cohort, knowledge, patients=patients, seed=seed, jobs=jobs) for cohort in self.cohorts
            ]
        except InputError:
            return Evaluation(IMPOSSIBLE + prior, IMPOSSIBLE, pl.DataFrame())
        lived = samples(self.cohorts, lives)
        curves = {key: sample.curve() for key, sample in lived.items()}
        rows = []
        for fitted, targets in ((True, self.targets), (False, self.shown if near else [])):
            for target in targets:
                simulated = target.simulated(lived, curves)
                rows.append(_row(target, simulated, fitted))
        for one in self.prevalences:
            simulated = carriers(self.cohorts, lives, one.key, one.alterations, one.moment, one.above)
            rows.append(_prevalence_row(one, simulated))
        misfit = sum(penalty(row["deviation"]) for row in rows if row["fitted"])
        return Evaluation(misfit + prior, misfit, pl.DataFrame(rows))


def _row(target: Target, simulated: float, fitted: bool) -> dict[str, Any]:
    low = -math.inf if math.isnan(target.low) else target.low
    high = math.inf if math.isnan(target.high) else target.high
    return {
        "trial": target.trial,
        "arm": target.arm,
        "subset": target.subset,
        "quantity": target.quantity,
        "at_months": None if math.isnan(target.at) else target.at,
        "published": target.published,
        "low": target.low,
        "high": target.high,
        "simulated": simulated,
        "deviation": target.deviation(simulated),
        "inside": low <= simulated <= high,
        "fitted": fitted,
        "split": target.split,
    }


def _prevalence_row(one: Prevalence, simulated: float) -> dict[str, Any]:
    return {
        "trial": one.name,
        "arm": ", ".join(one.alterations),
        "subset": one.moment,
        "quantity": "prevalence",
        "at_months": None,
        "published": (one.low + one.high) / 2,
        "low": one.low,
        "high": one.high,
        "simulated": simulated,
        "deviation": one.deviation(simulated),
        "inside": one.low <= simulated <= one.high,
        "fitted": True,
        "split": "prevalence",
    }


def _labelled(
    trials: Mapping[str, Mapping[str, Any]],
) -> dict[tuple[str, str, str], tuple[ArmKey, ArmKey | None]]:
    """Where each arm of the table of trials is simulated: PFS of the first line only."""
    found: dict[tuple[str, str, str], tuple[ArmKey, ArmKey | None]] = {}
    for trial, tables in trials.items():
        for arm in tables["arm"]:
            labels = arm.get("labels", {})
            if "trial" in labels and "endpoint" not in labels:
                versus = (trial, labels["versus"]) if "versus" in labels else None
                label = (labels["trial"], labels["arm"], labels.get("subset", ""))
                found[label] = ((trial, arm["name"]), versus)
    return found
