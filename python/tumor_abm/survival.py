"""Kaplan-Meier, log-rank and Cox: what a survival analysis reports, computed by lifelines.

Durations may be in any unit; the results are in the same. An event of ``True`` was seen, ``False``
is censored. What the data cannot tell (a median that was not reached, a hazard ratio without
events) is ``None``, never a warning.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

# lifelines takes about two seconds to import, so the functions that need it import it themselves.

_NO_CURVE = pl.DataFrame(
    schema={
        "time": pl.Float64,
        "survival": pl.Float64,
        "lo": pl.Float64,
        "hi": pl.Float64,
        "at_risk": pl.Int64,
        "events": pl.Int64,
        "censored": pl.Int64,
    }
)


@dataclass(frozen=True, kw_only=True)
class KaplanMeier:
    """A Kaplan-Meier estimate with 95% confidence limits.

    Attributes
    ----------
    n, events
        Patients, and events among them.
    median, median_lo, median_hi
        Median with the limits of Brookmeyer and Crowley on the log-log scale; ``None`` if not
        reached.
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

    def at_risk(self, times: ArrayLike) -> NDArray[np.int64]:
        """Patients still followed, without an event, just before each of `times`."""
        times = np.asarray(times, dtype=float)
        seen = self.curve["time"].to_numpy()
        at_risk = np.append(self.curve["at_risk"].to_numpy(), 0)
        return np.asarray(at_risk[np.searchsorted(seen, times, side="left")], dtype=np.int64)


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
    """
    durations, events = _observed(durations, events)
    if durations.size == 0:
        return KaplanMeier(n=0, events=0, median=None, median_lo=None, median_hi=None, curve=_NO_CURVE)
    from lifelines import KaplanMeierFitter
    from lifelines.utils import qth_survival_times

    with np.errstate(divide="ignore", invalid="ignore"):  # lifelines takes log(0) on its way to the limits
        fit = KaplanMeierFitter(alpha=0.05).fit(durations, events)
        limits = fit.confidence_interval_survival_function_
        lo, hi = (float(time) for time in qth_survival_times(0.5, limits).iloc[0])
    return KaplanMeier(
        n=durations.size,
        events=int(events.sum()),
        median=_finite(fit.median_survival_time_),
        median_lo=_finite(lo),
        median_hi=_finite(hi),
        curve=_curve(fit.event_table, fit.survival_function_, limits),
    )


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


def _curve(life_table: Any, survival: Any, limits: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": life_table.index.to_numpy(dtype=float),
            "survival": survival.iloc[:, 0].to_numpy(dtype=float),
            "lo": limits.iloc[:, 0].to_numpy(dtype=float),
            "hi": limits.iloc[:, 1].to_numpy(dtype=float),
            "at_risk": life_table["at_risk"].to_numpy(dtype=np.int64),
            "events": life_table["observed"].to_numpy(dtype=np.int64),
            "censored": life_table["censored"].to_numpy(dtype=np.int64),
        }
    )


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
    durations = np.asarray(durations, dtype=float)
    if durations.ndim != 1 or not (np.isfinite(durations) & (durations >= 0)).all():
        raise ValueError("durations: allowed: a list of finite numbers of at least 0")
    return durations, _flags("events", events, durations.size)


def _flags(name: str, values: ArrayLike, size: int) -> NDArray[np.bool_]:
    flags = np.asarray(values)
    if flags.shape != (size,) or not np.isin(flags, (0, 1)).all():
        raise ValueError(f"{name}: allowed: true or false, one for each of the {size} durations")
    return flags.astype(bool)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
