"""The door for people: what it says, and the exit codes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import tumor_abm
from rich.console import Console
from tumor_abm.cli import commands, main, progress
from tumor_abm.cli.progress import counting
from tumor_abm.run.results import Results


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it said to stdout and stderr."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as exited:
        code = exited.code if isinstance(exited.code, int) else 0
    said = capsys.readouterr()
    return code, said.out, said.err


def test_help_has_an_example_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "--help")
    assert code == 0
    assert "tumor-abm run experiments/" in out
    assert "130 interrupted" in out


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "compare", "list", "check", "explain", "schema"):
        code, out, _ = told(capsys, command, "--help")
        assert code == 0
        assert f"usage: tumor-abm {command}" in out


def test_version_is_the_core_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--version")[:2] == (0, f"tumor_abm {tumor_abm.__version__}\n")


def imported(*arguments: str) -> set[str]:
    """Top-level modules that Python imports for a command."""
    command = [sys.executable, "-X", "importtime", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}


def test_help_imports_the_standard_library_and_nothing_of_others() -> None:
    of_help = imported("-m", "tumor_abm", "--help")
    assert {"tumor_abm", "argparse"} <= of_help, "the imports are not told as this test reads them"
    installed = set(metadata.packages_distributions())
    assert {"polars", "numpy", "mesa", "matplotlib"} <= installed
    assert (of_help - imported("-c", "pass")) & installed <= {"tumor_abm"}


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--patients", "0", 'found "0"; allowed: a whole number of at least 1'),
        ("--patients", "-5", 'found "-5"; allowed: a whole number of at least 1'),
        ("--patients", "ten", 'found "ten"; allowed: a whole number of at least 1'),
        ("--patients", "2.5", 'found "2.5"; allowed: a whole number of at least 1'),
        ("--jobs", "0", 'found "0"; allowed: a whole number of at least 1'),
        ("--seed", "-1", 'found "-1"; allowed: a whole number of at least 0'),
    ],
)
def test_numbers_that_make_no_sense_are_bad_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str, words: str
) -> None:
    code, out, err = told(capsys, "run", "x.toml", "--out", tmp_path / "out", f"{option}={value}")
    assert (code, out) == (2, "")
    assert err == f"tumor-abm run: argument {option}: {words} (see tumor-abm run --help)\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["rnu"], ["run"], ["run", "x.toml"], ["list", "drogs"], ["run", "--x"]]
)
def test_a_command_line_that_makes_no_sense_gets_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, out, err = told(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("what", ["drugs", "alterations", "populations"])
def test_what_is_known_is_readable_at_100_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = told(capsys, "list", what)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    assert "…" not in out


def test_drugs_are_listed_with_what_they_act_on(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "list", "drugs")
    (line,) = (line for line in out.splitlines() if "palbociclib" in line)
    assert "CDK4/6 inhibitor" in line
    assert "cdk46" in line


def test_experiments_are_listed_with_their_titles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "experiments" / "trials").mkdir(parents=True)
    (tmp_path / "experiments" / "a.toml").write_text('title = "First"\n[[arm]]\n[[arm]]\n')
    (tmp_path / "experiments" / "trials" / "b.toml").write_text("title = ")
    (tmp_path / "experiments" / "c.toml").write_text("[drug.mine]")  # knowledge, no experiment
    monkeypatch.chdir(tmp_path)
    code, out, _ = told(capsys, "list", "experiments")
    assert code == 0
    first, second = (line.split() for line in out.splitlines() if "experiments/" in line)
    assert first == ["experiments/a.toml", "First", "2"]
    assert second[:4] == ["experiments/trials/b.toml", "cannot", "be", "read:"]


def test_trials_are_listed_and_run_by_name_without_a_checkout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = told(capsys, "list", "trials")
    assert code == 0
    (paloma,) = (line for line in out.splitlines() if line.startswith(" paloma_2 "))
    assert "PALOMA-2" in paloma
    assert out.count("\n") > 50
    (tmp_path / "paloma_2").mkdir()  # results of an earlier run are in nobody's way
    for name in ("paloma_2", "PALOMA-2"):
        code, out, _ = told(capsys, "check", name)
        assert code == 0
        assert "paloma_2.toml is sound" in "".join(out.split("\n"))
    code, _, _ = told(capsys, "run", "falcon", "--out", "falcon", "--patients", "2", "--no-figures")
    assert code == 0
    assert tumor_abm.run.results.Results.load("falcon").arms == ["anastrozole", "F"]
    code, _, err = told(capsys, "run", "paloma_22", "--out", "x")
    assert (code, "nor a trial of this name" in err) == (2, True)


def test_no_experiments_here_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = told(capsys, "list", "experiments")
    assert (code, err.count("\n")) == (2, 1)
    assert "no experiments here" in err


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = told(capsys, "schema")
    assert code == 0
    assert "properties" in json.loads(out)
    assert told(capsys, "schema", "--out", tmp_path / "schema.json") == (0, "", "")
    assert json.loads((tmp_path / "schema.json").read_text()) == json.loads(out)


def test_a_file_that_cannot_be_written_is_bad_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = told(capsys, "schema", "--out", tmp_path / "nowhere" / "schema.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "schema.json: cannot be written: No such file or directory" in err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m tumor_abm list drugs | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class Panic(BaseException):
    """Stands for a panic of the core, which is no `Exception` either."""


@pytest.mark.parametrize("kind", [ZeroDivisionError, Panic])
def test_a_defect_of_ours_says_so_with_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    def fail(arguments: object) -> None:
        raise kind("in our own code")

    monkeypatch.setattr(commands, "schema", fail)
    code, _, err = told(capsys, "schema")
    assert code == 1
    assert "Traceback" in err
    assert f"{kind.__name__}: in our own code" in err
    assert "a defect of tumor_abm, not of your input; please report it" in err


def test_progress_in_a_file_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 0.0, 1.0, 11.0, 12.0, 30.0, 30.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    console = Console(file=io.StringIO(), highlight=False)
    with counting(console, 200) as count:
        for done in (100, 110, 120, 130, 200, 200):
            count(done)
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "120 of 200 patients (60%), 0:00:11 passed, 0:00:44 left",
        "200 of 200 patients (100%), 0:00:30 passed",
    ]


def test_progress_on_a_terminal_is_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with counting(console, 200) as count:
        count(100)
        count(150)
    assert "150/200" in console.file.getvalue()  # type: ignore[attr-defined]


def test_figures_and_report_are_progress_too(results: Results, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    commands._draw(results, tumor_abm.compare(results), tmp_path, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    drawn = re.findall(r" 0/(\d+)", said)[0]
    assert int(drawn) >= 2 * len(list((tmp_path / "figures").glob("*.svg")))
    assert f"{drawn}/{drawn}" in said
    assert "figures," in said


@pytest.mark.parametrize(
    "line",
    [
        ["schema", "--out", "a\0b"],
        ["run", "a\0b.toml", "--out", "x"],
        ["check", "a\0b.toml"],
        ["compare", "a\0b"],
        ["list", "\U00072325" * 9_000],
        ["\U00072325" * 9_000],
    ],
)
def test_words_that_are_no_names_are_refused_in_a_line_that_can_be_read(line, capsys):
    with pytest.raises(SystemExit) as left:
        main(line)
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert len(said) < 5_000
    assert "Traceback" not in said
