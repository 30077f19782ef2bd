"""The file `experiment.toml` of the page: a batch run of it lives what the page has lived."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from tumor_abm import load_experiment, run_experiment
from tumor_abm.app.address import first_choices
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.experiment_file import as_experiment
from tumor_abm.app.life import Life
from tumor_abm.app.setup import OWN_LINES
from tumor_abm.run.results import Results

LINES = ("line", "regimen", "start_day", "end_day")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.of(None)


def ran(life: Life, directory: Path) -> Results:
    """Run the experiment of a life."""
    file = directory / "experiment.toml"
    file.write_text(as_experiment(life).text)
    return run_experiment(load_experiment(file))


def lived_alike(life: Life, results: Results) -> None:
    """Check that the last patient of a run has lived what the twins of the page live, arm by arm."""
    assert life.choices is not None
    life.reach(20_000)
    for twin, arm in zip(life.twins, results.arms, strict=True):
        own = pl.col("patient") == life.choices.patient, pl.col("arm") == arm
        for table, columns in (("outcomes", LINES), ("overall", ("os_months", "os_event"))):
            page = twin.model.records()[table].select(columns).rows()
            assert page
            assert results.tables[table].filter(*own).select(columns).rows() == page


@pytest.mark.parametrize("strategy", range(7))
def test_a_run_of_the_file_lives_the_same(catalogue: Catalogue, tmp_path: Path, strategy: int) -> None:
    life = Life(catalogue)
    life.begin(replace(first_choices(catalogue), strategy=catalogue.arms[strategy], patient=strategy))
    life.advance(7)
    assert as_experiment(life).left_out == ()
    lived_alike(life, ran(life, tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": OWN_LINES, "lines": (("letrozole", "ribociclib"), ("capecitabine",))},
        {"founder": ("PIK3CA mutation",), "seed": "99"},
        {"founder": (), "mutation_rate": 3.0},
        {"engine": "cells", "cells": 20_000},
        {"engine": "lattice 2-D", "cells": 20_000},
    ],
)
def test_choices_of_the_page_are_in_the_file(
    catalogue: Catalogue, tmp_path: Path, changes: dict[str, object]
) -> None:
    life = Life(catalogue)
    life.begin(replace(first_choices(catalogue), **changes))  # type: ignore[arg-type]
    assert as_experiment(life).left_out == ()
    lived_alike(life, ran(life, tmp_path))


def test_another_population_is_in_the_file(catalogue: Catalogue, tmp_path: Path) -> None:
    life = Life(catalogue)
    life.begin(replace(first_choices(catalogue), population=catalogue.populations[1]))
    lived_alike(life, ran(life, tmp_path))


def test_lines_that_were_begun_by_hand_and_a_twin_are_in_it(catalogue: Catalogue, tmp_path: Path) -> None:
    life = Life(catalogue)
    life.begin(first_choices(catalogue))
    life.advance(100)
    life.do(0, "line", "fulvestrant", "everolimus")
    life.advance(61)
    life.do(0, "fork", "other", [["capecitabine"], ["paclitaxel"]])
    life.advance(30)
    life.do(1, "line", {"drug": "eribulin", "dose": 0.8})
    assert as_experiment(life).left_out == ()
    lived_alike(life, ran(life, tmp_path))


def test_what_cannot_be_said_in_the_file_is_said_to_be_left_out(catalogue: Catalogue) -> None:
    life = Life(catalogue)
    life.begin(replace(first_choices(catalogue), covariates={"turnover": 0.7}))
    life.advance(10)
    life.do(0, "stop", "palbociclib")
    life.do(0, "hold")
    written = as_experiment(life)
    assert written.left_out == (
        "values set for this patient alone (turnover = 0.7)",
        "day 10, stop within a line: palbociclib",
        "day 10, hold within a line: all drugs",
    )
    for what in written.left_out:
        assert f"# Not in this file: {what}\n" in written.text
