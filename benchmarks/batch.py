"""Measure what batches cost beside their runs: the store, unequal runs, and reading a million rows.

python benchmarks/batch.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tumor_abm as ta
from rich.console import Console
from rich.table import Table
from tumor_abm.batch import BatchStudy, load_batch
from tumor_abm.batch.run import begin, finish
from tumor_abm.batch.shard_of_runs import compute
from tumor_abm.run.chunk import Chunk, chunks_of
from tumor_abm.run.directory import RunDirectory
from tumor_abm.run.side_by_side import side_by_side

SHIPPED = Path(__file__).parent.parent / "experiments" / "batches" / "dose_and_schedule.toml"
UNEQUAL: dict[str, Any] = {
    "title": "Unequal runs",
    "question": "Are the cores busy?",
    "seed": 1,
    "replicates": 50,
    "population": {
        "replicates": 40,
        "until": {"total": 1e5},
        "restart_on_extinction": True,
        "division": [0.25],
        "death": [0.1],
        "initial": [1],
    },
    "axis": [{"name": "death", "path": "population.death[0]", "values": [0.02, 0.1, 0.2, 0.24]}],
}
RUNS, LIVES = 1_000, 1_000


def store_share() -> tuple[float, float]:
    """CPU seconds of the runs of the shipped batch, and of keeping and joining what they leave."""
    study = load_batch(SHIPPED)
    chunks = chunks_of(study.runs, 1)
    began = time.process_time()
    tables = {chunk: compute(study, chunk, lambda: False) for chunk in chunks}
    runs = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder) / "out", study.sha256)
        began = time.process_time()
        with directory.claimed():
            begin(directory, study, 1)
            for chunk in directory.missing():
                directory.keep(chunk, tables[chunk])
            finish(directory, study)
        return runs, time.process_time() - began


def busy() -> float:
    """Share of the time of two threads in which they had a run in hand; runs differ tenfold and more."""
    study = BatchStudy.from_dict(UNEQUAL)
    spent = []

    def work(chunk: Chunk, stopped: Any) -> Any:
        began = time.monotonic()
        tables = compute(study, chunk, stopped)
        spent.append(time.monotonic() - began)
        return tables

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder) / "out", study.sha256)
        with directory.claimed():
            begin(directory, study, 1)
            for chunk, tables in side_by_side(work, directory.missing(), 2):
                directory.keep(chunk, tables)
        return sum(spent) / (2 * (time.monotonic() - began))


def write_million(out: Path) -> None:
    """Write a batch of a thousand runs of a thousand lives, the lives of one run over and over."""
    shipped = load_batch(SHIPPED)
    tables = {**shipped.resolved(), "replicates": 112}
    tables["experiment"]["patients"] = LIVES
    study = BatchStudy.from_dict(tables)
    found = compute(shipped, Chunk(0, 1), lambda: False)
    directory = RunDirectory(out, study.sha256)
    with directory.claimed():
        begin(directory, study, 4)
        for chunk in directory.missing():
            runs = range(chunk.first, chunk.first + chunk.patients)
            kept = {
                name: pa.concat_tables([_tiled(found[name], study, run) for run in runs]) for name in found
            }
            directory.keep(chunk, kept)
        finish(directory, study)


def _tiled(table: pa.Table, study: BatchStudy, number: int) -> pa.Table:
    """Repeat the rows of a run until there are enough lives, under another number."""
    run = study.run(number)
    if "replicate" in table.column_names:  # the table of runs has a row for each
        row = study.table.row(run.point, named=True) | run._asdict() | {"run": number, "error": None}
        return pa.Table.from_pylist([row], table.schema)
    table = pa.concat_tables([table] * (LIVES // 150 + 1))
    if "pfs_months" in table.column_names:  # times of their own, or the file would be too small to be true
        at, months = table.column_names.index("pfs_months"), table["pfs_months"].to_numpy()
        times = np.random.default_rng(number).exponential(1, months.size) * months
        table = table.set_column(at, "pfs_months", pa.array(times))
    for name, value in (("point", run.point), ("run", number)):
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array([value] * table.num_rows, pa.uint32()))
    return table


def read_million(directory: Path) -> None:
    """Print what a question to the batch takes; runs in a process of its own."""
    began = time.monotonic()
    batch = ta.Batch.open(directory)
    opened = time.monotonic() - began
    sql = "SELECT dose, days, arm, median(pfs_months) FROM outcomes WHERE line = 1 GROUP BY dose, days, arm"
    answer = batch.query(sql)
    asked = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = batch.scan("outcomes").select("run").collect().height
    print(f"{rows} {answer.height} {opened:.2f} {asked:.2f} {peak:.2f}")


def main() -> None:
    table = Table("what", "measured", "aim", box=None)
    runs, store = store_share()
    table.add_row("store, of the CPU time of the shipped batch", f"{store / (runs + store):.2%}", "< 5%")
    table.add_row("two threads with a run in hand, runs unequal", f"{busy():.1%}", "> 90%")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        write_million(out)
        told = subprocess.run(
            [sys.executable, __file__, str(out)], capture_output=True, text=True, check=True, env=os.environ
        )
        rows, groups, opened, asked, peak = told.stdout.split()
        size = (out / "outcomes.parquet").stat().st_size / 1e6
    what = f"median PFS by arm and axes ({groups} groups) of {int(rows):,} outcomes, {size:.0f} MB"
    table.add_row(what, f"{asked} s ({opened} s to open), {peak} GiB", "< 5 s, < 1 GiB")
    Console().print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read_million(Path(sys.argv[1]))
    else:
        main()
