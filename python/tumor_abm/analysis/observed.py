"""Patients of a real trial, as read off its curves, beside the simulated ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.delimited import LINE, columns_of, delimiter_of, fields_of, opened
from tumor_abm._base.paths import path_of
from tumor_abm.analysis.endpoints import Endpoint, endpoint
from tumor_abm.analysis.survival import cox_hazard_ratio, kaplan_meier, log_rank
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

COLUMNS = ("time", "event", "arm")
"""Columns of a file of patients, in any order; others may stand beside them."""
_FLAGS = {"1": True, "0": False, "true": True, "false": False}

FIT = {
    "arm": pl.String,
    "endpoint": pl.String,
    **{
        f"{whose}_{what}": kind
        for whose in ("observed", "simulated")
        for what, kind in (
            ("n", pl.Int64),
            ("events", pl.Int64),
            ("median_months", pl.Float64),
            ("lo", pl.Float64),
            ("hi", pl.Float64),
        )
    },
    **dict.fromkeys(("hr", "hr_lo", "hr_hi", "p"), pl.Float64),
}
"""Columns of `fit`."""


def read_observed(file: str | Path) -> pl.DataFrame:
    """Read patients from a CSV file with the columns ``time`` (months), ``event`` (1 or 0) and ``arm``.

    Returns
    -------
    polars.DataFrame
        ``arm, months, event``, a row per patient.

    Raises
    ------
    InputError
        A column is missing, or a line holds what is no time, event or arm: with its number.
    """
    file = path_of("file", file)
    with opened(file) as text:
        header = text.readline().rstrip("\n")
        delimiter = delimiter_of(header)
        names = [name.strip().lower() for name in fields_of(header, delimiter, 1, file)]
        for name in COLUMNS:
            if names.count(name) != 1:
                found = ", ".join(names) or "nothing"
                allowed = "time (months), event (1 or 0) and arm, each once"
                raise InputError(key="columns", found=found, allowed=allowed, file=file)
        places = {name: names.index(name) for name in COLUMNS}
        table = columns_of(text, delimiter, places, width=len(names), line=1, file=file)
    if table.is_empty():
        raise InputError("holds no patient", file=file)
    rows = [_patient(row, file) for row in table.iter_rows(named=True)]
    return pl.DataFrame(rows, schema={"arm": pl.String, "months": pl.Float64, "event": pl.Boolean})


def _patient(row: dict[str, Any], file: Path) -> dict[str, Any]:
    where = f"line {row[LINE]}"
    try:
        months = float(row["time"])
    except ValueError:
        months = -1.0
    if not 0 <= months < float("inf"):
        raise InputError(key=f"{where}, time", found=row["time"], allowed="months, at least 0", file=file)
    event, arm = _FLAGS.get(row["event"].strip().lower()), row["arm"].strip()
    if event is None:
        allowed = "1 (event) or 0 (censored)"
        raise InputError(key=f"{where}, event", found=row["event"], allowed=allowed, file=file)
    if not arm:
        raise InputError(key=f"{where}, arm", found=row["arm"], allowed="the name of an arm", file=file)
    return {"arm": arm, "months": months, "event": event}


def fit(results: Results, observed: pl.DataFrame, timed: Endpoint | str = "PFS1") -> pl.DataFrame:
    """Compare simulated patients with observed ones, arm by arm.

    Parameters
    ----------
    results
        Of an experiment.
    observed
        As `read_observed` returns them; their arms are called as in the experiment.
    timed
        The endpoint that they report, or its name.

    Returns
    -------
    polars.DataFrame
        A row per observed arm: numbers, events and medians of both, the hazard ratio of the simulated against
        the observed with its 95% interval, and ``p`` of the log-rank test. A small p says that they differ; a
        large one, of few patients, says little.

    Raises
    ------
    InputError
        An arm is not one of the experiment, or the endpoint has no meaning in it.
    """
    must_be("results", results, Results)
    must_be("observed", observed, pl.DataFrame)
    timed = endpoint(results, timed) if isinstance(timed, str) else timed
    simulated = timed.observations(results)
    rows = []
    for arm in observed["arm"].unique(maintain_order=True):
        if arm not in results.arms:
            raise InputError(key="arm", found=arm, allowed=results.arms)
        reason = timed.undefined(results.experiment, arm)
        if reason is not None:
            raise InputError(f"{timed.name} is not defined in {arm}: {reason}", key="endpoint")
        rows.append(_row(arm, timed, observed.filter(arm=arm), simulated.filter(arm=arm)))
    return pl.DataFrame(rows, schema=FIT)


def _row(arm: str, timed: Endpoint, observed: pl.DataFrame, simulated: pl.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": arm, "endpoint": timed.name}
    for whose, table in (("observed", observed), ("simulated", simulated)):
        estimate = kaplan_meier(table["months"], table["event"])
        row |= {
            f"{whose}_n": estimate.n,
            f"{whose}_events": estimate.events,
            f"{whose}_median_months": estimate.median,
            f"{whose}_lo": estimate.median_lo,
            f"{whose}_hi": estimate.median_hi,
        }
    both = pl.concat([observed.select("months", "event"), simulated.select("months", "event")])
    is_simulated = [False] * observed.height + [True] * simulated.height
    pooled = (both["months"].to_numpy(), both["event"].to_numpy(), is_simulated)
    ratio = cox_hazard_ratio(*pooled)
    return row | {"hr": ratio.hr, "hr_lo": ratio.lo, "hr_hi": ratio.hi, "p": log_rank(*pooled)}
