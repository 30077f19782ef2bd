"""The chance that a trial of some size would show what the simulation knows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from tumor_abm._base.arguments import must_be, positive, real
from tumor_abm.errors import InputError

LEVEL = 0.05
"""Two-sided level of the log-rank test."""
PERIODS = (0.0, 6.0, 12.0, 24.0, 36.0)
"""Months at which periods begin in which a hazard ratio of its own is told."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POWER = {
    "n": pl.Int64,
    "trials": pl.Int64,
    "events": pl.Float64,
    **dict.fromkeys(("power", "power_se", "against", "schoenfeld"), pl.Float64),
    **dict.fromkeys(("hr", "hr_lo", "hr_hi"), pl.Float64),
}
"""Columns of `power`."""

OVER_TIME = {
    **dict.fromkeys(("from_months", "to_months"), pl.Float64),
    **dict.fromkeys(("events", "control_events"), pl.Int64),
    **dict.fromkeys(("hr", "hr_lo", "hr_hi"), pl.Float64),
}
"""Columns of `hazard_ratio_over_time`."""


@dataclass(frozen=True, kw_only=True)
class TrialDesign:
    """When the patients of a trial enter and when it is analysed.

    Attributes
    ----------
    accrual_months
        Months over which patients enter, evenly.
    follow_up_months
        Months from the last entry to the analysis.
    """

    accrual_months: float
    follow_up_months: float

    def __post_init__(self) -> None:
        for name in ("accrual_months", "follow_up_months"):
            real(name, getattr(self, name), "months, at least 0")
        if self.accrual_months + self.follow_up_months == 0:
            raise InputError(key="follow_up_months", found=0.0, allowed="above 0 where accrual is 0")


def power(
    observed: pl.DataFrame,
    arm: str,
    control: str,
    n: int,
    design: TrialDesign,
    *,
    trials: int = 1000,
    seed: int = 1,
) -> dict[str, Any]:
    """Simulate trials of two equal arms of different patients, and count those that show a difference.

    Parameters
    ----------
    observed
        ``patient, arm, months, event`` of a simulated cohort, followed at least as long as the trial.
    arm, control
        Names of the arms.
    n
        Patients of the trial, both arms together.
    design
        Accrual and follow-up.
    trials
        Trials to simulate.
    seed
        Names the random streams.

    Returns
    -------
    dict
        The columns of `POWER`: mean ``events``; ``power``, the share of trials whose log-rank test favours
        the arm with p below 0.05, and its Monte Carlo error; ``against``, the share that favours the
        control; median and 95% spread of the hazard ratios of trials (Peto's estimate);
        and ``schoenfeld``, what his formula says of that many events at the median hazard ratio.

    Notes
    -----
    Patients are drawn from the cohort with replacement, so the arms of a trial are of strangers. The formula
    (Schoenfeld 1981, Biometrika 68:316) holds for proportional hazards. Where it and the simulated power
    part, hazards are not proportional.
    """
    must_be("observed", observed, pl.DataFrame)
    n, trials = positive("n", n), positive("trials", trials)
    arms = [_times(observed, name) for name in (arm, control)]
    if n < 2 or any(months.size == 0 for months, _ in arms):
        raise InputError(key="n", found=n, allowed="at least 2, of arms with patients")
    rng = np.random.default_rng([seed, n])
    scores = np.array([_trial(rng, arms, n, design) for _ in range(trials)])
    difference, variance, events = scores.T
    told = variance > 0
    z = np.divide(difference, np.sqrt(variance), out=np.zeros(trials), where=told)
    limit = float(norm.ppf(1 - LEVEL / 2))
    share = float((z < -limit).mean())
    ratios = np.exp(difference[told] / variance[told])
    middle, lo, hi = np.quantile(ratios, (0.5, 0.025, 0.975)) if ratios.size else [math.nan] * 3
    return {
        "n": n,
        "trials": trials,
        "events": float(events.mean()),
        "power": share,
        "power_se": math.sqrt(share * (1 - share) / trials),
        "against": float((z > limit).mean()),
        "schoenfeld": schoenfeld(float(middle), float(events.mean())),
        "hr": float(middle),
        "hr_lo": float(lo),
        "hr_hi": float(hi),
    }


