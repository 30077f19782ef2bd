"""Pages of studies of clonal evolution, of batches and of predictions; what is said where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from test_batch import SMALL as BATCH
from test_batch import interrupted, of_experiment
from test_evolution import SMALL as STUDY
from test_report import Page
from tumor_abm.batch import BatchStudy
from tumor_abm.cli import main
from tumor_abm.cli.main import BAD_INPUT
from tumor_abm.trials import Prediction
from tumor_abm.trials.published import with_published

STUDY_FIGURES = (
    "Site-frequency spectra",
    "Tests of neutrality",
    "Where the clones are",
    "How the clones grew",
)
DOSES = {"name": "dose", "path": "arm[0].line[0].regimen[1].dose", "values": [0.5, 1.0]}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY)
    out = folder / "out"
    assert main(["evolve", str(folder / "study.toml"), "--out", str(out), "--no-figures", "--jobs", "1"]) == 0
    return out


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _batch(tmp_path_factory.mktemp("batch"), BATCH)


def _batch(folder: Path, tables: dict[str, Any]) -> Path:
    (folder / "batch.toml").write_text(tomli_w.dumps(tables))
    command = ["batch", str(folder / "batch.toml"), "--out", str(folder / "out"), "--no-figures"]
    assert main([*command, "--jobs", "1"]) == 0
    return folder / "out"


def page_of(directory: Path, out: Path) -> Page:
    assert main(["report", str(directory), "--out", str(out)]) == 0
    return Page((out / "report.html").read_text(encoding="utf-8"))


def test_page_of_a_study_needs_nothing_but_itself_and_has_its_figures(study: Path, tmp_path: Path) -> None:
    page = page_of(study, tmp_path)
    assert page.links == []
    assert page.open == []
    assert page.tags.count("script") == 1
    assert page.tags.count("svg") == len(STUDY_FIGURES)
    for words in ("Small", "Does it work?", "2 scenarios, 4 tumours; seed 5", *STUDY_FIGURES):
        assert words in page.text
    for words in ("Mixed", "In 2-D", "Mutations private to one biopsy", "mutations_per_division = 5"):
        assert words in page.text


def test_figures_lead_to_tables_that_lie_beside_the_page(study: Path, tmp_path: Path) -> None:
    links = page_of(study, study).links
    assert links == ["spectrum.parquet", "variants.parquet", "cells.parquet", "history.parquet"]
    assert page_of(study, tmp_path).links == []


def test_page_of_a_batch_shows_its_figures_before_its_statistics(batch: Path, tmp_path: Path) -> None:
    page = page_of(batch, tmp_path)
    assert page.links == []
    assert page.open == []
    told = ("day", "divisions", "attempts", "n_0", "n_1", "clones_0", "clones_1")
    assert page.tags.count("svg") == len(told)
    assert page.text.index("Figures") < page.text.index("Statistics of the points")
    for words in (
        "3 points, 12 runs, of which 0 failed; seed 3",
        "These populations exist",
        "stopped by total",
    ):
        assert words in page.text
    assert "Runs that failed" not in page.text


def test_page_of_a_batch_of_an_experiment_says_its_statistics_in_words(tmp_path: Path) -> None:
    page = page_of(_batch(tmp_path, of_experiment(DOSES, replicates=1)), tmp_path)
    for words in ("These patients exist", "median, months", "objective response, %", "hazard ratio"):
        assert words in page.text
    assert "the band is its 95% Monte Carlo interval" in page.text


@pytest.mark.parametrize(
    ("kind", "file", "said"),
    [
        ("study", "tumours.parquet", "tumours.parquet"),
        ("study", "provenance.json", "not a finished result"),
        ("study", "experiment.toml", "experiment.toml"),
        ("batch", "runs.parquet", "runs.parquet"),
        ("batch", "provenance.json", "not a finished result"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_directory_is_exit_code_2(
    kind: str,
    file: str,
    said: str,
    damage: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(request.getfixturevalue(kind), directory)
    if damage == "missing":
        (directory / file).unlink()
    else:
        (directory / file).write_bytes((directory / file).read_bytes()[:40])
    (directory / "report.html").unlink(missing_ok=True)
    assert main(["report", str(directory)]) == 2
    err = capsys.readouterr().err
    assert said in err or (damage == "cut" and file in err)
    assert "defect" not in err
    assert not (directory / "report.html").exists()


def test_an_unfinished_batch_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    interrupted(BatchStudy.from_dict(BATCH), tmp_path / "half", 9)
    assert main(["report", str(tmp_path / "half")]) == 2
    assert "holds an unfinished run, " in capsys.readouterr().err


def test_a_directory_of_nothing_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "not a finished result" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no such directory" in capsys.readouterr().err


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predicted")
    command = [
        "predict",
        "PALOMA-2",
        "persevera",
        "--out",
        str(folder / "out.parquet"),
        "--keep",
        str(folder / "kept"),
    ]
    assert main([*command, "--patients", "24", "--jobs", "1"]) == 0
    return folder / "kept"


def test_page_of_predictions_lays_what_was_published_beside_them(kept: Path, tmp_path: Path) -> None:
    page = page_of(kept, tmp_path)
    assert page.links == []
    assert page.open == []
    assert page.tags.count("script") == 1
    assert page.tags.count("svg") == 1
    for words in ("2 trials", "up to 24 virtual patients each; seed 1", "PALOMA-2: P+L", "24.8 (22.1–NR)"):
        assert words in page.text
    assert "0.58 (0.46–0.72)" in page.text
    for title in (
        "How well the predictions agree",
        "Medians, months",
        "Hazard ratios",
        "What patients carry",
    ):
        assert title in page.text


def test_outcomes_that_are_kept_apart_stand_on_no_page(kept: Path) -> None:
    prediction = Prediction.load(kept)
    apart = with_published(prediction.table).filter(file="persevera")
    assert apart.height > 0
    published = apart.select("mpfs_mo", "hr_published", "orr_pct_published", "mos_mo")
    assert published.null_count().row(0) == (apart.height,) * published.width


def test_figures_of_predictions_lead_to_their_table(kept: Path) -> None:
    assert page_of(kept, kept).links == ["observations.parquet"]
    assert Prediction.load(kept).table.height > 0  # a page beside the tables harms nothing


def test_a_damaged_prediction_or_subgroups_of_one_get_no_page(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(kept), "--out", str(tmp_path / "out"), "--by", "visceral"]) == BAD_INPUT
    assert "by: found ['visceral']; allowed: subgroups of a run" in capsys.readouterr().err
    shutil.copytree(kept, tmp_path / "damaged")
    (tmp_path / "damaged" / "provenance.json").unlink()
    assert main(["report", str(tmp_path / "damaged")]) == BAD_INPUT
    assert "provenance.json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
