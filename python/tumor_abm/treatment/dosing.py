"""A drug in a regimen: how much of it, and on which days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from tumor_abm._base.table import Table

_LONGEST_CYCLE = 366


def _days(value: Any) -> Any:
    """Accept ``"1-21"``, ``"1, 8"``, ``8`` and lists."""
    if not isinstance(value, str):
        return [value] if isinstance(value, int) and not isinstance(value, bool) else value
    days: list[int] = []
    for part in value.split(","):
        first, dash, last = (end.strip() for end in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() and len(end) < 5 for end in ends):
            raise ValueError(f'found "{value[:40]}"; allowed: days such as "1-21", "1, 8" or [1, 8]')
        days.extend(range(int(ends[0]), min(int(ends[1]), _LONGEST_CYCLE + 1) + 1))
    return days


def _written(days: list[int]) -> str:
    """Write days in the short form: ``1-21, 25``."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][1] + 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


Day = Annotated[int, Field(ge=1, le=_LONGEST_CYCLE)]
Days = Annotated[
    list[Day],
    BeforeValidator(_days, json_schema_input_type=str | list[int]),
    PlainSerializer(_written, when_used="unless-none"),
]
CycleDays = Annotated[int, Field(ge=1, le=_LONGEST_CYCLE)]
DosesPerDay = Annotated[int, Field(ge=1, le=6)]


class Schedule(Table):
    """On which days of a cycle a drug is taken.

    Attributes
    ----------
    days
        Days of the cycle, from 1: ``"1-21"``, ``"1, 8"`` or a list.
    cycle_days
        Length of the cycle.
    doses_per_day
        Doses on such a day.
    loading_days
        Dosing days of the first cycle on which the loading dose is given.
    loading_dose
        Size of the loading dose, relative to the other doses.
    missed
        What becomes of a dose that is due while the drug is paused: ``skipped``, the calendar goes on, or
        ``given_later``, on the first day after the pause, and what follows is put off as long. Default:
        skipped for oral drugs, given later for all others.
    """

    days: Days = Field(min_length=1)
    cycle_days: CycleDays
    doses_per_day: DosesPerDay = 1
    loading_days: Days = Field(default_factory=list)
    loading_dose: float = Field(default=1.0, ge=1e-3, le=10)
    missed: Literal["skipped", "given_later"] | None = None

    @model_validator(mode="after")
    def _within_the_cycle(self) -> Schedule:
        for day in [*self.days, *self.loading_days]:
            if day > self.cycle_days:
                raise ValueError(f"day {day} lies outside the cycle of {self.cycle_days} days")
        return self

    def to_core(self, route: str) -> dict[str, Any]:
        """Return the schedule as the core reads it, of a drug that is given by `route`."""
        return {
            "days": sorted(set(self.days)),
            "cycle_days": self.cycle_days,
            "doses_per_day": self.doses_per_day,
            "loading_days": sorted(set(self.loading_days)),
            "loading_dose": self.loading_dose,
            "missed": self.missed or ("skipped" if route == "oral" else "given_later"),
        }


class Standard(Protocol):
    """What a dosing must know of its drug: route, standard dose and schedule."""

    @property
    def route(self) -> str:
        """How it is given."""

    @property
    def schedule(self) -> Schedule:
        """Standard schedule."""

    @property
    def amount(self) -> float:
        """Standard dose."""

    @property
    def amount_unit(self) -> str:
        """Unit of the standard dose: ``mg`` or ``mg/m2``."""


