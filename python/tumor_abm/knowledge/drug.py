"""Drugs: dose, schedule, kinetics, and where in the pathway they act."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.kinetics import Kinetics, Route
from tumor_abm.knowledge.pathway import DrugTarget
from tumor_abm.knowledge.quantity import (
    Concentration,
    Quantity,
    Share,
    Slope,
    Sources,
    bare_list,
    between,
    plain,
)
from tumor_abm.knowledge.therapy import CHEMOTHERAPY
from tumor_abm.treatment import Schedule


class Dose(Table):
    """The standard dose, to which ``dose = 1`` in a regimen refers.

    Attributes
    ----------
    value
        How much.
    unit
        ``mg`` or ``mg/m2``.
    source
        Keys of sources, or ``"assumed"``.
    note
        How it follows from the sources, or why it is assumed.
    """

    value: float = Field(gt=0)
    unit: Literal["mg", "mg/m2"]
    source: Sources = Field(default_factory=list)
    note: str = ""


class Action(Table):
    """Action at one target: ``max * C^hill / (ic50^hill + C^hill)``.

    Attributes
    ----------
    max
        Largest effect: the share of activity lost; where it kills, of dividing cells that die instead.
    ic50
        Concentration of half the largest effect, in the unit of the steady state. An effective
        potency in patients, not one of a dish.
    hill
        Hill coefficient.
    """

    max: Share
    ic50: Concentration
    hill: Slope


class SharedExposure(Table):
    """What the exposure to a drug has in common with that to others, e.g. an enzyme that clears them.

    Attributes
    ----------
    with
        What they share, by name.
    correlation
        Of the logarithm of the exposure with it: drugs with correlations *a* and *b* correlate by *ab*.
    """

    with_: str = Field(alias="with", min_length=1)
    correlation: Share

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"with": self.with_, "correlation": self.correlation.value}


class DoseLevels(Table):
    """Doses to which a drug is reduced, one after the other.

    Attributes
    ----------
    value
        Falling, in the unit of the standard dose.
    source, note
        Where they come from.
    """

    bare_key: ClassVar[str | None] = "value"

    value: list[Annotated[float, Field(gt=0)]] = Field(default_factory=list, max_length=10)
    source: Sources = Field(default_factory=list)
    note: str = ""

    @model_validator(mode="after")
    def _falling(self) -> DoseLevels:
        for above, level in pairwise(self.value):
            if level >= above:
                raise ValueError(f"found {level:g} after {above:g}; allowed: each below the one before")
        return self


class Drug(Table):
    """A drug at its standard dose.

    Attributes
    ----------
    class
        Class, e.g. ``kinase inhibitor``.
    label
        What it is, in words.
    dose
        Standard dose.
    route
        ``oral``, ``iv``, ``im`` or ``sc``.
    given
        Dose and schedule in words.
    schedule
        Standard schedule.
    kinetics
        Kinetics at the standard dose.
    effects
        Target in the pathway to the action there.
    neutrophil_slope
        Share of the proliferation of neutrophil precursors lost at the steady-state concentration; it is
        proportional to concentration, and above 1 precursors die (Friberg et al. 2002).
    dose_levels
        Doses to which it is reduced after grade 4 neutropenia; none: it is not reduced.
    marrow_protection
        How it keeps neutrophil precursors out of the cycle, and so out of reach of chemotherapy; ``max`` is
        the largest share of their loss that it prevents.
    shared_exposure
        What a patient who has more of this drug than others has more of, too.
    discontinuation_per_month
        Hazard of giving the drug up for intolerance, per month on it.
    toxicity
        Main toxicity, in words.
    source
        Where dose, route and schedule come from.
    note
        What is left out.
    """

    class_: str = Field(alias="class")
    label: str = ""
    dose: Dose
    route: Route
    given: str = ""
    schedule: Schedule
    kinetics: Kinetics
    effects: dict[str, Action]
    neutrophil_slope: Annotated[Quantity, AfterValidator(between(0, 1e3))]
    dose_levels: Annotated[DoseLevels, BeforeValidator(bare_list)] = Field(default_factory=DoseLevels)
    marrow_protection: Action | None = None
    shared_exposure: SharedExposure | None = None
    discontinuation_per_month: Annotated[Quantity, AfterValidator(between(0, 10))]
    toxicity: str = ""
    source: Sources = Field(default_factory=list)
    note: str = ""

    @model_validator(mode="after")
    def _levels_below_the_standard(self) -> Drug:
        if self.dose_levels.value and self.dose_levels.value[0] >= self.dose.value:
            raise ValueError(
                f"dose_levels: found {self.dose_levels.value[0]:g}; allowed: below the standard dose of"
                f" {self.dose.value:g}"
            )
        return self

    @property
    def amount(self) -> float:
        """Standard dose."""
        return self.dose.value

    @property
    def amount_unit(self) -> str:
        """Unit of the standard dose."""
        return self.dose.unit

    def effect_at_steady_state(self, target: str, *, potency_loss: float = 1.0) -> float:
        """Effect at the average steady-state concentration.

        Parameters
        ----------
        target
            Where the drug acts; 0 where it does not.
        potency_loss
            Fold by which the target has lost affinity, e.g. a mutant receptor.
        """
        action = self.effects.get(target)
        if action is None:
            return 0.0
        ratio = potency_loss * action.ic50.value / self.kinetics.steady_state.value
        return action.max.value / (1.0 + float(ratio**action.hill.value))

    def is_therapy(self, kind: str, targets: Mapping[str, DrugTarget]) -> bool:
        """Tell whether a line with it is therapy of a kind."""
        return any(targets[name].therapy == kind for name in self.effects)

    def to_core(self, name: str, targets: Mapping[str, DrugTarget]) -> dict[str, Any]:
        """Return the drug as the core reads it, in a pathway with these targets."""
        order = list(targets)
        return {
            "name": name,
            "route": self.route,
            "schedule": self.schedule.to_core(self.route),
            **self.kinetics.to_core(self.route),
            "effects": [
                {"target": order.index(target), **plain(action)} for target, action in self.effects.items()
            ],
            "therapies": list(
                dict.fromkeys(
                    kind for target in self.effects if (kind := targets[target].therapy) is not None
                )
            ),
            "chemotherapy": self.is_therapy(CHEMOTHERAPY, targets),
            "neutrophil_slope": self.neutrophil_slope.value,
            "dose_levels": [level / self.amount for level in self.dose_levels.value],
            "marrow_protection": plain(self.marrow_protection),
            "shared_exposure": None if self.shared_exposure is None else self.shared_exposure.to_core(),
            "discontinuation_per_month": self.discontinuation_per_month.value,
        }
