"""What is asked in Python and what the core accepts are the same: names, bounds, defaults, constants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import annotated_types as at
import pytest
from pydantic import AfterValidator, BaseModel
from tumor_abm import Space, _core
from tumor_abm._base.units import DAYS_PER_MONTH, DAYS_PER_WEEK
from tumor_abm.config import engine, written
from tumor_abm.evolution import rates
from tumor_abm.knowledge import (
    alteration,
    constants,
    covariate_law,
    drug,
    kinetics,
    patient_laws,
    site,
    therapy,
)
from tumor_abm.knowledge.quantity import Between
from tumor_abm.treatment import condition, dosing, eligibility, line, scan_period

SCHEMA = json.loads(_core.schema())
STRUCTURES: dict[str, Any] = SCHEMA["structures"]
CONSTANTS: dict[str, float] = SCHEMA["constants"]
ABOVE_ZERO = 2.2250738585072014e-308
"""The smallest normal number: the core's way to say "above 0"."""

Limits = tuple[float, float]


@dataclass(frozen=True)
class Pair:
    """A structure of the core and the model that is written as it."""

    core: str
    model: type[BaseModel]
    renamed: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Name in the core to name and unit in the model, where these differ."""
    otherwise: frozenset[str] = frozenset()
    """Fields of the core that follow from something else."""
    only_here: frozenset[str] = frozenset()
    """Fields of the model that the core never sees."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def weeks(name: str) -> tuple[str, float]:
    return name, DAYS_PER_WEEK


def months(name: str) -> tuple[str, float]:
    return name, DAYS_PER_MONTH


PAIRS = [
    Pair("Imaging", constants.Imaging),
    Pair("Neutropenia", constants.Neutropenia),
    Pair("LiquidBiopsy", constants.Assay, otherwise=words("every_days genes")),
    Pair(
        "LiquidBiopsy",
        written.LiquidBiopsy,
        {"every_days": weeks("every_weeks")},
        otherwise=words("limit_of_detection plasma_ml body_plasma_ml background_per_ml half_life_h"),
        only_here=words("limit_of_detection plasma_ml body_plasma_ml background_per_ml half_life_h"),
    ),
    Pair("LogNormal", patient_laws.LogNormal),
    Pair("LogitNormal", patient_laws.LogitNormal),
    Pair(
        "Population",
        patient_laws.PatientLaws,
        otherwise=words("name given covariates sites"),
        only_here=words("label covariate"),
    ),
    Pair(
        "CellCovariate",
        covariate_law.CovariateLaw,
        otherwise=words("name law"),
        only_here=words("kind median sigma low high share"),
    ),
    Pair("Site", site.Site, otherwise=words("name share growth"), only_here=words("label source note")),
    Pair(
        "Therapy",
        therapy.Therapy,
        {"sensitive_days": weeks("sensitive_weeks")},
        otherwise=words("name"),
        only_here=words("label"),
    ),
    Pair("SharedExposure", drug.SharedExposure),
    Pair("Origin", alteration.Origin, only_here=words("kind")),
    Pair(
        "Alteration",
        alteration.Alteration,
        otherwise=words("name effects"),
        only_here=words(
            "label core only_with in_dna copy_number effect prevalence resistant_to sensitive_to source note"
        ),
    ),
    Pair(
        "Drug",
        drug.Drug,
        otherwise=words(
            "name half_life_h absorption_half_life_h steady_state dosing_interval_h therapies chemotherapy"
        ),
        only_here=words("class label dose given kinetics toxicity source note"),
    ),
    Pair(
        "Drug",
        kinetics.Kinetics,
        otherwise=frozenset(STRUCTURES["Drug"]["fields"])
        - words("half_life_h steady_state dosing_interval_h"),
        only_here=words("t_max_h bioavailability volume_l"),
    ),
    Pair("DrugEffect", drug.Action, otherwise=words("target")),
    Pair("Protection", drug.Action),
    Pair("Schedule", dosing.Schedule),
    Pair(
        "Dosing",
        dosing.Dosing,
        otherwise=words("schedule"),
        only_here=words("dose_mg dose_mg_m2 days cycle_days doses_per_day loading_days loading_dose"),
    ),
    Pair("RegimenOption", line.Option, {"when": ("if", 1.0)}),
    Pair("Until", line.EndOfLine),
    Pair("Holiday", line.Holiday, {"on_days": weeks("on_weeks"), "off_days": weeks("off_weeks")}),
    Pair("Adaptive", line.Adaptive),
    Pair("Exposure", eligibility.Exposure),
    Pair("Eligibility", eligibility.Eligibility, otherwise=words("sites sensitive resistance")),
    Pair("Adjuvant", eligibility.Adjuvant, otherwise=words("line"), only_here=words("regimen months")),
    Pair("History", eligibility.History),
    Pair(
        "ScanCalendar",
        written.Assessment,
        only_here=words("progression_from confirmed_after_weeks symptomatic_share"),
    ),
    Pair(
        "Criteria",
        written.Assessment,
        {"confirmed_after_days": weeks("confirmed_after_weeks")},
        only_here=words("calendar window_days missed not_evaluable"),
    ),
    Pair("ScanPeriod", scan_period.ScanPeriod, {"every_days": weeks("every_weeks")}),
    Pair("Reach", engine.Penetration),
    Pair("Space", engine.Lattice, otherwise=words("mutant width"), only_here=words("depth")),
]


