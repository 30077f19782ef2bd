"""Kaplan-Meier, restricted means, log-rank and Cox: what a survival analysis reports.

Durations may be in any unit; the results are in the same. An event of ``True`` was seen, ``False``
is censored. What the data cannot tell (a median that was not reached, a hazard ratio without
events) is ``None``, never a warning.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from tumor_abm._base.arguments import numbers
from tumor_abm.errors import InputError

# lifelines takes about two seconds to import, so the functions that need it import it themselves.

NORMAL_95 = 1.959963984540054
"""Normal deviate of a two-sided 95% interval."""

_TOLERANCE = math.sqrt(np.finfo(float).eps)
"""How far rounding may carry a survival of one half away from it; as in R's survival."""
_LEAST_AT_RISK = 10
_LEAST_SHARE_AT_RISK = 0.1


class Steps(NamedTuple):
    """A product-limit estimate: at each time, just before it and from it on.

    Attributes
    ----------
    times
        Every time at which somebody was seen last.
    at_risk, events
        Weight of those followed just before it, and of those with the event at it.
    survival
        From it on.
    """

    times: NDArray[np.float64]
    at_risk: NDArray[np.float64]
    events: NDArray[np.float64]
    survival: NDArray[np.float64]


def product_limit(
    durations: NDArray[np.float64], events: NDArray[Any], weights: NDArray[np.float64] | None = None
) -> Steps:
    """Estimate survival as the product over times of the share that survives (Kaplan and Meier 1958).

    Parameters
    ----------
    durations, events
        As in `kaplan_meier`; at least one.
    weights
        What each counts for; one when ``None``.
    """
    weights = np.ones(durations.size) if weights is None else weights
    order = np.argsort(durations, kind="stable")
    times, first = np.unique(durations[order], return_index=True)
    seen = np.add.reduceat((weights * events)[order], first)
    leaving = np.add.reduceat(weights[order], first)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    survival = np.cumprod(1.0 - seen / np.maximum(at_risk, 1e-300))
    return Steps(times, at_risk, seen, survival)


def median_of(times: NDArray[np.float64], survival: NDArray[np.float64]) -> float | None:
    """Return when a survival curve has fallen to one half; ``None`` if it has not.

    A curve that is flat at exactly one half tells that half had the event between the event that led there
    and the next one: the median is the middle between these two, as in R's survival (``survfit``) and as
    the median of numbers is. Where no event follows, it is the time at which one half was reached.
    """
    reached = np.flatnonzero(survival < 0.5 + _TOLERANCE)
    if reached.size == 0:
        return None
    first = reached[0]
    lower = np.flatnonzero(survival < survival[first] - _TOLERANCE)
    if abs(survival[first] - 0.5) < _TOLERANCE and lower.size:
        return float(times[first] + times[lower[0]]) / 2
    return float(times[first])


@dataclass(frozen=True, kw_only=True)
class RestrictedMean:
    """Mean time without the event, up to a time: the area under the survival curve.

    Attributes
    ----------
    mean
        The estimate.
    se
        Its standard error (Greenwood's).
    """

    mean: float
    se: float


