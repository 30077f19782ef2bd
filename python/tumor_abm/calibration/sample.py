"""Outcomes of one arm, weighted, and what a publication would say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumor_abm.analysis.survival import product_limit

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Progression-free survival and response of patients in one arm.

    Attributes
    ----------
    months
        Time to progression or death, or to censoring.
    event
        1: progression or death was seen; 0: censored.
    response
        1: objective response.
    measurable
        1: measurable disease.
    weight
        What every patient counts for.
    """

    months: Numbers
    event: Numbers
    response: Numbers
    measurable: Numbers
    weight: Numbers

    @classmethod
    def joined(cls, parts: Sequence[Sample]) -> Sample:
        """Return all patients of `parts`."""
        fields = ("months", "event", "response", "measurable", "weight")
        return cls(**{field: np.concatenate([getattr(part, field) for part in parts]) for field in fields})

    def response_rate(self, *, measurable_only: bool) -> float:
        """Share with objective response, of all or of those with measurable disease; NaN of nobody."""
        weight = self.weight * self.measurable if measurable_only else self.weight
        total = float(weight.sum())
        return float((weight * self.response).sum()) / total if total > 0 else float("nan")

    def survival(self, months: Numbers) -> Numbers:
        """Kaplan-Meier estimate at given times."""
        times, _, _, survival = product_limit(self.months, self.event, self.weight)
        left = np.concatenate([[1.0], survival])
        found: Numbers = left[np.searchsorted(times, months, side="right")]
        return found


@dataclass(frozen=True)
class Curves:
    """Survival curves of one arm, a row per parameter set, known halfway between scans.

    Scans make published curves staircases, and medians jump from one scan to the next. A staircase drops on
    the day of the scan and is right on average half a step later; a line through the middles of the steps
    therefore has the published median on average, and moves smoothly with the parameters. Survival at a given
    time is a mean over patients, and so is right on average however few there are; a median of few patients
    is not.

    Attributes
    ----------
    months
        Times, from 0.
    survival
        Survival at these times, a row per parameter set, from 1; NaN where nothing is known.
    """

    months: Numbers
    survival: Numbers

    @classmethod
    def through(cls, months: Numbers, survival: Numbers) -> Curves:
        """Return curves through points (of `survival`, a row per parameter set), made to fall."""
        begun = np.concatenate([np.ones((len(survival), 1)), np.clip(survival, 0.0, 1.0)], axis=1)
        return cls(np.concatenate([[0.0], months]), np.minimum.accumulate(begun, axis=1))

    def at(self, months: float) -> Numbers:
        """Survival at a time; that at the end of follow-up afterwards."""
        after = int(np.clip(np.searchsorted(self.months, months), 1, len(self.months) - 1))
        start, end = self.months[after - 1], self.months[after]
        part = min((months - start) / (end - start), 1.0)
        found: Numbers = (1 - part) * self.survival[:, after - 1] + part * self.survival[:, after]
        return found

    def median(self) -> Numbers:
        """Months until half are left.

        Beyond the end of follow-up the last hazard is taken to go on, so that the estimate stays finite
        and smooth for a search.
        """
        below = self.survival <= 0.5
        after = np.maximum(below.argmax(axis=1), 1)
        row = np.arange(len(after))
        before, left = self.survival[row, after - 1], self.survival[row, after]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (before - 0.5) / (before - left)
            crossed = self.months[after - 1] + part * (self.months[after] - self.months[after - 1])
            beyond = self.months[-1] * np.log(0.5) / -np.abs(np.log(self.survival[:, -1]))
        unknown = np.isnan(self.survival).any(axis=1)
        found: Numbers = np.where(unknown, np.nan, np.where(below.any(axis=1), crossed, beyond))
        return found

    def hazard_ratio(self, control: Curves) -> Numbers:
        """Mantel-Haenszel ratio of the hazards of two arms, pooled over the times between the points.

        Under proportional hazards it estimates what a Cox model does; it is smooth in the parameters.
        """
        events_1, time_1 = self._events_and_time()
        events_0, time_0 = control._events_and_time()
        total = np.maximum(time_1 + time_0, 1e-300)
        above = (events_1 * time_0 / total).sum(axis=1)
        below = (events_0 * time_1 / total).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Numbers = above / below
        return found

    def _events_and_time(self) -> tuple[Numbers, Numbers]:
        """Events and time at risk between the points, per patient."""
        events = self.survival[:, :-1] - self.survival[:, 1:]
        time = np.diff(self.months) * (self.survival[:, :-1] + self.survival[:, 1:]) / 2
        return events, time
