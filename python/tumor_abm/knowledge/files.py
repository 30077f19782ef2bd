"""A user's knowledge on disk: a TOML file, or a directory of them that is one change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumor_abm._base.paths import is_directory, path_of
from tumor_abm._base.problems import Problems, Step
from tumor_abm._base.toml import read_toml
from tumor_abm.errors import InputError

Keys = tuple[str, ...]


@dataclass(frozen=True)
class WrittenTables:
    """Tables as they were written, and in which file each key stands.

    Attributes
    ----------
    path
        The file or directory.
    tables
        What is written in all files together.
    origins
        Path of keys to the file in which it stands, for every key and table of a directory.
    """

    path: Path
    tables: dict[str, Any]
    origins: dict[Keys, Path] = field(default_factory=dict)

    def file_of(self, where: Sequence[Step]) -> Path:
        """Return the file that is to be looked at for a place: where it stands, or the table around it."""
        for length in range(len(where), 0, -1):
            keys = tuple(str(step) for step in where[:length])
            if keys in self.origins:
                return self.origins[keys]
        return self.path


def read_knowledge(path: str | Path) -> WrittenTables:
    """Read a file of knowledge, or all TOML files of a directory, in the order of their names.

    Raises
    ------
    InputError
        There is no such file or directory, nothing in it, a file is no TOML, or two files of a directory
        say the same.
    """
    root = path_of("file", path)
    if not is_directory(root):
        return WrittenTables(root, read_toml(root))
    files = sorted(root.glob("*.toml"))
    if not files:
        raise InputError("found no TOML file; allowed: a directory with files NAME.toml", file=root)
    found = WrittenTables(root, {})
    problems = Problems()
    for file in files:
        _join(found.tables, read_toml(file), (), file, found.origins, problems)
    problems.raise_if_any()
    return found


def _join(
    known: dict[str, Any],
    new: Mapping[str, Any],
    at: Keys,
    file: Path,
    origins: dict[Keys, Path],
    problems: Problems,
) -> None:
    """Add what a file says to what those before it say; tables may be shared, keys may not."""
    for key, value in new.items():
        keys = (*at, key)
        if key not in known:
            known[key] = {} if isinstance(value, Mapping) else value
            origins[keys] = file
        elif not isinstance(value, Mapping) or not isinstance(known[key], dict):
            problems.add_in(file, keys, f"stands in {origins[keys].name}, too; allowed: in one file")
            continue
        if isinstance(value, Mapping):
            _join(known[key], value, keys, file, origins, problems)
