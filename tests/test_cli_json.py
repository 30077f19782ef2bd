"""What commands say to programs: JSON on stdout, under keys that stay."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from tumor_abm import _core
from tumor_abm.cli import main
from tumor_abm.run import screening
from tumor_abm.run.results import Results

EXPERIMENT = """
title = "One arm"
question = "Is that said?"
patients = 3
[[arm]]
name = "letrozole [early]"
[[arm.line]]
regimen = ["letrozole"]
"""
NOBODY = (
    EXPERIMENT + "[population]\nbase = 'after_cdk46_inhibitor'\neligibility.prior_months_at_least = 600\n"
)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    """Run the command; return its exit code, what stdout holds as JSON, and stderr."""
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    file = tmp_path / "experiment.toml"
    file.write_text(EXPERIMENT)
    return file


def test_check_tells_what_an_experiment_is(capsys: pytest.CaptureFixture[str], experiment: Path) -> None:
    code, found, err = told(capsys, "check", experiment, "--json")
    assert (code, err) == (0, "")
    assert found.pop("alterations")
    assert found == {
        "file": str(experiment),
        "title": "One arm",
        "question": "Is that said?",
        "patients": 3,
        "population": "first_line_postmenopausal",
        "arms": ["letrozole [early]"],
        "control": "letrozole [early]",
        "drugs": ["letrozole"],
        "notices": [],
    }


def test_what_is_wrong_is_json_and_said_as_ever(
    capsys: pytest.CaptureFixture[str], experiment: Path, tmp_path: Path
) -> None:
    experiment.write_text(EXPERIMENT.replace("letrozole", "letrozol"))
    code, found, err = told(capsys, "check", experiment, "--json")
    assert code == 2
    assert err == f"tumor-abm: {found['error']}\n"
    assert 'did you mean "letrozole"?' in found["error"]
    for command in (["compare", tmp_path], ["predict", "no trial", "--out", tmp_path / "out.parquet"]):
        code, found, err = told(capsys, *command, "--json")
        assert (code, list(found)) == (2, ["error"])
        assert found["error"] in err


def test_lists_are_records(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> None:
    keys = {
        "drugs": {"name", "class", "given", "acts_on", "toxicity"},
        "alterations": {"name", "label", "resistant_to", "core"},
        "populations": {"name", "label", "prior_lines"},
        "trials": {"name", "title", "arms", "error", "trials"},
        "experiments": {"file", "title", "arms", "error"},
    }
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "a.toml").write_text(EXPERIMENT)
    (tmp_path / "experiments" / "b.toml").write_text("title = ")
    monkeypatch.chdir(tmp_path)
    for what, expected in keys.items():
        code, found, _ = told(capsys, "list", what, "--json")
        assert (code, list(found)) == (0, [what])
        assert found[what]
        assert all(record.keys() == expected for record in found[what])
    assert found["experiments"][0] == {
        "file": "experiments/a.toml",
        "title": "One arm",
        "arms": 1,
        "error": None,
    }
    assert found["experiments"][1]["title"] is None
    assert found["experiments"][1]["error"]


def test_compare_tells_the_tables(
    capsys: pytest.CaptureFixture[str], results: Results, tmp_path: Path
) -> None:
    results.save(tmp_path / "run")
    code, found, _ = told(capsys, "compare", tmp_path / "run", "--json", "--csv", tmp_path / "table.csv")
    assert code == 0
    tables = {"comparison", "who_gains", "neutropenia", "missing", "subgroups", "interactions"}
    tables |= {"time_on_regimens", "time_to_next", "dose_intensity", "dose_changes", "worth", "answers"}
    assert found.keys() == {"control", "without_meaning", "sets"} | tables
    assert found["sets"] == {}  # without an ensemble
    assert found["control"] == results.control
    again = pl.read_csv(tmp_path / "table.csv", infer_schema_length=None)
    assert list(found["comparison"][0]) == again.columns
    assert [row["hr"] for row in found["comparison"]] == pytest.approx(again["hr"].to_list(), nan_ok=True)


def test_numbers_that_are_none_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    from tumor_abm.cli.printing import records

    table = pl.DataFrame({"a": [1.5, float("nan"), float("inf"), None], "b": [1, 2, 3, None]})
    assert records(table)[1:] == [{"a": None, "b": 2}, {"a": None, "b": 3}, {"a": None, "b": None}]


@pytest.mark.slow
def test_predict_tells_what_it_writes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    code, found, _ = told(capsys, "predict", "falcon", "--patients", 12, "--out", out, "--json")
    assert (code, found["file"]) == (0, str(out))
    assert [row["arm"] for row in found["predictions"]] == pl.read_parquet(out)["arm"].to_list()


def test_check_refuses_what_nobody_is_eligible_for(
    capsys: pytest.CaptureFixture[str], experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment.write_text(NOBODY)
    monkeypatch.setattr(screening, "GLANCE_S", 60.0)
    code, found, _ = told(capsys, "check", experiment, "--json")
    assert code == 2
    assert "none of 300 candidates" in found["error"]
    assert "prior_months_at_least by 0 of " in found["error"]


def test_check_says_that_eligibility_is_rare(
    capsys: pytest.CaptureFixture[str], experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Any = [("", 128, 1, [("visceral", 128, 60), ("altered", 60, 1)])]
    monkeypatch.setattr(_core, "Experiment", lambda _: SimpleNamespace(screen=lambda *_: found))
    code, said, _ = told(capsys, "check", experiment, "--json")
    assert code == 0
    assert said["notices"][0].startswith("1 of 128 candidates is eligible (met: visceral by 60 of 128")
    assert main(["check", str(experiment)]) == 0
    assert "1 of 128 candidates is eligible" in capsys.readouterr().err


def test_check_screens_no_longer_than_a_glance(
    capsys: pytest.CaptureFixture[str], experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment.write_text(NOBODY)
    monkeypatch.setattr(screening, "GLANCE_S", 0.0)
    code, said, _ = told(capsys, "check", experiment, "--json")
    assert code == 0
    assert "candidates, screened in 0 s, are too few to find an eligible one" in said["notices"][-1]
