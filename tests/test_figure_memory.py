"""Figures and report of many patients need hardly more memory than those of few."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from lived import lived
from tumor_abm.run.results import Results

DRAWN = 100
CLONES, TRAJECTORY = 8, 10
"""Times the rows of a life are there: shipped experiments have about 60 and 40 of them a patient and arm."""

FEW, MANY = 2_000, 8_000
KB_PER_PATIENT = 12
"""6 to 8 are measured: times and flags of both arms, as Cox's model wants them, and scans of the first line.

With whole tables it is more than 20."""

REPORT = """
import sys
from pathlib import Path
from tumor_abm.report import write_report
from tumor_abm.run.results import Results

for directory in map(Path, sys.argv[1:]):
    write_report(Results.load(directory), directory)
    status = Path("/proc/self/status").read_text()
    print(status.split("VmHWM:")[1].split()[0])
"""


def saved(results: Results, patients: int, directory: Path) -> Path:
    """Write results of so many patients."""
    tables = {name: repeated(table, patients // DRAWN) for name, table in results.tables.items()}
    Results(tables, results.experiment, results.provenance).save(directory)
    return directory


def repeated(table: pl.DataFrame, times: int) -> pl.DataFrame:
    """The same patients so many times over, under numbers of their own."""
    return pl.concat([table.with_columns(pl.col("patient") + DRAWN * time) for time in range(times)])


def of_usual_size(results: Results) -> Results:
    """The same results with as many rows of each patient as those of shipped experiments."""
    days = [results["trajectory"].with_columns(pl.col("day") + 5 * place) for place in range(TRAJECTORY)]
    tables = {"clones": pl.concat([results["clones"]] * CLONES), "trajectory": pl.concat(days)}
    return Results({**results.tables, **tables}, results.experiment, results.provenance)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_report_takes_little_memory_a_patient(make_results: Callable[..., Results], tmp_path: Path) -> None:
    results = of_usual_size(lived(make_results(DRAWN)))
    directories = [saved(results, patients, tmp_path / str(patients)) for patients in (FEW, MANY)]
    program = [sys.executable, "-c", REPORT, *map(str, directories)]
    peaks = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    few, many = map(int, peaks.split())
    assert (many - few) / (MANY - FEW) < KB_PER_PATIENT
