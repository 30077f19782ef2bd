"""What a trial of a given size would have reported: estimates from samples of simulated patients.

Survival comes from `tumor_abm.analysis.survival`, here as elsewhere. Intervals need hundreds of samples of
every arm, for which Cox's model in lifelines is too slow: the few lines here give the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumor_abm.analysis.survival import median_of, product_limit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOT_REACHED = math.inf


@dataclass(frozen=True)
class Observed:
    """Times of some patients, and whether the event was seen."""

    months: Floats
    event: Flags

    def __len__(self) -> int:
        return self.months.size

    def __getitem__(self, which: NDArray[np.intp]) -> Observed:
        return Observed(self.months[which], self.event[which])


def median(observed: Observed) -> float:
    """Return the Kaplan-Meier median; infinite if not reached."""
    steps = product_limit(observed.months, observed.event)
    found = median_of(steps.times, steps.survival)
    return NOT_REACHED if found is None else found


def rate(observed: Observed, month: float) -> float:
    """Return the Kaplan-Meier estimate at `month`; NaN after the last patient was censored."""
    times, _, _, survival = product_limit(observed.months, observed.event)
    if month > times[-1] and survival[-1] > 0:
        return math.nan
    before = int(np.searchsorted(times, month, side="right"))
    return float(survival[before - 1]) if before else 1.0


def hazard_ratio(treated: Observed, control: Observed) -> float:
    """Return Cox's hazard ratio of the treated (Efron's ties); NaN where the data determine none.

    With one binary covariate the score is a monotone function of one number; Newton's method finds its root.
    """
    months = np.concatenate([treated.months, control.months])
    event = np.concatenate([treated.event, control.event])
    is_treated = np.concatenate([np.ones(len(treated), bool), np.zeros(len(control), bool)])
    order = np.argsort(months, kind="stable")
    months, event, is_treated = months[order], event[order], is_treated[order].astype(float)
    times, first, which = np.unique(months, return_index=True, return_inverse=True)
    at_risk = months.size - first
    treated_at_risk = (is_treated.sum() - np.concatenate([[0.0], np.cumsum(is_treated)]))[first]
    events = np.bincount(which, weights=event, minlength=times.size)
    treated_events = np.bincount(which, weights=event * is_treated, minlength=times.size)
    # One row per event; of d tied ones the l-th counts l/d of them as gone.
    tied = events[events > 0].astype(int)
    gone = np.concatenate([np.arange(d) / d for d in tied]) if tied.size else np.zeros(0)
    row = np.repeat(np.flatnonzero(events), tied)
    t = treated_at_risk[row] - gone * treated_events[row]
    c = (at_risk - treated_at_risk)[row] - gone * (events - treated_events)[row]
    of_treated = float(treated_events.sum())
    informative = (t > 0) & (c > 0)
    if not informative.any():
        return math.nan
    log_ratio = 0.0
    for _ in range(50):
        share = t * math.exp(log_ratio)
        share /= share + c
        information = float((share * (1.0 - share)).sum())
        if information < 1e-9:
            return math.nan
        step = (of_treated - float(share.sum())) / information
        log_ratio += min(max(step, -2.0), 2.0)
        if abs(log_ratio) > 15:
            return math.nan
        if abs(step) < 1e-9:
            break
    return math.exp(log_ratio)


def interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the central interval of `values`; an end that was not reached is infinite, NaN are left out."""
    values = np.sort(values[~np.isnan(values)])
    if values.size == 0:
        return math.nan, math.nan
    # Inverted distribution function: no arithmetic with infinite values. Rounding undoes that of the tails.
    places = [round(share * values.size, 9) for share in ((1.0 - level) / 2.0, (1.0 + level) / 2.0)]
    low, high = (values[max(math.ceil(place) - 1, 0)] for place in places)
    return float(low), float(high)


def own_share(survival: list[Floats], patients: list[NDArray[np.int64]]) -> float:
    """Share of a sample to draw from a parameter set's own patients, the others from those of all sets.

    A parameter set has simulated few patients, so sets differ by chance as well as in truth. If a share `w`
    of a sample comes from the set's own patients, the variance between sets is `w²` times what was seen; it
    is chosen so that what is left is what chance does not explain.

    Parameters
    ----------
    survival
        For each arm: survival at one time, one per parameter set.
    patients
        For each arm: patients behind them.
    """
    seen = chance = 0.0
    for each, size in zip(survival, patients, strict=True):
        if each.size > 1:
            weight = size / size.sum()
            mean = float((weight * each).sum())
            seen += float((weight * (each - mean) ** 2).sum())
            # Binomial, about the common mean: sets of a few patients do not know their own.
            chance += mean * (1.0 - mean) * (each.size - 1) / float(size.sum())
    if seen == 0.0:
        return 1.0 if chance == 0.0 else 0.0
    return math.sqrt(max(0.0, 1.0 - chance / seen))
