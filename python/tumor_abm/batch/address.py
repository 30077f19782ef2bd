"""Addresses of keys, as errors print them, and what stands there in the tables of a file."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tumor_abm._base.problems import Step, place, shown
from tumor_abm._base.table import Table
from tumor_abm.errors import InputError


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the keys and indices of a path.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> steps_of('arm[0].line[1].regimen[0].dose')
    ('arm', 0, 'line', 1, 'regimen', 0, 'dose')
    >>> steps_of('alteration.RB1 loss.fitness_cost') == steps_of('alteration."RB1 loss".fitness_cost')
    True
    """
    steps: list[Step] = []
    left = path
    while left:
        if left.startswith("["):
            index, closed, left = left[1:].partition("]")
            if not (closed and index.isascii() and index.isdigit() and steps):
                raise _no_path(path)
            steps.append(int(index))
        else:
            left = left.removeprefix(".") if steps else left
            if left.startswith('"'):
                key, closed, left = left[1:].partition('"')
            else:
                end = min((at for mark in ".[" if (at := left.find(mark)) >= 0), default=len(left))
                key, closed, left = left[:end], "end", left[end:]
            if not (key and closed and (not left or left[0] in ".[") and left != "."):
                raise _no_path(path)
            steps.append(key)
    if not steps:
        raise _no_path(path)
    return tuple(steps)


def _no_path(path: str) -> InputError:
    return InputError(found=path, allowed="a path as errors print them, e.g. arm[0].line[1].regimen[0].dose")


def with_value(
    tables: Mapping[str, Any], steps: tuple[Step, ...], value: Any, model: type[Table]
) -> dict[str, Any]:
    """Return tables in which a value stands at an address; the tables themselves stay as they are.

    Parameters
    ----------
    tables, model
        Of the file, with all defaults written out, and what it must fit.
    steps
        The address. Its last key may be new: whether there is such a key is for `model` to say.
    value
        What is put there.

    Raises
    ------
    InputError
        The address leads nowhere.
    """
    whole = dict(tables)
    at: Any = whole
    for i, step in enumerate(steps):
        last = i + 1 == len(steps)
        if isinstance(step, int) != isinstance(at, list):
            raise _nowhere(steps, i, at)
        if isinstance(at, list) and not (isinstance(step, int) and step < len(at)):
            raise _nowhere(steps, i, at)
        if isinstance(at, dict) and step not in at and not last:
            if model.at(steps[: i + 1]) is None or isinstance(steps[i + 1], int):
                raise _nowhere(steps, i, at)
            at[step] = {}
        if last:
            at[step] = value
        else:
            at[step] = copy.copy(at[step])
            at = at[step]
            if not isinstance(at, dict | list):
                raise _nowhere(steps, i + 1, at)
    return whole


def _nowhere(steps: tuple[Step, ...], i: int, at: Any) -> InputError:
    """Say from which step on an address leads nowhere, and what stands there instead."""
    here, step = place(*steps[:i]) or "the file", steps[i]
    if isinstance(at, list):
        have = f"a list of {len(at)}, counted from 0"
        return InputError(f"{place(*steps)} leads nowhere: {here} is {have}")
    if not isinstance(at, dict):
        return InputError(f"{place(*steps)} leads nowhere: {here} is {shown(at)}")
    if isinstance(step, int):
        return InputError(f"{place(*steps)} leads nowhere: {here} is a table, whose keys have names")
    return InputError(f"{place(*steps)} leads nowhere: {here}", found=step, allowed=list(at))
