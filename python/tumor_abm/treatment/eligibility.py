"""Who enters the arms: what patients have lived through before, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.treatment.dosing import Standard
from tumor_abm.treatment.line import EndOfLine, Line, Regimen

_Months = float | None
EndReason = Literal["progression", "completed", "rule", "toxicity", "deterioration"]
RESISTANCES = ("naive", "sensitive", "secondary", "primary")
"""What a kind of therapy before may have shown."""
SENSITIVE, RESISTANCE = "_sensitive", "_resistance"
"""What follows the name of a kind of therapy in the keys that ask what it has shown."""


class Exposure(Table):
    """Time on drugs before enrolment, all of them together.

    Attributes
    ----------
    drugs
        Drugs that count.
    months_at_least, months_below
        At least, or less than, so many months.
    """

    drugs: list[str] = Field(min_length=1)
    months_at_least: _Months = Field(default=None, ge=0, le=10_000)
    months_below: _Months = Field(default=None, gt=0, le=10_000)

    def in_words(self) -> str:
        """Say how long, and on what."""
        return f"{_between(self.months_at_least, self.months_below)} on {' or '.join(self.drugs)}"


_FLAGS = {
    "measurable": ("with measurable disease", "without measurable disease"),
}
_LISTS = {
    "altered": ("with {} altered", " and "),
    "altered_any": ("with {} altered", " or "),
    "not_altered": ("without {} altered", " or "),
    "detected": ("with {} seen in ctDNA", " and "),
    "not_detected": ("without {} seen in ctDNA", " or "),
    "taken": ("who have taken {}", " or "),
    "not_taken": ("who have not taken {}", " or "),
    "history": ("who come as: {}", " or "),
    "prior_ended": ("whose last line ended by {}", " or "),
}


def _between(at_least: _Months, below: _Months) -> str:
    bounds = {"at least": at_least, "less than": below}
    stated = (f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None)
    return " and ".join(stated) + " months"


class Eligibility(Table):
    """What is asked of a patient on the day of enrolment; empty: that the last prior line is over.

    Further keys are made of names. ``SITE``: only patients with (``false``: without) disease at a site.
    ``THERAPY_sensitive``: only patients whose disease was (``false``: was not) sensitive to a kind of therapy
    before; who had none yet counts as sensitive. ``THERAPY_resistance``: what that therapy may have shown, a
    list of ``primary``, ``secondary``, ``sensitive`` (neither) and ``naive`` (none yet). Times are those of
    ``[therapy.THERAPY]``.

    Attributes
    ----------
    prior_months_at_least
        At least so many months from start to progression on the last prior line (or to relapse on adjuvant
        therapy).
    prior_months_below
        Less than so many months from start to progression on the last prior line.
    prior_ended
        How the last prior line may have ended: ``progression``, ``completed``, ``rule``, ``toxicity``,
        ``deterioration``.
        Default: progression or completed.
    altered
        Genes (or alterations) that must all be found in the tumour, in at least a twentieth of its cells.
    altered_any
        Genes (or alterations) of which at least one must be found in the tumour.
    not_altered
        Genes (or alterations) that must not be found in the tumour.
    detected
        Genes (or alterations) that must all be seen in a liquid biopsy on the day of enrolment.
    not_detected
        Genes (or alterations) that must not be seen in it.
    taken
        Drugs of which at least one must have been taken before.
    not_taken
        Drugs that must not have been taken before.
    exposure
        Time on drugs before.
    history
        Names of the histories that qualify.
    measurable
        Only patients with (``false``: without) measurable disease.
    covariate
        Only patients who are (``false``: are not) something that the pathway reads of them, by name.
    """

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "additionalProperties": {"type": ["boolean", "array"], "items": {"enum": [*RESISTANCES]}}
        },
    )

    prior_months_at_least: _Months = Field(default=None, ge=0, le=10_000)
    prior_months_below: _Months = Field(default=None, gt=0, le=10_000)
    prior_ended: list[EndReason] = Field(default_factory=list)
    altered: list[str] = Field(default_factory=list)
    altered_any: list[str] = Field(default_factory=list)
    not_altered: list[str] = Field(default_factory=list)
    detected: list[str] = Field(default_factory=list)
    not_detected: list[str] = Field(default_factory=list)
    taken: list[str] = Field(default_factory=list)
    not_taken: list[str] = Field(default_factory=list)
    exposure: Exposure | None = None
    history: list[str] = Field(default_factory=list)
    measurable: bool | None = None
    covariate: dict[str, bool] = Field(default_factory=dict)

    def drugs(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every drug that is asked for, with its place."""
        for key in ("taken", "not_taken"):
            for i, drug in enumerate(getattr(self, key)):
                yield (key, i), drug
        for i, drug in enumerate(self.exposure.drugs if self.exposure else []):
            yield ("exposure", "drugs", i), drug

    def in_words(self) -> str:
        """Say what is asked; empty if nothing is.

        Examples
        --------
        >>> Eligibility(measurable=True, altered=["A", "B"]).in_words()
        'with measurable disease, and with A and B altered'
        """
        return ", and ".join(self._asked())

    @property
    def named(self) -> Mapping[str, Any]:
        """What is asked under names of sites and kinds of therapy, by key."""
        return self.model_extra or {}

    def _asked(self) -> Iterator[str]:
        for key, wanted in self.named.items():
            words = key.replace("_", " ")
            if key.endswith(SENSITIVE):
                kind = key.removesuffix(SENSITIVE).replace("_", " ")
                yield f"{'' if wanted else 'not '}sensitive to {kind} therapy"
            elif key.endswith(RESISTANCE):
                yield f"whose {words} is {' or '.join(wanted)}"
            else:
                yield f"{'with' if wanted else 'without'} {words} disease"
        for key, (holds, fails) in _FLAGS.items():
            if getattr(self, key) is not None:
                yield holds if getattr(self, key) else fails
        for name, wanted in self.covariate.items():
            yield f"who are {'' if wanted else 'not '}{name.replace('_', ' ')}"
        for key, (words, joint) in _LISTS.items():
            if getattr(self, key):
                yield words.format(joint.join(getattr(self, key)))
        if self.exposure is not None:
            yield f"with {self.exposure.in_words()}"
        if self.prior_months_at_least is not None or self.prior_months_below is not None:
            yield f"with {_between(self.prior_months_at_least, self.prior_months_below)} on the last line"

    def to_core(self) -> dict[str, Any]:
        """Return it as the core reads it."""
        sites, sensitive, resistance = {}, {}, {}
        for key, wanted in self.named.items():
            if key.endswith(SENSITIVE):
                sensitive[key.removesuffix(SENSITIVE)] = wanted
            elif key.endswith(RESISTANCE):
                resistance[key.removesuffix(RESISTANCE)] = wanted
            else:
                sites[key] = wanted
        own = self.model_dump(include=set(type(self).model_fields))
        return {**own, "sites": sites, "sensitive": sensitive, "resistance": resistance}


