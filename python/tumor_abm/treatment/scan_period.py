"""When scans are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm._base.units import DAYS_PER_WEEK


class ScanPeriod(Table):
    """A stretch of the scan calendar.

    Attributes
    ----------
    every_weeks
        Weeks between scans.
    until_month
        Month of the line until which it applies; the last stretch needs none.
    """

    every_weeks: float = Field(ge=1 / 7, le=520)
    until_month: float | None = Field(default=None, gt=0, le=10_000)

    def to_core(self) -> dict[str, Any]:
        """Return the stretch as the core reads it."""
        return {"every_days": self.every_weeks * DAYS_PER_WEEK, "until_month": self.until_month}


def in_order(calendar: Sequence[ScanPeriod]) -> None:
    """Check that stretches follow on each other.

    Raises
    ------
    ValueError
        One but the last has no end, or ends before the one before it.
    """
    before = 0.0
    for i, period in enumerate(calendar):
        if period.until_month is None and i + 1 < len(calendar):
            raise ValueError(f"calendar[{i}]: until_month is missing; only the last may go on for ever")
        if period.until_month is not None and period.until_month <= before:
            raise ValueError(f"calendar[{i}]: until_month must be above {before:g}, that of the one before")
        before = period.until_month or before


def shortest_days(calendar: Sequence[ScanPeriod]) -> float:
    """Return the shortest interval between planned scans."""
    return min(period.every_weeks for period in calendar) * DAYS_PER_WEEK
