"""Two runs side by side: in what their experiments differ, and how arms of the same name fared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.comparison import common_end
from tumor_abm.analysis.endpoints import Endpoint, endpoints
from tumor_abm.analysis.paired import Twins, hazard_ratio, mean_difference
from tumor_abm.analysis.survival import NORMAL_95, cox_hazard_ratio, kaplan_meier, log_rank
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

_SIDES = ("first", "second")

DIFFERENCES = {"key": pl.String, "first": pl.String, "second": pl.String}
"""Columns of `differences`: null where a run says nothing of the key."""

SIDE_BY_SIDE = {
    "arm": pl.String,
    "endpoint": pl.String,
    **{
        f"{side}_{what}": kind
        for side in _SIDES
        for what, kind in {
            "n": pl.Int64,
            "events": pl.Int64,
            "median_months": pl.Float64,
            "lo": pl.Float64,
            "hi": pl.Float64,
        }.items()
    },
    **dict.fromkeys(("hr", "hr_lo", "hr_hi", "p", "paired_hr_lo", "paired_hr_hi", "paired_p"), pl.Float64),
    **dict.fromkeys(
        ("rmst_until", "rmst_difference", "rmst_difference_lo", "rmst_difference_hi"), pl.Float64
    ),
}
"""Columns of `TwoRuns.table`."""


@dataclass(frozen=True, kw_only=True)
class TwoRuns:
    """What two runs say of arms that both have.

    Attributes
    ----------
    first, second
        The results.
    differences
        A row per key in which the experiments, as they were run, differ: ``key, first, second``.
    table
        A row per arm in both and endpoint that has a meaning in both: what was seen in either run, the hazard
        ratio of the second against the first with the interval and p of two independent groups, the paired
        interval where the patients are the same, and the difference of the restricted means (second minus
        first; paired where that is known).
    arms
        Arms that both have.
    only
        Arms that the first, and that the second alone has.
    same_patients
        Whether the runs are of the same virtual patients.
    """

    first: Results
    second: Results
    differences: pl.DataFrame
    table: pl.DataFrame
    arms: Sequence[str]
    only: tuple[Sequence[str], Sequence[str]]
    same_patients: bool


def two_runs(first: Results, second: Results) -> TwoRuns:
    """Compare two runs, arm by arm of the same name.

    Raises
    ------
    InputError
        One of them is no run of an experiment with arms, or they share no arm.
    """
    for side, results in zip(_SIDES, (first, second), strict=True):
        must_be(side, results, Results)
        if "arm" not in results.experiment or "axis" in results.experiment:
            raise InputError(f"the {side} is no run of an experiment with arms, so nothing can be compared")
    arms = [arm for arm in first.arms if arm in second.arms]
    if not arms:
        held = "; ".join(
            f"the {side} has {', '.join(results.arms)}"
            for side, results in zip(_SIDES, (first, second), strict=True)
        )
        raise InputError(f"the runs share no arm by name: {held}")
    same = _same_patients(first, second)
    rows = [
        row
        for endpoint in _shared_endpoints(first, second)
        for row in _rows(first, second, endpoint, arms, same)
    ]
    return TwoRuns(
        first=first,
        second=second,
        differences=differences(first.experiment, second.experiment),
        table=pl.DataFrame(rows, schema=SIDE_BY_SIDE),
        arms=arms,
        only=(
            [arm for arm in first.arms if arm not in arms],
            [arm for arm in second.arms if arm not in arms],
        ),
        same_patients=same,
    )


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> pl.DataFrame:
    """Tell in which keys two experiments differ; tables with names are matched by name.

    Examples
    --------
    >>> differences({"seed": 1, "arm": [{"name": "a"}]}, {"seed": 2, "arm": [{"name": "a"}]}).rows()
    [('seed', '1', '2')]
    """
    one, other = dict(_leaves(first)), dict(_leaves(second))
    keys = [*one, *(key for key in other if key not in one)]
    rows = [(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)]
    return pl.DataFrame(rows, schema=DIFFERENCES, orient="row")


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield what is no table, in words, by its place."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for place, name in enumerate(_names(value)):
            yield from _leaves(value[place], f"{key}[{name}]")
    elif value is not None:
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _names(tables: list[Any]) -> list[Any]:
    """Name the entries of a list: by their names, or by numbers from 0."""
    names = [table.get("name") if isinstance(table, Mapping) else None for table in tables]
    whole = None not in names and len(set(map(str, names))) == len(names)
    return names if whole else list(range(len(tables)))


def _same_patients(first: Results, second: Results) -> bool:
    """Whether patients of the same number are alike in both runs, to the last covariate."""
    one, other = first["patients"], second["patients"]
    if one.schema != other.schema or one.is_empty() or other.is_empty():
        return False
    shared = min(one.height, other.height)
    return one.sort("patient").head(shared).equals(other.sort("patient").head(shared))


def _shared_endpoints(first: Results, second: Results) -> list[Endpoint]:
    others = endpoints(second)
    return [each for each in endpoints(first) if each.randomised and each in others]


def _rows(
    first: Results, second: Results, endpoint: Endpoint, arms: Sequence[str], same: bool
) -> Iterator[dict[str, Any]]:
    observed = [endpoint.observations(results) for results in (first, second)]
    for arm in arms:
        if any(endpoint.undefined(results.experiment, arm) for results in (first, second)):
            continue
        one, other = (table.filter(arm=arm) for table in observed)
        seen: dict[str, Any] = {"arm": arm, "endpoint": endpoint.name}
        for side, table in zip(_SIDES, (one, other), strict=True):
            estimate = kaplan_meier(table["months"], table["event"])
            seen |= {
                f"{side}_n": estimate.n,
                f"{side}_events": estimate.events,
                f"{side}_median_months": estimate.median,
                f"{side}_lo": estimate.median_lo,
                f"{side}_hi": estimate.median_hi,
            }
        yield seen | _against(one, other, same)


def _against(first: pl.DataFrame, second: pl.DataFrame, same: bool) -> dict[str, Any]:
    """Compare the second group with the first, as twins where the patients are the same."""
    both = pl.concat([first.with_columns(arm=pl.lit("first")), second.with_columns(arm=pl.lit("second"))])
    until = common_end(both)
    if same:
        twins = Twins.of(both, "second", "first")
        ratio, difference = hazard_ratio(twins), mean_difference(twins, until)
        return {
            **ratio.as_hazard_ratio(),
            "rmst_until": until,
            "rmst_difference": difference.value,
            "rmst_difference_lo": difference.paired_lo,
            "rmst_difference_hi": difference.paired_hi,
        }
    pooled = (both["months"].to_numpy(), both["event"].to_numpy(), (both["arm"] == "second").to_numpy())
    ratio_of_strangers = cox_hazard_ratio(*pooled)
    found: dict[str, Any] = {
        "hr": ratio_of_strangers.hr,
        "hr_lo": ratio_of_strangers.lo,
        "hr_hi": ratio_of_strangers.hi,
        "p": log_rank(*pooled),
    }
    means = [kaplan_meier(each["months"], each["event"]).restricted_mean(until) for each in (first, second)]
    if until > 0 and means[0] is not None and means[1] is not None:
        value, width = means[1].mean - means[0].mean, NORMAL_95 * float(np.hypot(means[0].se, means[1].se))
        found |= {
            "rmst_until": until,
            "rmst_difference": value,
            "rmst_difference_lo": value - width,
            "rmst_difference_hi": value + width,
        }
    return found
