"""What can be set of a patient, within the ranges of the population."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumor_abm.app.words import three_figures
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.covariate_law import CovariateLaw
from tumor_abm.knowledge.pathway import FRACTION, Pathway
from tumor_abm.knowledge.patient_laws import LogitNormal, LogNormal, PatientLaws
from tumor_abm.knowledge.quantity import Quantity

FloatArray = NDArray[np.float64]

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
    source
        Where its law comes from.
    """

    key: str
    label: str
    unit: str
    fold: float
    values: tuple[float, ...]
    source: tuple[str, ...] = ()

    def words(self, value: float | None, drawn: float | None = None) -> str:
        """Say the value with its unit, or that it is drawn, and what was, if that is known."""
        if value is not None:
            return self._said(value)
        return "as drawn" if drawn is None else f"as drawn ({self._said(drawn)})"

    @property
    def places(self) -> list[float]:
        """What can be chosen, in the page's unit."""
        return [float(f"{value * self.fold:.3g}") for value in self.values]

    def of_place(self, shown: float) -> float:
        """Return the model's number of one in the page's unit, within the range of the choices."""
        return min(max(shown / self.fold, self.values[0]), self.values[-1])

    def hint(self) -> str:
        """Say unit, range and source."""
        span = f"From {three_figures(self.places[0])} to {three_figures(self.places[-1])}"
        source = f" Source: {', '.join(self.source)}." if self.source else ""
        return f"{span} {self.unit}".rstrip() + f".{source}"

    def _said(self, value: float) -> str:
        return f"{three_figures(value * self.fold)} {self.unit}".rstrip()


@dataclass(frozen=True)
class _Shown:
    label: str
    unit: str
    fold: float = 1.0


_MAIN = {
    "net_growth_per_day": _Shown("Net growth", "%/day", 100.0),
    "turnover": _Shown("Turnover", "deaths per division"),
}
"""What matters most for the course."""

_MORE = {
    "diagnosis_volume_cm3": _Shown("Volume at diagnosis", "cm³"),
    "lethal_volume_cm3": _Shown("Lethal volume", "cm³"),
    "target_share": _Shown("In target lesions", "% of volume", 100.0),
    "mutation_fold": _Shown("Own mutation rates", "fold"),
    "shedding": _Shown("Shedding", "genomes per dying cell"),
    "seeding": _Shown("Seeding", "new lesions per lesion grown"),
    "neutrophils": _Shown("Neutrophils", "10⁹/l"),
}
"""The rest."""

MOST_LESIONS = 5

_FOLDS = {"mutation_fold": "mutation_rate_sigma"}
"""Multipliers of median 1, and what their spread between patients is called."""


def main_covariates(population: PatientLaws, pathway: Pathway) -> list[Covariate]:
    """Return what matters most, with what the pathway names so."""
    return [*_of_clinic(population, _MAIN), *_of_cells(population, pathway, prominent=True)]


def more_covariates(population: PatientLaws, pathway: Pathway) -> list[Covariate]:
    """Return the other numbers that can be set."""
    return [*_of_cells(population, pathway, prominent=False), *_of_clinic(population, _MORE)]


def flags(population: PatientLaws, knowledge: Knowledge) -> dict[str, str]:
    """Return what a patient is or is not, by key, in words."""
    pathway = knowledge.pathway
    of_cells = {
        name: pathway.covariates[name].label for name in pathway.drawn if population.covariate[name].is_flag
    }
    return of_cells | {
        name: site.label for name, site in knowledge.sites.items() if name in population.of_sites
    }


def _of_cells(population: PatientLaws, pathway: Pathway, *, prominent: bool) -> list[Covariate]:
    found = []
    for name in pathway.drawn:
        law, described = population.covariate[name], pathway.covariates[name]
        if law.is_flag or described.prominent != prominent:
            continue
        is_share = described.unit == FRACTION
        values = [min(max(value, described.low), described.high) for value in _of_law(law)]
        found.append(
            Covariate(
                key=name,
                label=described.label,
                unit="%" if is_share else described.unit,
                fold=100.0 if is_share else 1.0,
                values=tuple(dict.fromkeys(values)),
                source=tuple(law.median.source) if law.median is not None else (),
            )
        )
    return found


def _of_law(law: CovariateLaw) -> tuple[float, ...]:
    assert law.median is not None
    assert law.sigma is not None
    if law.kind == "logit_normal":
        return _rounded(_shares(law.median, law.sigma.value))
    assert law.low is not None
    assert law.high is not None
    wide = math.exp(_WIDE * law.sigma.value)
    middle = law.median.value
    low, high = max(law.low.value, middle / wide), min(law.high.value, middle * wide)
    return _rounded(np.geomspace(low, high, _STEPS + 1))


def _of_clinic(population: PatientLaws, keys: Mapping[str, _Shown]) -> list[Covariate]:
    """Return what can be set of the patients of a population, over the range in which they are drawn."""
    return [
        Covariate(
            key=key,
            label=shown.label,
            unit=shown.unit,
            fold=shown.fold,
            values=_values(population, key),
            source=_source(population, key),
        )
        for key, shown in keys.items()
        if _is_drawn(population, key)
    ]


def _is_drawn(population: PatientLaws, key: str) -> bool:
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
            values = _shares(law.median, law.sigma.value)
    return _rounded(values)


def _source(population: PatientLaws, key: str) -> tuple[str, ...]:
    law = getattr(population, _FOLDS.get(key, key))
    return tuple(law.source if isinstance(law, Quantity) else law.median.source)


def _shares(median: Quantity, sigma: float) -> FloatArray:
    centre, wide = _logit(median.value), _WIDE * sigma
    low = min(_inverse(centre - wide), median.low or 1.0)
    high = max(_inverse(centre + wide), median.high or 0.0)
    return np.linspace(low, high, _STEPS + 1)


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in values))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _inverse(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
