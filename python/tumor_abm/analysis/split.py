"""The error of an estimate that several sets of parameters give, split into chance and parameters.

Patients of a set differ by chance. What differs between sets beyond that is what is not known of the
parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumor_abm.analysis.survival import NORMAL_95, kaplan_meier, product_limit

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SetEstimate:
    """What one set gives.

    Attributes
    ----------
    value
        The estimate.
    influence
        What each patient adds to its error.
    luck
        Whose luck each patient has: the same number in two sets is the same luck.
    """

    value: float
    influence: Floats
    luck: NDArray[np.int64]

    @property
    def weighed(self) -> Floats:
        """Influences, a little larger, as few patients make them too small."""
        n = self.influence.size
        return self.influence * math.sqrt(n / (n - 1))

    @property
    def se(self) -> float:
        """Standard error by chance."""
        return float(np.sqrt((self.weighed**2).sum()))


@dataclass(frozen=True, kw_only=True)
class Split:
    """The mean over sets, and its two errors.

    Attributes
    ----------
    sets
        How many.
    value
        The mean over sets.
    chance_sd
        Standard deviation of this mean by chance: it falls with patients.
    parameters_sd
        Standard deviation between sets, beyond what chance makes (method of moments, cut at 0).
    """

    sets: int
    value: float
    chance_sd: float
    parameters_sd: float

    @property
    def limits(self) -> tuple[float, float]:
        """95% limits of what a set gives that may be right as well as any of these, chance included."""
        width = NORMAL_95 * math.hypot(self.chance_sd, self.parameters_sd)
        return self.value - width, self.value + width


def split(estimates: Sequence[SetEstimate]) -> Split:
    """Split the spread of at least two estimates.

    Notes
    -----
    The influence of a luck on the mean is the mean of its influences over the sets; what it adds to the
    distance of a set from the mean is the rest. The expected variance of the estimates by chance is that of
    these distances. Where every patient has luck of their own, as in a run whose patients are shared out, it
    is the mean of the squared standard errors.
    """
    lucks = np.unique(np.concatenate([one.luck for one in estimates]))
    influence = np.zeros((len(estimates), lucks.size))
    for row, one in zip(influence, estimates, strict=True):
        np.add.at(row, np.searchsorted(lucks, one.luck), one.weighed)
    values = np.array([one.value for one in estimates])
    on_mean = influence.mean(axis=0)
    by_chance = float(((influence - on_mean) ** 2).sum()) / (len(estimates) - 1)
    return Split(
        sets=len(estimates),
        value=float(values.mean()),
        chance_sd=math.sqrt(float((on_mean**2).sum())),
        parameters_sd=math.sqrt(max(float(values.var(ddof=1)) - by_chance, 0.0)),
    )


def of_share(flags: NDArray[np.bool_], luck: NDArray[np.int64]) -> SetEstimate:
    """Percentage of patients."""
    share = float(flags.mean())
    return SetEstimate(value=100 * share, influence=100 * (flags - share) / flags.size, luck=luck)


def of_survival(
    months: Floats, event: NDArray[np.bool_], at: float, luck: NDArray[np.int64]
) -> SetEstimate | None:
    """Percentage without the event at a time; ``None`` if nobody was followed so far."""
    survival = float(kaplan_meier(months, event).at([at])[0])
    if math.isnan(survival):
        return None
    influence = 100 * influence_on_survival(months, event, at)
    return SetEstimate(value=100 * survival, influence=influence, luck=luck)


def of_median(months: Floats, event: NDArray[np.bool_], luck: NDArray[np.int64]) -> SetEstimate | None:
    """Kaplan-Meier median; ``None`` unless it and its limits were reached.

    A luck moves a median as it moves survival at the median, so that its influences are those on survival
    there, with the standard error that the limits tell.
    """
    found = kaplan_meier(months, event)
    if found.median is None or found.median_lo is None or found.median_hi is None:
        return None
    on_survival = influence_on_survival(months, event, found.median)
    spread = math.sqrt(float((on_survival**2).sum()))
    se = (found.median_hi - found.median_lo) / (2 * NORMAL_95)
    scale = se / spread if spread > 0 else 0.0
    return SetEstimate(value=found.median, influence=scale * on_survival, luck=luck)


def influence_on_survival(months: Floats, event: NDArray[np.bool_], at: float) -> Floats:
    """Return what each patient adds to the error of survival at a time: its derivative by their weight."""
    steps = product_limit(months, event)
    left = steps.at_risk - steps.events
    until = steps.times <= at
    if (until & (left == 0) & (steps.events > 0)).any():
        return np.zeros(months.size)
    hazard = np.divide(steps.events, steps.at_risk * left, out=np.zeros(left.size), where=until & (left > 0))
    lost = np.divide(1.0, left, out=np.zeros(left.size), where=until & (left > 0) & (steps.events > 0))
    where = np.searchsorted(steps.times, months)
    survival = float(np.append(1.0, steps.survival[until])[-1])
    influence: Floats = survival * (np.cumsum(hazard)[where] - np.where(event, lost[where], 0.0))
    return influence