def key(pair: Pair) -> str:
    return f"{pair.core}-{pair.model.__name__}"


def parts(annotation: Any) -> Iterator[Any]:
    """Everything that an annotation is made of, but for the elements of lists and tables."""
    yield annotation
    if getattr(annotation, "__origin__", None) not in (list, dict):
        for part in get_args(annotation):
            yield from parts(part)


def limits(model: type[BaseModel], name: str) -> Limits:
    """The bounds of a field of a model."""
    low, high = float("-inf"), float("inf")
    found = {field.alias or name: field for name, field in model.model_fields.items()}[name]
    for part in (*found.metadata, *parts(found.annotation)):
        check = part.func if isinstance(part, AfterValidator) else part
        match check:
            case Between():
                low, high = ABOVE_ZERO if check.above else check.low, check.high
            case at.Ge():
                low = check.ge  # type: ignore[assignment]
            case at.Gt():
                assert check.gt == 0
                low = ABOVE_ZERO
            case at.Le():
                high = check.le  # type: ignore[assignment]
    return low, high


@pytest.mark.parametrize("pair", PAIRS, ids=key)
def test_fields_have_the_same_names(pair: Pair) -> None:
    core = STRUCTURES[pair.core]
    wanted = set(core["fields"] or core["bounds"]) - pair.otherwise
    there = {pair.renamed.get(name, (name, 1.0))[0] for name in wanted}
    here = {field.alias or name for name, field in pair.model.model_fields.items()}
    assert there == here - pair.only_here


@pytest.mark.parametrize("pair", PAIRS, ids=key)
def test_numbers_have_the_same_bounds(pair: Pair) -> None:
    for name, (low, high) in STRUCTURES[pair.core]["bounds"].items():
        if name in pair.otherwise:
            continue
        here, unit = pair.renamed.get(name, (name, 1.0))
        least, most = limits(pair.model, here)
        if pair.core == "Holiday":  # in whole days: above 0 weeks is at least one
            assert (least, low) == (ABOVE_ZERO, 1)
        else:
            assert low == pytest.approx(least * unit, rel=1e-15), name
        assert high == pytest.approx(most * unit, rel=1e-15), name


@pytest.mark.parametrize("pair", PAIRS, ids=key)
def test_no_bound_is_known_here_alone(pair: Pair) -> None:
    bounded = {pair.renamed.get(name, (name, 1.0))[0] for name in STRUCTURES[pair.core]["bounds"]}
    here = {field.alias or name for name, field in pair.model.model_fields.items()} - pair.only_here
    unbounded = (float("-inf"), float("inf"))
    assert {name for name in here - bounded if limits(pair.model, name) != unbounded} == set()


def test_every_structure_of_the_core_is_held() -> None:
    elsewhere = {"Founder", "Given", "Spec"}
    assert {pair.core for pair in PAIRS} | elsewhere == set(STRUCTURES)


def test_an_experiment_has_the_same_bounds() -> None:
    bounds = STRUCTURES["Spec"]["bounds"]
    for name, (here, unit) in {
        "dt": ("dt_days", 1.0),
        "horizon_days": months("horizon_months"),
        "accrual_days": months("accrual_months"),
        "max_clones": ("max_clones", 1.0),
        "stride_days": ("stride_days", 1.0),
        "trajectory_every_days": ("trajectory_every_days", 1.0),
    }.items():
        least, most = limits(written.Written, here)
        assert bounds[name] == [pytest.approx(least * unit), pytest.approx(most * unit)], name
    assert set(bounds) == words("dt stride_days horizon_days accrual_days max_clones trajectory_every_days")


def test_a_share_of_founders_has_the_same_bounds() -> None:
    assert STRUCTURES["Founder"]["bounds"]["probability"] == [0, 1]
    of_values = get_args(patient_laws.PatientLaws.model_fields["founder"].annotation)[1]
    assert Between(0, 1) in [part.func for part in get_args(of_values) if isinstance(part, AfterValidator)]


def test_defaults_are_the_same() -> None:
    assert Space()._resolve() == STRUCTURES["Space"]["default"]
    assert eligibility.Eligibility().to_core() == STRUCTURES["Eligibility"]["default"]
    assert written.Assessment().criteria() == STRUCTURES["Criteria"]["default"]


def test_constants_are_the_same() -> None:
    assert CONSTANTS["days_per_month"] == DAYS_PER_MONTH == _core.DAYS_PER_MONTH
    assert CONSTANTS["found_in_tissue"] == condition._TISSUE_FRACTION
    assert CONSTANTS["most_individuals"] == rates._MOST_INDIVIDUALS
    assert CONSTANTS["least_individuals_of_a_patient"] == engine.LEAST_CELLS
    assert CONSTANTS["most_individuals_of_a_patient"] == engine.MOST_CELLS
    assert (CONSTANTS["least_dose"], CONSTANTS["most_dose"]) == limits(dosing.Dosing, "dose")
