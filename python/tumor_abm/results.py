"""What an experiment leaves: tables in memory and on disk."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import tomli_w

from tumor_abm._paths import is_directory
from tumor_abm.errors import InputError, did_you_mean

EXPERIMENT = "experiment.toml"
PROVENANCE = "provenance.json"

T = TypeVar("T")


@dataclass(frozen=True)
class Results:
    """The tables of an experiment, the experiment itself, and where they come from.

    A table is an attribute and an item: ``results.outcomes`` is ``results["outcomes"]``.

    Parameters
    ----------
    tables
        Name to frame; see the documentation of results for columns and units.
    experiment
        The experiment as it was run, every default filled in.
    provenance
        Software, versions, environment and seed; `save` adds the rows of each table as ``tables``.
    """

    tables: Mapping[str, pl.DataFrame]
    experiment: dict[str, Any]
    provenance: dict[str, Any]

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table in self.tables:
            return self.tables[table]
        raise InputError(key="table", found=table, allowed=sorted(self.tables))

    def __getattr__(self, name: str) -> pl.DataFrame:
        tables = self.__dict__.get("tables", {})
        if name in tables:
            return self[name]
        guess = did_you_mean(name, tables)
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise AttributeError(f"results have no table {name!r}{hint}")

    def __dir__(self) -> Iterator[str]:
        yield from super().__dir__()
        yield from self.tables

    def __repr__(self) -> str:
        return f"Results({self.experiment.get('title', '')!r}: {', '.join(sorted(self.tables))})"

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in the order of the experiment."""
        return [arm["name"] for arm in self.experiment["arm"]]

    @property
    def control(self) -> str:
        """Name of the arm the others are compared with: the experiment's, or its first."""
        return str(self.experiment.get("control") or self.arms[0])

    def save(self, directory: str | Path) -> None:
        """Write the tables as Parquet, with `experiment.toml` and, last, `provenance.json`.

        Each file appears whole or not at all, and a directory without `provenance.json` is not a
        result, so an interruption leaves no half-written one behind.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / PROVENANCE).unlink(missing_ok=True)
        for name, table in self.tables.items():
            write_whole(directory / f"{name}.parquet", table.write_parquet)
        experiment = tomli_w.dumps(without_none(self.experiment))
        write_whole(directory / EXPERIMENT, lambda path: path.write_text(experiment, encoding="utf-8"))
        rows = {name: table.height for name, table in self.tables.items()}
        provenance = json.dumps(self.provenance | {"tables": rows}, indent=2) + "\n"
        write_whole(directory / PROVENANCE, lambda path: path.write_text(provenance, encoding="utf-8"))

    @classmethod
    def load(cls, directory: str | Path) -> Results:
        """Open the result in `directory`; each table is read when it is first asked for.

        Raises
        ------
        InputError
            `directory` holds no finished result, or a table is missing or damaged.
        """
        directory = Path(directory)
        if not is_directory(directory):
            raise InputError("there is no such directory", file=directory)
        provenance = _parsed(directory / PROVENANCE, json.loads)
        experiment = _parsed(directory / EXPERIMENT, tomllib.loads)
        rows = provenance.get("tables") if isinstance(provenance, dict) else None
        if not isinstance(rows, dict):
            raise InputError("not a result's: it lists no tables", file=directory / PROVENANCE)
        return cls(_Stored(directory, rows), experiment, provenance)


class _Stored(Mapping[str, pl.DataFrame]):
    """Tables on disk, read on first use; that all are there is asked at once."""

    def __init__(self, directory: Path, rows: Mapping[str, int]) -> None:
        self._paths = {name: directory / f"{name}.parquet" for name in rows}
        self._read: dict[str, pl.DataFrame] = {}
        for name, expected in rows.items():
            self._check(self._paths[name], expected)

    @staticmethod
    def _check(path: Path, expected: int) -> None:
        if not path.is_file():
            raise InputError("this table of the result is missing; run the experiment again", file=path)
        found = _unless_damaged(path, lambda: pl.scan_parquet(path).select(pl.len()).collect().item())
        if found != expected:
            raise InputError(
                "not the table this result was saved with; run the experiment again",
                file=path,
                found=found,
                allowed=f"{expected} rows",
            )

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._read:
            path = self._paths[name]
            self._read[name] = _unless_damaged(path, lambda: pl.read_parquet(path))
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it in place at once."""
    draft = path.with_name(path.name + ".tmp")
    try:
        write(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _unless_damaged(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError("half-written or damaged; run the experiment again", file=path) from error


def _parsed(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = f"not a finished result: there is no {path.name}"
        raise InputError(problem, file=path.parent) from None
    except RecursionError:
        raise InputError("half-written or damaged: nested too deeply", file=path) from None
    except ValueError as error:
        raise InputError(f"half-written or damaged: {error}", file=path) from error


def without_none(value: Any) -> Any:
    """TOML has no word for nothing: what is ``None`` is left out."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_none(item) for item in value]
    return value
