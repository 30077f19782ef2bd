"""Arms against the control arm: survival, response, and who of the virtual twins gains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from tumor_abm._files import write_whole
from tumor_abm.endpoints import OS, PFS2, Endpoint, endpoints
from tumor_abm.results import Results
from tumor_abm.survival import cox_hazard_ratio, kaplan_meier, log_rank

LANDMARKS = (6, 12, 18, 24, 36)
"""Months at which survival is reported."""

DAYS_PER_MONTH = 30.4375
CLINICAL_BENEFIT_MONTHS = 24 * 7 / DAYS_PER_MONTH
GAIN_MONTHS = 1.0
"""The least difference between twins that counts as a gain or a loss."""


@dataclass(frozen=True)
class Comparison:
    """The arms of an experiment against its control arm.

    Attributes
    ----------
    table
        A row per arm and endpoint: ``arm, endpoint, n, events, median_months, lo, hi, rate_6,
        rate_12, rate_18, rate_24, rate_36, orr_pct, cbr_pct, hr, hr_lo, hr_hi, p``. Limits are 95%;
        rates are survival in percent at so many months; ORR and CBR are of all patients who
        started the line; `hr` is Cox's against the control arm and `p` of the log-rank test. Null
        is what the data do not tell.
    gains
        A row per arm other than the control and endpoint (PFS2, OS): ``arm, endpoint, n, gain_pct,
        same_pct, lose_pct, mean_difference_months``, see `who_gains`.
    endpoints
        What the names in ``endpoint`` stand for.
    control
        Name of the control arm.
    """

    table: pl.DataFrame
    gains: pl.DataFrame
    endpoints: tuple[Endpoint, ...]
    control: str

    def save(self, directory: str | Path) -> None:
        """Write ``comparison`` and ``who_gains`` as Parquet and CSV."""
        for name, table in (("comparison", self.table), ("who_gains", self.gains)):
            write_whole(Path(directory) / f"{name}.parquet", table.write_parquet)
            write_whole(Path(directory) / f"{name}.csv", table.write_csv)

    def print(self, console: Console | None = None) -> None:
        """Print the tables, with fewer columns on a narrow terminal."""
        from tumor_abm.wording import LEGEND, WIDE, sections

        console = console or Console()
        if not console.is_terminal:  # a file or a pipe has no width of its own
            console.width = max(console.width, WIDE)
        for section in sections(self):
            console.print(section.as_text(console.width))
        console.print(LEGEND, style="dim", highlight=False)


def compare(results: Results) -> Comparison:
    """Compare every arm of `results` with the control arm, endpoint by endpoint."""
    held = endpoints(results)
    rows = [row for endpoint in held for row in _compared(results, endpoint)]
    return Comparison(
        table=pl.DataFrame(rows, schema=_TABLE),
        gains=who_gains(results),
        endpoints=tuple(held),
        control=results.control,
    )


def who_gains(results: Results) -> pl.DataFrame:
    """Compare each patient with the same patient in the control arm.

    Every patient lives every arm with the same luck up to the first difference, so the pair differs
    by treatment alone. Both times are cut where the first of the pair is censored: a gain is one
    that was seen. ``gain_pct``, ``same_pct`` and ``lose_pct`` are the shares whose time to the event
    is longer by at least a month, within a month, and shorter by at least a month.
    """
    arms = [arm for arm in results.arms if arm != results.control]
    rows = [_gain(results, endpoint, arm) for endpoint in (PFS2, OS) for arm in arms]
    return pl.DataFrame(rows, schema=_GAINS)


_TABLE = {
    "arm": pl.String,
    "endpoint": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "median_months": pl.Float64,
    "lo": pl.Float64,
    "hi": pl.Float64,
    **{f"rate_{month}": pl.Float64 for month in LANDMARKS},
    "orr_pct": pl.Float64,
    "cbr_pct": pl.Float64,
    "hr": pl.Float64,
    "hr_lo": pl.Float64,
    "hr_hi": pl.Float64,
    "p": pl.Float64,
}
_GAINS = {
    "arm": pl.String,
    "endpoint": pl.String,
    "n": pl.Int64,
    "gain_pct": pl.Float64,
    "same_pct": pl.Float64,
    "lose_pct": pl.Float64,
    "mean_difference_months": pl.Float64,
}


def _compared(results: Results, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    observed = endpoint.observations(results)
    for arm in results.arms:
        yield {
            "arm": arm,
            "endpoint": endpoint.name,
            **_survival(observed.filter(pl.col("arm") == arm)),
            **_response(results, endpoint, arm),
            **against_control(observed, arm, results.control),
        }


def _survival(observed: pl.DataFrame) -> dict[str, Any]:
    estimate = kaplan_meier(observed["months"], observed["event"])
    rates = 100 * pl.Series(estimate.at(LANDMARKS)).fill_nan(None)
    return {
        "n": estimate.n,
        "events": estimate.events,
        "median_months": estimate.median,
        "lo": estimate.median_lo,
        "hi": estimate.median_hi,
        **{f"rate_{month}": rate for month, rate in zip(LANDMARKS, rates, strict=True)},
    }


def _response(results: Results, endpoint: Endpoint, arm: str) -> dict[str, Any]:
    if endpoint.line is None:
        return {}
    treated = results.outcomes.filter(line=endpoint.line, arm=arm)
    objective = pl.col("response").is_in(["CR", "PR"])
    stable = (pl.col("response") == "SD") & (pl.col("pfs_months") >= CLINICAL_BENEFIT_MONTHS)
    return treated.select(
        orr_pct=100 * objective.fill_null(value=False).mean(),
        cbr_pct=100 * (objective | stable).fill_null(value=False).mean(),
    ).row(0, named=True)


def against_control(observed: pl.DataFrame, arm: str, control: str) -> dict[str, float | None]:
    """Return ``hr, hr_lo, hr_hi`` (Cox) and ``p`` (log-rank) of `arm`; empty for the control arm itself."""
    if arm == control:
        return {}
    both = observed.filter(pl.col("arm").is_in([arm, control]))
    data = both["months"], both["event"], both["arm"] == arm
    ratio = cox_hazard_ratio(*data)
    return {"hr": ratio.hr, "hr_lo": ratio.lo, "hr_hi": ratio.hi, "p": log_rank(*data)}


def _gain(results: Results, endpoint: Endpoint, arm: str) -> dict[str, Any]:
    observed = endpoint.observations(results)
    twins = observed.filter(arm=arm).join(
        observed.filter(arm=results.control), on="patient", suffix="_control"
    )
    followed = pl.min_horizontal(
        pl.when(~pl.col("event")).then("months"), pl.when(~pl.col("event_control")).then("months_control")
    )
    difference = twins.select(
        pl.min_horizontal("months", followed) - pl.min_horizontal("months_control", followed)
    ).to_series()
    return {
        "arm": arm,
        "endpoint": endpoint.name,
        "n": twins.height,
        "gain_pct": _percent(difference >= GAIN_MONTHS),
        "same_pct": _percent(difference.abs() < GAIN_MONTHS),
        "lose_pct": _percent(difference <= -GAIN_MONTHS),
        "mean_difference_months": difference.mean(),
    }


def _percent(flags: pl.Series) -> float | None:
    return None if flags.is_empty() else 100 * float(flags.sum()) / flags.len()
