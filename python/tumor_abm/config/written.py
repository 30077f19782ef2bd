"""An experiment as a user writes it: the keys of the TOML file and their defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tumor_abm._base import seeds
from tumor_abm._base.table import Table
from tumor_abm._base.units import DAYS_PER_WEEK
from tumor_abm.config.engine import LEAST_CELLS, MOST_CELLS, Lattice
from tumor_abm.config.samples import LiquidPanel, PatientGenome, TissueBiopsy
from tumor_abm.config.value import Price, Utility
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.treatment import Arm, Line
from tumor_abm.treatment.scan_period import ScanPeriod, in_order, shortest_days

CORE = "core"
"""Stands for the core set in a list of alterations."""

MOST_PATIENTS = 10_000_000
_MOST_MONTHS = 1_200
_SHORTEST_STEP = 1e-3
_USUAL_WINDOW_DAYS = 7.0


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("found an empty text; allowed: a sentence")
    return text


def _unit_fraction(dt: float) -> float:
    if abs(1 / dt - round(1 / dt)) > 1e-9:
        raise ValueError(f"found {dt:g}; allowed: 1, 1/2, 1/3, ... of a day")
    return dt


def _named_or_table(value: Any) -> Any:
    return {"base": value} if isinstance(value, str) else value


def _usual_calendar() -> list[ScanPeriod]:
    return [ScanPeriod(every_weeks=8.0, until_month=18.0), ScanPeriod(every_weeks=12.0)]


class Assessment(Table):
    """When scans are made, and how they are read: by RECIST 1.1, the same in all arms.

    Attributes
    ----------
    calendar
        Stretches in order, counted from the start of every line.
    window_days
        A scan is made up to so many days before or after the planned day. Default: 7, and at most a quarter
        of the shortest interval.
    missed
        Share of planned scans that are not made.
    not_evaluable
        Share of the scans made that cannot be judged, but for new lesions.
    progression_from
        ``nadir``: growth is counted from the smallest sum on the line, as RECIST has it. ``baseline``: from
        the start of the line, as trials of adaptive therapy have it, where regrowth is part of the plan.
    confirmed_after_weeks
        A response counts if a scan at least so many weeks later shows it, too; absent: at once.
    symptomatic_share
        A tumour that reaches this share of the lethal volume between scans makes the patient ill: a scan is
        made at once, and where it shows no progression the line ends for ``deterioration``; absent: never.
    """

    calendar: list[ScanPeriod] = Field(default_factory=_usual_calendar, min_length=1)
    window_days: float | None = Field(default=None, ge=0, le=1_820)
    missed: float = Field(default=0.0, ge=0, le=0.9)
    not_evaluable: float = Field(default=0.0, ge=0, le=0.9)
    progression_from: Literal["nadir", "baseline"] = "nadir"
    confirmed_after_weeks: float | None = Field(default=None, ge=1 / 7, le=52)
    symptomatic_share: float | None = Field(default=None, ge=0.01, le=1)

    @property
    def shortest_days(self) -> float:
        """Shortest interval between planned scans."""
        return shortest_days(self.calendar)

    @property
    def window(self) -> float:
        """Days that scans are off the planned day at most."""
        usual = min(_USUAL_WINDOW_DAYS, self.shortest_days / 4)
        return usual if self.window_days is None else self.window_days

    def criteria(self) -> dict[str, Any]:
        """Return how scans are read as the core reads it."""
        weeks = self.confirmed_after_weeks
        return {
            "progression_from": self.progression_from,
            "confirmed_after_days": None if weeks is None else weeks * DAYS_PER_WEEK,
            "symptomatic_share": self.symptomatic_share,
        }

    @model_validator(mode="after")
    def _in_order(self) -> Assessment:
        in_order(self.calendar)
        if self.window > self.shortest_days / 2:
            raise ValueError(
                f"window_days = {self.window:g}; allowed: at most {self.shortest_days / 2:g},"
                " half of the shortest interval"
            )
        return self


class LiquidBiopsy(Table):
    """Liquid biopsies.

    Attributes
    ----------
    every_weeks
        Weeks between samples, from the start of every line.
    genes
        Genes (or alterations) that are read, and ``tumour fraction``, the tumour's share of the DNA.
    limit_of_detection, plasma_ml, body_plasma_ml, background_per_ml, half_life_h
        Change of a constant of the assay.
    """

    every_weeks: float = Field(default=8.0, ge=1 / 7, le=520)
    genes: list[str] = Field(min_length=1)
    limit_of_detection: float | None = None
    plasma_ml: float | None = None
    body_plasma_ml: float | None = None
    background_per_ml: float | None = None
    half_life_h: float | None = None


class Neutrophils(Table):
    """Neutrophils.

    Attributes
    ----------
    model
        ``false``: neutrophils are not modelled and no dose is held.
    mean_transit_h, feedback
        Change of a constant of the model.
    hold_below, resume_at, reduce_below
        Change of a rule of dosing.
    """

    model: bool = True
    mean_transit_h: float | None = None
    feedback: float | None = None
    hold_below: float | None = None
    resume_at: float | None = None
    reduce_below: float | None = None


class Written(Table):
    """An experiment.

    Attributes
    ----------
    title
        Its name.
    question
        The question it answers, a sentence.
    seed
        Names the random streams; drawn when absent, and written into the results.
    patients
        Virtual patients. Every one lives every arm.
    population
        Name of a population, or a table: ``base`` and what differs from it. Default: that of
        ``usual.toml`` among the files of knowledge.
    control
        Name of the arm that the others are compared with; the first arm when absent.
    horizon_months
        Follow-up of the first patient enrolled.
    accrual_months
        Months over which patients are enrolled; the last one is followed that much shorter.
    end_with_last_line
        Follow-up ends with the last line of an arm, which saves time where later life is of no interest.
    dt_days
        Step: 1 or a unit fraction of a day.
    stride_days
        Days that cells live through at once, by the law of continuous time under the mean concentrations; 1:
        they are stepped by `dt_days`. More is several times faster and an approximation, for searches.
    max_clones
        Living clones of one genotype that are kept apart; 1 leaves totals exact and is fastest.
    engine
        How cells are held: ``clones`` counts them; ``cells`` and ``lattice`` hold them as individuals, in
        space with the latter.
    most_cells
        Individuals in a tumour of lethal size; each stands for as many real cells as that takes. For
        the engines ``cells`` and ``lattice``.
    lattice
        Where cells live, for the engine ``lattice``.
    trajectory_every_days
        Days between rows of the trajectory; 0: none.
    alterations
        Alterations in play; the core set when absent. ``"core"`` in the list stands for the core set.
    knowledge
        Files with further drugs, alterations, populations and parts of the pathway, relative to this one, or
        directories of such files, which may replace what comes with the package.
    self_contained
        Nothing that comes with the package is used: all is written here. So are resolved files.
    drug, alteration, source
        Name to table: further entries, or changes of known ones.
    pathway, imaging
        Changes of constants.
    constant, covariate, effect, target, node
        Name to table: further parts of the pathway, or changes of known ones.
    site, therapy
        Name to table: further sites of the disease and kinds of therapy, or changes of known ones.
    assessment
        Scans.
    liquid_biopsy
        Liquid biopsies; none are taken when absent.
    biopsy, liquid_biopsy_panel
        Tissue and plasma of some patients, sequenced at named moments; for the engine ``clones``.
    genome
        Neutral mutations of these patients.
    neutropenia
        Neutrophils.
    utility
        Quality of life, from which quality-adjusted time is counted.
    price
        Prices, from which costs are counted.
    afterwards
        Lines that follow on those of every arm.
    arm
        Strategies to compare.
    """

    title: Annotated[str, AfterValidator(_said)]
    question: Annotated[str, AfterValidator(_said)]
    seed: int | None = Field(default=None, ge=0, le=seeds.MOST)
    patients: int = Field(default=1_000, ge=1, le=MOST_PATIENTS)
    population: Annotated[
        dict[str, Any], BeforeValidator(_named_or_table, json_schema_input_type=str | dict)
    ] = Field(default_factory=lambda: {"base": DEFAULT_POPULATION})
    control: str | None = None
    horizon_months: float = Field(default=120.0, ge=0.1, le=_MOST_MONTHS)
    accrual_months: float = Field(default=0.0, ge=0, le=_MOST_MONTHS)
    end_with_last_line: bool = False
    dt_days: Annotated[float, AfterValidator(_unit_fraction)] = Field(default=1.0, ge=_SHORTEST_STEP, le=1)
    stride_days: int = Field(default=1, ge=1, le=28)
    max_clones: int = Field(default=1, ge=1, le=1_000_000)
    engine: Literal["clones", "cells", "lattice"] = "clones"
    most_cells: int = Field(default=200_000, ge=LEAST_CELLS, le=MOST_CELLS)
    lattice: Lattice = Field(default_factory=Lattice)
    trajectory_every_days: int = Field(default=28, ge=0, le=36_600)
    alterations: list[str] | None = None
    knowledge: list[str] = Field(default_factory=list)
    self_contained: bool = False
    drug: dict[str, Any] = Field(default_factory=dict)
    alteration: dict[str, Any] = Field(default_factory=dict)
    source: dict[str, Any] = Field(default_factory=dict)
    pathway: dict[str, Any] = Field(default_factory=dict)
    constant: dict[str, Any] = Field(default_factory=dict)
    covariate: dict[str, Any] = Field(default_factory=dict)
    effect: dict[str, Any] = Field(default_factory=dict)
    target: dict[str, Any] = Field(default_factory=dict)
    node: dict[str, Any] = Field(default_factory=dict)
    site: dict[str, Any] = Field(default_factory=dict)
    therapy: dict[str, Any] = Field(default_factory=dict)
    imaging: dict[str, Any] = Field(default_factory=dict)
    assessment: Assessment = Field(default_factory=Assessment)
    liquid_biopsy: LiquidBiopsy | None = None
    biopsy: list[TissueBiopsy] = Field(default_factory=list)
    liquid_biopsy_panel: list[LiquidPanel] = Field(default_factory=list)
    genome: PatientGenome = Field(default_factory=PatientGenome)
    neutropenia: Neutrophils = Field(default_factory=Neutrophils)
    utility: Utility | None = None
    price: Price | None = None
    afterwards: list[Line] = Field(default_factory=list)
    arm: list[Arm] = Field(min_length=1)
