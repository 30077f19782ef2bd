"""How much each sampled axis moves a statistic: Sobol indices, or the elementary effects of Morris."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from tumor_abm.batch.batch_study import BatchStudy
from tumor_abm.batch.chosen import chosen
from tumor_abm.batch.cube import LEVELS, DesignName, levels_of, size_of
from tumor_abm.batch.design import groups_of
from tumor_abm.errors import InputError

_RESAMPLED = 1000
_SEED = 1
"""Of the resamples of which intervals are made."""

Numbers = NDArray[np.float64]


def indices_of(
    study: BatchStudy,
    summary: pl.DataFrame,
    measure: str,
    statistic: str | None,
    where: Mapping[str, Any] | None,
) -> pl.DataFrame:
    """Return the indices of a statistic, as `tumor_abm.Batch.indices` says."""
    names, points = _sampled(study, where or {})
    design = study.written.design
    rows = chosen(summary, measure, statistic, where)
    free = [
        axis.name for axis in study.written.axis if axis.sample is None and axis.name not in (where or {})
    ]
    if rows.select(free).unique().height > 1:
        told = ", ".join(f"{name}=..." for name in free)
        raise InputError(f"several points share a place of the design; fix: {{{told}}}", key="where")
    found = []
    for (group,), mine in rows.group_by("group", maintain_order=True):
        values = _complete(mine.sort("point"), size_of(design, len(names), points))
        told_here = {
            "group": pl.lit(group, pl.String),
            "chance": pl.lit(_chance(mine["se"], values), pl.Float64),
        }
        found.append(pl.DataFrame(_INDICES[design](study, names, points, values)).with_columns(**told_here))
    return pl.concat(found).select("group", pl.exclude("group"))


def _sampled(study: BatchStudy, where: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return the names of the dimensions of the design, and its `points`."""
    axes, design, points = study.written.axis, study.written.design, study.written.points
    groups = [members for members in groups_of(axes) if axes[members[0]].sample is not None]
    if design not in _INDICES or points is None:
        found = f'"{design}"' if groups else "no axis with a sample"
        allowed = '"saltelli" (Sobol indices) or "morris" (elementary effects), with axes that have a sample'
        raise InputError(f"found {found}; allowed: {allowed}", key="design")
    others = [axis.name for axis in axes if axis.sample is None]
    for name in where:
        if name not in others:
            raise InputError(
                key="where", found=name, allowed=others or "nothing, since every axis is sampled"
            )
    return [", ".join(axes[i].name for i in members) for members in groups], points


def _complete(rows: pl.DataFrame, asked: int) -> Numbers:
    """Return the values in the order of the design, which is of no use if any is unknown."""
    values = rows["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    told, known = f"{rows['measure'][0]}, {rows['statistic'][0]}", int(np.isfinite(values).sum())
    if known < asked:
        raise InputError(
            f"{told}: known at {known} of {asked} points; indices need a statistic that always is"
        )
    if np.ptp(values) == 0:
        raise InputError(f"{told}: is the same at all points, so that no axis moves it")
    return values


def _chance(errors: pl.Series, values: Numbers) -> float | None:
    """Return the mean squared Monte Carlo error beside the variance between points."""
    if errors.null_count():
        return None
    return float(np.mean(errors.to_numpy() ** 2) / np.var(values))


def _problem(names: list[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _salib(analysis: str) -> Callable[..., dict[str, Any]]:
    from importlib import import_module

    try:
        analyze: Callable[..., dict[str, Any]] = import_module(f"SALib.analyze.{analysis}").analyze
    except ImportError as error:
        raise ImportError(
            "indices need SALib: pip install '.[indices]' in the checkout of tumor_abm"
        ) from error
    return analyze


def _sobol(study: BatchStudy, names: list[str], points: int, values: Numbers) -> dict[str, Any]:
    found = _salib("sobol")(
        _problem(names), values, calc_second_order=False, num_resamples=_RESAMPLED, seed=_SEED
    )
    return {
        "axis": names,
        **_with_interval("first_order", found["S1"], found["S1_conf"]),
        **_with_interval("total", found["ST"], found["ST_conf"]),
    }


def _morris(study: BatchStudy, names: list[str], points: int, values: Numbers) -> dict[str, Any]:
    levels = levels_of(len(names), points, study.seed)
    found = _salib("morris")(
        _problem(names),
        levels / (LEVELS - 1),
        values,
        num_levels=LEVELS,
        num_resamples=_RESAMPLED,
        seed=_SEED,
    )
    return {
        "axis": names,
        **_with_interval("mu", found["mu"], found["sigma"] * student.ppf(0.975, points - 1) / points**0.5),
        **_with_interval("mu_star", found["mu_star"], found["mu_star_conf"]),
        "sigma": np.asarray(found["sigma"], dtype=float),
    }


def _with_interval(name: str, value: Numbers, half: Numbers) -> dict[str, Numbers]:
    middle, width = np.asarray(value, dtype=float), np.asarray(half, dtype=float)
    return {name: middle, f"{name}_lo": middle - width, f"{name}_hi": middle + width}


_INDICES: dict[DesignName, Callable[[BatchStudy, list[str], int, Numbers], dict[str, Any]]] = {
    "saltelli": _sobol,
    "morris": _morris,
}
