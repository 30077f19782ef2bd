"""What was measured in patients beside the outcomes of trials."""

from __future__ import annotations

from functools import cache

import polars as pl

from tumor_abm.knowledge.evidence.table import read


@cache
def prevalence() -> pl.DataFrame:
    """Return which share of patients carries an alteration: a row per setting, specimen and study.

    ``setting`` is the moment (primary, relapse, progression on a therapy), ``pct`` with ``lo`` and ``hi`` the
    share in percent, ``acquired`` whether the alteration was absent before (``yes``, ``no``, ``either``).
    """
    counts = dict.fromkeys(("n_patients", "n_with"), pl.Int64)
    return read("prevalence.csv", counts | dict.fromkeys(("pct", "lo", "hi"), pl.Float64))


@cache
def ki67() -> pl.DataFrame:
    """Return Ki-67 in window and neoadjuvant trials: a row per arm and day.

    Falls are percent of the value before treatment, negative; ``ccca_pct`` is the share of patients in
    complete cell-cycle arrest (Ki-67 of at most 2.7%). Assays differ: compare within a trial.
    """
    percents = ("baseline_ki67_pct", "ki67_pct", "geometric_mean_change_pct", "lo", "hi", "ccca_pct")
    return read("ki67.csv", {"n": pl.Int64} | dict.fromkeys(("day", *percents), pl.Float64))


@cache
def dynamics() -> pl.DataFrame:
    """Return what changes in the first weeks, and in weeks off: ctDNA, thymidine kinase, apoptosis."""
    whole = dict.fromkeys(("n", "day"), pl.Int64)
    return read("dynamics.csv", whole | dict.fromkeys(("value", "lo", "hi"), pl.Float64))


@cache
def exposure() -> pl.DataFrame:
    """Return how exposure to drugs varies between and within patients, in percent, and by which pathway."""
    return read("exposure.csv", dict.fromkeys(("between_cv_pct", "within_cv_pct"), pl.Float64))
