"""The schemas: every shipped file is sound by them, and every key is described."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tumor_abm
from jsonschema import Draft202012Validator
from tumor_abm import trials
from tumor_abm.batch import load_batch
from tumor_abm.cli import main
from tumor_abm.config import load_experiment
from tumor_abm.schemas import FOLDER, json_schema

ROOT = Path(__file__).parents[1]
EXPERIMENTS = [
    *trials.files().values(),
    *sorted((ROOT / "experiments").glob("*.toml")),
    *sorted((ROOT / "experiments" / "other_cancers").glob("*/*.toml")),
    Path(tumor_abm.__file__).parent / "app" / "strategies.toml",
]
BATCHES = sorted((ROOT / "experiments" / "batches").glob("*.toml"))
STUDIES = sorted((ROOT / "experiments" / "evolution").glob("*.toml"))

SMALL = {"title": "t", "question": "q", "arm": [{"name": "a", "line": [{"regimen": ["letrozole"]}]}]}


def problems(what: str, tables: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(json_schema(what)).iter_errors(tables)]


def schema_named_in(file: Path) -> Path:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#:schema ")
    return (file.parent / first.removeprefix("#:schema ")).resolve()


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)
def test_every_shipped_experiment_is_sound_by_the_schema_that_it_names(file):
    assert schema_named_in(file) == (FOLDER / "experiment.json").resolve()
    assert problems("experiment", tomllib.loads(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_shipped_study_is_sound_by_the_schema_that_it_names(file):
    assert schema_named_in(file) == (FOLDER / "study.json").resolve()
    assert problems("study", tomllib.loads(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", BATCHES, ids=lambda file: file.stem)
def test_every_shipped_batch_is_sound_by_the_schema_that_it_names(file):
    assert schema_named_in(file) == (FOLDER / "batch.json").resolve()
    assert problems("batch", tomllib.loads(file.read_text(encoding="utf-8"))) == []
    assert problems("batch", load_batch(file).resolved()) == []


@pytest.mark.parametrize("file", EXPERIMENTS[-8:], ids=lambda file: file.stem)
def test_resolved_experiments_are_sound_by_the_schema(file):
    assert problems("experiment", tomllib.loads(load_experiment(file, seed=1).to_toml())) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"titel": "t"},
        {"patients": "many"},
        {"arm": []},
        {"arm": [{"name": "a", "line": [{"regimen": "letrozole"}]}]},
        {"arm": [{"name": "a", "line": [{"regimen": [{"drug": "letrozole", "dosis": 1}]}]}]},
        {"arm": [{"name": "a", "line": [{"regimen": [{"dose": 0.5}]}]}]},
        {"population": {"label": 0.5}},
        {"population": {"turnover": {"mode": 0.5}}},
        {"arm": [{"name": "a", "among": {"visceral": "yes"}, "line": [{"regimen": ["letrozole"]}]}]},
        {"population": {"bone_only": "half"}},
        {"drug": {"palbociclib": {"kinetics": {"half_life": 3}}}},
        {"pathway": {"e2f_half": "high"}},
        {"node": {"e2f": {"formla": "1"}}},
    ],
)
def test_a_mistake_is_one_by_the_schema(wrong):
    assert problems("experiment", SMALL) == []
    assert problems("experiment", SMALL | wrong)


@pytest.mark.parametrize(
    "short",
    [
        {"population": "first_line_premenopausal"},
        {"population": {"base": "first_line_postmenopausal", "bone_only": 0.3, "target_lesions": [0.5, 0.5]}},
        {"population": {"turnover": {"median": {"value": 0.8, "source": "assumed", "note": "why"}}}},
        {"drug": {"palbociclib": {"kinetics": {"half_life_h": 30}}}},
        {"pathway": {"e2f_hill": 3}},
        {"arm": [{"name": "a", "line": [{"regimen": [{"drug": "palbociclib", "days": "1-14"}]}]}]},
    ],
)
def test_what_may_be_written_short_or_in_part_is_sound_by_the_schema(short):
    assert problems("experiment", SMALL | short) == []


def keys(schema: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for key, described in schema.get("properties", {}).items():
            yield f"{where}.{key}", described
        for name, inner in schema.items():
            yield from keys(inner, where if name == "properties" else name)
    elif isinstance(schema, list):
        for inner in schema:
            yield from keys(inner, where)


@pytest.mark.parametrize("what", ["experiment", "study", "batch"])
def test_every_key_is_described(what):
    found = list(keys(json_schema(what)))
    assert len(found) >= 40
    assert [key for key, described in found if not described.get("description")] == []


@pytest.mark.parametrize("what", ["experiment", "study", "batch"])
def test_the_schema_beside_the_files_is_what_the_command_writes(what, tmp_path, capsys):
    Draft202012Validator.check_schema(json_schema(what))
    committed = (FOLDER / f"{what}.json").read_text(encoding="utf-8")
    assert main(["schema", what]) == 0
    assert capsys.readouterr().out == committed
    assert main(["schema", what, "--out", str(tmp_path / "x.json")]) == 0
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == committed
    assert json.loads(committed) == json_schema(what)
