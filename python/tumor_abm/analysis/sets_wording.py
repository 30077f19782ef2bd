"""What sets of parameters agree on, in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.between_sets import FEWEST_PATIENTS, BetweenSets, rivals_of
from tumor_abm.analysis.estimates_in_words import ratio_text
from tumor_abm.analysis.split_of_comparison import HAZARD_RATIO

_LEAST_P = 0.05
_STATISTICS = {
    "median": "median, months",
    "orr": "ORR, %",
    HAZARD_RATIO: "HR against the control",
    "difference_months": "mean difference, months",
}
"""Statistics that are shown, and what they are called."""


def told(found: BetweenSets) -> list[str]:
    """Say in sentences what the sets agree on.

    Returns
    -------
    list of str
        A sentence per arm and endpoint, then one per endpoint on the ranking of the arms.
    """
    if found.summary.is_empty():
        return [f"too few patients: each set needs {FEWEST_PATIENTS} in both arms to be compared"]
    rows = found.summary.iter_rows(named=True)
    return [*(_difference(found, row) for row in rows), *_rankings(found)]


def sets_section(found: BetweenSets) -> Section:
    """Word the intervals, split into chance and parameters."""
    shown = found.intervals.filter(pl.col("statistic").is_in(list(_STATISTICS)))
    return Section(
        title="Chance and parameters",
        note="Means over the sets of parameters. The 95% interval holds both: what further patients would "
        "take away (chance) and what they would not (parameters). Both are standard deviations; of a hazard "
        "ratio, of its logarithm.",
        header=["Arm", "endpoint", "what", "mean (95% interval)", "chance", "parameters"],
        rows=[_cells(row) for row in shown.iter_rows(named=True)],
        remarks=tuple(f"{sentence[0].upper()}{sentence[1:]}." for sentence in told(found)),
    )


def _cells(row: dict[str, Any]) -> list[str]:
    form = ratio_text if row["statistic"] == HAZARD_RATIO else "{:.1f}".format
    digits = 2 if row["statistic"] == HAZARD_RATIO else 1
    interval = NOTHING if row["lo"] is None else f"{form(row['lo'])} to {form(row['hi'])}"
    return [
        row["arm"],
        row["endpoint"],
        _STATISTICS[row["statistic"]],
        f"{form(row['value'])} ({interval})",
        f"{row['chance_sd']:.{digits}f}",
        f"{row['parameters_sd']:.{digits}f}",
    ]


def _difference(found: BetweenSets, row: dict[str, Any]) -> str:
    spread = math.hypot(row["chance_sd"], row["parameters_sd"])
    sentence = (
        f"{row['arm']}, {row['endpoint']}: {row['difference_months']:+.1f} months against the control on "
        f"average over {row['sets']} sets of parameters (standard deviation {spread:.1f}: "
        f"{row['parameters_sd']:.1f} by parameters, {row['chance_sd']:.1f} by chance); "
    )
    if row["agree"]:
        return f"{sentence}all sets agree on the sign"
    against = found.deciding.filter(arm=row["arm"], endpoint=row["endpoint"])["against"].head(1)
    decides = _decides(found, row["endpoint"], row["arm"], against.item()) if against.len() else ""
    return f"{sentence}better in {round(100 * row['better'])}% of the sets{decides}"


def _rankings(found: BetweenSets) -> Iterator[str]:
    for (endpoint,), rows in found.rankings.group_by("endpoint", maintain_order=True):
        counted = Counter(
            {tuple(ranking): sets for ranking, sets in rows.select("ranking", "sets").iter_rows()}
        )
        if len(next(iter(counted))) < 3 and len(counted) > 1:
            continue  # two arms: the difference has said it
        best, sets = counted.most_common(1)[0]
        rivals = rivals_of(counted)
        order = " before ".join(best)
        if len(counted) == 1:
            yield f"{endpoint}: all sets rank the arms alike, {order}"
        elif rivals is None:
            yield (
                f"{endpoint}: all sets rank {best[0]} first; {sets} of {counted.total()} rank the arms "
                f"{order}"
            )
        else:
            decides = _decides(found, endpoint, *rivals) or _decides(found, endpoint, *rivals[::-1])
            yield (
                f"{endpoint}: sets disagree on the ranking of the arms; {sets} of {counted.total()} rank "
                f"them {order}; {rivals[1]} comes first in others. {rivals[0]} against {rivals[1]}{decides}"
            )


def _decides(found: BetweenSets, endpoint: str, arm: str, against: str) -> str:
    """Name the number that a difference goes with most."""
    first = found.deciding.filter(arm=arm, against=against, endpoint=endpoint).head(1)
    if first.is_empty():
        return ""
    strongest = first.row(0, named=True)
    doubt = "" if strongest["p"] < _LEAST_P else ", which chance explains as well"
    return f"; it goes most with {strongest['number']} ({strongest['rank_correlation']:+.2f}{doubt})"
