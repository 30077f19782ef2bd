"""Simulated cohorts on disk, so that a prediction goes on where it was stopped."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tumor_abm._core as _core
from tumor_abm._base.frames import read_parquet
from tumor_abm.run.lock import exclusive
from tumor_abm.run.shard import is_whole, tables_of, write_shard
from tumor_abm.trials.cohort import Part


@dataclass(frozen=True)
class Parts:
    """A directory of simulated cohorts, one process's at a time."""

    path: Path

    @classmethod
    @contextmanager
    def claimed(cls, path: Path) -> Iterator[Parts]:
        """Make the directory, or take the one that is there, and keep other processes out.

        Raises
        ------
        InputError
            Another process is writing there.
        """
        path.mkdir(parents=True, exist_ok=True)
        with exclusive(path):
            yield cls(path)

    def get(self, identity: str, simulate: Callable[[], Part]) -> Part:
        """Return the cohort of this identity; it is simulated if it is not here, or damaged."""
        key = hashlib.sha256(f"{_core.__version__} {identity}".encode()).hexdigest()[:24]
        path = self.path / key
        if is_whole(path, of=key):
            return Part(**{name: read_parquet(file) for name, file in tables_of(path).items()})
        part = simulate()
        write_shard(path, {name: table.to_arrow() for name, table in vars(part).items()}, of=key)
        return part

    def remove(self) -> None:
        """Remove the directory with all cohorts."""
        shutil.rmtree(self.path, ignore_errors=True)
