"""Arguments that populations and replicates share, checked and as the core reads them."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumor_abm.space import Space
from tumor_abm.trait import Trait

Engine = Literal["clones", "cells", "lattice"]

_ENGINES = ("clones", "cells", "lattice")


def rates_per_type(name: str, values: ArrayLike, types: int) -> list[float]:
    array = np.asarray(values, dtype=float)
    if array.shape != (types,):
        raise ValueError(f"{name}: found shape {array.shape}; allowed: one rate per type, ({types},)")
    _all_finite(name, array)
    return [float(rate) for rate in array]


def matrix_per_type(name: str, values: ArrayLike | None, types: int) -> list[list[float]]:
    array = np.zeros((types, types)) if values is None else np.asarray(values, dtype=float)
    if array.shape != (types, types):
        raise ValueError(f"{name}: found shape {array.shape}; allowed: ({types}, {types}), one row per type")
    _all_finite(name, array)
    return [[float(value) for value in row] for row in array]


def _all_finite(name: str, array: NDArray[np.float64]) -> None:
    for index in np.argwhere(~(np.isfinite(array) & (array >= 0))):
        place = name + "".join(f"[{i}]" for i in index)
        raise ValueError(f"{place}: found {array[tuple(index)]}; allowed: finite and at least 0")


def count(name: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= 2**53:
        raise ValueError(f"{name}: found {value!r}; allowed: a whole number from 0 to 2^53")
    return int(value)


def seed_of(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(63)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"seed: found {seed!r}; allowed: a whole number from 0 to 2^64 - 1")
    return int(seed)


def positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: found {value!r}; allowed: a whole number of at least 1")
    return int(value)


def initial_cells(initial: Sequence[int] | NDArray[np.integer[Any]], types: int) -> list[int]:
    if not isinstance(initial, Sequence | np.ndarray) or len(initial) != types:
        raise ValueError(f"initial: found {initial!r}; allowed: one number of cells per type, {types}")
    return [count(f"initial[{i}]", cells) for i, cells in enumerate(initial)]


def step_days(dt: float) -> float:
    if not (math.isfinite(dt) and dt > 0):
        raise ValueError(f"dt: found {dt}; allowed: finite and above 0 days")
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
    if engine not in _ENGINES:
        raise ValueError(f"engine: found {engine!r}; allowed: {', '.join(map(repr, _ENGINES))}")
    kept_apart = positive("max_clones", max_clones)
    if engine != "cells" and trait is not None:
        raise ValueError("trait: found one; allowed: with engine='cells' only")
    if engine == "clones" and genealogy:
        raise ValueError("genealogy: found True; allowed: engine='cells', 'lattice'; clones are counts")
    if engine == "lattice":
        lattice = space or Space()
        return {
            "lattice": {
                "space": lattice._resolve(),
                "places": lattice._places(places),
                "max_clones": kept_apart,
                "genealogy": bool(genealogy),
            }
        }
    for name, found in (("space", space), ("places", places)):
        if found is not None:
            raise ValueError(
                f"{name}: found one; allowed: with engine='lattice' only, the others are well mixed"
            )
    if engine == "clones":
        return {"clones": {"max_clones": kept_apart}}
    heritable = None if trait is None else trait._resolve()
    return {"cells": {"heritable": heritable, "genealogy": bool(genealogy)}}


@dataclass(kw_only=True)
class Rates:
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
        types = np.asarray(division, dtype=float).size

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
        return Rates.of(**vars(self) | {name: value for name, value in given.items() if value is not None})


def as_json(value: object) -> str:
    return json.dumps(value, default=vars, allow_nan=False)
