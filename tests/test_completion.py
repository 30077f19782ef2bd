"""A shell completes the command line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tumor_abm.cli import main
from tumor_abm.cli.completion import SHELLS


@pytest.fixture
def scripts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> dict[str, Path]:
    """The script for every shell."""
    found = {}
    for shell in SHELLS:
        with pytest.raises(SystemExit) as ended:
            main(["--print-completion", shell])
        assert ended.value.code in (None, 0)
        found[shell] = tmp_path / f"completion.{shell}"
        found[shell].write_text(capsys.readouterr().out)
    return found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with an experiment, a file of another kind, and a directory."""
    here = tmp_path / "here"
    (here / "results").mkdir(parents=True)
    for name in ("mine.toml", "more.toml", "ensemble.json", "notes.md"):
        (here / name).touch()
    return here


def completed(script: Path, where: Path, line: str) -> set[str]:
    """What bash offers for the last word of a line."""
    program = f"""
        source {script}
        COMP_WORDS=({line})
        [[ "{line}" == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _shtab_tumor_abm
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", program], cwd=where, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_commands_and_options_are_completed(scripts: dict[str, Path], files: Path) -> None:
    assert completed(scripts["bash"], files, "tumor-abm c") == {"check", "compare", "calibrate"}
    assert completed(scripts["bash"], files, "tumor-abm run --s") == {"--seed", "--scheduler"}
    assert completed(scripts["bash"], files, "tumor-abm list d") == {"drugs"}


def test_experiments_are_files_and_trials(scripts: dict[str, Path], files: Path) -> None:
    for command in ("run", "check", "app"):
        assert completed(scripts["bash"], files, f"tumor-abm {command} m") >= {"mine.toml", "more.toml"}
        assert completed(scripts["bash"], files, f"tumor-abm {command} paloma_") >= {"paloma_2", "paloma_3"}
        offered = completed(scripts["bash"], files, f"tumor-abm {command} ")
        assert "results" in offered
        assert not {"notes.md", "ensemble.json"} & offered


def test_trials_and_files_of_other_arguments_are_completed(scripts: dict[str, Path], files: Path) -> None:
    assert completed(scripts["bash"], files, "tumor-abm predict falcon paloma_2") == {"paloma_2"}
    assert completed(scripts["bash"], files, "tumor-abm run x --out ") == {"results"}
    assert "ensemble.json" in completed(scripts["bash"], files, "tumor-abm calibrate --around ")


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["zsh", "-n"]), ("tcsh", ["tcsh", "-f"])])
def test_other_shells_read_their_scripts(scripts: dict[str, Path], shell: str, check: list[str]) -> None:
    text = scripts[shell].read_text()
    assert "paloma_2" in text
    assert "tumor-abm" in text
    if shutil.which(shell):
        done = subprocess.run([*check, scripts[shell]], capture_output=True, text=True, check=True)
        assert done.stderr == ""
