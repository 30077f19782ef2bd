"""Treatment effects in subgroups of patients, and whether they differ between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import kruskal, spearmanr
from scipy.stats import t as student

from tumor_abm.analysis.division import Cut, Division, divisions
from tumor_abm.analysis.endpoints import Endpoint, endpoints
from tumor_abm.analysis.heterogeneity import heterogeneity, heterogeneity_of_few, holm
from tumor_abm.analysis.paired import Twins, gains, hazard_ratio, mean_difference, shared_end
from tumor_abm.analysis.survival import NORMAL_95
from tumor_abm.run.results import Results

_TEXTS = ("arm", "endpoint", "covariate", "label")
_COUNTS = ("n", "events", "control_events")
_EFFECTS = (
    *("median_months", "control_median_months"),
    *("hr", "hr_lo", "hr_hi", "paired_hr_lo", "paired_hr_hi"),
    *("rmst_until", "rmst_difference", "rmst_difference_lo", "rmst_difference_hi"),
    *("paired_rmst_difference_lo", "paired_rmst_difference_hi"),
)
_RATIOS = ("hr", "hr_lo", "hr_hi", "paired_hr_lo", "paired_hr_hi")

SUBGROUPS = {
    **dict.fromkeys((*_TEXTS, "level"), pl.String),
    **dict.fromkeys(_COUNTS, pl.Int64),
    **dict.fromkeys(_EFFECTS, pl.Float64),
}
"""Columns of the table of subgroups; see the documentation of results."""

INTERACTIONS = {
    **dict.fromkeys(_TEXTS, pl.String),
    **dict.fromkeys(("levels", "n", "unknown"), pl.Int64),
    **dict.fromkeys(("p", "p_holm", "paired_p", "paired_p_holm", "mean_p", "mean_paired_p"), pl.Float64),
    **dict.fromkeys(("gain_rho", "gain_p", "gain_p_holm"), pl.Float64),
}
"""Columns of the table of interactions; see the documentation of results."""

LEAST_EVENTS = 5
"""Events in each arm from which on a subgroup counts in tests: with fewer an effect is far from normal."""


def subgroups(results: Results, by: Sequence[str | Cut]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare every arm with the control arm in subgroups, and test whether the effect differs between them.

    Parameters
    ----------
    results
        Of an experiment.
    by
        Covariates, each by its name, as ``NAME:CUT:CUT``, or as a `Cut`.

    Returns
    -------
    tuple of polars.DataFrame
        A row per arm, endpoint, covariate and level, and a row per arm, endpoint and covariate: the columns
        of `SUBGROUPS` and `INTERACTIONS`. Endpoints are those counted from the first day.

    Raises
    ------
    InputError
        A covariate is not known, or cannot be divided so.
    """
    by_covariate = divisions(results, by)
    rows: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    for endpoint in endpoints(results) if by_covariate else ():
        if not endpoint.randomised:
            continue
        observed = endpoint.observations(results)
        for arm in results.arms:
            if arm == results.control or Twins.of(observed, arm, results.control).months.size == 0:
                continue
            for divided in by_covariate:
                found = list(_levels(observed, arm, results.control, divided))
                named = _named(arm, endpoint, divided)
                rows += [named | row for row in found]
                tests.append(named | _interaction(observed, arm, results.control, divided, found))
    for column in ("p", "paired_p", "gain_p"):
        for test, adjusted in zip(tests, holm([test[column] for test in tests]), strict=True):
            test[f"{column}_holm"] = adjusted
    return pl.DataFrame(rows, schema=SUBGROUPS), pl.DataFrame(tests, schema=INTERACTIONS)


def _named(arm: str, endpoint: Endpoint, divided: Division) -> dict[str, Any]:
    covariate = divided.covariate
    return {"arm": arm, "endpoint": endpoint.name, "covariate": covariate.name, "label": covariate.label}


