"""What twins tell of two treatments: intervals that know that every patient lived both.

Every patient lives both arms with the same luck up to the first difference, so times of twins go together and
their difference is known better than that of two arms of strangers. Strangers are what a trial compares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from tumor_abm.analysis.survival import (
    NORMAL_95,
    KaplanMeier,
    area_beyond,
    cox_hazard_ratio,
    kaplan_meier,
    log_rank,
    product_limit,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Times of the same patients, in the same order, in two arms.

    Attributes
    ----------
    months, event
        Time to the event or to censoring, and whether the event was seen, under the treatment.
    control_months, control_event
        The same under the control.
    """

    months: Floats
    event: Flags
    control_months: Floats
    control_event: Flags

    @classmethod
    def of(cls, observed: pl.DataFrame, arm: str, control: str) -> Twins:
        """Return the patients who are in both arms of ``patient, arm, months, event``."""
        both = observed.filter(arm=arm).join(
            observed.filter(arm=control), on="patient", suffix="_control", maintain_order="left"
        )
        return cls(
            months=both["months"].to_numpy(),
            event=both["event"].to_numpy(),
            control_months=both["months_control"].to_numpy(),
            control_event=both["event_control"].to_numpy(),
        )

    def __len__(self) -> int:
        return self.months.size

    @property
    def pooled(self) -> tuple[Floats, Flags, Flags]:
        """Durations, events, and who was treated, of all: the treated first."""
        durations = np.concatenate([self.months, self.control_months])
        events = np.concatenate([self.event, self.control_event])
        return durations, events, np.arange(durations.size) < len(self)

    @property
    def curves(self) -> tuple[KaplanMeier, KaplanMeier]:
        """Kaplan-Meier estimates under the treatment and under the control."""
        return kaplan_meier(self.months, self.event), kaplan_meier(self.control_months, self.control_event)

    @property
    def identical(self) -> bool:
        """Whether the treatment made no difference to anybody."""
        return np.array_equal(self.months, self.control_months) and np.array_equal(
            self.event, self.control_event
        )


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A hazard ratio or a difference, with two 95% intervals.

    Attributes
    ----------
    value
        The estimate; ``None``, as all others, if the data determine none.
    lo, hi, p
        As a trial of this size would see it, in which the arms are of different patients. Of a hazard ratio:
        Cox's interval, and p of the log-rank test.
    paired_lo, paired_hi, paired_p
        As the simulation knows it, in which they are the same patients.
    """

    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    p: float | None = None
    paired_lo: float | None = None
    paired_hi: float | None = None
    paired_p: float | None = None

    def as_hazard_ratio(self) -> dict[str, float | None]:
        """Return the columns ``hr, hr_lo, hr_hi, p`` and ``paired_hr_lo, paired_hr_hi, paired_p``."""
        return {
            "hr": self.value,
            "hr_lo": self.lo,
            "hr_hi": self.hi,
            "p": self.p,
            "paired_hr_lo": self.paired_lo,
            "paired_hr_hi": self.paired_hi,
            "paired_p": self.paired_p,
        }


def hazard_ratio(twins: Twins) -> Contrast:
    """Cox's hazard ratio of treatment against control, with an interval for strangers and one for twins.

    Notes
    -----
    The paired interval is that of a marginal Cox model with a variance that is robust to clusters, here
    patients (Lin and Wei 1989, J Am Stat Assoc 84:1074; Lee, Wei and Amato 1992), with Efron's ties, which
    scans on common days make many; n / (n - 1) and Student's t with n - 1 degrees of freedom make up for
    few patients. Twins who are all identical leave no doubt: the interval is 1 to 1.
    """
    pooled = twins.pooled
    ratio = cox_hazard_ratio(*pooled)
    if ratio.hr is None:
        return Contrast(p=log_rank(*pooled))
    strangers = {"value": ratio.hr, "lo": ratio.lo, "hi": ratio.hi, "p": log_rank(*pooled)}
    if twins.identical:
        return Contrast(**strangers | {"value": 1.0}, paired_lo=1.0, paired_hi=1.0, paired_p=1.0)
    coefficient = math.log(ratio.hr)
    lo, hi, p = _paired(coefficient, influence_on_log_hazard_ratio(twins, coefficient))
    if lo is None or hi is None:
        return Contrast(**strangers)
    return Contrast(**strangers, paired_lo=math.exp(lo), paired_hi=math.exp(hi), paired_p=p)


def mean_difference(twins: Twins, until: float) -> Contrast:
    """Difference of the restricted means up to `until`, treatment minus control."""
    treated, control = (curve.restricted_mean(until) for curve in twins.curves)
    if treated is None or control is None:
        return Contrast()
    difference, se = treated.mean - control.mean, math.hypot(treated.se, control.se)
    lo, hi, p = _paired(difference, influence_on_mean_difference(twins, until))
    width = NORMAL_95 * se
    return Contrast(
        value=difference,
        lo=difference - width,
        hi=difference + width,
        paired_lo=lo,
        paired_hi=hi,
        paired_p=p,
    )


def influence_on_log_hazard_ratio(twins: Twins, coefficient: float) -> Floats:
    """Return what each patient adds to the error of the logarithm of a hazard ratio."""
    score, information = _scores(*twins.pooled, coefficient)
    influence: Floats = (score[: len(twins)] + score[len(twins) :]) / information
    return influence


def influence_on_mean_difference(twins: Twins, until: float) -> Floats:
    """Return what each patient adds to the error of a difference of restricted means."""
    own = _influence(twins.months, twins.event, until)
    return own - _influence(twins.control_months, twins.control_event, until)


def shared_end(observed: pl.DataFrame, arm: str, control: str) -> float:
    """Months up to which restricted means of both arms rest on enough of the patients in both."""
    curves = Twins.of(observed, arm, control).curves
    return min(curve.told_until for curve in curves)


def gains(observed: pl.DataFrame, arm: str, control: str, until: float) -> pl.DataFrame:
    """Time without the event that each patient gains by a treatment, up to `until`.

    Parameters
    ----------
    observed
        ``patient, arm, months, event`` of the endpoint.
    arm, control
        Names of the arms.
    until
        Months up to which time counts.

    Returns
    -------
    polars.DataFrame
        ``patient, gain_months`` of the patients in both arms. Their mean is the difference of the restricted
        means.

    Notes
    -----
    Where neither of a pair is censored it is the difference of their times. Of others it is the difference
    of their pseudo-observations (Andersen, Hansen and Klein 2004, Lifetime Data Anal 10:335), by the
    infinitesimal jackknife: right on average over patients who are alike, and no time of one of them.
    """
    both = observed.filter(arm=arm).join(
        observed.filter(arm=control), on="patient", suffix="_control", maintain_order="left"
    )
    twins = Twins.of(observed, arm, control)
    gain = np.zeros(0)
    if len(twins) and until > 0:
        treated, of_control = (
            _pseudo_times(months, event, until)
            for months, event in ((twins.months, twins.event), (twins.control_months, twins.control_event))
        )
        gain = treated - of_control
    return both.select("patient").head(gain.size).with_columns(gain_months=pl.Series(gain, dtype=pl.Float64))


def _pseudo_times(durations: Floats, events: Flags, until: float) -> Floats:
    """Return each patient's pseudo-observation of the restricted mean; their mean is the estimate."""
    restricted = kaplan_meier(durations, events).restricted_mean(until)
    mean = float(np.minimum(durations, until).mean()) if restricted is None else restricted.mean
    return mean + durations.size * _influence(durations, events, until)


