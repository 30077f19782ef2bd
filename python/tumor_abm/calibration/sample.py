"""Outcomes of one arm, weighted, and what a publication would say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_INTERVAL_MONTHS = 2.0
"""Time within which hazards are pooled for the hazard ratio; about the gap between scans."""


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

    def curve(self) -> Curve:
        """Kaplan-Meier estimate, smoothed over the scans."""
        order = np.argsort(self.months, kind="stable")
        times, first = np.unique(self.months[order], return_index=True)
        events = np.add.reduceat((self.weight * self.event)[order], first)
        leaving = np.add.reduceat(self.weight[order], first)
        at_risk = np.cumsum(leaving[::-1])[::-1]
        survival = np.cumprod(1.0 - events / np.maximum(at_risk, 1e-300))
        drops = events > 0
        return Curve.through(times[drops], survival[drops], last=float(times[-1]))


@dataclass(frozen=True)
class Curve:
    """A survival curve through the middles of the steps of a Kaplan-Meier estimate.

    Scans make published curves staircases, and medians jump from one scan to the next. A staircase
    drops on the day of the scan and is right on average half a step later; a line through the middles
    of the steps therefore has the published median on average, and moves smoothly with the parameters.
    """

    months: Numbers
    survival: Numbers

    @classmethod
    def through(cls, drops: Numbers, survival: Numbers, last: float) -> Curve:
        """Return the curve of a staircase that drops at `drops` to `survival`, followed to `last`."""
        if len(drops) == 0:
            return cls(np.array([0.0]), np.array([1.0]))
        ends = np.append(drops[1:], max(last, float(drops[-1])))
        months = np.concatenate([[0.0, drops[0] / 2], (drops + ends) / 2])
        return cls(months, np.concatenate([[1.0, 1.0], survival]))

    def at(self, months: float) -> float:
        """Survival at a time; that at the end of follow-up afterwards."""
        return float(np.interp(months, self.months, self.survival))

    def median(self) -> float:
        """Months until half are left.

        Beyond the end of follow-up the last hazard is taken to go on, so that the estimate stays finite
        and smooth for a search.
        """
        below = np.flatnonzero(self.survival <= 0.5)
        if len(below):
            return float(np.interp(-0.5, -self.survival, self.months))
        end, left = float(self.months[-1]), float(self.survival[-1])
        if left >= 1.0 or end <= 0:
            return float("inf")
        return end * float(np.log(0.5) / np.log(left))


def hazard_ratio(arm: Sample, control: Sample) -> float:
    """Mantel-Haenszel ratio of the hazards of two arms, pooled over intervals of time.

    Under proportional hazards it estimates what a Cox model does; with every patient in both arms it is
    smooth in the parameters.
    """
    last = max(float(arm.months.max()), float(control.months.max()))
    edges = np.arange(0.0, last + _INTERVAL_MONTHS, _INTERVAL_MONTHS)
    events_1, time_1 = _events_and_time(arm, edges)
    events_0, time_0 = _events_and_time(control, edges)
    total = np.maximum(time_1 + time_0, 1e-300)
    above = float((events_1 * time_0 / total).sum())
    below = float((events_0 * time_1 / total).sum())
    return above / below if below > 0 else float("inf")


def _events_and_time(sample: Sample, edges: Numbers) -> tuple[Numbers, Numbers]:
    """Events and time at risk per interval."""
    # A scan on an edge belongs to the interval that it ends.
    place = np.clip(np.searchsorted(edges, sample.months, side="left") - 1, 0, len(edges) - 2)
    events: Numbers = np.bincount(place, sample.weight * sample.event, minlength=len(edges) - 1).astype(float)
    lived = np.clip(sample.months[:, None] - edges[:-1], 0.0, _INTERVAL_MONTHS)
    return events, (sample.weight[:, None] * lived).sum(axis=0)
