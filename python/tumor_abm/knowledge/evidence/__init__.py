"""What trials and sequencing studies have found: the tables that calibration and prediction are held against.

``trials.csv`` has a row per arm or subset of a published trial; its column ``split`` says what a row may be
used for. ``trials_to_predict.csv`` has the designs of further trials, without their outcomes: those enter
nothing, neither tuning nor priors nor structure. ``alterations.csv`` has the prevalence of alterations at
three moments, ``claims.csv`` what its words say of treatments, a claim a row. Marks in the columns of sources
are keys of ``sources.csv``, or K for literature cited from memory, D for what was derived, S for the review
the project started from, whose errors the notes name.
"""

from __future__ import annotations

import io
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

_TEXTS = ("trial", "arm", "role", "population", "line", "prior_cdk46i", "subset", "regimen", "assess_weeks")
_NUMBERS = (
    *("mpfs_mo", "ci_lo", "ci_hi", "ci_level", "hr", "hr_lo", "hr_hi"),
    *("pfs6", "pfs12", "pfs18", "pfs24", "pfs36", "orr_pct", "cbr_pct", "mos_mo", "os_lo", "os_hi"),
)
_DESIGN: dict[str, Any] = {**dict.fromkeys(_TEXTS, pl.String), "n": pl.Int64}
_OUTCOME: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, pl.Float64),
    **dict.fromkeys(("vs", "orr_base", "split", "src", "confidence", "note"), pl.String),
}


@cache
def trials() -> pl.DataFrame:
    """Return published trials: design and outcomes, a row per arm or subset, months and percent."""
    return _read("trials.csv", _DESIGN | _OUTCOME)


@cache
def trials_to_predict() -> pl.DataFrame:
    """Return the designs of the trials whose outcomes are kept apart, a row per arm or subset."""
    return _read("trials_to_predict.csv", _DESIGN)


@cache
def designs() -> pl.DataFrame:
    """Return the designs of all trials, those to predict last."""
    columns = list(_DESIGN)
    return pl.concat([trials().select(columns), trials_to_predict().select(columns)])


@cache
def alterations() -> pl.DataFrame:
    """Return alterations, what they do and how common they are, in words."""
    return _read("alterations.csv", {})


@cache
def claims() -> pl.DataFrame:
    """Return what ``alterations.csv`` says of treatments: the words, where they stand, and what they mean.

    ``treatment`` is a drug, a class of drugs, ``endocrine therapy`` or ``chemotherapy``; ``expected`` is
    ``resistant``, ``partial``, ``less`` (either of these: the words give no degree), ``active`` (as much as
    in the wild type, or more), ``sensitised``, or ``open`` (contested, or a hypothesis).
    """
    return _read("claims.csv", {})


@cache
def sources() -> pl.DataFrame:
    """Return keys of sources, where they are and what they say."""
    return _read("sources.csv", {})


def _read(name: str, types: dict[str, Any]) -> pl.DataFrame:
    data = resources.files("tumor_abm.knowledge.evidence").joinpath(name).read_bytes()
    table = pl.read_csv(io.BytesIO(data), schema_overrides=types, infer_schema_length=0)
    return table.with_columns(pl.col(pl.String).fill_null(""))
