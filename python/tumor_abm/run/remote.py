"""Finished results on an object store, by their address, such as ``s3://bucket/doses`` (fsspec)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tumor_abm._base.files import SUMS, read_sums, sha256_of, verify, write_whole
from tumor_abm.errors import InputError
from tumor_abm.run.results import EXPERIMENT, PROVENANCE

INSTALL = "addresses need pip install '.[remote]' (fsspec), and the package of their store, such as s3fs"


def is_address(place: str | Path) -> bool:
    """Whether a place is named by an address and not by a path."""
    return isinstance(place, str) and "://" in place


@dataclass(frozen=True)
class Remote:
    """A directory on an object store.

    Parameters
    ----------
    address
        Its name, with the protocol first.
    system
        The store, as fsspec knows it.
    root
        The directory within it.
    """

    address: str
    system: Any
    root: str

    @classmethod
    def at(cls, address: str) -> Remote:
        """Return the directory of an address; nothing is asked of the store yet.

        Raises
        ------
        InputError
            fsspec, or what it needs for this store, is not installed, or it knows no such store.
        """
        try:
            from fsspec.core import url_to_fs

            system, root = url_to_fs(address)
        except ImportError as error:
            raise InputError(f"{error}; {INSTALL}", file=address) from None
        except (ValueError, OSError) as error:
            raise InputError(f"cannot be reached: {error}", file=address) from None
        return cls(address, system, root.rstrip("/"))

    def has(self, name: str) -> bool:
        """Whether there is a file of this name.

        Raises
        ------
        InputError
            The store does not answer.
        """
        return bool(self._ask(partial(self.system.exists, f"{self.root}/{name}")))

    def fetch(self, name: str, directory: Path) -> None:
        """Copy a file into a local directory, whole or not at all.

        Raises
        ------
        InputError
            There is none, or the store does not answer.
        """
        if not self.has(name):
            raise InputError(f"there is no {name}", file=self.address)
        source = f"{self.root}/{name}"
        write_whole(
            directory / name, lambda draft: self._ask(partial(self.system.get_file, source, str(draft)))
        )

    def put(self, file: Path) -> None:
        """Copy a local file there.

        Raises
        ------
        InputError
            The store does not answer, or refuses.
        """
        self._ask(partial(self.system.makedirs, self.root, exist_ok=True))
        self._ask(partial(self.system.put_file, str(file), f"{self.root}/{file.name}"))

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except Exception as error:  # every store has errors of its own
            raise InputError(f"the store says: {error or type(error).__name__}", file=self.address) from error


def publish(directory: Path, address: str) -> list[str]:
    """Copy a finished result to an address, what makes it finished last, and return the names of its files.

    Parameters
    ----------
    directory
        Of the result, whose files are verified first.
    address
        Where to; the same result may be there already, or a part of it.

    Raises
    ------
    InputError
        The result is damaged, another one is there, or the store does not answer.
    """
    sums = read_sums(directory)
    verify(directory)
    remote = Remote.at(address)
    if remote.has(PROVENANCE):
        with_sums = _cached(remote)
        if read_sums(with_sums) != sums:
            raise InputError("another result is there", file=address)
        return sorted(sums)
    beside = sorted(file.name for file in directory.glob("summary.*"))
    for name in [*sorted(set(sums) - {PROVENANCE}), *beside, SUMS, PROVENANCE]:
        remote.put(directory / name)
    return sorted(sums)


class Fetched:
    """A finished result on an object store, and the local copy of what was asked for so far.

    Parameters
    ----------
    address
        Of the result.

    Raises
    ------
    InputError
        There is none, it is damaged, or the store does not answer.
    """

    def __init__(self, address: str) -> None:
        self._remote = Remote.at(address)
        if not self._remote.has(PROVENANCE):
            raise InputError(f"not a finished result: there is no {PROVENANCE}", file=address)
        self.directory = _cached(self._remote)
        self._sums = read_sums(self.directory)
        for name in (PROVENANCE, EXPERIMENT):
            self.ask_for(name)
        if self._remote.has("summary.parquet"):
            self._remote.fetch("summary.parquet", self.directory)

    def ask_for(self, name: str) -> None:
        """Have a file of the result in the local directory, as it was written.

        Raises
        ------
        InputError
            There is none, it is damaged, or the store does not answer.
        """
        path = self.directory / name
        if not path.is_file() or sha256_of(path) != self._sums.get(name):
            self._remote.fetch(name, self.directory)
        verify(self.directory, [name])


def _cached(remote: Remote) -> Path:
    """Return the local directory of what is at an address now, with the note of its sums."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tumor_abm"
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home) as waiting:
        remote.fetch(SUMS, Path(waiting))
        directory = home / sha256_of(Path(waiting) / SUMS)[:24]
        directory.mkdir(exist_ok=True)
        (Path(waiting) / SUMS).replace(directory / SUMS)
    return directory