def _paired(value: float, influence: Floats) -> tuple[float | None, float | None, float | None]:
    """Limits and p-value of an estimate whose error is the sum of the patients' influences."""
    n = influence.size
    if n < 2:
        return None, None, None
    se = math.sqrt(float((influence**2).sum()) * n / (n - 1))
    if se == 0.0:
        return value, value, 1.0 if value == 0.0 else 0.0
    width = float(student.ppf(0.975, n - 1)) * se
    return value - width, value + width, float(2 * student.sf(abs(value) / se, n - 1))


def _scores(durations: Floats, events: Flags, treated: Flags, coefficient: float) -> tuple[Floats, float]:
    """Return everybody's score residual of a Cox model with Efron's ties, and the information.

    Of d tied events the l-th, from 0, counts l/d of the tied ones as gone.
    """
    weight = np.where(treated, math.exp(coefficient), 1.0)
    of_treated = weight * treated
    times, which = np.unique(durations, return_inverse=True)

    def leaving(of: Floats) -> Floats:
        return np.bincount(which, of, times.size).astype(np.float64)

    def at_risk(of: Floats) -> Floats:
        return np.cumsum(leaving(of)[::-1])[::-1]

    tied = np.bincount(which, events, times.size).astype(int)
    row = np.repeat(np.arange(times.size), tied)  # one per event
    gone = np.concatenate([np.arange(d) / d for d in tied[tied > 0]])
    total = at_risk(weight)[row] - gone * leaving(weight * events)[row]
    mean = (at_risk(of_treated)[row] - gone * leaving(of_treated * events)[row]) / total

    def summed(of: Floats) -> Floats:
        return np.bincount(row, of, times.size).astype(np.float64)

    # What everybody at risk loses with the hazard of a time, and what those with the event at it are spared.
    lost = [np.cumsum(summed((x - mean) / total))[which] for x in (0.0, 1.0)]
    spared = [summed(gone * (x - mean) / total)[which] for x in (0.0, 1.0)]
    expected = np.divide(summed(mean), tied, out=np.zeros(times.size), where=tied > 0)[which]
    own = np.where(events, treated - expected + weight * np.where(treated, spared[1], spared[0]), 0.0)
    residuals: Floats = own - weight * np.where(treated, lost[1], lost[0])
    return residuals, float((mean * (1.0 - mean)).sum())


def _influence(durations: Floats, events: Flags, until: float) -> Floats:
    """Return what each patient adds to the error of a restricted mean: its derivative by their weight.

    Where nobody is censored it is the distance of the patient's time from the mean, over n.
    """
    steps = product_limit(durations, events)
    # Time 0 comes before all steps, and the area beyond a step begins at it.
    beyond = area_beyond(steps.times, steps.survival, until)
    left = steps.at_risk - steps.events
    # Where nobody is left the area beyond is 0.
    per_event = np.divide(beyond, left, out=np.zeros(beyond.size), where=left > 0)
    compensated = np.cumsum(per_event * steps.events / steps.at_risk)
    at = np.searchsorted(steps.times, durations)
    influence: Floats = compensated[at] - np.where(events, per_event[at], 0.0)
    return influence
