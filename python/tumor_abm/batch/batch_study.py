"""A batch, checked: its base, its points, and the run of every number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from pydantic import ValidationError

from tumor_abm._base import seeds
from tumor_abm._base.paths import is_file
from tumor_abm._base.problems import Problems, shown
from tumor_abm._base.toml import read_toml
from tumor_abm.batch.address import steps_of, with_value
from tumor_abm.batch.axis import Axis
from tumor_abm.batch.axis_sets import ensemble_named, sets_of
from tumor_abm.batch.base import Base, ExperimentBase, PopulationBase, Ready, StudyBase
from tumor_abm.batch.batch_file import BatchFile
from tumor_abm.batch.design import Values, points_of, read_column, table_of
from tumor_abm.config.named import experiment_file
from tumor_abm.errors import InputError, of_file

CHECKED_POINTS = 500
"""Of more points, the ends of every axis and so many others are checked before anything runs."""


class RunOfBatch(NamedTuple):
    """A run: one point, one replicate, one seed."""

    number: int
    point: int
    replicate: int
    seed: int


class BatchStudy:
    """A batch that was found sound.

    Parameters
    ----------
    written
        What the user wrote, defaults filled.
    base
        What is moved, `set` applied.
    seed
        The one used, drawn or given.
    file
        Where it was read from.
    """

    def __init__(self, written: BatchFile, base: Base, *, seed: int, file: Path | None = None) -> None:
        self.written = written
        self.base = base
        self.seed = seed
        self.file = file
        with of_file(file):
            self.points: list[Values] = points_of(written.axis, written.design, written.points, seed)
        self._ready = lru_cache(maxsize=32)(self._made_ready)

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, file: Path | None = None, seed: int | None = None
    ) -> BatchStudy:
        """Check a batch given as tables, as TOML would give them.

        Raises
        ------
        InputError
            Something is wrong: in the file, in its base, or with the value of an axis at a point.
        """
        given = {} if seed is None else {"seed": seed}
        problems = Problems(file)
        try:
            written = BatchFile.model_validate({**data, **given})
        except ValidationError as error:
            problems.add_invalid(error, BatchFile)
            problems.raise_if_any()
            raise
        written = written.model_copy(update={"axis": _with_columns(written.axis, file)})
        base = _base(written, file)
        written = written.model_copy(update={"axis": _with_sets(written, base, file)})
        base = _moved(base, written.set_, file)
        drawn = seeds.drawn() if written.seed is None else written.seed
        return cls(written, base, seed=drawn, file=file)

    def with_seed(self, seed: int) -> BatchStudy:
        """Return the same batch with another seed."""
        return BatchStudy(self.written, self.base, seed=seed, file=self.file)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.points) * self.written.replicates

    @property
    def kept(self) -> tuple[str, ...]:
        """Tables that are kept."""
        return tuple(self.written.tables or self.base.kept)

    @cached_property
    def table(self) -> pl.DataFrame:
        """``point`` and a column per axis."""
        return table_of(self.written.axis, self.points)

    def run(self, number: int) -> RunOfBatch:
        """Return the run of this number; those of a point follow each other."""
        point, replicate = divmod(number, self.written.replicates)
        purpose = (
            ("replicate", replicate) if self.written.common_random_numbers else ("run", point, replicate)
        )
        seed = int(seeds.derive(self.seed, *purpose).generate_state(1, np.uint64)[0])
        return RunOfBatch(number, point, replicate, seed)

    def ready(self, point: int) -> Ready:
        """Return the base with the values of a point.

        Raises
        ------
        InputError
            A value is refused; axis, point and key are named.
        """
        return self._ready(point)

    def tables_at(self, point: int) -> dict[str, Any]:
        """Return the tables of the base with the values of a point."""
        return self._with_values(point, range(len(self.written.axis)))

    def _with_values(self, point: int, axes: Iterable[int]) -> dict[str, Any]:
        tables = dict(self.base.tables)
        for i in axes:
            for path, value in self.written.axis[i].put(self.points[point][i]).items():
                with _at(self.file, f"axis[{i}].path"):
                    tables = with_value(tables, steps_of(path), value, self.base.model)
        return tables

    def told(self, point: int) -> str:
        """Name a point by its values."""
        values = zip(self.written.axis, self.points[point], strict=True)
        said = ", ".join(f"{axis.name} = {shown(value)}" for axis, value in values)
        return f"point {point} ({said})" if said else f"point {point}"

    def _made_ready(self, point: int) -> Ready:
        tables = self.tables_at(point)
        try:
            ready = self.base.at(tables)
        except InputError as error:
            raise InputError(f"{self._blamed(point)}: {error}", file=self.file) from None
        if point and ready.types != self.ready(0).types:  # tables have a column for each
            allowed = f"as many as at point 0, {self.ready(0).types}"
            raise InputError(self.told(point), file=self.file, found=f"{ready.types} types", allowed=allowed)
        return ready

    def _blamed(self, point: int) -> str:
        """Name a point that is refused, and the axes whose values are, each by itself; if none is, all."""
        axes = self.written.axis
        guilty = [axis.name for i, axis in enumerate(axes) if self._is_refused(point, i)]
        named = ", ".join(f'"{name}"' for name in guilty or [axis.name for axis in axes])
        return f"axis {named}, {self.told(point)}" if named else self.told(point)

    def _is_refused(self, point: int, axis: int) -> bool:
        try:
            self.base.at(self._with_values(point, [axis]))
        except InputError:
            return True
        return False

    def check(self) -> None:
        """Find what is refused before anything runs.

        Raises
        ------
        InputError
            An address leads nowhere, or a value is refused; axis, point and key are named.
        """
        for i, axis in enumerate(self.written.axis):
            for path in axis.paths:
                with _at(self.file, f"axis[{i}].path"):
                    if steps_of(path) == ("seed",):
                        raise InputError("seeds are those of the replicates")
        unknown = [name for name in self.kept if name not in self.base.known]
        if unknown:
            raise InputError(file=self.file, key="tables", found=unknown[0], allowed=self.base.known)
        for point in self._checked_points():
            self.ready(point)

    def _checked_points(self) -> list[int]:
        """Return all points or, of many, those where an axis is lowest and highest, and others."""
        if len(self.points) <= CHECKED_POINTS:
            return list(range(len(self.points)))
        found = set(np.linspace(0, len(self.points) - 1, CHECKED_POINTS).astype(int).tolist())
        for name in self.table.columns[1:]:
            column = self.table[name]
            found |= {column.arg_min() or 0, column.arg_max() or 0}
        return sorted(found)

    def resolved(self) -> dict[str, Any]:
        """Return the batch with its base, every default and all values written out."""
        bases = {"base", "set_", "experiment", "study", "population"}
        written = self.written.model_dump(exclude=bases, exclude_none=True)
        tables = self.base.tables
        own = tables["population"] if self.base.kind == "population" else tables
        return written | {"seed": self.seed, "tables": list(self.kept), self.base.kind: own}

    @property
    def sha256(self) -> str:
        """Of all that the results depend on."""
        told = {key: value for key, value in self.resolved().items() if key not in ("title", "question")}
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def load_batch(path: str | Path, *, seed: int | None = None) -> BatchStudy:
    """Read a batch from a TOML file, and check it at its points.

    Parameters
    ----------
    path
        The file.
    seed
        Instead of that of the file.

    Raises
    ------
    InputError
        There is no such file, or something in it is wrong.
    """
    study = BatchStudy.from_dict(read_toml(path), file=Path(path), seed=seed)
    study.check()
    return study


@contextmanager
def _at(file: Path | None, key: str) -> Iterator[None]:
    """Say of what is wrong within that it stands at this key of the batch."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error), file=file, key=key) from None


