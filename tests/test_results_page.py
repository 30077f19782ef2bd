"""docs/results.md tells every column of every table, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
import tumor_abm as ta

ROOT = Path(__file__).parents[1]
TABLES = (
    *("patients", "outcomes", "overall", "assessments", "liquid_biopsies", "clones", "trajectory", "events"),
    "doses",
    *("comparison", "who_gains", "neutropenia"),
)


def told(table: str) -> list[str]:
    """The columns that the section of a table names."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {table}: .*?\n(.*?)(?=^## )", page, re.M | re.S)
    rows = section.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return [name for row in rows for name in row.split(" | ")[0].removeprefix("| ").split(", ")]


@pytest.fixture(scope="module")
def results() -> ta.Results:
    return ta.run_experiment(ROOT / "experiments/rechallenge_same_or_switched.toml", patients=4, seed=1)


@pytest.fixture(scope="module")
def compared(results: ta.Results) -> dict[str, pl.DataFrame]:
    found = ta.compare(results)
    return {"comparison": found.with_limits, "who_gains": found.gains, "neutropenia": found.neutropenia}


def test_the_page_names_every_table_of_a_run(results: ta.Results) -> None:
    assert set(results.tables) <= set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_the_page_names_every_column_of_a_table_once(
    results: ta.Results, compared: dict[str, pl.DataFrame], table: str
) -> None:
    assert sorted(told(table)) == sorted((results.tables | compared)[table].columns)
