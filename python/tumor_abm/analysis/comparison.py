"""Arms against the control arm: survival, response, and who of the virtual twins gains."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console

from tumor_abm._base import html
from tumor_abm._base.arguments import must_be
from tumor_abm._base.files import write_whole
from tumor_abm._base.section import WIDE
from tumor_abm._base.sinks import html_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.division import Cut
from tumor_abm.analysis.doses_given import dose_changes, dose_intensity
from tumor_abm.analysis.endpoints import OS, PFS2, Endpoint, Kind, endpoints, without_meaning
from tumor_abm.analysis.paired import Contrast, Twins, hazard_ratio, mean_difference
from tumor_abm.analysis.share import percent_limits
from tumor_abm.analysis.subgroups import subgroups
from tumor_abm.analysis.survival import KaplanMeier, follow_up, kaplan_meier
from tumor_abm.analysis.toxicity import neutropenia
from tumor_abm.analysis.treatment_time import time_on_regimens, time_to_next
from tumor_abm.analysis.wording import LEGEND, sections, summary_section
from tumor_abm.analysis.worth import worth
from tumor_abm.run.results import Results

LANDMARKS = (6, 12, 18, 24, 36)
"""Months at which survival is reported."""

CLINICAL_BENEFIT_MONTHS = 24 * 7 / DAYS_PER_MONTH
GAIN_MONTHS = 1.0
"""The least difference between twins that counts as a gain or a loss."""


class Comparison(Compared):
    """The arms of an experiment against its control arm, for people and files."""

    def __repr__(self) -> str:
        console = Console(file=io.StringIO(), width=WIDE, color_system=None)
        with console.capture() as said:
            console.print(summary_section(self).as_text(WIDE))
        arms = self.table["arm"].n_unique()
        lines = [f"Comparison of {arms} arms, control {self.control!r}", *said.get().splitlines()]
        return "\n".join(line.rstrip() for line in lines).rstrip()

    def _repr_html_(self) -> str:
        return "".join(map(html.section, sections(self))) + f"<p>{html_text(LEGEND)}</p>"

    def save(self, directory: str | Path) -> None:
        """Write ``comparison`` (with its limits), ``who_gains`` and ``neutropenia`` as Parquet and CSV.

        So are ``time_on_regimens`` and ``time_to_next``, ``dose_intensity`` and ``dose_changes``, and, if
        subgroups were asked for, ``subgroups`` and ``interactions``. Where there are utilities or prices,
        ``worth`` is, too.
        """
        tables = {"comparison": self.with_limits, "who_gains": self.gains, "neutropenia": self.neutropenia}
        if self.on_regimens.height:
            tables |= {"time_on_regimens": self.on_regimens, "time_to_next": self.to_next}
        if self.intensity.height:
            tables |= {"dose_intensity": self.intensity, "dose_changes": self.dose_changes}
        if self.worth.height:
            tables |= {"worth": self.worth}
        if self.interactions.height:
            tables |= {"subgroups": self.subgroups, "interactions": self.interactions}
        for name, table in tables.items():
            write_whole(Path(directory) / f"{name}.parquet", table.write_parquet)
            write_whole(Path(directory) / f"{name}.csv", table.write_csv)

    def print(self, console: Console | None = None) -> None:
        """Print the tables, with fewer columns on a narrow terminal."""
        console = console or Console()
        if not console.is_terminal:  # a file or a pipe has no width of its own
            console.width = max(console.width, WIDE)
        for section in sections(self):
            console.print(section.as_text(console.width))
        console.print(LEGEND, style="dim", highlight=False)


def compare(results: Results, by: Sequence[str | Cut] = ()) -> Comparison:
    """Compare every arm of `results` with the control arm, endpoint by endpoint.

    Parameters
    ----------
    results
        Of an experiment.
    by
        Covariates, markers and responses that divide patients into subgroups: names of
        `tumor_abm.analysis.covariate.known_covariates`. A number is cut at its median, or where it is said:
        ``"prior_months:6:12"`` or ``Cut("prior_months", (6, 12))``, in the unit of the covariate.

    Raises
    ------
    InputError
        A covariate is not known, or cannot be divided so.
    """
    must_be("results", results, Results)
    effects, interactions = subgroups(results, by)
    held = endpoints(results)
    rows = [row for endpoint in held for row in _compared(results, endpoint)]
    missing = [row for endpoint in held for row in _missing(results, endpoint)]
    return Comparison(
        table=_of_columns(rows, _TABLE),
        limits=_of_columns(rows, _LIMITS),
        gains=who_gains(results),
        neutropenia=neutropenia(results),
        missing=pl.DataFrame(missing, schema=_MISSING),
        endpoints=tuple(held),
        without_meaning=without_meaning(results),
        experiment=results.experiment,
        control=results.control,
        subgroups=effects,
        interactions=interactions,
        on_regimens=time_on_regimens(results),
        to_next=time_to_next(results),
        intensity=dose_intensity(results),
        dose_changes=dose_changes(results),
        worth=worth(results),
    )


def _of_columns(rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def who_gains(results: Results) -> pl.DataFrame:
    """Compare each patient with the same patient in the control arm.

    Every patient lives every arm with the same luck up to the first difference, so the pair differs
    by treatment alone. Both times are cut where the first of the pair is censored: a gain is one
    that was seen. ``gain_pct``, ``same_pct`` and ``lose_pct`` are the shares whose time to the event
    is longer by at least a month, within a month, and shorter by at least a month. Arms that share no
    patient with the control, or in which the endpoint has no meaning, have no row.
    """
    found = []
    for endpoint in (PFS2, OS):
        observed = endpoint.observations(results)
        for arm in results.arms:
            twins = Twins.of(observed, arm, results.control)
            if arm != results.control and len(twins):
                found.append({"arm": arm, "endpoint": endpoint.name, **_gain(twins)})
    return pl.DataFrame(found, schema=_GAINS)


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
    **dict.fromkeys(("hr", "hr_lo", "hr_hi", "p"), pl.Float64),
    **dict.fromkeys(("paired_hr_lo", "paired_hr_hi", "paired_p"), pl.Float64),
    **dict.fromkeys(("n_control", "n_shared"), pl.Int64),
    "control_median_months": pl.Float64,
    **dict.fromkeys(("rmst_until", "rmst_months", "rmst_se"), pl.Float64),
    **dict.fromkeys(("rmst_difference", "rmst_difference_lo", "rmst_difference_hi"), pl.Float64),
    **dict.fromkeys(("paired_rmst_difference_lo", "paired_rmst_difference_hi"), pl.Float64),
    "follow_up_months": pl.Float64,
    "censored_by_rule": pl.Int64,
    "not_defined": pl.String,
}
_LIMITS = {
    "arm": pl.String,
    "endpoint": pl.String,
    **{
        f"{stem}_{end}": pl.Float64
        for stem in (*(f"rate_{month}" for month in LANDMARKS), "orr", "cbr", "control", "follow_up")
        for end in ("lo", "hi")
    },
}
_MISSING = {
    **dict.fromkeys(("arm", "endpoint", "absent_from", "why"), pl.String),
    "patients": pl.Int64,
}
_FATES = ("gain", "same", "lose")
_GAINS = {
    "arm": pl.String,
    "endpoint": pl.String,
    "n": pl.Int64,
    **dict.fromkeys((f"{what}_{of}" for what in _FATES for of in ("pct", "lo", "hi")), pl.Float64),
    "mean_difference_months": pl.Float64,
    "mean_difference_se": pl.Float64,
}


def _compared(results: Results, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    observed = endpoint.observations(results)
    until = common_end(observed)
    for arm in results.arms:
        reason = endpoint.undefined(results.experiment, arm)
        row = {"arm": arm, "endpoint": endpoint.name, "not_defined": reason}
        if reason is None:
            row |= _survival(observed.filter(arm=arm), until)
        row |= _on_line(results, endpoint, arm, defined=reason is None)
        if endpoint.randomised:
            row |= against_control(observed, arm, results.control, until)
        yield row


def common_end(observed: pl.DataFrame) -> float:
    """Months up to which restricted means of all arms can be told, 0 if none can."""
    arms = observed.partition_by("arm")
    return min((kaplan_meier(arm["months"], arm["event"]).told_until for arm in arms), default=0.0)


def _survival(observed: pl.DataFrame, until: float) -> dict[str, Any]:
    estimate = kaplan_meier(observed["months"], observed["event"])
    followed = follow_up(observed["months"], observed["event"])
    restricted = estimate.restricted_mean(until) if until > 0 else None
    return {
        "n": estimate.n,
        "events": estimate.events,
        "median_months": estimate.median,
        "lo": estimate.median_lo,
        "hi": estimate.median_hi,
        **_landmarks(estimate),
        "rmst_until": None if restricted is None else until,
        "rmst_months": None if restricted is None else restricted.mean,
        "rmst_se": None if restricted is None else restricted.se,
        "follow_up_months": followed.median,
        "follow_up_lo": followed.median_lo,
        "follow_up_hi": followed.median_hi,
    }


def _landmarks(estimate: KaplanMeier) -> dict[str, float | None]:
    """Return the percent without the event at each landmark, with 95% limits."""
    curves = {
        "": estimate.at(LANDMARKS),
        **dict(zip(("_lo", "_hi"), estimate.limits_at(LANDMARKS), strict=True)),
    }
    return {
        f"rate_{month}{end}": rate
        for end, survival in curves.items()
        for month, rate in zip(LANDMARKS, 100 * pl.Series(survival).fill_nan(None), strict=True)
    }


def _on_line(results: Results, endpoint: Endpoint, arm: str, *, defined: bool) -> dict[str, Any]:
    """Tell of a line, beside its time, who began it, who responded and whom a rule took off it."""
    if endpoint.kind is not Kind.PFS:
        return {}
    treated = results.scan("outcomes").filter(line=endpoint.line, arm=arm)
    objective = pl.col("response").is_in(["CR", "PR"])
    stable = (pl.col("response") == "SD") & (pl.col("pfs_months") >= CLINICAL_BENEFIT_MONTHS)
    by_rule = (pl.col("end_reason").cast(pl.String) == "rule") & ~pl.col("pfs_event")
    found = treated.select(
        n=pl.len(),
        orr_pct=100 * objective.fill_null(value=False).mean(),
        cbr_pct=100 * (objective | stable).fill_null(value=False).mean() if defined else None,
        censored_by_rule=by_rule.sum(),
    )
    row = found.collect().row(0, named=True)
    for name in ("orr", "cbr"):
        row[f"{name}_lo"], row[f"{name}_hi"] = percent_limits(row[f"{name}_pct"], row["n"])
    return row


def against_control(observed: pl.DataFrame, arm: str, control: str, until: float) -> dict[str, Any]:
    """Compare `arm` with the control on the patients that both share; empty for the control arm itself.

    Parameters
    ----------
    observed
        ``patient, arm, months, event`` of the endpoint.
    arm, control
        Names of the arms.
    until
        Months up to which restricted means are compared.
    """
    if arm == control:
        return {}
    twins = Twins.of(observed, arm, control)
    ratio = hazard_ratio(twins)
    difference = mean_difference(twins, until) if until > 0 else Contrast()
    of_control = kaplan_meier(twins.control_months, twins.control_event)
    return {
        **ratio.as_hazard_ratio(),
        "n_control": observed.filter(arm=control).height,
        "n_shared": len(twins),
        "control_median_months": of_control.median,
        "control_lo": of_control.median_lo,
        "control_hi": of_control.median_hi,
        "rmst_difference": difference.value,
        "rmst_difference_lo": difference.lo,
        "rmst_difference_hi": difference.hi,
        "paired_rmst_difference_lo": difference.paired_lo,
        "paired_rmst_difference_hi": difference.paired_hi,
    }


def _missing(results: Results, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    if not endpoint.randomised:
        return
    observed = endpoint.observations(results)
    held = {arm: observed.filter(arm=arm).select("patient") for arm in results.arms}
    control = results.control
    for arm in results.arms:
        if arm == control or held[arm].is_empty() or held[control].is_empty():
            continue
        for one, other in ((control, arm), (arm, control)):
            absent = held[one].join(held[other], on="patient", how="anti")
            enrolled = results.scan("overall").filter(arm=other).select("patient").collect()
            of_reason = {
                "among": absent.join(enrolled, on="patient", how="anti").height,
                "not begun": absent.join(enrolled, on="patient", how="semi").height,
            }
            for why, patients in of_reason.items():
                if patients:
                    yield {
                        "arm": arm,
                        "endpoint": endpoint.name,
                        "absent_from": other,
                        "why": why,
                        "patients": patients,
                    }


def _gain(twins: Twins) -> dict[str, Any]:
    followed = np.minimum(
        np.where(twins.event, np.inf, twins.months),
        np.where(twins.control_event, np.inf, twins.control_months),
    )
    difference = pl.Series(np.minimum(twins.months, followed) - np.minimum(twins.control_months, followed))
    spread = difference.std()
    found: dict[str, Any] = {
        "n": len(twins),
        "gain_pct": _percent(difference >= GAIN_MONTHS),
        "same_pct": _percent(difference.abs() < GAIN_MONTHS),
        "lose_pct": _percent(difference <= -GAIN_MONTHS),
        "mean_difference_months": difference.mean(),
        "mean_difference_se": spread / math.sqrt(len(twins)) if isinstance(spread, float) else None,
    }
    for fate in _FATES:
        found[f"{fate}_lo"], found[f"{fate}_hi"] = percent_limits(found[f"{fate}_pct"], len(twins))
    return found


def _percent(flags: pl.Series) -> float:
    return 100 * float(flags.sum()) / flags.len()
