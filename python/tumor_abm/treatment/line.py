"""A line of therapy: a regimen, reasons to leave it, and rules within it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tumor_abm._base.genotype import JOINT
from tumor_abm._base.table import Table
from tumor_abm.treatment.action import Rule
from tumor_abm.treatment.condition import Condition, percent
from tumor_abm.treatment.dosing import Dosing, Standard

OBSERVATION = "observation"
"""What a regimen of no drug is called."""


def _observed(value: Any) -> Any:
    return [] if value in (OBSERVATION, [OBSERVATION]) else value


Regimen = Annotated[
    list[Dosing],
    BeforeValidator(_observed, json_schema_input_type=list[Dosing] | Literal["observation"]),
]
"""Drugs given together. None, or the word ``observation``: the patient is scanned and gets nothing."""


class Option(Table):
    """A regimen that is taken if its condition holds.

    The first that fits is given; where options have shares, one is drawn among those that fit.

    Attributes
    ----------
    if
        Condition at the start of the line; the last option has none, or, with shares, at least one.
    share
        Its weight when one of several is drawn, as a physician's choice is.
    regimen
        Drugs given together; ``[]`` or ``"observation"``: none.
    """

    if_: Condition | None = Field(default=None, alias="if")
    share: float | None = Field(default=None, gt=0, le=1e6)
    regimen: Regimen

    def in_words(self) -> str:
        """Say the regimen, and when it is given."""
        given = JOINT.join(dosing.in_words() for dosing in self.regimen) or OBSERVATION
        return given if self.if_ is None else f"{given} if {self.if_.in_words()}"


class EndOfLine(Table):
    """Reasons to leave a line other than death; the first that occurs counts.

    Attributes
    ----------
    progression
        At progression on a scan.
    months
        After so many months.
    cycles
        After so many cycles of the longest schedule of the regimen.
    toxicity
        When a drug is not tolerated; otherwise the other drugs go on, and where none is left, the patient is
        watched until another reason comes.
    response
        When the sum of diameters has changed by this much or less, e.g. -0.5.
    """

    progression: bool = True
    months: float | None = Field(default=None, ge=0.1, le=10_000)
    cycles: int | None = Field(default=None, ge=1, le=10_000)
    toxicity: bool = False
    response: float | None = Field(default=None, ge=-1, le=0)

    def in_words(self) -> str:
        """Say the reasons."""
        reasons = ["progression"] if self.progression else []
        if self.months is not None:
            reasons.append(f"{self.months:g} months")
        if self.cycles is not None:
            reasons.append(f"{self.cycles} cycles")
        if self.toxicity:
            reasons.append("toxicity")
        if self.response is not None:
            reasons.append(f"the sum of diameters has changed by {percent(self.response)}")
        return "until " + (" or ".join(reasons) or "death")


class Holiday(Table):
    """Planned pauses, over and over.

    Attributes
    ----------
    on_weeks
        Weeks on treatment before a pause.
    off_weeks
        Weeks of pause.
    drugs
        Drugs that pause; all when absent.
    """

    on_weeks: float = Field(gt=0, le=5_000)
    off_weeks: float = Field(gt=0, le=5_000)
    drugs: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole_days(self) -> Holiday:
        for key, weeks in (("on_weeks", self.on_weeks), ("off_weeks", self.off_weeks)):
            if round(weeks * 7) < 1:
                raise ValueError(f"found {key} = {weeks:g}; allowed: at least one day, 1/7 of a week")
        return self

    def in_words(self) -> str:
        """Say what pauses, and when."""
        return f"{_named(self.drugs)} {self.on_weeks:g} weeks on, {self.off_weeks:g} weeks off"

    def to_core(self) -> dict[str, Any]:
        """Return the holiday as the core reads it."""
        return {
            "on_days": round(self.on_weeks * 7),
            "off_days": round(self.off_weeks * 7),
            "drugs": self.drugs,
        }


class Adaptive(Table):
    """Adaptive dosing (Zhang et al. 2017, Nat Commun 8:1816).

    Attributes
    ----------
    stop_at
        The drugs stop once the sum of diameters has shrunk by more than this from the baseline of the line,
        e.g. -0.5. Disease that cannot be measured has no sum of diameters, and its drugs
        never stop.
    resume_at
        They are resumed at this relative change from the baseline.
    drugs
        Drugs concerned; all when absent.
    """

    stop_at: float = Field(default=-0.5, ge=-1, le=0)
    resume_at: float = Field(default=0.0, ge=-1, le=0.2)
    drugs: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _resume_above_stop(self) -> Adaptive:
        if self.resume_at < self.stop_at:
            raise ValueError(f"resume_at = {self.resume_at:g} lies below stop_at = {self.stop_at:g}")
        return self

    def in_words(self) -> str:
        """Say what stops, and when."""
        stop, resume = percent(self.stop_at), percent(self.resume_at)
        return f"{_named(self.drugs)} stopped at {stop} of the sum of diameters, resumed at {resume}"

    def to_core(self) -> dict[str, Any]:
        """Return the rule as the core reads it."""
        return {"stop_at": self.stop_at, "resume_at": self.resume_at, "drugs": self.drugs}


class Line(Table):
    """One line of therapy.

    Attributes
    ----------
    regimen
        Drugs given together (``[]`` or ``"observation"``: none), or ...
    choose
        ... regimens to choose from; the first whose ``if`` holds, so the last has none.
    until
        Reasons to leave; default: progression.
    rule
        Rules looked at on every scan and liquid biopsy before progression.
    holiday
        Planned pauses.
    adaptive
        Stop at a response, resume at regrowth.
    """

    regimen: Regimen | None = None
    choose: list[Option] | None = Field(default=None, min_length=1)
    until: EndOfLine = Field(default_factory=EndOfLine)
    rule: list[Rule] = Field(default_factory=list)
    holiday: Holiday | None = None
    adaptive: Adaptive | None = None

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Line:
        if (self.regimen is None) == (self.choose is None):
            raise ValueError("name either regimen or choose")
        return self

    @property
    def options(self) -> list[Option]:
        """Regimens to choose from, one if there is no choice."""
        if self.choose is not None:
            return self.choose
        return [Option.model_construct(if_=None, share=None, regimen=self.regimen or [])]

    @property
    def asks_for_sums(self) -> bool:
        """Whether anything in it hangs on the sum of diameters."""
        asked = any(condition.sld_change is not None for _, condition in self.conditions())
        return asked or self.adaptive is not None or self.until.response is not None

    def in_words(self) -> list[str]:
        """Say what the line gives, until when, and which rules it has: one clause each.

        Examples
        --------
        >>> Line.model_validate({"regimen": ["palbociclib", {"drug": "letrozole", "dose": 0.5}]}).in_words()
        ['palbociclib + letrozole (0.5 × standard dose)', 'until progression']
        >>> Line(regimen=[]).in_words()
        ['observation', 'until progression']
        >>> inhibitors = [{"share": 4, "regimen": ["letrozole"]}, {"share": 1, "regimen": ["anastrozole"]}]
        >>> Line.model_validate({"choose": inhibitors}).in_words()
        ['drawn: 80% letrozole, 20% anastrozole', 'until progression']
        """
        pauses = [pause.in_words() for pause in (self.holiday, self.adaptive) if pause is not None]
        return [
            self._given_in_words(),
            self.until.in_words(),
            *pauses,
            *(rule.in_words() for rule in self.rule),
        ]

    def _given_in_words(self) -> str:
        options = self.options
        shares = [option.share for option in options if option.share is not None]
        if not shares:
            return "; else ".join(option.in_words() for option in options)
        if any(option.if_ is not None for option in options):
            among = (f"{option.in_words()} (weight {option.share:g})" for option in options)
            return f"drawn among what fits: {', '.join(among)}"
        parts = (f"{100 * (option.share or 0) / sum(shares):.3g}% {option.in_words()}" for option in options)
        return f"drawn: {', '.join(parts)}"

    def dosings(self) -> Iterator[tuple[tuple[str | int, ...], Dosing]]:
        """Every dosing that the line can give, with its place in the line."""
        for o, option in enumerate(self.options):
            start: tuple[str | int, ...] = ("regimen",) if self.choose is None else ("choose", o, "regimen")
            for d, dosing in enumerate(option.regimen):
                yield (*start, d), dosing
        for r, rule in enumerate(self.rule):
            if rule.then.with_ is not None:
                yield ("rule", r, "then", "with"), rule.then.with_
            if rule.then.add is not None:
                yield ("rule", r, "then", "add"), rule.then.add

    def conditions(self) -> Iterator[tuple[tuple[str | int, ...], Condition]]:
        """Every condition of the line, inner ones included, with its place in the line."""
        for o, option in enumerate(self.choose or []):
            if option.if_ is not None:
                yield from _unfolded(("choose", o, "if"), option.if_)
        for r, rule in enumerate(self.rule):
            yield from _unfolded(("rule", r, "when"), rule.when)

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return the line as the core reads it."""
        return {
            "options": [
                {
                    "when": None if option.if_ is None else option.if_.to_core(),
                    "share": option.share,
                    "regimen": [dosing.to_core(drugs) for dosing in option.regimen],
                }
                for option in self.options
            ],
            "until": self.until.model_dump(),
            "rules": [rule.to_core(drugs) for rule in self.rule],
            "holiday": None if self.holiday is None else self.holiday.to_core(),
            "adaptive": None if self.adaptive is None else self.adaptive.to_core(),
        }


def _named(drugs: list[str]) -> str:
    return JOINT.join(drugs) or "all drugs"


def _unfolded(
    where: tuple[str | int, ...], condition: Condition
) -> Iterator[tuple[tuple[str | int, ...], Condition]]:
    yield where, condition
    for i, inner in enumerate(condition.all_ or []):
        yield from _unfolded((*where, "all", i), inner)
    for i, inner in enumerate(condition.any_ or []):
        yield from _unfolded((*where, "any", i), inner)
    if condition.not_ is not None:
        yield from _unfolded((*where, "not"), condition.not_)
