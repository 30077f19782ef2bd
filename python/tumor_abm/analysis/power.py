"""The chance that a trial of some size would show what the simulation knows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from tumor_abm._base.arguments import must_be, positive, real
from tumor_abm.analysis.interim import boundaries, checked_looks
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
    **dict.fromkeys(("hr", "hr_lo", "hr_hi", "months"), pl.Float64),
}
"""Columns of `power`."""

LOOKS = {
    "n": pl.Int64,
    "look": pl.Int64,
    **dict.fromkeys(("information", "bound_z", "bound_p", "bound_hr"), pl.Float64),
    **dict.fromkeys(("months", "events", "stopped_for", "stopped_against"), pl.Float64),
}
"""Columns of `SimulatedTrials.looks`."""

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
    looks
        Interim looks: shares of the events of the analysis after which the trial is tested, and stopped if
        the difference is beyond the bound of O'Brien and Fleming (`tumor_abm.analysis.interim`).
    """

    accrual_months: float
    follow_up_months: float
    looks: Sequence[float] = ()

    def __post_init__(self) -> None:
        checked_looks(self.looks)
        for name in ("accrual_months", "follow_up_months"):
            real(name, getattr(self, name), "months, at least 0")
        if self.accrual_months + self.follow_up_months == 0:
            raise InputError(key="follow_up_months", found=0.0, allowed="above 0 where accrual is 0")


@dataclass(frozen=True, kw_only=True)
class SimulatedTrials:
    """Trials of one size and design, look by look; the last look is the analysis.

    Attributes
    ----------
    n, design
        Patients, and when they enter and are tested.
    difference, variance, events, months
        Per trial and look: observed less expected events of the treated, its variance, events of both arms,
        and months since the first entry.
    """

    n: int
    design: TrialDesign
    difference: Floats
    variance: Floats
    events: Floats
    months: Floats

    @property
    def bounds(self) -> Floats:
        """How far from 0 the standardised difference must be at each look."""
        return boundaries(self.design.looks, LEVEL)

    @property
    def _stopped(self) -> tuple[NDArray[np.int64], Floats]:
        """Look at which each trial ends, and on which side of the bounds it then is: -1 favours the arm."""
        z = _ratio(self.difference, np.sqrt(self.variance))
        side = np.where(np.abs(z) > self.bounds, np.sign(z), 0.0)
        ends = np.where(side.any(axis=1), (side != 0).argmax(axis=1), side.shape[1] - 1)
        return ends, side[np.arange(ends.size), ends]

    def row(self) -> dict[str, Any]:
        """Return the columns of `POWER`."""
        ends, side = self._stopped
        trials, last = ends.size, (slice(None), -1)
        share = float((side < 0).mean())
        told = self.variance[last] > 0
        ratios = np.exp(self.difference[last][told] / self.variance[last][told])
        middle, lo, hi = np.quantile(ratios, (0.5, 0.025, 0.975)) if ratios.size else [math.nan] * 3
        events = float(self.events[last].mean())
        return {
            "n": self.n,
            "trials": trials,
            "events": events,
            "power": share,
            "power_se": math.sqrt(share * (1 - share) / trials),
            "against": float((side > 0).mean()),
            "schoenfeld": schoenfeld(float(middle), events),
            "hr": float(middle),
            "hr_lo": float(lo),
            "hr_hi": float(hi),
            "months": float(self.months[np.arange(trials), ends].mean()),
        }

    def looks(self) -> list[dict[str, Any]]:
        """Return a row per look, with the columns of `LOOKS`: its bound, when it is, and who stops at it.

        ``bound_hr`` is about the hazard ratio that reaches the bound, by Schoenfeld's formula.
        """
        ends, side = self._stopped
        events = self.events.mean(axis=0)
        return [
            {
                "n": self.n,
                "look": look + 1,
                "information": information,
                "bound_z": bound,
                "bound_p": float(2 * norm.sf(bound)),
                "bound_hr": math.exp(-2 * bound / math.sqrt(events[look])) if events[look] > 0 else None,
                "months": float(self.months[:, look].mean()),
                "events": float(events[look]),
                "stopped_for": float(((ends == look) & (side < 0)).mean()),
                "stopped_against": float(((ends == look) & (side > 0)).mean()),
            }
            for look, (information, bound) in enumerate(
                zip((*self.design.looks, 1.0), self.bounds.tolist(), strict=True)
            )
        ]


