"""What can be set of a patient, within the ranges of the population."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tumor_abm.knowledge.patient_laws import LogitNormal, LogNormal, PatientLaws

_STEPS = 60
_WIDE = 2.5
"""Standard deviations of a law without cuts that a control covers, 99% of the patients."""


@dataclass(frozen=True, kw_only=True)
class Covariate:
    """A number that each patient has, drawn unless it is set.

    Attributes
    ----------
    key
        Its name in `TumorModel(covariates=...)`.
    label, unit
        As the page says it.
    fold
        The page's number over the model's.
    values
        What can be chosen, in the model's unit, ascending.
    """

    key: str
    label: str
    unit: str
    fold: float
    values: tuple[float, ...]

    def place(self, value: float) -> int:
        """Return the index of the choice nearest to a value."""
        return int(np.abs(np.asarray(self.values) - value).argmin())

    def words(self, value: float | None) -> str:
        """Say the value with its unit, or that it is drawn."""
        return "as drawn" if value is None else f"{value * self.fold:.3g} {self.unit}".rstrip()


@dataclass(frozen=True)
class _Shown:
    label: str
    unit: str
    fold: float = 1.0


MAIN = {
    "net_growth_per_day": _Shown("Net growth", "%/day", 100.0),
    "turnover": _Shown("Turnover", "deaths per division"),
    "er_dependence": _Shown("Dependence on ER", "% of cyclin D", 100.0),
}
"""What matters most for the course."""

MORE = {
    "cyclin_e": _Shown("Cyclin E", "fold"),
    "diagnosis_volume_cm3": _Shown("Volume at diagnosis", "cm³"),
    "lethal_volume_cm3": _Shown("Lethal volume", "cm³"),
    "target_share": _Shown("In target lesions", "% of volume", 100.0),
    "mutation_fold": _Shown("Own mutation rates", "fold"),
    "shedding": _Shown("Shedding", "genomes per dying cell"),
    "seeding": _Shown("Seeding", "new lesions per lesion grown"),
    "neutrophils": _Shown("Neutrophils", "10⁹/l"),
}
"""The rest."""

FLAGS = {
    "premenopausal": "Premenopausal",
    "visceral": "Visceral disease",
    "bone_only": "Bone-only disease",
}
"""What a patient is or is not."""

MOST_LESIONS = 5

_FOLDS = {"mutation_fold": "mutation_rate_sigma", "cyclin_e": "cyclin_e_sigma"}
"""Multipliers of median 1, and what their spread between patients is called."""


def covariates(population: PatientLaws, keys: Mapping[str, _Shown]) -> list[Covariate]:
    """Return what can be set of the patients of a population, over the range in which they are drawn."""
    return [
        Covariate(
            key=key, label=shown.label, unit=shown.unit, fold=shown.fold, values=_values(population, key)
        )
        for key, shown in keys.items()
        if is_drawn(population, key)
    ]


def is_drawn(population: PatientLaws, key: str) -> bool:
    """Tell whether a population says how something is drawn, so that there is something to set."""
    return _FOLDS.get(key, key) in population.model_fields_set


def _values(population: PatientLaws, key: str) -> tuple[float, ...]:
    if key in _FOLDS:
        wide = math.exp(_WIDE * getattr(population, _FOLDS[key]).value)
        values = np.geomspace(1 / wide, wide, _STEPS + 1)
    else:
        law: LogNormal | LogitNormal = getattr(population, key)
        if isinstance(law, LogNormal):
            # A law that is not cut below begins where its median may lie.
            low = law.low.value or law.median.low or law.median.value / 100
            values = np.geomspace(low, law.high.value, _STEPS + 1)
        else:
            centre, wide = _logit(law.median.value), _WIDE * law.sigma.value
            low = min(_inverse(centre - wide), law.median.low or 1.0)
            high = max(_inverse(centre + wide), law.median.high or 0.0)
            values = np.linspace(low, high, _STEPS + 1)
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in values))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _inverse(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
