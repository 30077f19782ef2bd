"""Figures and report of many patients need hardly more memory than those of few."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tumor_abm.run.results import Results

DRAWN = 500
CLONES = 8
"""Times the clones of a tumour are there: shipped experiments have about 60 rows a patient."""

FEW, MANY = 2_000, 18_000
KB_PER_PATIENT = 48
"""Times and flags of both arms, and the burden of all over time, whose quantiles are drawn."""

REPORT = """
import sys
from pathlib import Path
from tumor_abm.report import write_report
from tumor_abm.run.results import Results

directory = Path(sys.argv[1])
write_report(Results.load(directory), directory)
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def peak_kb(results: Results, patients: int, directory: Path) -> int:
    """Most memory that the report of so many patients takes."""
    tables = {name: repeated(table, patients // DRAWN) for name, table in results.tables.items()}
    tables["clones"] = pl.concat([tables["clones"]] * CLONES)
    Results(tables, results.experiment, results.provenance).save(directory)
    program = [sys.executable, "-c", REPORT, str(directory)]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def repeated(table: pl.DataFrame, times: int) -> pl.DataFrame:
    """The same patients so many times over, under numbers of their own."""
    return pl.concat([table.with_columns(pl.col("patient") + DRAWN * time) for time in range(times)])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_report_takes_little_memory_a_patient(make_results: Callable[..., Results], tmp_path: Path) -> None:
    results = make_results(DRAWN)
    few, many = (peak_kb(results, patients, tmp_path / str(patients)) for patients in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < KB_PER_PATIENT