class Adjuvant(Table):
    """Relapse under adjuvant therapy: a residue left by surgery grows back in spite of it.

    Attributes
    ----------
    regimen
        Drugs of the adjuvant therapy.
    months
        For how long it is given.
    relapse_from_month
        The disease comes back so many months after its start, or later.
    relapse_before_month
        The disease comes back before so many months after its start; 12 months after a planned 60 are 72.
    """

    regimen: Regimen
    months: float = Field(default=60.0, ge=0.1, le=1_000)
    relapse_from_month: float = Field(default=0.0, ge=0, le=1_000)
    relapse_before_month: float = Field(default=72.0, gt=0, le=1_000)

    @model_validator(mode="after")
    def _in_order(self) -> Adjuvant:
        if self.relapse_before_month <= self.relapse_from_month:
            raise ValueError(
                f"relapse_before_month = {self.relapse_before_month:g} does not lie above "
                f"relapse_from_month = {self.relapse_from_month:g}"
            )
        return self

    @property
    def line(self) -> Line:
        """The therapy as a line, which nothing but time ends."""
        return Line(regimen=self.regimen, until=EndOfLine(progression=False, months=self.months))

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {
            "line": self.line.to_core(drugs),
            "relapse_from_month": self.relapse_from_month,
            "relapse_before_month": self.relapse_before_month,
        }


class History(Table):
    """One way to have come to the trial.

    Attributes
    ----------
    name
        Unique name.
    share
        Share of the patients enrolled, relative to those of the other histories.
    adjuvant
        Relapse under adjuvant therapy; absent: the disease was advanced when it was found.
    operated
        Enrolled on the day of surgery: only a residue is left, which no scan sees, and the arms are adjuvant.
    prior
        Lines for advanced disease before enrolment.
    eligibility
        What is asked of these patients beside what is asked of all.
    """

    name: str = Field(min_length=1)
    share: float = Field(default=1.0, gt=0, le=1e6)
    adjuvant: Adjuvant | None = None
    operated: bool = False
    prior: list[Line] = Field(default_factory=list)
    eligibility: Eligibility = Field(default_factory=Eligibility)

    @model_validator(mode="after")
    def _operated_alone(self) -> History:
        if self.operated and (self.adjuvant is not None or self.prior):
            raise ValueError(
                "who is enrolled on the day of surgery has neither adjuvant therapy nor prior lines"
            )
        return self

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return it as the core reads it."""
        return {
            "name": self.name,
            "share": self.share,
            "operated": self.operated,
            "adjuvant": None if self.adjuvant is None else self.adjuvant.to_core(drugs),
            "prior": [line.to_core(drugs) for line in self.prior],
            "eligibility": self.eligibility.to_core(),
        }
