"""Arguments that populations and replicates share, checked and as the core reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumor_abm._base.arguments import count, numbers, one_of, positive, real, truth
from tumor_abm._base.memory import afford
from tumor_abm.errors import InputError
from tumor_abm.evolution.space import Space
from tumor_abm.evolution.trait import Trait

Engine = Literal["clones", "cells", "lattice"]

_ENGINES = ("clones", "cells", "lattice")
_MOST_TYPES = 4096
_MOST_INDIVIDUALS = 2_863_311_530

_BYTES_PER_CELL = {"clones": 0, "cells": 4, "lattice": 3}
_BYTES_PER_CELL_OF_GENEALOGY = 28
"""Between two simplifications, a cell has two nodes on average."""


def rates_per_type(name: str, values: ArrayLike, types: int) -> list[float]:
    """Return one rate per type, per day."""
    array = numbers(name, values)
    if array.shape != (types,):
        raise InputError(f"{name}: found shape {array.shape}; allowed: one rate per type, ({types},)")
    _all_finite(name, array)
    return [float(rate) for rate in array]


def matrix_per_type(name: str, values: ArrayLike | None, types: int) -> list[list[float]]:
    """Return a number for every pair of types; zeros when ``None``."""
    array = np.zeros((types, types)) if values is None else numbers(name, values)
    if array.shape != (types, types):
        raise InputError(f"{name}: found shape {array.shape}; allowed: ({types}, {types}), one row per type")
    _all_finite(name, array)
    return [[float(value) for value in row] for row in array]


def _all_finite(name: str, array: NDArray[np.float64]) -> None:
    for index in np.argwhere(~(np.isfinite(array) & (array >= 0))):
        place = name + "".join(f"[{i}]" for i in index)
        raise InputError(f"{place}: found {array[tuple(index)]}; allowed: finite and at least 0")


def afford_cells(key: str, cells: int, engine: str, genealogy: bool) -> None:
    """Refuse more cells, held one by one, than there is memory for; the core refuses what has no number."""
    if key == "initial" and cells > _MOST_INDIVIDUALS:
        return
    each = _BYTES_PER_CELL[engine] + (_BYTES_PER_CELL_OF_GENEALOGY if genealogy else 0)
    afford(key, f"{cells:,} cells", cells * each)


def initial_cells(initial: Sequence[int] | NDArray[np.integer[Any]], types: int) -> list[int]:
    """Return the cells of every type on day 0."""
    if not isinstance(initial, list | tuple | range | np.ndarray) or len(initial) != types:
        raise InputError(f"initial: found {initial!r}; allowed: one number of cells per type, {types}")
    return [count(f"initial[{i}]", cells) for i, cells in enumerate(initial)]


def step_days(dt: float) -> float:
    """Return the days of a step."""
    if not real("dt", dt, "finite and above 0 days"):
        raise InputError(f"dt: found {dt}; allowed: finite and above 0 days")
    return float(dt)


def engine_options(
    engine: str,
    max_clones: int,
    trait: Trait | None,
    space: Space | None,
    places: ArrayLike | None,
    genealogy: bool = False,
) -> dict[str, Any]:
    """Which engine runs, with its options, as the core reads it."""
    one_of("engine", engine, _ENGINES)
    kept_apart = positive("max_clones", max_clones)
    for name, given, wanted in (("trait", trait, Trait), ("space", space, Space)):
        if given is not None and not isinstance(given, wanted):
            raise InputError(f"{name}: found {given!r}; allowed: {wanted.__name__}(...) or None")
    if engine != "cells" and trait is not None:
        raise InputError("trait: found one; allowed: with engine='cells' only")
    if engine == "clones" and genealogy:
        raise InputError("genealogy: found True; allowed: engine='cells', 'lattice'; clones are counts")
    if engine == "lattice":
        lattice = space or Space()
        return {
            "lattice": {
                "space": lattice._resolve(),
                "places": lattice._places(places),
                "max_clones": kept_apart,
                "genealogy": truth("genealogy", genealogy),
            }
        }
    for name, found in (("space", space), ("places", places)):
        if found is not None:
            raise InputError(
                f"{name}: found one; allowed: with engine='lattice' only, the others are well mixed"
            )
    if engine == "clones":
        return {"clones": {"max_clones": kept_apart}}
    heritable = None if trait is None else trait._resolve()
    return {"cells": {"heritable": heritable, "genealogy": truth("genealogy", genealogy)}}


@dataclass(kw_only=True)
class Rates:
    """What cells of each type do, per day and per division."""

    division: list[float]
    death: list[float]
    mutation: list[list[float]]
    switching: list[list[float]]
    drug_division: list[float] | None
    drug_death: list[float] | None

    @classmethod
    def of(
        cls,
        division: ArrayLike,
        death: ArrayLike,
        mutation: ArrayLike | None,
        switching: ArrayLike | None,
        drug_division: ArrayLike | None,
        drug_death: ArrayLike | None,
    ) -> Rates:
        """Check what a user gives; what is absent does not happen."""
        types = numbers("division", division).size
        if types > _MOST_TYPES:
            raise InputError(f"division: found {types} types; allowed: at most {_MOST_TYPES}")

        def with_drug(name: str, values: ArrayLike | None) -> list[float] | None:
            return None if values is None else rates_per_type(name, values, types)

        return cls(
            division=rates_per_type("division", division, types),
            death=rates_per_type("death", death, types),
            mutation=matrix_per_type("mutation", mutation, types),
            switching=matrix_per_type("switching", switching, types),
            drug_division=with_drug("drug_division", drug_division),
            drug_death=with_drug("drug_death", drug_death),
        )

    def changed(self, **given: ArrayLike | None) -> Rates:
        """Return these rates, but for those that are given."""
        return Rates.of(**vars(self) | {name: value for name, value in given.items() if value is not None})


def as_json(value: object) -> str:
    """Write what the core reads."""
    return json.dumps(value, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else vars(value)
