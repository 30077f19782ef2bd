"""Tables between the core, the cluster and the disk, always in the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import tumor_abm._core as _core
from tumor_abm._base.frames import frame
from tumor_abm.run.chunk import Chunk

Tables = dict[str, pa.Table]

BYTES_PER_LIFE = 30_000
"""Of a patient in an arm, in memory: the tables, and what they are made of."""

ROWS_PER_GROUP = 1 << 17


def simulate(spec: str, chunk: Chunk, threads: int, progress: Callable[[int], None] | None = None) -> Tables:
    """Let the core compute the patients of `chunk`.

    Raises
    ------
    InputError
        Something in the experiment is wrong that only its run could show, e.g. a step `dt` that is
        too long for a clone.
    """
    streams = _parsed(spec).simulate(chunk.first, chunk.patients, threads, progress)
    return {name: frame(streams.pop(name)).to_arrow() for name in list(streams)}


@lru_cache(maxsize=2)
def _parsed(spec: str) -> _core.Experiment:
    """Parse an experiment once in a process, however many chunks of it come."""
    return _core.Experiment(spec)


def to_bytes(tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    """Each table as an Arrow IPC stream, to travel between processes."""
    return {name: _stream(table) for name, table in tables.items()}


def from_bytes(streams: Mapping[str, bytes]) -> Tables:
    """Undo `to_bytes`."""
    return {name: pa.ipc.open_stream(stream).read_all() for name, stream in streams.items()}


def write_parquet(path: Path, parts: Iterable[pa.Table]) -> int:
    """Write `parts` below each other into one file and return the number of rows.

    The bytes depend on the rows alone, not on their division into parts, and no more than a row
    group is held in memory.
    """
    groups = _row_groups(parts)
    first = next(groups)
    with pq.ParquetWriter(path.absolute(), first.schema, compression="zstd", version="2.6") as writer:
        writer.write_table(first)
        rows: int = first.num_rows
        for group in groups:
            writer.write_table(group)
            rows += group.num_rows
    return rows


def _row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of `ROWS_PER_GROUP` rows; the last one is smaller, and empty only if it is the first."""
    waiting: list[pa.Table] = []
    rows = 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        while rows > ROWS_PER_GROUP:
            table = pa.concat_tables(waiting)
            yield table.slice(0, ROWS_PER_GROUP).combine_chunks()
            waiting = [table.slice(ROWS_PER_GROUP)]
            rows -= ROWS_PER_GROUP
    yield pa.concat_tables(waiting).combine_chunks()


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
