"""What conditions ask, each with its words and its form for the core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tumor_abm.treatment.condition import Condition, SldChange

# What a covariate that is 1 or 0 exceeds where it is so.
_YES = 0.5


class Asked(ABC):
    """What a condition asks: without words, or without a form for the core, there is none."""

    @abstractmethod
    def in_words(self) -> str:
        """Say it."""

    @abstractmethod
    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""


@dataclass(frozen=True)
class Ctdna(Asked):
    """A gene, or an alteration, in the last liquid biopsy."""

    gene: str
    above: float
    rise: float | None

    def in_words(self) -> str:
        """Say it."""
        at = f" at {100 * self.above:g}% or more" if self.above else ""
        risen = "" if self.rise is None else f", risen {self.rise:g}-fold or more"
        return f"{self.gene} is seen in ctDNA{at}{risen}"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "ctdna", "gene": self.gene, "above": self.above, "rise": self.rise}


@dataclass(frozen=True)
class Tissue(Asked):
    """A gene, or an alteration, in a share of the cells."""

    gene: str
    above: float

    def in_words(self) -> str:
        """Say it."""
        return f"{self.gene} is in {100 * self.above:g}% or more of the cells"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "tissue", "gene": self.gene, "above": self.above}


@dataclass(frozen=True)
class MonthsOnLine(Asked):
    """Time on the line."""

    at_least: float

    def in_words(self) -> str:
        """Say it."""
        return f"{self.at_least:g} months have passed"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "months", "at_least": self.at_least}


@dataclass(frozen=True)
class Sld(Asked):
    """Change of the sum of diameters."""

    change: SldChange

    def in_words(self) -> str:
        """Say it."""
        return self.change.in_words()

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "sld_change", "above": self.change.above, "below": self.change.below}


@dataclass(frozen=True)
class PriorMonths(Asked):
    """Time to progression on the line before."""

    below: float

    def in_words(self) -> str:
        """Say it."""
        return f"the line before lasted less than {self.below:g} months"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "prior_months_below", "months": self.below}


@dataclass(frozen=True)
class AtSite(Asked):
    """Disease at a site, or none there."""

    site: str
    wanted: bool

    def in_words(self) -> str:
        """Say it."""
        return f"there is {'' if self.wanted else 'no '}{self.site.replace('_', ' ')} disease"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return _or_not({"kind": "site", "name": self.site}, self.wanted)


@dataclass(frozen=True)
class NewLesion(Asked):
    """A new lesion on the last scan, or none."""

    wanted: bool

    def in_words(self) -> str:
        """Say it."""
        return f"the last scan showed {'a' if self.wanted else 'no'} new lesion"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return _or_not({"kind": "new_lesion"}, self.wanted)


@dataclass(frozen=True)
class BestResponse(Asked):
    """How far the best response goes."""

    at_least: Literal["SD", "PR", "CR"]

    def in_words(self) -> str:
        """Say it."""
        return f"the best response is {self.at_least}{'' if self.at_least == 'CR' else ' or better'}"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        names = {"SD": "Stable", "PR": "Partial", "CR": "Complete"}
        return {"kind": "best_response", "at_least": names[self.at_least]}


@dataclass(frozen=True)
class NeutrophilsBelow(Asked):
    """A low blood count."""

    below: float

    def in_words(self) -> str:
        """Say it."""
        return f"neutrophils are below {self.below:g}"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "neutrophils", "below": self.below}


@dataclass(frozen=True)
class OfCells(Asked):
    """What the pathway reads of the patient."""

    covariate: str
    above: float | None

    def in_words(self) -> str:
        """Say it."""
        name = self.covariate.replace("_", " ")
        return f"the patient is {name}" if self.above is None else f"{name} is {self.above:g} or more"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        least = _YES if self.above is None else self.above
        return {"kind": "covariate", "name": self.covariate, "at_least": least}


@dataclass(frozen=True)
class OfTumour(Asked):
    """An output of the pathway in a biopsy."""

    output: str
    above: float

    def in_words(self) -> str:
        """Say it."""
        return f"{self.output.replace('_', ' ')} is {self.above:g} or more"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "output", "name": self.output, "at_least": self.above}


@dataclass(frozen=True)
class Taken(Asked):
    """A drug of an earlier line."""

    drug: str

    def in_words(self) -> str:
        """Say it."""
        return f"{self.drug} was taken before"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "taken", "drug": self.drug}


@dataclass(frozen=True)
class All(Asked):
    """Several conditions at once."""

    conditions: list[Condition]

    def in_words(self) -> str:
        """Say it."""
        return " and ".join(condition.in_words() for condition in self.conditions)

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "all", "of": [condition.to_core() for condition in self.conditions]}


@dataclass(frozen=True)
class AnyOf(Asked):
    """At least one of several conditions."""

    conditions: list[Condition]

    def in_words(self) -> str:
        """Say it."""
        return f"({' or '.join(condition.in_words() for condition in self.conditions)})"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {"kind": "any", "of": [condition.to_core() for condition in self.conditions]}


@dataclass(frozen=True)
class Not(Asked):
    """The opposite of a condition."""

    condition: Condition

    def in_words(self) -> str:
        """Say it."""
        return f"not ({self.condition.in_words()})"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        return _or_not(self.condition.to_core(), wanted=False)


def _or_not(asked: dict[str, Any], wanted: bool) -> dict[str, Any]:
    return asked if wanted else {"kind": "not", "of": asked}
