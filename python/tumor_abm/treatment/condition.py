"""What a doctor can know, and rules may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.treatment.asked import (
    All,
    AnyOf,
    Asked,
    AtSite,
    BestResponse,
    Ctdna,
    MonthsOnLine,
    NeutrophilsBelow,
    NewLesion,
    Not,
    OfCells,
    OfTumour,
    PriorMonths,
    Sld,
    Taken,
    Tissue,
)

Fraction = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[float, Field(ge=0, le=10_000)]
Change = Annotated[float, Field(ge=-1, le=100)]

TUMOUR_FRACTION = "tumour fraction"
"""Stands among the genes of a liquid biopsy for the share of the DNA in plasma that is the tumour's."""
# Keys that stand beside another.
_BESIDE = ("above", "rise")
# Keys beside which a least value may stand.
_WITH_LEAST = ("ctdna", "tissue", "covariate", "output")
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
        Beside ``ctdna`` or ``tissue``: the least fraction; beside ``covariate`` or ``output``: the least
        value.
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
    output
        A node of the pathway with ``output = true`` (the share of cells that stain for Ki-67, say) is at
        least ``above`` in a biopsy today: the mean of all living cells under their drugs.
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
    output: str | None = None
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
        if self.above is not None and kinds[0] not in _WITH_LEAST:
            raise ValueError(f"above belongs to {', '.join(_WITH_LEAST)}, not to {kinds[0]}")
        if self.output is not None and self.above is None:
            raise ValueError(f'output = "{self.output}" asks for above, the least value that counts')
        if self.rise is not None and kinds[0] != "ctdna":
            raise ValueError(f"rise belongs to ctdna, not to {kinds[0]}")
        if self.above is not None and self.above > 1 and kinds[0] not in ("covariate", "output"):
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
        if self.output is not None and self.above is not None:
            return OfTumour(self.output, self.above)
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
