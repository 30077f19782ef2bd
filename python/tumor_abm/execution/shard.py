"""A part of a computation on disk: a directory of tables, there whole or not at all."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tumor_abm._files import SUMS, read_sums, sha256_of, verify, write_sums
from tumor_abm.errors import InputError
from tumor_abm.execution.tables import write_parquet

_DRAFT = ".tmp"
_SUFFIX = ".parquet"

_log = logging.getLogger(__name__)


def write_shard(path: Path, tables: Mapping[str, pa.Table]) -> None:
    """Store tables, and their SHA-256, in the new directory `path`."""
    draft = path.with_name(path.name + _DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    sums = {}
    for name, table in tables.items():
        file = draft / f"{name}{_SUFFIX}"
        write_parquet(file, [table])
        sums[file.name] = sha256_of(file)
    write_sums(draft, sums)
    draft.replace(path)


def is_whole(path: Path) -> bool:
    """Tell whether a shard is there as it was written; one that is damaged is removed, and this is said."""
    if not path.is_dir():
        return False
    try:
        verify(path)
        if {file.name for file in path.glob(f"*{_SUFFIX}")} != read_sums(path).keys():
            raise InputError(f"damaged: {SUMS} does not list its tables", file=path)
    except InputError as error:
        _log.warning("%s; computed again", error)
        shutil.rmtree(path)
        return False
    return True


def tables_of(path: Path) -> dict[str, Path]:
    """Return the files of a shard's tables by their names, in the order of these."""
    return {name.removesuffix(_SUFFIX): path / name for name in sorted(read_sums(path))}