def _levels(observed: pl.DataFrame, arm: str, control: str, divided: Division) -> Iterator[dict[str, Any]]:
    until = shared_end(observed, arm, control)
    for level in divided.levels:
        members = divided.members.filter(level=level).select("patient")
        twins = Twins.of(observed.join(members, on="patient", how="semi"), arm, control)
        yield {"level": level, **_effects(twins, until)}


def _effects(twins: Twins, until: float) -> dict[str, Any]:
    if len(twins) == 0:
        return {"n": 0, "events": 0, "control_events": 0}
    treated, control = (curve.median for curve in twins.curves)
    ratio, difference = hazard_ratio(twins), mean_difference(twins, until)
    return {
        "n": len(twins),
        "events": int(twins.event.sum()),
        "control_events": int(twins.control_event.sum()),
        "median_months": treated,
        "control_median_months": control,
        "hr": ratio.value,
        "hr_lo": ratio.lo,
        "hr_hi": ratio.hi,
        "paired_hr_lo": ratio.paired_lo,
        "paired_hr_hi": ratio.paired_hi,
        "rmst_until": None if difference.value is None else until,
        "rmst_difference": difference.value,
        "rmst_difference_lo": difference.lo,
        "rmst_difference_hi": difference.hi,
        "paired_rmst_difference_lo": difference.paired_lo,
        "paired_rmst_difference_hi": difference.paired_hi,
    }


def _interaction(
    observed: pl.DataFrame, arm: str, control: str, divided: Division, found: list[dict[str, Any]]
) -> dict[str, Any]:
    enough = [row for row in found if min(row["events"], row["control_events"]) >= LEAST_EVENTS]
    told = [row for row in enough if row["hr"] is not None]
    logs = [
        {"n": row["n"]} | {name: math.log(row[name]) for name in _RATIOS if row[name] is not None}
        for row in told
    ]
    means = [row for row in enough if row["rmst_difference"] is not None]
    return {
        "levels": len(told),
        "n": sum(row["n"] for row in found),
        "unknown": divided.unknown,
        "p": _test(logs, "hr", "hr", of_few=False),
        "paired_p": _test(logs, "hr", "paired_hr", of_few=True),
        "mean_p": _test(means, "rmst_difference", "rmst_difference", of_few=False),
        "mean_paired_p": _test(means, "rmst_difference", "paired_rmst_difference", of_few=True),
        **_association(observed, arm, control, divided),
    }


def _test(rows: list[dict[str, Any]], effect: str, limits: str, *, of_few: bool) -> float | None:
    """Test heterogeneity of `effect` whose standard error stands in its limits."""
    told = [row for row in rows if row.get(f"{limits}_hi") is not None]
    told = [row for row in told if row[f"{limits}_hi"] > row[f"{limits}_lo"]]
    n = np.array([row["n"] for row in told])
    widths = np.array([row[f"{limits}_hi"] - row[f"{limits}_lo"] for row in told])
    effects = [row[effect] for row in told]
    if of_few:
        return heterogeneity_of_few(effects, widths / (2 * student.ppf(0.975, n - 1)), n)
    return heterogeneity(effects, widths / (2 * NORMAL_95))


def _association(observed: pl.DataFrame, arm: str, control: str, divided: Division) -> dict[str, Any]:
    """Tell how the gain of each patient goes with the covariate itself, uncut."""
    none = {"gain_rho": None, "gain_p": None}
    own = gains(observed, arm, control, shared_end(observed, arm, control))
    both = own.join(divided.covariate.values.drop_nulls("value"), on="patient")
    gain, value = both["gain_months"].to_numpy(), both["value"]
    if both.height < 3 or np.ptp(gain) == 0 or value.n_unique() < 2:
        return none
    if value.dtype.is_numeric() or value.dtype == pl.Boolean:
        found = spearmanr(gain, value.cast(pl.Float64).to_numpy())
        return {"gain_rho": float(found.statistic), "gain_p": float(found.pvalue)}
    groups = both.with_columns(pl.col("value").cast(pl.String)).partition_by("value")
    return none | {"gain_p": float(kruskal(*(group["gain_months"] for group in groups)).pvalue)}
