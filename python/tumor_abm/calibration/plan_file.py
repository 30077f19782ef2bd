"""A plan of calibration as written: trials, free parameters, ranges of prevalence."""

from __future__ import annotations

import math
import tomllib
from typing import Self

import polars as pl
from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm.calibration.cohorts import Spared
from tumor_abm.calibration.parameters import Free, Plan, shipped_toml
from tumor_abm.calibration.targets import Quantity
from tumor_abm.knowledge.evidence import IN_PRACTICE


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
    relapsed: bool = False
    source: list[str]
    note: str = ""


class Ki67Fall(Table):
    """A fall of Ki-67 to hold against, as written in the file of a plan.

    Attributes
    ----------
    regimen
        As in the table of Ki-67.
    drugs
        What is given.
    change_pct
        Geometric mean of the change, in percent.
    sigma
        Standard deviation of the logarithm of what is left.
    source
        Where it was published.
    """

    regimen: str
    drugs: list[str] = Field(min_length=1)
    change_pct: float = Field(gt=-100, lt=0)
    sigma: float = Field(gt=0)
    source: list[str]
    note: str = ""


class Alike(Table):
    """Alterations that do the same: in a search one stands for all, with their rates and founders together.

    Attributes
    ----------
    alterations
        The first one stands for the others.
    """

    alterations: list[str] = Field(min_length=2)


class PassedOver(Table):
    """A row of the table of trials that says again what another row says, or says it otherwise.

    Attributes
    ----------
    trial, arm, subset
        Labels of the row, as in the table.
    note
        Which row stands for it.
    """

    trial: str
    arm: str
    subset: str = ""
    note: str = Field(min_length=1)


class Weight(Table):
    """How much misfits of some kind count.

    Attributes
    ----------
    splits
        Of rows of the table of trials; none: of all, and of what is no row of it.
    quantities
        Of these.
    weight
        Over that of others.
    note
        Why.
    """

    splits: list[str] = Field(default_factory=list)
    quantities: list[Quantity] = Field(min_length=1)
    weight: float = Field(gt=0)
    note: str = Field(min_length=1)


class PlanFile(Table):
    """What is calibrated, and on what, as written in the file of a plan.

    Attributes
    ----------
    trials
        Trials (files of `tumor_abm.trials`) that are simulated.
    splits
        Rows of the table of trials that enter the loss, by their ``split``. Patients outside of trials are
        compared and never fitted, whatever the split of their rows.
    passed_over
        Rows of these splits that do not enter it.
    fitted
        Quantities of these rows that do; others are predicted.
    weight
        What counts more, or less.
    spared
        Differences between trials that are passed over.
    stride_days
        Days that cells live through at once in the search (as in an experiment).
    prior_weight
        Loss of a parameter one standard deviation of an even distribution away from the middle of its range.
    parameter
        Free parameters.
    alike
        Alterations that are one in the search.
    proliferation
        Output of the pathway that a biopsy shows.
    ki67
        How far it falls.
    prevalence
        Ranges of prevalence.
    left_out
        Classes of trials that are left out one at a time, to see what a fit to the others says of them:
        labels of the table of trials, by the name of the class.
    """

    trials: list[str] = Field(min_length=1)
    splits: list[str] = Field(min_length=1)
    passed_over: list[PassedOver] = Field(default_factory=list)
    fitted: list[Quantity] = Field(default=["median", "hazard ratio", "rate", "response"], min_length=1)
    weight: list[Weight] = Field(default_factory=list)
    spared: Spared
    stride_days: int = Field(default=1, ge=1, le=28)
    prior_weight: float = Field(ge=0)
    parameter: dict[str, Free]
    alike: Alike | None = None
    proliferation: str = ""
    ki67: dict[str, Ki67Fall] = Field(default_factory=dict)
    prevalence: dict[str, PrevalenceRange] = Field(default_factory=dict)
    left_out: dict[str, list[str]] = Field(default_factory=dict)

    def weight_of(self, quantity: Quantity, split: str = "") -> float:
        """Return how much the misfit of a quantity counts."""
        return math.prod(
            one.weight
            for one in self.weight
            if quantity in one.quantities and (not one.splits or split in one.splits)
        )

    @classmethod
    def shipped(cls, plan: Plan) -> Self:
        """Return the file of a plan."""
        return cls.model_validate(tomllib.loads(shipped_toml(plan)))

    def rows(self, trials: pl.DataFrame) -> pl.DataFrame:
        """Return those rows of a table of trials that enter the loss, if their trial is simulated."""
        labels = ("trial", "arm", "subset")
        schema = dict.fromkeys(labels, pl.String)
        passed = pl.DataFrame([one.model_dump(include=set(labels)) for one in self.passed_over], schema)
        of_splits = trials.filter(pl.col("split").is_in(self.splits), pl.col("role") != IN_PRACTICE)
        return of_splits.join(passed, on=labels, how="anti", maintain_order="left")
