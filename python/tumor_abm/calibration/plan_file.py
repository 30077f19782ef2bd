"""A plan of calibration as written: trials, free parameters, ranges of prevalence."""

from __future__ import annotations

import tomllib
from typing import Self

from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm.calibration.cohorts import Spared
from tumor_abm.calibration.parameters import Free, Plan, shipped_toml
from tumor_abm.calibration.targets import Quantity


class PrevalenceRange(Table):
    """Share of patients with an alteration at some moment, as written in the file of a plan."""

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


class PlanFile(Table):
    """What is calibrated, and on what, as written in the file of a plan.

    Attributes
    ----------
    trials
        Trials (files of `tumor_abm.trials`) that are simulated.
    splits
        Rows of the table of trials that enter the loss, by their ``split``.
    fitted
        Quantities of these rows that do; others are predicted.
    spared
        Differences between trials that are passed over.
    prior_weight
        Loss of a parameter one standard deviation of an even distribution away from the middle of its range.
    parameter
        Free parameters.
    prevalence
        Ranges of prevalence.
    """

    trials: list[str] = Field(min_length=1)
    splits: list[str] = Field(min_length=1)
    fitted: list[Quantity] = Field(default=["median", "hazard ratio", "rate", "response"], min_length=1)
    spared: Spared
    prior_weight: float = Field(ge=0)
    parameter: dict[str, Free]
    prevalence: dict[str, PrevalenceRange] = Field(default_factory=dict)

    @classmethod
    def shipped(cls, plan: Plan) -> Self:
        """Return the file of a plan."""
        return cls.model_validate(tomllib.loads(shipped_toml(plan)))
