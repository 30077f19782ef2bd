"""What callers give, refused in the words of all other errors. Numbers of numpy are numbers, too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumor_abm.errors import InputError, in_one_line

MOST_THREADS = 1024


def is_whole(value: object) -> TypeGuard[int | np.integer]:
    """Tell whether a value is a whole number; truth is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_real(value: object) -> TypeGuard[int | float | np.integer | np.floating]:
    """Tell whether a value is a real number; truth is none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_finite(value: int | float | np.integer | np.floating) -> bool:
    """Tell whether a number is one of those that a float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def whole(name: str, value: object, low: int, high: int, written: str | None = None) -> int:
    """Return a whole number from `low` to `high`; messages may have the latter `written` otherwise."""
    if not is_whole(value) or not low <= value <= high:
        raise InputError(f"{name}: found {value!r}; allowed: a whole number from {low} to {written or high}")
    return int(value)


def count(name: str, value: object) -> int:
    """Return a number of cells, which may be written as 1e9."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return whole(name, value, 0, 2**53, "2^53")


def positive(name: str, value: object) -> int:
    """Return a whole number of at least 1."""
    if not is_whole(value) or value < 1:
        raise InputError(f"{name}: found {value!r}; allowed: a whole number of at least 1")
    return min(int(value), 2**63 - 1)


def real(name: str, value: object, allowed: str) -> float:
    """Return a finite number of at least 0."""
    if not is_real(value):
        raise InputError(f"{name}: found {value!r}; allowed: {allowed}")
    if not (is_finite(value) and value >= 0):
        raise InputError(f"{name}: found {value}; allowed: {allowed}")
    return float(value)


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return values as an array, if they are real numbers in even rows."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.size and array.dtype.kind not in "iuf":
        found = in_one_line(values)
        raise InputError(f"{name}: found {found}; allowed: real numbers, in rows of one length")
    return array.astype(float)


def one_of(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Refuse what is none of some words or numbers."""
    if not (isinstance(value, str) or is_real(value)) or value not in choices:
        raise InputError(f"{name}: found {in_one_line(value)}; allowed: {', '.join(map(repr, choices))}")


def truth(name: str, value: object) -> bool:
    """Return what is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name}: found {in_one_line(value)}; allowed: True or False")
    return bool(value)


def must_be(name: str, value: object, *kinds: type) -> None:
    """Refuse what is none of some kinds of object."""
    if not isinstance(value, kinds):
        allowed = ", ".join(kind.__name__ for kind in kinds)
        raise InputError(f"{name}: found {in_one_line(value)}; allowed: {allowed}")


def generator(seed: Any, name: str = "seed") -> np.random.Generator:
    """Return numpy's generator of a seed, or whatever else numpy makes one of."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        found = in_one_line(seed)
        raise InputError(f"{name}: found {found}; allowed: a whole number of at least 0, or None") from None


@contextmanager
def core_refusals() -> Iterator[None]:
    """Raise what the core refuses as an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except (ValueError, OverflowError) as error:
        raise InputError(str(error)) from None
