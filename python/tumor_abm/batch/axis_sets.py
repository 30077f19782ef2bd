"""Sets of parameters as values of an axis: which keys of an experiment they move, and to what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tumor_abm._base.problems import Step, place
from tumor_abm.batch.base import Base, ExperimentBase
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble

SHIPPED = "shipped"
_ABSENT = object()


def ensemble_named(name: str, folder: Path) -> Ensemble:
    """Return the ensemble that comes with the package, or that of a file."""
    return Ensemble.shipped() if name == SHIPPED else Ensemble.load(folder / name)


def sets_of(base: Base, ensemble: Ensemble, fixed: Collection[str]) -> list[dict[str, Any]]:
    """Return for each set the keys that differ from the base in any, and their values.

    Parameters
    ----------
    base
        An experiment. What it says itself is no part of the sets.
    ensemble
        The sets.
    fixed
        Paths of keys that have one value in all points.

    Raises
    ------
    InputError
        It is no experiment, or says all numbers itself.
    """
    if not isinstance(base, ExperimentBase):
        raise InputError(f"found with a {base.kind}; allowed: with an experiment")
    before = dict(_leaves(base.tables))
    told = [dict(_leaves(base.known_as(member.knowledge()))) for member in ensemble.members]
    moved = [at for at in before if any(one.get(at, _ABSENT) != before[at] for one in told)]
    paths = {at: place(*at) for at in moved}
    free = [at for at in moved if not any(_is_within(paths[at], path) for path in fixed)]
    return [{paths[at]: one[at] for at in free} for one in told]


def _leaves(tables: Any, at: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield what is neither a table nor a list, with its address."""
    if isinstance(tables, Mapping):
        for key, value in tables.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(tables, list):
        for index, value in enumerate(tables):
            yield from _leaves(value, (*at, index))
    else:
        yield at, tables


def _is_within(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))
