"""The points of a batch: every combination of what does not move together."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm.batch.axis import Axis
from tumor_abm.batch.cube import DesignName, cube, size_of
from tumor_abm.errors import InputError

MOST_POINTS = 10_000_000

Values = tuple[Any, ...]
"""Of a point, one per axis."""


def points_of(axes: Sequence[Axis], design: DesignName, points: int | None, seed: int) -> list[Values]:
    """Return the points, the last axis the quickest.

    Axes that move together are one factor. All sampled axes are one factor of `points` points, placed by the
    design, but for ``grid``: then each is a factor of `points` quantiles. Factors are crossed.

    Raises
    ------
    InputError
        Axes that move together differ in length, or the design does not fit.
    """
    groups = groups_of(axes)
    sampled = [members for members in groups if axes[members[0]].sample is not None]
    for members in groups:
        kinds = {axes[i].sample is not None for i in members}
        if len(kinds) > 1:
            problem = "moves with axes that are not sampled; allowed: samples with samples"
            raise InputError(problem, key=f"axis[{members[0]}].zip")
    wanted = _wanted(points, design, len(sampled)) if sampled else 0
    if not sampled and points is not None:
        raise InputError("found one, but no axis is sampled", key="points")
    factors: list[list[dict[int, Any]]] = []
    for members in groups:
        if members not in sampled:
            factors.append(_together(axes, members))
        elif design == "grid":
            factors.append(_quantiles(axes, [members], _middles(wanted)))
        elif members is sampled[0]:
            factors.append(_quantiles(axes, sampled, cube(design, len(sampled), wanted, seed)))
    number = int(np.prod([len(factor) for factor in factors], dtype=object)) if factors else 1
    if number > MOST_POINTS:
        raise InputError(key="axis", found=f"{number} points", allowed=f"at most {MOST_POINTS}")
    return [_merged(combined, len(axes)) for combined in itertools.product(*factors)]


def groups_of(axes: Sequence[Axis]) -> list[list[int]]:
    """Return the numbers of the axes, those together that move together."""
    groups: dict[str, list[int]] = {}
    for i, axis in enumerate(axes):
        groups.setdefault(axis.together, []).append(i)
    return list(groups.values())


def _wanted(points: int | None, design: DesignName, dimensions: int) -> int:
    if points is None:
        raise InputError(
            f'missing; axes are sampled, and design = "{design}" needs their number', key="points"
        )
    if design in ("sobol", "saltelli") and points & (points - 1):
        raise InputError(key="points", found=points, allowed=f'a power of two with design = "{design}"')
    if design in ("saltelli", "morris") and points < 2:
        raise InputError(key="points", found=points, allowed=f'at least 2 with design = "{design}"')
    if (number := size_of(design, dimensions, points)) > MOST_POINTS:
        raise InputError(key="points", found=f"{number} in all", allowed=f"at most {MOST_POINTS}")
    return points


def _together(axes: Sequence[Axis], members: list[int]) -> list[dict[int, Any]]:
    levels = {i: axes[i].levels() for i in members}
    lengths = {len(values) for values in levels.values()}
    if len(lengths) > 1:
        told = ", ".join(f'"{axes[i].name}" has {len(values)}' for i, values in levels.items())
        raise InputError(
            f"axes that move together need as many values: {told}", key=f"axis[{members[0]}].zip"
        )
    return [dict(zip(levels, row, strict=True)) for row in zip(*levels.values(), strict=True)]


def _middles(number: int) -> NDArray[np.float64]:
    return ((np.arange(number) + 0.5) / number)[:, None]


def _quantiles(
    axes: Sequence[Axis], groups: list[list[int]], cube: NDArray[np.float64]
) -> list[dict[int, Any]]:
    columns = {
        i: axes[i].typed(law.quantiles(cube[:, dimension]))
        for dimension, members in enumerate(groups)
        for i in members
        if (law := axes[i].sample) is not None
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _merged(parts: Iterable[dict[int, Any]], axes: int) -> Values:
    values = {i: value for part in parts for i, value in part.items()}
    return tuple(values[i] for i in range(axes))


def read_column(file: Path, column: str) -> list[Any]:
    """Return the values of a column of a CSV: whole numbers, numbers, true and false, or else texts.

    Raises
    ------
    InputError
        It cannot be read, has no such column, or a cell is empty.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, strict=True)
            names = list(reader.fieldnames or [])
            if column not in names:
                raise InputError(file=file, key="column", found=column, allowed=names)
            cells = [row[column] for row in reader]
    except FileNotFoundError:
        raise InputError("there is no such file", file=file) from None
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", file=file) from None
    if not cells:
        raise InputError("has no rows", file=file)
    for number, cell in enumerate(cells, start=2):
        if not cell:
            raise InputError(f"row {number} is empty", file=file, key=column)
    return _as_typed(cells)


def _as_typed(cells: list[str]) -> list[Any]:
    if set(cells) <= {"true", "false"}:
        return [cell == "true" for cell in cells]
    for kind in (int, float):
        try:
            return [kind(cell) for cell in cells]
        except ValueError:
            continue
    return list(cells)


def table_of(axes: Sequence[Axis], points: Sequence[Values]) -> pl.DataFrame:
    """Return ``point`` and a column per axis; values of several kinds, and lists, are told as JSON."""
    columns: dict[str, pl.Series] = {"point": pl.Series(range(len(points)), dtype=pl.UInt32)}
    for i, axis in enumerate(axes):
        columns[axis.name] = _column([values[i] for values in points])
    return pl.DataFrame(columns)


def _column(values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return pl.Series(values, dtype=pl.Float64, strict=False)
    for kind, of_table in ((bool, pl.Boolean), (int, pl.Int64), (float, pl.Float64), (str, pl.String)):
        if kinds <= {kind}:
            return pl.Series(values, dtype=of_table)
    return pl.Series([json.dumps(value, sort_keys=True) for value in values], dtype=pl.String)