def schoenfeld(hr: float, events: float) -> float:
    """Power of a log-rank test of two equal arms with so many events, by Schoenfeld's formula.

    Examples
    --------
    >>> round(schoenfeld(0.7, 247), 2)
    0.8
    """
    return float(norm.cdf(-math.log(hr) * math.sqrt(events) / 2 - norm.ppf(1 - LEVEL / 2)))


def hazard_ratio_over_time(observed: pl.DataFrame, arm: str, control: str) -> pl.DataFrame:
    """Tell the hazard ratio in each of some periods: events over time at risk in the arm, over the control.

    Ratios that move from one side of 1 to the other are of curves that cross. The 95% limits take the arms
    for different patients.
    """
    rows = list(_periods(*(_times(observed, name) for name in (arm, control))))
    return pl.DataFrame(rows, schema=OVER_TIME)


def _periods(treated: tuple[Floats, Flags], control: tuple[Floats, Flags]) -> Iterator[dict[str, Any]]:
    for start, end in zip(PERIODS, (*PERIODS[1:], math.inf), strict=True):
        (seen, exposed), (others, exposed_others) = (
            _rate(months, event, start, end) for months, event in (treated, control)
        )
        if seen and others:
            ratio = seen / exposed / (others / exposed_others)
            width = float(norm.ppf(0.975)) * math.sqrt(1 / seen + 1 / others)
            yield {
                "from_months": start,
                "to_months": None if math.isinf(end) else end,
                "events": seen,
                "control_events": others,
                "hr": ratio,
                "hr_lo": ratio * math.exp(-width),
                "hr_hi": ratio * math.exp(width),
            }


def _rate(months: Floats, event: Flags, start: float, end: float) -> tuple[int, float]:
    """Return events within a period, and the months at risk in it."""
    seen = int((event & (months > start) & (months <= end)).sum())
    return seen, float((np.clip(months, start, end) - start).sum())


def _times(observed: pl.DataFrame, arm: str) -> tuple[Floats, Flags]:
    own = observed.filter(arm=arm)
    return own["months"].to_numpy().astype(np.float64), own["event"].to_numpy().astype(bool)


def _trial(
    rng: np.random.Generator, arms: list[tuple[Floats, Flags]], n: int, design: TrialDesign
) -> tuple[float, float, float]:
    """Simulate a trial; return observed less expected events of the treated, its variance, all events."""
    times, events, treated = [], [], []
    for (months, event), size, is_treated in zip(arms, (n - n // 2, n // 2), (True, False), strict=True):
        drawn = rng.integers(0, months.size, size)
        entry = rng.uniform(0, design.accrual_months, size)
        followed = design.accrual_months + design.follow_up_months - entry
        times.append(np.minimum(months[drawn], followed))
        events.append(event[drawn] & (months[drawn] <= followed))
        treated.append(np.full(size, is_treated))
    seen = np.concatenate(events)
    difference, variance = log_rank_score(np.concatenate(times), seen, np.concatenate(treated))
    return difference, variance, float(seen.sum())


def log_rank_score(months: Floats, event: Flags, treated: Flags) -> tuple[float, float]:
    """Return observed less expected events of the treated, and its variance (Mantel 1966).

    Their ratio is Peto's estimate of the log hazard ratio.
    """
    order = np.argsort(months, kind="stable")
    times, first = np.unique(months[order], return_index=True)
    died = np.add.reduceat(event[order].astype(float), first)
    died_treated = np.add.reduceat((event & treated)[order].astype(float), first)
    at_risk = months.size - first.astype(float)
    treated_left = treated.sum() - np.concatenate([[0.0], np.cumsum(treated[order])])[first]
    share = treated_left / at_risk
    spread = died * share * (1 - share)
    variance = np.divide(spread * (at_risk - died), at_risk - 1, out=np.zeros(times.size), where=at_risk > 1)
    return float((died_treated - died * share).sum()), float(variance.sum())
