"""The intervals of a comparison in a run with an ensemble, each split into chance and parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from tumor_abm.analysis.comparison import CLINICAL_BENEFIT_MONTHS, LANDMARKS
from tumor_abm.analysis.endpoints import Endpoint, Kind
from tumor_abm.analysis.paired import (
    Twins,
    hazard_ratio,
    influence_on_log_hazard_ratio,
    influence_on_mean_difference,
    mean_difference,
)
from tumor_abm.analysis.split import SetEstimate, of_median, of_share, of_survival, split
from tumor_abm.run.results import Results

INTERVALS = {
    "arm": pl.String,
    "endpoint": pl.String,
    "statistic": pl.String,
    "sets": pl.Int64,
    **dict.fromkeys(("value", "chance_sd", "parameters_sd", "lo", "hi"), pl.Float64),
}
HAZARD_RATIO = "hr"
_Estimator = Callable[[pl.DataFrame], SetEstimate | None]


def intervals_of(
    results: Results, endpoint: Endpoint, observed: pl.DataFrame, until: float, fewest: int
) -> Iterator[dict[str, Any]]:
    """Yield a row per arm and statistic that every set with enough patients tells.

    Parameters
    ----------
    results
        Of a run with an ensemble.
    endpoint
        What is timed.
    observed
        ``patient, arm, months, event, set, luck``.
    until
        Months up to which restricted means are compared.
    fewest
        Patients of a set in an arm, from whom on it is told.
    """
    responded = _responses(results, endpoint).join(
        observed.select("patient", "arm", "set", "luck"), on=["patient", "arm"]
    )
    for arm in results.arms:
        for estimators, rows in (
            (_OF_ARM, observed.filter(arm=arm)),
            (_RESPONSE, responded.filter(arm=arm)),
            (_against(arm, results.control, until) if endpoint.randomised else {}, observed),
        ):
            parts = [part for part in rows.partition_by("set") if part.filter(arm=arm).height >= fewest]
            for statistic, estimate in estimators.items():
                found = [estimate(part) for part in parts]
                known = [one for one in found if one is not None and one.influence.size > 1]
                if len(known) == len(parts) > 1:
                    yield {"arm": arm, "endpoint": endpoint.name} | _row(statistic, known)


def _row(statistic: str, known: list[SetEstimate]) -> dict[str, Any]:
    found = split(known)
    value, (lo, hi) = found.value, found.limits
    if statistic == HAZARD_RATIO:
        value, lo, hi = math.exp(value), math.exp(lo), math.exp(hi)
    elif statistic != _DIFFERENCE:
        lo, hi = max(lo, 0.0), hi if statistic == "median" else min(hi, 100.0)
    return {
        "statistic": statistic,
        "sets": found.sets,
        "value": value,
        "chance_sd": found.chance_sd,
        "parameters_sd": found.parameters_sd,
        "lo": lo,
        "hi": hi,
    }


def _responses(results: Results, endpoint: Endpoint) -> pl.DataFrame:
    """Return ``patient, arm, orr, cbr`` of who began a line; nobody of endpoints that are not of a line."""
    if endpoint.kind is not Kind.PFS:
        return results.scan("outcomes").head(0).select("patient", "arm", orr=False, cbr=False).collect()
    objective = pl.col("response").is_in(["CR", "PR"]).fill_null(value=False)
    stable = (pl.col("response") == "SD") & (pl.col("pfs_months") >= CLINICAL_BENEFIT_MONTHS)
    lived = results.scan("outcomes").filter(line=endpoint.line)
    return lived.select(
        "patient", "arm", orr=objective, cbr=objective | stable.fill_null(value=False)
    ).collect()


def _times(part: pl.DataFrame) -> tuple[Any, Any, Any]:
    return part["months"].to_numpy(), part["event"].to_numpy(), part["luck"].to_numpy()


def _median(part: pl.DataFrame) -> SetEstimate | None:
    return of_median(*_times(part))


def _rate(month: float) -> _Estimator:
    def estimate(part: pl.DataFrame) -> SetEstimate | None:
        months, event, luck = _times(part)
        return of_survival(months, event, month, luck)

    return estimate


def _share(name: str) -> _Estimator:
    return lambda part: of_share(part[name].to_numpy(), part["luck"].to_numpy())


_DIFFERENCE = "difference_months"
_OF_ARM: dict[str, _Estimator] = {
    "median": _median,
    **{f"rate_{month}": _rate(month) for month in LANDMARKS},
}
_RESPONSE: dict[str, _Estimator] = {name: _share(name) for name in ("orr", "cbr")}


def _against(arm: str, control: str, until: float) -> dict[str, _Estimator]:
    """Return estimators of how an arm compares with the control."""

    def ratio(part: pl.DataFrame) -> SetEstimate | None:
        twins = Twins.of(part, arm, control)
        found = hazard_ratio(twins).value
        if found is None:
            return None
        coefficient = math.log(found)
        influence = influence_on_log_hazard_ratio(twins, coefficient)
        return SetEstimate(value=coefficient, influence=influence, luck=_luck_of(part, arm, control))

    def difference(part: pl.DataFrame) -> SetEstimate | None:
        return difference_of(part, arm, control, until)

    return {} if arm == control else {HAZARD_RATIO: ratio, _DIFFERENCE: difference}


def difference_of(part: pl.DataFrame, arm: str, control: str, until: float) -> SetEstimate | None:
    """Return the difference of restricted means in a set; ``None`` if it is not known."""
    twins = Twins.of(part, arm, control)
    found = mean_difference(twins, until).value if until > 0 and len(twins) > 1 else None
    if found is None:
        return None
    influence = influence_on_mean_difference(twins, until)
    return SetEstimate(value=found, influence=influence, luck=_luck_of(part, arm, control))


def _luck_of(observed: pl.DataFrame, arm: str, control: str) -> Any:
    """Return the luck of the patients in both arms, in the order of their twins."""
    others = observed.filter(arm=control).select("patient")
    both = observed.filter(arm=arm).join(others, on="patient", maintain_order="left")
    return both["luck"].to_numpy()