@dataclass(frozen=True, kw_only=True)
class KaplanMeier:
    """A Kaplan-Meier estimate with 95% confidence limits.

    Attributes
    ----------
    n, events
        Patients, and events among them.
    median, median_lo, median_hi
        Median by the rule of `median_of` with the limits of Brookmeyer and Crowley on the log-log
        scale, which follow the same rule; ``None`` if not reached.
    curve
        ``time, survival, lo, hi, at_risk, events, censored``, a row for time 0 and for each time
        at which something was seen; `at_risk` counts those just before it.
    """

    n: int
    events: int
    median: float | None
    median_lo: float | None
    median_hi: float | None
    curve: pl.DataFrame = field(repr=False)

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Survival at `times`; NaN after the last patient was censored."""
        times = np.asarray(times, dtype=float)
        if self.n == 0:
            return np.full(times.shape, math.nan)
        seen, survival = self.curve["time"].to_numpy(), self.curve["survival"].to_numpy()
        known = np.where(times < 0, 1.0, survival[np.searchsorted(seen, times, side="right") - 1])
        unknown = (times > seen[-1]) & (survival[-1] > 0)
        return np.where(unknown, math.nan, known)

    def limits_at(self, times: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """95% limits of survival at `times`, pointwise; NaN after the last patient was censored.

        Before the first event they are those of a share of which none was seen in all who are followed
        (Wilson's), and once all have had it the upper one is that of just before.
        """
        known = self.at(times)
        if self.n == 0:
            return known, known
        seen, survival, low, high, at_risk = (
            self.curve[name].to_numpy() for name in ("time", "survival", "lo", "hi", "at_risk")
        )
        followed = np.maximum(at_risk, 1)
        low = np.where(survival == 1.0, followed / (followed + NORMAL_95**2), np.nan_to_num(low))
        high = np.where(np.isnan(high), np.append(1.0, high[:-1]), high)
        place = np.maximum(np.searchsorted(seen, np.asarray(times, dtype=float), side="right") - 1, 0)
        return np.where(np.isnan(known), np.nan, low[place]), np.where(np.isnan(known), np.nan, high[place])

    def at_risk(self, times: ArrayLike) -> NDArray[np.int64]:
        """Patients still followed, without an event, just before each of `times`."""
        times = np.asarray(times, dtype=float)
        seen = self.curve["time"].to_numpy()
        at_risk = np.append(self.curve["at_risk"].to_numpy(), 0)
        return np.asarray(at_risk[np.searchsorted(seen, times, side="left")], dtype=np.int64)

    @property
    def told_until(self) -> float:
        """Last time at which the curve rests on enough patients; 0 of nobody.

        Enough is a tenth of all (Pocock et al. 2002, Lancet 359:1686), and ten, or half of fewer than twenty.
        """
        least = max(math.ceil(_LEAST_SHARE_AT_RISK * self.n), min(_LEAST_AT_RISK, math.ceil(self.n / 2)))
        last = self.curve.filter(pl.col("at_risk") >= least)["time"].max()
        return last if isinstance(last, float) else 0.0

    def restricted_mean(self, until: float) -> RestrictedMean | None:
        """Mean time without the event up to `until`; ``None`` if the curve is not known so far."""
        if self.n == 0 or math.isnan(self.at([until])[0]):
            return None
        time, survival, at_risk, events = (
            self.curve[name].to_numpy() for name in ("time", "survival", "at_risk", "events")
        )
        beyond = area_beyond(time, survival, until)
        left = at_risk - events
        variance = np.divide(events * beyond**2, at_risk * left, out=np.zeros(time.size), where=left > 0)
        return RestrictedMean(mean=float(beyond[0]), se=math.sqrt(variance.sum()))


def area_beyond(
    times: NDArray[np.float64], survival: NDArray[np.float64], until: float
) -> NDArray[np.float64]:
    """Area under a survival curve from each of its times to `until`; 0 from there on."""
    ends = np.append(times, max(until, times[-1]))
    area = np.diff(np.minimum(ends, until)) * survival
    return np.cumsum(area[::-1])[::-1]


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """A hazard ratio from a Cox model with one covariate, treated or not (Efron's ties).

    Attributes
    ----------
    hr, lo, hi
        Hazard of the treated over that of the others, with 95% confidence limits; all ``None``
        when the data determine none, e.g. when one side has no event while both are at risk.
    p
        Wald test of ``hr == 1``.
    """

    hr: float | None = None
    lo: float | None = None
    hi: float | None = None
    p: float | None = None


def kaplan_meier(durations: ArrayLike, events: ArrayLike) -> KaplanMeier:
    """Estimate the survival function.

    Parameters
    ----------
    durations
        Time to the event or to censoring, at least 0; may be empty.
    events
        Whether the event was seen, one per duration.

    Examples
    --------
    >>> kaplan_meier([1.0, 2.0, 3.0], [True, True, False]).median
    2.0
    >>> kaplan_meier([1.0, 2.0, 5.0, 6.0], [True, True, True, True]).median
    3.5
    """
    durations, events = _observed(durations, events)
    curve = _curve(durations, events)
    times = curve["time"].to_numpy()
    median, lo, hi = (median_of(times, curve[name].to_numpy()) for name in ("survival", "lo", "hi"))
    return KaplanMeier(
        n=durations.size,
        events=int(events.sum()),
        median=median,
        median_lo=lo,
        median_hi=hi,
        curve=curve,
    )


def follow_up(durations: ArrayLike, events: ArrayLike) -> KaplanMeier:
    """Reverse Kaplan-Meier estimate, in which censoring is the event (Schemper and Smith 1996).

    Parameters
    ----------
    durations, events
        As in `kaplan_meier`.
    """
    durations, events = _observed(durations, events)
    return kaplan_meier(durations, ~events)


def median_follow_up(durations: ArrayLike, events: ArrayLike) -> float | None:
    """Median time for which patients were, or would have been, followed (Schemper and Smith 1996).

    It is the median of the reverse Kaplan-Meier estimate, in which censoring is the event.
    """
    return follow_up(durations, events).median


def log_rank(durations: ArrayLike, events: ArrayLike, treated: ArrayLike) -> float | None:
    """Two-sided p-value of the log-rank test of the treated against the others.

    ``None`` when no event happened while both were at risk.

    Parameters
    ----------
    durations, events
        As in `kaplan_meier`.
    treated
        Whether each belongs to the first group.
    """
    durations, events = _observed(durations, events)
    treated = _flags("treated", treated, durations.size)
    if not any(_events_while_both_at_risk(durations, events, treated)):
        return None
    from lifelines.statistics import logrank_test

    test = logrank_test(durations[treated], durations[~treated], events[treated], events[~treated])
    return _finite(test.p_value)


def cox_hazard_ratio(durations: ArrayLike, events: ArrayLike, treated: ArrayLike) -> HazardRatio:
    """Hazard ratio of the treated against the others.

    Parameters
    ----------
    durations, events
        As in `kaplan_meier`.
    treated
        Whether each was treated.

    Notes
    -----
    With one binary covariate the partial likelihood has a finite maximum exactly if each side has
    an event while both are at risk; that is asked first, so lifelines' own guesses at separation,
    which are also raised for sound data, need not be heard.
    """
    durations, events = _observed(durations, events)
    treated = _flags("treated", treated, durations.size)
    if not all(_events_while_both_at_risk(durations, events, treated)):
        return HazardRatio()
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    data = pd.DataFrame({"duration": durations, "event": events, "treated": treated.astype(float)})
    try:
        with warnings.catch_warnings(), np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            row = CoxPHFitter(alpha=0.05).fit(data, "duration", "event").summary.loc["treated"]
    except ConvergenceError:
        return HazardRatio()
    names = ("exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p")
    hr, lo, hi, p = (_finite(row[name]) for name in names)
    if None in (hr, lo, hi):
        return HazardRatio()
    return HazardRatio(hr=hr, lo=lo, hi=hi, p=p)


def _curve(durations: NDArray[np.float64], events: NDArray[np.bool_]) -> pl.DataFrame:
    if durations.size == 0:
        steps = Steps(*(np.zeros(0) for _ in Steps._fields))
    else:
        start = np.zeros(1 if durations.min() > 0 else 0)  # a row for time 0, at which nobody leaves
        weights = np.append(start, np.ones(durations.size))
        steps = product_limit(np.append(start, durations), np.append(start, events), weights)
    lo, hi = _limits(steps)
    leaving = -np.diff(np.append(steps.at_risk, 0.0))
    return pl.DataFrame(
        {
            "time": steps.times,
            "survival": steps.survival,
            "lo": lo,
            "hi": hi,
            "at_risk": steps.at_risk.astype(np.int64),
            "events": steps.events.astype(np.int64),
            "censored": (leaving - steps.events).astype(np.int64),
        }
    )


def _limits(steps: Steps) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% limits on the log-log scale with Greenwood's variance; NaN once nobody is left."""
    left = steps.at_risk - steps.events
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(steps.events / (steps.at_risk * left))
        width = NORMAL_95 * np.sqrt(variance) / np.log(steps.survival)
        lo, hi = steps.survival ** np.exp(-width), steps.survival ** np.exp(width)
    for limit in (lo, hi):
        limit[variance == 0] = 1.0
        limit[left == 0] = np.nan
    return lo, hi


def _events_while_both_at_risk(
    durations: NDArray[np.float64], events: NDArray[np.bool_], treated: NDArray[np.bool_]
) -> tuple[bool, bool]:
    """Whether the treated, and whether the others, have an event while someone of each is at risk."""
    if treated.all() or not treated.any():
        return False, False
    both_until = min(durations[treated].max(), durations[~treated].max())
    counted = events & (durations <= both_until)
    return bool(counted[treated].any()), bool(counted[~treated].any())


def _observed(durations: ArrayLike, events: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    durations = numbers("durations", durations)
    if durations.ndim != 1 or not (np.isfinite(durations) & (durations >= 0)).all():
        raise InputError("durations: allowed: a list of finite numbers of at least 0")
    return durations, _flags("events", events, durations.size)


def _flags(name: str, values: ArrayLike, size: int) -> NDArray[np.bool_]:
    try:
        flags = np.asarray(values)
    except ValueError:
        flags = np.asarray(None)
    if flags.shape != (size,) or flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all():
        raise InputError(f"{name}: allowed: true or false, one for each of the {size} durations")
    return flags.astype(bool)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
