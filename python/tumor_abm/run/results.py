"""What an experiment leaves: tables in memory and on disk."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import tomli_w

from tumor_abm._base.files import (
    sha256_of,
    sha256_of_text,
    verify,
    write_sums,
    write_text,
    write_whole,
)
from tumor_abm._base.frames import read_parquet
from tumor_abm._base.html import facts
from tumor_abm._base.paths import is_directory, path_of
from tumor_abm.errors import InputError, did_you_mean
from tumor_abm.run.tables import ROWS_PER_GROUP

EXPERIMENT = "experiment.toml"
PROVENANCE = "provenance.json"


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
        if isinstance(table, str) and table in self.tables:
            return self.tables[table]
        raise InputError(key="table", found=table, allowed=sorted(self.tables))

    def scan(self, table: str) -> pl.LazyFrame:
        """Return a table to be read lazily: of one on disk, only what is asked for is read, and not kept.

        Raises
        ------
        InputError
            There is no such table, or it cannot be read.
        """
        if isinstance(self.tables, _Stored) and table in self.tables:
            return self.tables.scan(table)
        return self[table].lazy()

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
        parts = ", ".join(map(repr, self._parts))
        return f"Results({self._title!r}, of {parts}; tables: {', '.join(sorted(self.tables))})"

    def _repr_html_(self) -> str:
        rows = self.tables.rows if isinstance(self.tables, _Stored) else _rows(self.tables)
        told = {
            "question": str(self.experiment.get("question", "")),
            "of": ", ".join(self._parts),
            "seed": str(self.experiment.get("seed", "not recorded")),
            "tables": ", ".join(f"{name} ({rows[name]} rows)" for name in sorted(rows)),
        }
        return facts(f"Results: {self._title}", told)

    @property
    def _title(self) -> str:
        return str(self.experiment.get("title", ""))

    @property
    def _parts(self) -> list[str]:
        """Names of the arms of an experiment, or of the scenarios of a study."""
        parts = self.experiment.get("arm", self.experiment.get("scenario", []))
        return [str(part["name"]) for part in parts]

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in the order of the experiment."""
        return [arm["name"] for arm in self.experiment["arm"]]

    @property
    def enrolled(self) -> int:
        """Number of patients who lived any arm."""
        return int(self.scan("overall").select(pl.col("patient").n_unique()).collect().item())

    @property
    def control(self) -> str:
        """Name of the arm the others are compared with: the experiment's, or its first."""
        return str(self.experiment.get("control") or self.arms[0])

    def save(self, directory: str | Path) -> None:
        """Write the tables as Parquet, with `experiment.toml`, `SHA256SUMS` and, last, `provenance.json`.

        Each file appears whole or not at all, and a directory without `provenance.json` is not a
        result, so an interruption leaves no half-written one behind.
        """
        directory = path_of("directory", directory)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / PROVENANCE).unlink(missing_ok=True)
        for name, table in self.tables.items():
            write = partial(table.write_parquet, row_group_size=ROWS_PER_GROUP)
            write_whole(directory / f"{name}.parquet", write)
        sums = {f"{name}.parquet": sha256_of(directory / f"{name}.parquet") for name in self.tables}
        rows = _rows(self.tables)
        texts = {
            EXPERIMENT: tomli_w.dumps(without_none(self.experiment)),
            PROVENANCE: json.dumps(self.provenance | {"tables": rows}, indent=2) + "\n",
        }
        write_sums(directory, sums | {name: sha256_of_text(text) for name, text in texts.items()})
        for name, text in texts.items():
            write_text(directory / name, text)

    @classmethod
    def load(cls, directory: str | Path) -> Results:
        """Open the result in `directory`; each table is read when it is first asked for.

        Raises
        ------
        InputError
            `directory` holds no finished result, or a file of it is missing or not as it was saved.
        """
        return cls._of(path_of("directory", directory))

    @classmethod
    def fetched(cls, directory: Path, ask_for: Callable[[str], None]) -> Results:
        """Open the result whose files come into `directory` when `ask_for` is called with their names."""
        return cls._of(directory, ask_for)

    @classmethod
    def _of(cls, directory: Path, ask_for: Callable[[str], None] | None = None) -> Results:
        if not is_directory(directory):
            raise InputError("there is no such directory", file=directory)
        if not (directory / PROVENANCE).is_file():
            raise InputError(f"not a finished result: there is no {PROVENANCE}", file=directory)
        try:
            verify(directory, [PROVENANCE, EXPERIMENT])
            provenance = _parsed(directory / PROVENANCE, json.loads)
            experiment = _parsed(directory / EXPERIMENT, tomllib.loads)
            tables = provenance.get("tables") if isinstance(provenance, dict) else None
            if not isinstance(tables, dict):
                raise InputError("not a result's: it lists no tables", file=directory / PROVENANCE)
            if ask_for is None:
                verify(directory, [f"{name}.parquet" for name in tables])
        except InputError as error:
            raise InputError(f"{error}; run the experiment again") from error
        return cls(_Stored(directory, tables, ask_for), experiment, provenance)


class _Stored(Mapping[str, pl.DataFrame]):
    """Tables on disk, read on first use; what is not there yet is asked for."""

    def __init__(
        self, directory: Path, rows: Mapping[str, int], ask_for: Callable[[str], None] | None = None
    ) -> None:
        self.rows = dict(rows)
        self._ask_for = ask_for
        self._paths = {name: directory / f"{name}.parquet" for name in rows}
        self._read: dict[str, pl.DataFrame] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._read:
            with _reading(self._have(name)) as path:
                self._read[name] = read_parquet(path)
        return self._read[name]

    def scan(self, name: str) -> pl.LazyFrame:
        """Return a table lazily."""
        if name in self._read:
            return self._read[name].lazy()
        with _reading(self._have(name)) as path:
            table = pl.scan_parquet(path.absolute(), glob=False)
            table.collect_schema()  # that it can be read is seen here
        return table

    def _have(self, name: str) -> Path:
        path = self._paths[name]
        if self._ask_for is not None:
            self._ask_for(path.name)
        return path

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _rows(tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    return {name: table.height for name, table in tables.items()}


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    try:
        yield path
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def _parsed(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise InputError("cannot be read: nested too deeply", file=path) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def without_none(value: Any) -> Any:
    """TOML has no word for nothing: what is ``None`` is left out."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_none(item) for item in value]
    return value
