"""Consecutive runs of a batch, computed one after the other; one that fails is a row with its message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache

import polars as pl
import pyarrow as pa

from tumor_abm.batch.batch_study import BatchStudy, RunOfBatch
from tumor_abm.errors import OutOfMemoryError
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.cluster import demand
from tumor_abm.run.side_by_side import Stopped
from tumor_abm.run.tables import Tables, to_bytes

RUNS = "runs"
"""The table of all runs, failed ones too."""

_TRANSIENT = (KeyboardInterrupt, SystemExit, MemoryError, OutOfMemoryError)
"""What is no property of a run: the batch stops, and the run is tried again."""


def compute(
    study: BatchStudy, chunk: Chunk, stopped: Stopped, tell: Callable[[bool], None] | None = None
) -> Tables:
    """Run the runs of a chunk on one thread.

    Parameters
    ----------
    stopped
        Asked now and then; once it says yes, `KeyboardInterrupt` is raised.
    tell
        Called after every run, with whether it failed.

    Returns
    -------
    dict
        ``runs``, a row per run, and of each kept table the rows of all runs that did not fail, which
        begin with ``point`` and ``run``.
    """
    parts: dict[str, list[pa.Table]] = {}
    errors: list[str | None] = []
    runs = [study.run(number) for number in range(chunk.first, chunk.first + chunk.patients)]
    for run in runs:
        tables, error = _tried(study, run, stopped)
        errors.append(error)
        for name in study.kept if error is None else ():
            parts.setdefault(name, []).append(_numbered(tables[name], run))
        if tell is not None:
            tell(error is not None)
    joined = {name: pa.concat_tables(found) for name, found in parts.items()}
    return {RUNS: _table(study, runs, errors), **joined}


def compute_there(spec: str, chunk: Chunk, version: str) -> dict[str, bytes]:
    """Run the runs of a chunk on a worker; `spec` is the resolved batch, JSON."""
    demand(version)
    return to_bytes(compute(_parsed(spec), chunk, lambda: False))


@lru_cache(maxsize=2)
def _parsed(spec: str) -> BatchStudy:
    return BatchStudy.from_dict(json.loads(spec))


def _tried(study: BatchStudy, run: RunOfBatch, stopped: Stopped) -> tuple[Tables, str | None]:
    if stopped():
        raise KeyboardInterrupt
    try:
        return study.ready(run.point).run(run.seed, stopped), None
    except _TRANSIENT:
        raise
    except ValueError as error:
        return {}, " ".join(str(error).split())
    except BaseException as error:  # a panic of the core is no Exception
        return {}, f"{type(error).__name__}: {' '.join(str(error).split())}"


def _numbered(table: pa.Table, run: RunOfBatch) -> pa.Table:
    """Put the numbers of point and run before the other columns."""
    for name, number in (("run", run.number), ("point", run.point)):
        column = pa.array([number], pa.uint32()).take(pa.array([0] * table.num_rows, pa.int32()))
        table = table.add_column(0, name, column)
    return table


def _table(study: BatchStudy, runs: Iterable[RunOfBatch], errors: list[str | None]) -> pa.Table:
    columns = {"number": pl.UInt32, "point": pl.UInt32, "replicate": pl.UInt32, "seed": pl.UInt64}
    told = pl.DataFrame(list(runs), schema=columns, orient="row").rename({"number": "run"})
    told = told.with_columns(error=pl.Series(errors, dtype=pl.String))
    return told.join(study.table, on="point", how="left", maintain_order="left").to_arrow()


def failures(tables: Tables) -> list[tuple[int, str]]:
    """Return number and message of the runs that failed."""
    table = tables[RUNS]
    return [
        (run.as_py(), error.as_py())
        for run, error in zip(table["run"], table["error"], strict=True)
        if error.is_valid
    ]
