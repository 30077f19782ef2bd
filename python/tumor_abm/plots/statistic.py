"""Words for a statistic of a batch."""

from __future__ import annotations

_IN_WORDS = {
    "median_months": "median, months",
    "hr": "hazard ratio",
    "orr_pct": "objective response, %",
    "carried_pct": "% of progressing tumours",
    "mean": "mean",
    "pct": "%",
    **{f"rate_{month}": f"without event at {month} months, %" for month in (12, 24)},
    **{f"rmst_{month}": f"mean up to {month} months, months" for month in (12, 24)},
}


def statistic_in_words(statistic: str) -> str:
    """Return what a statistic of a summary tells, with its unit."""
    return _IN_WORDS.get(statistic, statistic)
