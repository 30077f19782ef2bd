"""Measure what a run costs by the piece, and plan what no machine here can run: the tables of docs/scale.md.

python benchmarks/scale.py [PATIENTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from tumor_abm.batch import load_batch
from tumor_abm.batch.run import begin, finish
from tumor_abm.batch.shard_of_runs import compute
from tumor_abm.run.chunk import Chunk, chunks_of
from tumor_abm.run.directory import RunDirectory

SHIPPED = Path(__file__).parent.parent / "experiments" / "batches" / "dose_and_schedule.toml"
KEPT = ("outcomes", "overall")
PATIENTS, POINTS = 10**6, 10**4
CORES = (1, 100, 10_000)
RUNS_PER_SHARD = (1, 100)
SCANNED = 2_000_000
YEAR_H = 24 * 365


@dataclass(frozen=True)
class Costs:
    """What was measured: CPU seconds, and bytes of the store."""

    life_s: float
    run_s: float
    shard_s: float
    life_bytes: float
    scan_row_s: float


def measured(patients: int) -> Costs:
    """Run the shipped batch with so many patients, keep and join it, and scan many rows like those."""
    study = load_batch(SHIPPED)
    ready = study.ready(0)
    began = time.process_time()
    ready.run(1, lambda: False, 1)
    one = time.process_time() - began
    began = time.process_time()
    tables = ready.run(1, lambda: False, patients)
    run = time.process_time() - began
    kept = {name: tables[name] for name in KEPT}
    with tempfile.TemporaryDirectory() as folder:
        stored = 0
        for name, table in kept.items():
            file = Path(folder) / f"{name}.parquet"
            pl.DataFrame(table).write_parquet(file, compression="zstd")
            stored += file.stat().st_size
        shard_s = keeping(Path(folder) / "out")
        scan_s = scanning(pl.DataFrame(kept["outcomes"]), Path(folder) / "rows.parquet")
    life_s = (run - one) / max(patients - 1, 1)
    return Costs(life_s, max(0.0, one - life_s), shard_s, stored / patients, scan_s)


def keeping(out: Path) -> float:
    """CPU seconds to keep and to join a shard of one small run."""
    study = load_batch(SHIPPED)
    shard = compute(study, Chunk(0, 1), lambda: False)
    directory = RunDirectory(out, study.sha256)
    began = time.process_time()
    with directory.claimed():
        begin(directory, study, 1)
        for chunk in chunks_of(study.runs, 1):
            directory.keep(chunk, shard)
        finish(directory, study)
    return (time.process_time() - began) / study.runs


def scanning(outcomes: pl.DataFrame, file: Path) -> float:
    """CPU seconds per row to find the median of a column by arm."""
    many = pl.concat([outcomes] * (SCANNED // outcomes.height + 1))
    many.write_parquet(file, compression="zstd")
    began = time.process_time()
    pl.scan_parquet(file).group_by("arm", "line").agg(pl.col("pfs_months").median()).collect()
    return (time.process_time() - began) / many.height


def tables(costs: Costs) -> str:
    """Unit costs, and what a million patients at ten thousand points take."""
    lives = PATIENTS * POINTS
    cpu_h = lives * costs.life_s / 3600
    lines = [
        "| what | measured |",
        "|---|---|",
        f"| CPU of a patient in an arm of two lines | {1000 * costs.life_s:.0f} ms |",
        f"| CPU of a run beside its patients (parse, check, screen) | {1000 * costs.run_s:.0f} ms |",
        f"| CPU to keep and to join a shard | {1000 * costs.shard_s:.0f} ms |",
        f"| store per patient and arm (`outcomes`, `overall`) | {costs.life_bytes:.0f} bytes |",
        f"| CPU to scan a row (a median by arm and line) | {1e9 * costs.scan_row_s:.0f} ns |",
        "",
        "| cores | time, if all are busy | shards of 1 run: joining | of 100 runs |",
        "|---|---|---|---|",
    ]
    for cores in CORES:
        joins = (f"{POINTS / runs * costs.shard_s / 60:.1f} min" for runs in RUNS_PER_SHARD)
        lines.append(f"| {cores:,} | {_time(cpu_h / cores)} | {' | '.join(joins)} |")
    rows, store = 2 * lives, lives * costs.life_bytes / 1e12
    scan_h = rows * costs.scan_row_s / 3600
    told = f"In all {cpu_h:,.0f} CPU hours and {store:.1f} TB of store;"
    lines += ["", f"{told} to scan {rows:.0e} rows once takes {scan_h:,.1f} CPU hours."]
    return "\n".join(lines)


def _time(hours: float) -> str:
    if hours > YEAR_H:
        return f"{hours / YEAR_H:,.1f} years"
    return f"{hours / 24:,.1f} days" if hours > 48 else f"{hours:,.1f} h"


if __name__ == "__main__":
    print(tables(measured(int(sys.argv[1]) if len(sys.argv) > 1 else 100)))