def _ratio(of: Floats, by: Floats) -> Floats:
    return np.divide(of, by, out=np.zeros_like(of), where=by > 0)


def simulate_trials(
    observed: pl.DataFrame,
    arm: str,
    control: str,
    n: int,
    design: TrialDesign,
    *,
    trials: int = 1000,
    seed: int = 1,
) -> SimulatedTrials:
    """Draw trials of two equal arms of different patients from a cohort.

    Parameters
    ----------
    observed
        ``patient, arm, months, event`` of a simulated cohort, followed at least as long as the trial.
    arm, control
        Names of the arms.
    n
        Patients of the trial, both arms together.
    design
        Accrual, follow-up and looks.
    trials
        Trials to simulate.
    seed
        Names the random streams.
    """
    must_be("observed", observed, pl.DataFrame)
    n, trials = positive("n", n), positive("trials", trials)
    arms = [_times(observed, name) for name in (arm, control)]
    if n < 2 or any(months.size == 0 for months, _ in arms):
        raise InputError(key="n", found=n, allowed="at least 2, of arms with patients")
    rng = np.random.default_rng([seed, n])
    scores = np.array([_trial(rng, arms, n, design) for _ in range(trials)])
    difference, variance, events, months = np.moveaxis(scores, 2, 0)
    return SimulatedTrials(
        n=n, design=design, difference=difference, variance=variance, events=events, months=months
    )


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

    Takes the parameters of `simulate_trials`.

    Returns
    -------
    dict
        The columns of `POWER`: mean ``events`` at the analysis; ``power``, the share of trials whose log-rank
        test favours the arm with p below 0.05, or beyond the bound of a look, and its Monte Carlo error;
        ``against``, the share that favours the control; median and 95% spread of the hazard ratios at the
        analysis (Peto's estimate); ``schoenfeld``, what his formula says of that many events at the median
        hazard ratio; and ``months``, how long trials last on average.

    Notes
    -----
    Patients are drawn from the cohort with replacement, so the arms of a trial are of strangers. The formula
    (Schoenfeld 1981, Biometrika 68:316) holds for proportional hazards. Where it and the simulated power
    part, hazards are not proportional. It knows no interim looks, which cost very little power.
    """
    return simulate_trials(observed, arm, control, n, design, trials=trials, seed=seed).row()


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
) -> list[tuple[float, float, float, float]]:
    """Simulate a trial; return, per look, observed less expected events, variance, events and months."""
    times, events, entries, treated = [], [], [], []
    for (months, event), size, is_treated in zip(arms, (n - n // 2, n // 2), (True, False), strict=True):
        drawn = rng.integers(0, months.size, size)
        entries.append(rng.uniform(0, design.accrual_months, size))
        times.append(months[drawn])
        events.append(event[drawn])
        treated.append(np.full(size, is_treated))
    months, event, entry, side = (np.concatenate(each) for each in (times, events, entries, treated))
    end = design.accrual_months + design.follow_up_months
    seen = np.sort((months + entry)[event])
    seen = seen[seen <= end]
    days = [
        float(seen[max(0, math.ceil(look * seen.size) - 1)]) if seen.size else end for look in design.looks
    ]
    return [(*_score(months, event, entry, side, day), day) for day in (*days, end)]


def _score(
    months: Floats, event: Flags, entry: Floats, treated: Flags, day: float
) -> tuple[float, float, float]:
    """Return what is seen by a day since the first entry."""
    entered = entry <= day
    followed = (day - entry)[entered]
    seen = event[entered] & (months[entered] <= followed)
    difference, variance = log_rank_score(np.minimum(months[entered], followed), seen, treated[entered])
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
