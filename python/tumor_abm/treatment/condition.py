"""What a doctor can know, and rules may ask."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from tumor_abm._base.table import Table

Fraction = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[float, Field(ge=0, le=10_000)]
Change = Annotated[float, Field(ge=-1, le=100)]

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

    Attributes
    ----------
    ctdna
        Gene (or alteration) seen in the last liquid biopsy, at a variant allele fraction of at
        least ``above`` (default: at all).
    above
        Beside ``ctdna`` or ``tissue``: the least fraction.
    tissue
        Gene (or alteration) carried by at least a fraction ``above`` of the cells (default 0.05).
    months
        At least so many months on this line.
    sld_change
        The sum of diameters changed this much from the baseline of the line.
    prior_months_below
        The line before lasted less than so many months to progression.
    visceral
        The patient has visceral disease (``false``: has none).
    premenopausal
        The patient is (``false``: is not) premenopausal.
    taken
        The patient has taken this drug before.
    all
        All of these conditions.
    not
        The condition does not hold.
    """

    ctdna: str | None = None
    tissue: str | None = None
    above: Fraction | None = None
    months: Months | None = None
    sld_change: SldChange | None = None
    prior_months_below: Months | None = None
    visceral: bool | None = None
    premenopausal: bool | None = None
    taken: str | None = None
    all_: list[Condition] | None = Field(default=None, alias="all", min_length=1)
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        kinds = [
            field.alias or name
            for name, field in type(self).model_fields.items()
            if name != "above" and getattr(self, name) is not None
        ]
        if len(kinds) != 1:
            allowed = ", ".join(key for key in self.keys() if key != "above")
            raise ValueError(f"found {' and '.join(kinds) or 'no condition'}; name exactly one of {allowed}")
        if self.above is not None and kinds[0] not in ("ctdna", "tissue"):
            raise ValueError(f"above belongs to ctdna and tissue, not to {kinds[0]}")
        return self

    def in_words(self) -> str:
        """Say the condition.

        Examples
        --------
        >>> Condition.model_validate({"not": {"taken": "fulvestrant"}}).in_words()
        'not (fulvestrant was taken before)'
        """
        if self.all_ is not None:
            return " and ".join(condition.in_words() for condition in self.all_)
        if self.not_ is not None:
            return f"not ({self.not_.in_words()})"
        if self.ctdna is not None:
            at = f" at {100 * self.above:g}% or more" if self.above else ""
            return f"{self.ctdna} is seen in ctDNA{at}"
        if self.tissue is not None:
            above = _TISSUE_FRACTION if self.above is None else self.above
            return f"{self.tissue} is in {100 * above:g}% or more of the cells"
        if self.months is not None:
            return f"{self.months:g} months have passed"
        if self.sld_change is not None:
            return self.sld_change.in_words()
        if self.prior_months_below is not None:
            return f"the line before lasted less than {self.prior_months_below:g} months"
        if self.taken is not None:
            return f"{self.taken} was taken before"
        if self.visceral is not None:
            return "there is visceral disease" if self.visceral else "there is no visceral disease"
        return f"the patient is {'before' if self.premenopausal else 'after'} menopause"

    def to_core(self) -> dict[str, Any]:
        """Return the condition as the core reads it."""
        if self.ctdna is not None:
            return {"kind": "ctdna", "gene": self.ctdna, "above": self.above or 0.0}
        if self.tissue is not None:
            above = _TISSUE_FRACTION if self.above is None else self.above
            return {"kind": "tissue", "gene": self.tissue, "above": above}
        if self.months is not None:
            return {"kind": "months", "at_least": self.months}
        if self.sld_change is not None:
            return {"kind": "sld_change", "above": self.sld_change.above, "below": self.sld_change.below}
        if self.prior_months_below is not None:
            return {"kind": "prior_months_below", "months": self.prior_months_below}
        if self.all_ is not None:
            return {"kind": "all", "of": [condition.to_core() for condition in self.all_]}
        if self.not_ is not None:
            return {"kind": "not", "of": self.not_.to_core()}
        if self.taken is not None:
            return {"kind": "taken", "drug": self.taken}
        if self.visceral is not None:
            asked, wanted = {"kind": "visceral"}, self.visceral
        else:
            asked, wanted = {"kind": "premenopausal"}, self.premenopausal is not False
        return asked if wanted else {"kind": "not", "of": asked}