class Dosing(Table):
    """A drug at a dose. The name alone means the standard dose and schedule.

    Attributes
    ----------
    drug
        Name of the drug.
    dose
        Dose relative to the standard dose.
    dose_mg, dose_mg_m2
        Dose in the unit of the drug's standard dose; at most one of the three.
    days, cycle_days, doses_per_day, loading_days, loading_dose
        Change of the drug's standard schedule.
    """

    bare_key: ClassVar[str | None] = "drug"

    drug: str
    dose: float | None = Field(default=None, ge=1e-3, le=10)
    dose_mg: float | None = Field(default=None, gt=0)
    dose_mg_m2: float | None = Field(default=None, gt=0)
    days: Days | None = Field(default=None, min_length=1)
    cycle_days: CycleDays | None = None
    doses_per_day: DosesPerDay | None = None
    loading_days: Days | None = None
    loading_dose: float | None = Field(default=None, ge=1e-3, le=10)

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"drug": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_dose(self) -> Dosing:
        if sum(dose is not None for dose in (self.dose, self.dose_mg, self.dose_mg_m2)) > 1:
            raise ValueError("name at most one of dose, dose_mg, dose_mg_m2")
        return self

    def in_words(self) -> str:
        """Say what is given, with what differs from the standard.

        Examples
        --------
        >>> Dosing(drug="palbociclib", dose=0.8, days="1-14").in_words()
        'palbociclib (0.8 × standard dose, days 1-14)'
        """
        changes = ", ".join(self._changes())
        return f"{self.drug} ({changes})" if changes else self.drug

    def _changes(self) -> Iterator[str]:
        if self.dose not in (None, 1.0):
            yield f"{self.dose:g} × standard dose"
        for amount, unit in ((self.dose_mg, "mg"), (self.dose_mg_m2, "mg/m²")):
            if amount is not None:
                yield f"{amount:g} {unit}"
        if self.doses_per_day is not None:
            yield "once a day" if self.doses_per_day == 1 else f"{self.doses_per_day} times a day"
        if self.days is not None or self.cycle_days is not None:
            days = "usual days" if self.days is None else f"days {_written(self.days)}"
            yield days if self.cycle_days is None else f"{days} of {self.cycle_days}"
        if self.loading_days:
            yield f"loading doses on days {_written(self.loading_days)}"

    @property
    def changes_schedule(self) -> bool:
        """Whether the drug is given on other days than usual."""
        return any(
            change is not None
            for change in (
                self.days,
                self.cycle_days,
                self.doses_per_day,
                self.loading_days,
                self.loading_dose,
            )
        )

    def relative_dose(self, standard: Standard) -> float:
        """Return the dose relative to the standard dose.

        Raises
        ------
        ValueError
            The dose is in another unit than the standard dose, or out of bounds.
        """
        given = {"mg": self.dose_mg, "mg/m2": self.dose_mg_m2}
        for unit, amount in given.items():
            if amount is None:
                continue
            if unit != standard.amount_unit:
                key = {"mg": "dose_mg", "mg/m2": "dose_mg_m2"}.get(standard.amount_unit, "dose")
                raise ValueError(
                    f"{self.drug} is dosed in {standard.amount_unit} "
                    f"(standard {standard.amount:g}); give {key}, or dose relative to it"
                )
            relative = amount / standard.amount
            if not 1e-3 <= relative <= 10:
                raise ValueError(
                    f"found {amount:g} {unit}; allowed: 0.001 to 10 times "
                    f"the standard dose of {standard.amount:g} {unit}"
                )
            return relative
        return 1.0 if self.dose is None else self.dose

    def given_on(self, standard: Standard) -> Schedule:
        """Return the schedule: the standard one with the changes of this dosing.

        Raises
        ------
        ValueError
            A dosing day lies outside its cycle.
        """
        usual = standard.schedule
        return Schedule(
            days=usual.days if self.days is None else self.days,
            cycle_days=usual.cycle_days if self.cycle_days is None else self.cycle_days,
            doses_per_day=usual.doses_per_day if self.doses_per_day is None else self.doses_per_day,
            loading_days=usual.loading_days if self.loading_days is None else self.loading_days,
            loading_dose=usual.loading_dose if self.loading_dose is None else self.loading_dose,
            missed=usual.missed,
        )

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return the dosing as the core reads it."""
        standard = drugs[self.drug]
        return {
            "drug": self.drug,
            "dose": self.relative_dose(standard),
            "schedule": self.given_on(standard).to_core(standard.route) if self.changes_schedule else None,
        }
