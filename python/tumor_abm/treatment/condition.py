"""What a doctor can know, and rules may ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from tumor_abm._base.table import Table

Fraction = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[float, Field(ge=0, le=10_000)]
Change = Annotated[float, Field(ge=-1, le=100)]

TUMOUR_FRACTION = "tumour fraction"
"""Stands among the genes of a liquid biopsy for the share of the DNA in plasma that is the tumour's."""
# Keys that stand beside another.
_BESIDE = ("above", "rise")
# What a covariate that is 1 or 0 exceeds where it is so.
_YES = 0.5
# Fraction of cells that a tissue biopsy needs to show an alteration.
_TISSUE_FRACTION = 0.05


class SldChange(Table):
    """Relative change of the sum of diameters from the baseline of the line.

    Attributes
    ----------
    above, below
        At least, or at most, this much: 0.2 is a growth by 20%, -0.3 a decrease by 30%.
    """

    above: Change | None = None
    below: Change | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> SldChange:
        if self.above is None and self.below is None:
            raise ValueError("name at least one of above, below")
        return self

    def in_words(self) -> str:
        """Say the change."""
        bounds = ((self.above, "or more"), (self.below, "or less"))
        parts = [f"{percent(bound)} {words}" for bound, words in bounds if bound is not None]
        return "the sum of diameters has changed by " + " and ".join(parts)


def percent(change: float) -> str:
    """Write a relative change.

    Examples
    --------
    >>> percent(-0.5), percent(0.2), percent(0.0)
    ('−50%', '+20%', '0%')
    """
    return f"{100 * change:+.0f}%".replace("-", "−").replace("+0%", "0%")


class Condition(Table):
    """One thing that holds or not; exactly one of the keys, with ``above`` beside the first two.

    What scans, blood counts and liquid biopsies show is what the last of them showed.
    A further key is the name of a site: the disease is there (``false``: is not).

    Attributes
    ----------
    ctdna
        Gene (or alteration) seen in the last liquid biopsy, at a variant allele fraction of at
        least ``above`` (default: at all). So is ``tumour fraction``, if it is among the genes read.
    above
        Beside ``ctdna`` or ``tissue``: the least fraction; beside ``covariate``: the least value.
    rise
        Beside ``ctdna``: at least so many times the least fraction in liquid biopsies of this line. What was
        not seen before has risen.
    tissue
        Gene (or alteration) carried by at least a fraction ``above`` of the cells (default 0.05).
    months
        At least so many months on this line.
    sld_change
        The sum of diameters changed this much from the baseline of the line.
    prior_months_below
        The line before lasted less than so many months to progression.
    new_lesion
        The last scan showed a new lesion (``false``: showed none). On a line that is left at progression this
        holds between lines only, since a new lesion is progression.
    best_response
        The best response so far, of this line or, between lines, of the last one, is at least ``SD``, ``PR``
        or ``CR``.
    neutrophils_below
        Fewer neutrophils, 1e9 per litre.
    covariate
        What the pathway reads of the patient is at least ``above`` (default: it is so, not otherwise).
    taken
        The patient has taken this drug before.
    all
        All of these conditions.
    any
        At least one of these conditions.
    not
        The condition does not hold.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": {"type": "boolean"}})

    ctdna: str | None = None
    tissue: str | None = None
    above: Annotated[float, Field(ge=0, le=1e12)] | None = None
    rise: Annotated[float, Field(ge=1, le=1e6)] | None = None
    months: Months | None = None
    sld_change: SldChange | None = None
    prior_months_below: Months | None = None
    new_lesion: bool | None = None
    best_response: Literal["SD", "PR", "CR"] | None = None
    neutrophils_below: Annotated[float, Field(gt=0, le=100)] | None = None
    covariate: str | None = None
    taken: str | None = None
    all_: list[Condition] | None = Field(default=None, alias="all", min_length=1)
    any_: list[Condition] | None = Field(default=None, alias="any", min_length=1)
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        kinds = [
            field.alias or name
            for name, field in type(self).model_fields.items()
            if name not in _BESIDE and getattr(self, name) is not None
        ]
        kinds += self.named
        if len(kinds) != 1:
            allowed = ", ".join(key for key in self.keys() if key not in _BESIDE)
            raise ValueError(f"found {' and '.join(kinds) or 'no condition'}; name exactly one of {allowed}")
        if self.above is not None and kinds[0] not in ("ctdna", "tissue", "covariate"):
            raise ValueError(f"above belongs to ctdna, tissue and covariate, not to {kinds[0]}")
        if self.rise is not None and kinds[0] != "ctdna":
            raise ValueError(f"rise belongs to ctdna, not to {kinds[0]}")
        if self.above is not None and self.above > 1 and kinds[0] != "covariate":
            raise ValueError(f"above = {self.above:g}; allowed: a fraction, from 0 to 1")
        return self

    @property
    def named(self) -> Mapping[str, Any]:
        """What is asked under the name of a site, by key."""
        return self.model_extra or {}

    @property
    def asked(self) -> Asked:
        """What is asked, as a thing of its own."""
        if self.ctdna is not None:
            return Ctdna(self.ctdna, self.above or 0.0, self.rise)
        if self.tissue is not None:
            return Tissue(self.tissue, _TISSUE_FRACTION if self.above is None else self.above)
        if self.months is not None:
            return MonthsOnLine(self.months)
        if self.sld_change is not None:
            return Sld(self.sld_change)
        if self.prior_months_below is not None:
            return PriorMonths(self.prior_months_below)
        if self.covariate is not None:
            return OfCells(self.covariate, self.above)
        if self.taken is not None:
            return Taken(self.taken)
        return self._of_clinic or self._composed

    @property
    def _of_clinic(self) -> Asked | None:
        """What is asked of disease, scans and blood counts."""
        if self.new_lesion is not None:
            return NewLesion(self.new_lesion)
        if self.best_response is not None:
            return BestResponse(self.best_response)
        return None if self.neutrophils_below is None else NeutrophilsBelow(self.neutrophils_below)

    @property
    def _composed(self) -> Asked:
        if self.all_ is not None:
            return All(self.all_)
        if self.any_ is not None:
            return AnyOf(self.any_)
        if self.not_ is not None:
            return Not(self.not_)
        ((site, wanted),) = self.named.items()
        return AtSite(site, wanted)

    def in_words(self) -> str:
        """Say the condition.

        Examples
        --------
        >>> Condition.model_validate({"not": {"taken": "fulvestrant"}}).in_words()
        'not (fulvestrant was taken before)'
        """
        return self.asked.in_words()

    def to_core(self) -> dict[str, Any]:
        """Return the condition as the core reads it."""
        return self.asked.to_core()


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
