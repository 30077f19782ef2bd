"""Whatever becomes of a directory, the same command gives the same tables again, or says what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from fuzz import sound
from fuzz.damage import KINDS
from tumor_abm.cli import main
from tumor_abm.cli.main import BAD_INPUT, DONE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    sound.make(folder, ["run", "unfinished_run", "study", "unfinished_study"])
    return folder


def tables(folder: Path) -> dict[str, bytes]:
    derived = ("summary", "comparison", "who_gains", "neutropenia")
    return {file.name: file.read_bytes() for file in folder.glob("*.parquet") if file.stem not in derived}


def test_there_are_more_than_twenty_kinds_of_damage() -> None:
    assert len(KINDS) > 20


@pytest.mark.parametrize("command", ["run", "evolve"])
@pytest.mark.parametrize("before", ["finished", "unfinished"])
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_mended_or_refused(
    kind: str, before: str, command: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = "run" if command == "run" else "study"
    shutil.copytree(made / (whole if before == "finished" else f"unfinished_{whole}"), tmp_path / "x")
    out = tmp_path / "x" / "out"
    KINDS[kind](Random(kind), out)
    code = main([command, str(tmp_path / "x" / "x.toml"), "--out", str(out), "--jobs", "1", "--no-figures"])
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if code == DONE:
        assert tables(out) == tables(made / whole / "out")
    else:
        assert code == BAD_INPUT
        assert said.splitlines()[-1].startswith("tumor-abm: ")
