"""One strategy to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.treatment.dosing import Standard
from tumor_abm.treatment.eligibility import Eligibility
from tumor_abm.treatment.line import Line
from tumor_abm.treatment.scan_period import ScanPeriod, in_order


class Arm(Table):
    """Lines of therapy in order.

    Attributes
    ----------
    name
        Unique name.
    labels
        What the arm stands for elsewhere, e.g. trial, arm and subset of a published trial.
    among
        Which of the patients enrolled the arm is about; the others do not live it.
    calendar
        Stretches of the scan calendar of this arm alone; that of ``[assessment]`` if there are none.
    line
        Lines in order.
    """

    name: str = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict)
    among: Eligibility = Field(default_factory=Eligibility)
    calendar: list[ScanPeriod] = Field(default_factory=list)
    line: list[Line] = Field(min_length=1)

    @model_validator(mode="after")
    def _calendar_in_order(self) -> Arm:
        in_order(self.calendar)
        return self

    def to_core(self, drugs: Mapping[str, Standard], afterwards: Sequence[Line] = ()) -> dict[str, Any]:
        """Return the arm, followed by the lines of `afterwards`, as the core reads it."""
        lines = [line.to_core(drugs) for line in (*self.line, *afterwards)]
        return {
            "name": self.name,
            "lines": lines,
            "among": self.among.to_core(),
            "calendar": [period.to_core() for period in self.calendar],
        }
