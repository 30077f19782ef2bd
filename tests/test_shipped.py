"""Every file that comes with the project runs, is compared and reported, and opens in the page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from tumor_abm import trials
from tumor_abm._base.toml import read_toml
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.setup import Choices
from tumor_abm.app.twin import Twin
from tumor_abm.cli import main
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.report import write_report
from tumor_abm.run.experiment import run_experiment
from tumor_abm.study import Study, run_study, summarise, write_mutations, write_trees
from tumor_abm.treatment import Eligibility

EXPERIMENTS = sorted((Path(__file__).parents[1] / "experiments").glob("*.toml"))
OTHERS = sorted((Path(__file__).parents[1] / "experiments" / "other_cancers").glob("*/*.toml"))
STUDIES = sorted((Path(__file__).parents[1] / "experiments" / "evolution").glob("*.toml"))
FILES = [*trials.files().values(), *EXPERIMENTS, *OTHERS]


def test_there_are_as_many_files_as_the_project_says():
    assert (len(EXPERIMENTS), len(OTHERS), len(FILES)) == (6, 1, 115)


def opened(catalogue: Catalogue) -> Twin:
    """The first patient who lives the first arm: some arms are about some patients."""
    for patient in range(20):
        setup = Choices(patient=patient, population=catalogue.populations[0], strategy=catalogue.arms[0])
        with contextlib.suppress(InputError):
            return Twin(setup.model(catalogue), setup.strategy)
    raise AssertionError("none of 20 patients lives the first arm")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_file_runs_is_reported_and_opens_in_the_page(file, tmp_path, monkeypatch):
    # How curves look depends on no file, and how figures are laid out takes the most time.
    monkeypatch.setattr("tumor_abm.report.page.plot_kaplan_meier", lambda *_, **__: Figure())
    monkeypatch.setattr("tumor_abm.report.page.svg", lambda *_: "<svg></svg>")
    written = read_toml(file) | {"afterwards": [], "end_with_last_line": True, "patients": 3}
    written["knowledge"] = [str(file.parent / name) for name in written.get("knowledge", [])]
    experiment = Experiment.from_dict(written)
    results = run_experiment(experiment, jobs=1)
    assert results.patients.height == 3
    lived_by_all = {arm.name for arm in experiment.arms if arm.among == Eligibility()}
    assert lived_by_all <= set(results.outcomes["arm"]) <= set(results.arms)
    page = write_report(results, tmp_path).read_text(encoding="utf-8")
    catalogue = Catalogue.of(file)
    for arm in catalogue.arms:
        assert arm in results.arms
        assert all(catalogue.lines_in_words(arm))
    assert opened(catalogue).model.line == 1
    assert page.count('<div class="arm">') == len(results.arms)


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_shipped_study_runs_and_writes_its_files(file, tmp_path):
    written = read_toml(file) | {"replicates": 1, "cells": 3_000, "whole_tumour_cells": 300}
    written["biopsy"] = [sample | {"cells": 100} for sample in written["biopsy"]]
    results = run_study(Study.from_dict(written), tmp_path / "out", jobs=1)
    scenarios = len(written["scenario"])
    assert summarise(results).height == scenarios
    assert write_mutations(results, tmp_path / "maf") == len(list((tmp_path / "maf").iterdir())) == scenarios
    trees = scenarios * (1 + len(written["biopsy"]))
    assert write_trees(results, tmp_path / "trees") == len(list((tmp_path / "trees").glob("*.nwk"))) == trees


def test_the_page_opens_a_trial_by_name(monkeypatch):
    opened = []
    monkeypatch.setattr("tumor_abm.app.server.serve", lambda file, **_: opened.append(file))
    assert main(["app", "PALOMA-3"]) == 0
    assert opened == [trials.files()["paloma_3"]]


def test_a_choice_by_shares_is_run_drawn_and_reported(tmp_path, capsys):
    assert main(["run", "monarch_3", "--patients", "4", "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "drawn: 80% letrozole + abemaciclib, 20% anastrozole + abemaciclib" in page
    assert (tmp_path / "out" / "figures" / "pfs1.svg").is_file()
