"""Seeds: which numbers are one, and what follows from one for a purpose."""

from __future__ import annotations

import secrets
import zlib
from typing import Any

import numpy as np

from tumor_abm._base.arguments import is_whole
from tumor_abm.errors import InputError

MOST = 2**64 - 1
"""What the streams of the core take."""
ALLOWED = "a whole number from 0 to 2^64 - 1"


def seed_of(value: Any, key: str = "seed", *, allowed: str = ALLOWED) -> int:
    """Return a seed that a caller gives.

    Raises
    ------
    InputError
        It is none.
    """
    if not is_whole(value) or not 0 <= value <= MOST:
        raise InputError(key=key, found=value, allowed=allowed)
    return int(value)


def drawn() -> int:
    """Return a seed where none is given."""
    return secrets.randbits(48)


def derive(seed: int, *purpose: int | str) -> np.random.SeedSequence:
    """Return what a seed is for a purpose: for other names or numbers, an independent one.

    Examples
    --------
    >>> derive(1, "Mixed", 0).generate_state(1) == derive(1, "Mixed", 0).generate_state(1)
    array([ True])
    >>> derive(1, "Mixed", 0).generate_state(1) == derive(1, "Mixed", 1).generate_state(1)
    array([False])
    """
    return np.random.SeedSequence([seed, *(_word(part) for part in purpose)])


def stream(seed: int, *purpose: int | str) -> np.random.Generator:
    """Return the random numbers of a seed for a purpose."""
    return np.random.default_rng(derive(seed, *purpose))


def _word(part: int | str) -> int:
    return zlib.crc32(part.encode()) if isinstance(part, str) else part