def _with_columns(axes: Sequence[Axis], file: Path | None) -> list[Axis]:
    """Put the values of a CSV into the axes that name it."""
    folder = Path() if file is None else file.parent
    found = []
    for axis in axes:
        if axis.csv is None:
            found.append(axis)
            continue
        values = read_column(folder / axis.csv, axis.column or axis.name)
        found.append(
            axis.model_copy(update={"values": values, "csv": None, "column": None, "zip": axis.together})
        )
    return found


def _with_sets(written: BatchFile, base: Base, file: Path | None) -> list[Axis]:
    """Put the numbers of an ensemble into the axes that name it."""
    found = []
    for i, axis in enumerate(written.axis):
        if axis.ensemble is None:
            found.append(axis)
            continue
        with _at(file, f"axis[{i}].ensemble"):
            folder = Path() if file is None else file.parent
            sets = sets_of(base, ensemble_named(axis.ensemble, folder), set(written.set_))
        found.append(axis.model_copy(update={"sets": sets, "ensemble": None}))
    return found


def _base(written: BatchFile, file: Path | None) -> Base:
    if written.population is not None:
        return PopulationBase.of(written.population)
    if written.experiment is not None:
        return ExperimentBase.of(written.experiment, file)
    if written.study is not None:
        return StudyBase.of(written.study, file)
    assert written.base is not None
    beside = (Path() if file is None else file.parent) / written.base
    with _at(file, "base"):
        named = beside if is_file(beside) or beside.suffix else experiment_file(written.base)
    tables = read_toml(named)
    if "scenario" in tables and "arm" not in tables:
        return StudyBase.of(tables, named)
    return ExperimentBase.of(tables, named)


def _moved(base: Base, changes: Mapping[str, Any], file: Path | None) -> Base:
    """Return a base in which values were put, all defaults written out again."""
    tables = dict(base.tables)
    for path, value in changes.items():
        with _at(file, f'set."{path}"'):
            tables = with_value(tables, steps_of(path), value, base.model)
    if not changes:
        return base
    try:
        base.at(tables)
    except InputError as error:
        raise InputError(f"set: {error}", file=file) from None
    return type(base)(tables)
