"""Files, folders and addresses that nobody means: one line and exit code 2, soon."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import distributed
import pytest
from tumor_abm import InputError, Results, run_experiment
from tumor_abm._base.problems import Problems
from tumor_abm.cli import main
from tumor_abm.config import Experiment
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.run import cluster
from tumor_abm.trials import Prediction

TABLES: dict[str, Any] = {
    "title": "One arm",
    "question": "Where does it go?",
    "patients": 2,
    "seed": 1,
    "horizon_months": 2,
    "accrual_months": 0,
    "arm": [{"name": "letrozole", "line": [{"regimen": ["letrozole"]}]}],
}
TOML = """
title = "One arm"
question = "Where does it go?"
patients = 2
seed = 1
[[arm]]
name = "letrozole"
[[arm.line]]
regimen = ["letrozole"]
"""


@pytest.fixture
def experiment(tmp_path: Path) -> str:
    file = tmp_path / "x.toml"
    file.write_text(TOML, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("command", ["run", "evolve", "batch", "predict", "calibrate", "schema", "compare"])
@pytest.mark.parametrize("name", ["not\udcffutf8", "/".join(["d" * 200] * 30), "x" * 300])
def test_places_that_cannot_be_are_said(
    command: str, name: str, experiment: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"{tmp_path}/{name}"
    arguments = {
        "run": ["run", experiment],
        "evolve": ["evolve", "experiments/evolution/neutral_or_selected.toml"],
        "batch": ["batch", "experiments/batches/dose_and_schedule.toml"],
    }
    written = [*arguments.get(command, [command]), *(["--out"] if command != "compare" else []), out]
    try:
        code = main(written)
    except SystemExit as error:
        code = int(error.code or 0)
    assert code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert any(word in said for word in ("no UTF-8 text", "too long", "no such directory")), said[-300:]


@pytest.mark.parametrize("name", ["a[b]", "x*", "~", "tcp:", "s3:", "{a,b}", "%d", "a?b", " ", "-"])
def test_places_that_mean_something_elsewhere_are_places(
    name: str, experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", experiment, "--patients", "3", "--out", "xyz", "--no-figures"]) == 0
    for _ in range(2):
        run = ["run", experiment, "--patients", "2", "--no-figures"]
        assert main([*run, f"--out={name}"]) == 0
        assert (tmp_path / name / "outcomes.parquet").is_file()
        assert Results.load(name).outcomes.height == 2
        assert main(["compare", f"--csv={name}/x.csv", "--", name]) == 0
        assert (tmp_path / name / "x.csv").is_file()


def test_predictions_are_kept_where_a_name_means_something_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Ensemble.defaults().save("e[1].json")
    predict = ["predict", "paloma_2", "--patients", "2", "--ensemble", "e[1].json"]
    for name in ("a[b]", "~", "tcp:"):
        assert main([*predict, "--out", f"{name}.parquet", "--keep", name]) == 0
        assert Prediction.load(name).table.height
        assert (tmp_path / f"{name}.parquet").is_file()


@pytest.mark.parametrize("command", ["check", "run", "app"])
def test_an_experiment_of_an_endless_name_is_not_there(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")] if command == "run" else []
    assert main([command, "1e9" * 2_000, *out]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out: found .* allowed: a name that is UTF-8 text"):
        run_experiment(TABLES, os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    with pytest.raises(InputError, match="there is no such directory"):
        Results.load("/".join(["d" * 200] * 30))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[1, 2]", "found a list; allowed: a table"),
        (json.dumps({"format": 1, "members": [{"overrides": {"x": 10**400}}]}), "names and numbers up to 1e"),
        ('{"format": 1, "members": [{"overrides": {"x": NaN}}]}', "names and numbers up to 1e"),
        ('{"format": 1, "members": [{"overrides": {}, "weight": 1e999}]}', "allowed: a number above 0"),
        ('{"format": 1, "members": [{"overrides": {"x": ' + "9" * 5_000 + "}}]}", "is no JSON"),
    ],
)
def test_an_ensemble_that_is_too_deep_or_beyond_numbers_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "ensemble.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as refused:
        Ensemble.load(file)
    assert len(str(refused.value)) < 500


def test_an_ensemble_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / "ensemble.json"
    with file.open("wb") as stream:
        stream.truncate(10**10)
    with pytest.raises(InputError, match='found "10,000,000,000 bytes"; allowed: at most 256,000,000'):
        Ensemble.load(file)


def test_too_little_memory_is_no_defect(
    experiment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tumor_abm.config.load_experiment", none_left)
    assert main(["check", experiment]) == 2
    assert capsys.readouterr().err.startswith("tumor-abm: not enough memory for this; ask for less")


def test_many_problems_are_counted_in_little_time() -> None:
    problems = Problems("x.toml")
    started = time.process_time()
    known = [f"drug {i}" for i in range(200)]
    for i in range(20_000):
        problems.add(["arm", i], f"problem {i}")
        problems.add_unknown(["arm", i, "drug"], f"drugg {i}", "drug", known)
    assert time.process_time() - started < 5
    with pytest.raises(InputError, match=r"and 39990 more"):
        problems.raise_if_any()
    names = [f"arm {i // 2}" for i in range(20_000)]
    arms = [{"name": name, "line": [{"regimen": ["letrozole"]}]} for name in names]
    started = time.process_time()
    with pytest.raises(InputError, match=r"and 9990 more"):
        Experiment.from_dict({**TABLES, "arm": arms})
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "address",
    ["tcp://", "http://x", "ucx://127.0.0.1:1", "inproc://x", "tcp://[::1", "x" * 5_000, "tcp://\udcff:1"],
)
def test_addresses_that_are_none_are_said(address: str) -> None:
    with pytest.raises(InputError, match="scheduler: no Dask scheduler answers at") as refused:
        list(cluster.run_on_cluster("{}", [], address))
    assert len(str(refused.value)) < 300


def test_a_client_that_came_to_nothing_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Client(distributed.Client):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            made.append(self)
            super().__init__(*arguments, **named)

    monkeypatch.setattr(distributed, "Client", Client)
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        list(cluster.run_on_cluster("{}", [], "tcp://127.0.0.1:1"))
    assert [client.status for client in made] == ["closed"]
