"""Tables of the core as polars frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.errors import InputError


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


def frame(table: bytes) -> pl.DataFrame:
    """Read a table of the core, an Arrow IPC stream."""
    return pl.read_ipc_stream(table)
