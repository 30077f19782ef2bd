"""A part of a computation on disk: a directory of tables, there whole or not at all."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tumor_abm._base.files import SUMS, read_sums, sha256_of, sha256_of_text, verify, write_sums, write_text
from tumor_abm.errors import InputError
from tumor_abm.run.tables import write_parquet

_IDENTITY = "identity"
_DRAFT = ".tmp"
_SUFFIX = ".parquet"

_log = logging.getLogger(__name__)


def write_shard(path: Path, tables: Mapping[str, pa.Table], *, of: str) -> None:
    """Store tables, and their SHA-256, in the new directory `path`; `of` says which part of what it is."""
    draft = path.with_name(path.name + _DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    write_text(draft / _IDENTITY, of)
    sums = {_IDENTITY: sha256_of_text(of)}
    for name, table in tables.items():
        file = draft / f"{name}{_SUFFIX}"
        write_parquet(file, [table])
        sums[file.name] = sha256_of(file)
    write_sums(draft, sums)
    draft.replace(path)


def is_whole(path: Path, *, of: str) -> bool:
    """Tell whether a shard is there as it was written; one that is not is removed, and this is said."""
    if not path.exists() and not path.is_symlink():
        return False
    try:
        verify(path)
        if {_IDENTITY, *(file.name for file in path.glob(f"*{_SUFFIX}"))} != read_sums(path).keys():
            raise InputError(f"damaged: {SUMS} does not list its tables", file=path)
        if read_sums(path)[_IDENTITY] != sha256_of_text(of):
            raise InputError("holds another part, or one of another computation", file=path)
    except InputError as error:
        _log.warning("%s; computed again", error)
        _remove(path)
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def tables_of(path: Path) -> dict[str, Path]:
    """Return the files of a shard's tables by their names, in the order of these."""
    names = [name for name in sorted(read_sums(path)) if name.endswith(_SUFFIX)]
    return {name.removesuffix(_SUFFIX): path / name for name in names}
