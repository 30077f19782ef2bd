"""How a covariate divides patients into subgroups."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.covariate import CovariateOfPatients, covariate_of, known_covariates
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

FEW_VALUES = 4
"""Whole numbers with at most so many values are levels themselves."""

MOST_LEVELS = 12
"""Words with more values divide nobody into subgroups."""


@dataclass(frozen=True)
class Cut:
    """A covariate that is a number, and where it is cut.

    Attributes
    ----------
    name
        Of the covariate, see `tumor_abm.analysis.covariate.known_covariates`.
    at
        Values at which a new subgroup begins, in the unit of the covariate; the median when empty.
    """

    name: str
    at: tuple[float, ...] = ()

    @classmethod
    def parsed(cls, text: str, known: Sequence[str]) -> Cut:
        """Read ``NAME`` or ``NAME:CUT:CUT``; a known name may have colons itself."""
        name, *cuts = [text] if text in known else text.split(":")
        try:
            return cls(name, tuple(float(cut) for cut in cuts))
        except ValueError:
            allowed = "NAME or NAME:CUT:CUT, the cuts as numbers"
            raise InputError(key="by", found=text, allowed=allowed) from None


@dataclass(frozen=True, kw_only=True)
class Division:
    """Patients, divided by a covariate.

    Attributes
    ----------
    covariate
        What divides them.
    levels
        Names of the subgroups, in order.
    members
        ``patient, level``, of those of whom the covariate is known.
    unknown
        Patients of whom it is not.
    """

    covariate: CovariateOfPatients
    levels: tuple[str, ...]
    members: pl.DataFrame
    unknown: int


def divisions(results: Results, by: Sequence[str | Cut]) -> list[Division]:
    """Divide the patients of `results` by each of some covariates.

    Raises
    ------
    InputError
        A covariate is not known, is asked for twice, or cannot be divided so.
    """
    must_be("by", by, list, tuple)
    for asked in by:
        must_be("by", asked, str, Cut)
    if not by:
        return []
    known = known_covariates(results)
    cuts = [Cut.parsed(asked, known) if isinstance(asked, str) else asked for asked in by]
    found = [division(covariate_of(results, cut.name), cut.at) for cut in cuts]
    names = [each.covariate.name for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(key="by", found=", ".join(twice), allowed="every covariate once")
    return found


def division(covariate: CovariateOfPatients, at: Sequence[float] = ()) -> Division:
    """Divide patients by a covariate: a number where it is cut, at its median when `at` is empty."""
    known = covariate.values.drop_nulls("value")
    unknown = covariate.values.height - known.height
    kind = known["value"].dtype
    if at and not kind.is_numeric():
        raise InputError(key=f"by: {covariate.name}", found=list(at), allowed="no cuts: it is no number")
    levels: tuple[str, ...]
    if kind == pl.Boolean:
        levels, level = ("no", "yes"), pl.when("value").then(pl.lit("yes")).otherwise(pl.lit("no"))
    elif not kind.is_numeric():
        levels, level = _words(covariate, known), pl.col("value").cast(pl.String)
    elif not at and kind.is_integer() and known["value"].n_unique() <= FEW_VALUES:
        levels = tuple(str(value) for value in known["value"].unique().sort())
        level = pl.col("value").cast(pl.String)
    else:
        levels, level = _ranges(covariate, known["value"], at)
    members = known.select("patient", level=level)
    return Division(covariate=covariate, levels=levels, members=members, unknown=unknown)


def _words(covariate: CovariateOfPatients, known: pl.DataFrame) -> tuple[str, ...]:
    found = known["value"].cast(pl.String).unique().sort().to_list()
    if len(found) > MOST_LEVELS:
        allowed = f"a number, a flag, or at most {MOST_LEVELS} values"
        raise InputError(key=f"by: {covariate.name}", found=f"{len(found)} values", allowed=allowed)
    return tuple(word for word in covariate.order if word in found) or tuple(found)


def _ranges(
    covariate: CovariateOfPatients, values: pl.Series, at: Sequence[float]
) -> tuple[tuple[str, ...], pl.Expr]:
    """Return the names of ranges of numbers, and the name of the range that each number is in."""
    numbers = values.cast(pl.Float64).to_numpy()
    cuts = [float(cut) for cut in at] or ([float(np.median(numbers))] if numbers.size else [])
    if not all(np.isfinite(cuts)) or any(low >= high for low, high in itertools.pairwise(cuts)):
        raise InputError(key=f"by: {covariate.name}", found=cuts, allowed="finite cuts, each above the last")
    if not cuts:
        return (), pl.lit(None, pl.String)
    said = _distinct(cuts)
    middle = [f"{low} to < {high}" for low, high in itertools.pairwise(said)]
    levels = (f"< {said[0]}", *middle, f"≥ {said[-1]}")
    level = pl.lit(levels[0])
    for cut, name in zip(cuts, levels[1:], strict=True):
        level = pl.when(pl.col("value") >= cut).then(pl.lit(name)).otherwise(level)
    return levels, level


def _distinct(cuts: list[float]) -> list[str]:
    """Write cuts with as few digits as tell them apart."""
    written = ([f"{cut:.{digits}g}" for cut in cuts] for digits in range(3, 18))
    return next(said for said in written if len(set(said)) == len(cuts))
