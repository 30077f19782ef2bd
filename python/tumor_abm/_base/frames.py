"""Column buffers of the core as polars frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.errors import InputError

Columns = Mapping[str, tuple[Any, bytes]]

_MISSING_FLAG = 2
_MISSING_U64 = np.iinfo(np.uint64).max


def demand(name: str, table: object, columns: Iterable[str]) -> None:
    """Refuse an argument that is no table with these columns.

    Raises
    ------
    InputError
        Of which kind it is, or what it lacks.
    """
    must_be(name, table, pl.DataFrame)
    assert isinstance(table, pl.DataFrame)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(f"{name}: found a table without {', '.join(missing)}")


def read_parquet(path: Path) -> pl.DataFrame:
    """Read the file of this name, whatever patterns, addresses or homes polars sees in it."""
    return pl.read_parquet(path.absolute(), glob=False)


def frame(columns: Columns) -> pl.DataFrame:
    """Build a frame from the core's columns.

    Parameters
    ----------
    columns
        Name to ``(dtype, buffer)`` for numbers, or ``(labels, buffer)`` for texts, where the buffer
        holds ``uint32`` codes into the labels.

    Returns
    -------
    polars.DataFrame
        NaN and the largest ``uint64`` become null: the core's way to say "missing".
    """
    return pl.DataFrame([_series(name, kind, buffer) for name, (kind, buffer) in columns.items()])


def _series(name: str, kind: str | list[str], buffer: bytes) -> pl.Series:
    if isinstance(kind, list):
        codes = pl.Series(name, np.frombuffer(buffer, dtype=np.uint32))
        labels = pl.Series(name, kind, dtype=pl.String)
        return labels.gather(codes).alias(name)
    if kind == "flag":
        codes = pl.Series(name, np.frombuffer(buffer, dtype=np.uint8))
        return codes.replace(_MISSING_FLAG, None).cast(pl.Boolean)
    values = np.frombuffer(buffer, dtype=kind)
    series = pl.Series(name, values, nan_to_null=True)
    if kind == "u8" and _MISSING_U64 in values:
        return series.replace(_MISSING_U64, None)
    return series
