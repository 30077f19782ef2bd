"""Whole runs: the same bytes however they are computed, and directories that are respected."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm
from tumor_abm import InputError, load_experiment, run_experiment
from tumor_abm._base.files import sha256_of, write_sums
from tumor_abm.run import local
from tumor_abm.run.experiment import Interrupted
from tumor_abm.run.results import Results

EXPERIMENT = """\
title = "Letrozole with or without palbociclib"
question = "How much does palbociclib add to letrozole?"
seed = 7
patients = 60
horizon_months = 24

[[arm]]
name = "letrozole"
[[arm.line]]
regimen = ["letrozole"]

[[arm]]
name = "letrozole + palbociclib"
[[arm.line]]
regimen = ["letrozole", "palbociclib"]
"""

MANY = 600
"""Patients of runs that are interrupted: some seconds, in chunks of less than one."""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "experiment.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "experiment.toml").write_text(EXPERIMENT, encoding="utf-8")
    run_experiment(folder / "experiment.toml", folder / "out", jobs=2)
    return folder / "out"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a long run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "experiment.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert exit_code(command(folder / "experiment.toml", folder / "out", "--patients", MANY)) == 0
    return folder / "out"


def command(experiment: Path, out: Path, *options: object, **popen: Any) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "tumor_abm", "run", experiment, "--out", out, "--no-figures", *options]
    return subprocess.Popen(
        [str(word) for word in line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen
    )


def exit_code(run: subprocess.Popen[str]) -> int:
    run.communicate()
    return run.returncode


def tables(path: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.glob("*.parquet")}


def snapshot(path: Path) -> dict[Path, tuple[int, int]]:
    return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in path.rglob("*")}


def wait_for_chunks(out: Path, more: int) -> None:
    """Wait until `more` chunks than now are finished."""
    have = len(list(out.glob("chunks/?????????")))
    while len(list(out.glob("chunks/?????????"))) < have + more:
        time.sleep(0.01)


def test_results_in_memory_are_those_in_a_directory(experiment: Path, finished: Path) -> None:
    in_memory = run_experiment(experiment)
    stored = Results.load(finished)
    assert dict(in_memory.tables).keys() == dict(stored.tables).keys()
    for name, table in in_memory.tables.items():
        assert table.equals(stored[name]), name
    assert in_memory.provenance["sha256"] == stored.provenance["sha256"]
    assert in_memory.arms == stored.arms == ["letrozole", "letrozole + palbociclib"]


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_number_of_jobs_does_not_show(
    experiment: Path, finished: Path, tmp_path: Path, jobs: int
) -> None:
    run_experiment(experiment, tmp_path / "out", jobs=jobs)
    assert tables(tmp_path / "out") == tables(finished)


def test_the_resolved_experiment_gives_the_same_bytes_again(finished: Path, tmp_path: Path) -> None:
    run_experiment(finished / "experiment.toml", tmp_path / "out")
    assert tables(tmp_path / "out") == tables(finished)


def test_patients_of_a_small_run_are_the_first_of_a_large_one(experiment: Path, finished: Path) -> None:
    few = run_experiment(experiment, patients=5)
    whole = Results.load(finished)
    for name, table in few.tables.items():
        assert table.equals(whole[name].filter(pl.col("patient") < 5)), name


def test_another_seed_gives_other_patients(experiment: Path, finished: Path) -> None:
    other = run_experiment(experiment, patients=5, seed=8)
    assert other.provenance["seed"] == 8
    assert not other.patients.equals(Results.load(finished).patients.head(5))


def test_an_experiment_may_be_loaded_or_written_in_python(experiment: Path) -> None:
    loaded = load_experiment(experiment)
    from_file = run_experiment(experiment, patients=3)
    assert run_experiment(loaded, patients=3).outcomes.equals(from_file.outcomes)
    assert run_experiment(loaded.resolved(), patients=3).outcomes.equals(from_file.outcomes)


def test_provenance_says_what_was_computed_with(finished: Path) -> None:
    provenance = json.loads((finished / "provenance.json").read_text())
    assert provenance["version"] == tumor_abm.__version__
    assert (provenance["seed"], provenance["patients"]) == (7, 60)
    assert len(provenance["sha256"]) == 64
    assert provenance["generator"].startswith("Philox")
    assert {"python", "platform", "command", "started", "ended"} <= provenance.keys()
    assert {"polars", "numpy", "lifelines"} <= provenance["packages"].keys()


def test_progress_counts_up_to_all_patients(experiment: Path) -> None:
    seen: list[int] = []
    run_experiment(experiment, progress=seen.append)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == 60


def test_a_finished_run_is_not_run_again(
    experiment: Path, finished: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    before = snapshot(out)
    with caplog.at_level("INFO", "tumor_abm"):
        results = run_experiment(experiment, out, resume="required")
    assert "was finished before" in caplog.text
    assert results.outcomes.height == Results.load(finished).outcomes.height
    assert snapshot(out) == before


def test_a_new_control_arm_needs_no_new_run(experiment: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    assert run_experiment(experiment, out).control == "letrozole"
    experiment.write_text('control = "letrozole + palbociclib"\n' + EXPERIMENT)
    assert run_experiment(experiment, out).control == "letrozole + palbociclib"
    assert Results.load(out).control == "letrozole + palbociclib"
    assert tables(out) == tables(finished)


def test_a_finished_run_that_lost_a_table_says_how_to_get_it_back(
    experiment: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / "outcomes.parquet").unlink()
    with pytest.raises(InputError, match=f"outcomes.parquet: .*missing.*; remove {out} first"):
        run_experiment(experiment, out)


def damaged(path: Path, rng: np.random.Generator) -> str:
    """Flip a bit of a random file of a directory, cut the file off, or remove it; say which."""
    file = rng.choice(sorted(file for file in path.rglob("*") if file.is_file()))
    content = bytearray(file.read_bytes())
    kind = rng.choice(["flip", "flip", "cut", "remove"])
    at = int(rng.integers(len(content)))
    content[at] ^= 1 << int(rng.integers(8))
    if kind == "remove":
        file.unlink()
    else:
        file.write_bytes(content if kind == "flip" else content[:at])
    return f"{kind} {file.relative_to(path)} at {at}"


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_a_damaged_directory_is_mended_or_refused(
    experiment: Path, finished: Path, tmp_path: Path, number: int
) -> None:
    rng = np.random.default_rng(number)
    out = tmp_path / "out"
    if number % 2:
        shutil.copytree(finished, out)
    else:
        with pytest.raises(Interrupted):
            run_experiment(experiment, out, progress=interrupt_after(55))
    what = damaged(out, rng)
    refused = None
    try:
        run_experiment(experiment, out)
    except InputError as error:
        refused = str(error)
    if refused is None:
        assert tables(out) == tables(finished), what
        assert Results.load(out).experiment == Results.load(finished).experiment, what
    else:
        assert str(out) in refused, what


@pytest.mark.parametrize("change", [{"patients": 61}, {"seed": 8}])
def test_the_result_of_other_patients_is_left_alone(
    experiment: Path, finished: Path, change: dict[str, int]
) -> None:
    before = snapshot(finished)
    with pytest.raises(InputError, match="another experiment"):
        run_experiment(experiment, finished, **change)  # type: ignore[arg-type]
    assert snapshot(finished) == before


def test_there_must_be_something_to_resume_if_that_is_demanded(experiment: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to resume"):
        run_experiment(experiment, tmp_path / "out", resume="required")
    assert not (tmp_path / "out").exists()


def interrupt_after(patients: int) -> Callable[[int], None]:
    def progress(done: int) -> None:
        if done >= patients:
            raise KeyboardInterrupt

    return progress


def test_a_call_that_was_interrupted_goes_on_if_it_may(
    experiment: Path, finished: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    with pytest.raises(Interrupted, match="interrupted after 50 of 60 patients") as stopped:
        run_experiment(experiment, out, progress=interrupt_after(55))
    assert (stopped.value.done, stopped.value.patients) == (50, 60)
    before = snapshot(out)
    with pytest.raises(InputError, match="unfinished run"):
        run_experiment(experiment, out, resume=False)
    with pytest.raises(InputError, match="another experiment"):
        run_experiment(experiment, out, seed=8)
    assert snapshot(out) == before
    with caplog.at_level("INFO", "tumor_abm"):
        run_experiment(experiment, out, resume="required")
    assert "50 patients are done already" in caplog.text
    assert tables(out) == tables(finished)


def test_a_run_interrupted_before_its_first_chunk_can_go_on(
    experiment: Path, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted, match="after 0 of 60"):
        run_experiment(experiment, tmp_path / "out", progress=interrupt_after(0))
    run_experiment(experiment, tmp_path / "out")
    assert tables(tmp_path / "out") == tables(finished)


def test_a_drawn_seed_is_kept_over_an_interruption(experiment: Path, tmp_path: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("seed = 7\n", ""))
    with pytest.raises(Interrupted):
        run_experiment(experiment, tmp_path / "out", progress=interrupt_after(55))
    results = run_experiment(experiment, tmp_path / "out")
    again = run_experiment(experiment, tmp_path / "out")
    assert again.provenance == results.provenance
    whole = run_experiment(experiment, seed=results.provenance["seed"])
    assert whole.outcomes.equals(results.outcomes)
    assert run_experiment(experiment, patients=1).provenance["seed"] != results.provenance["seed"]


def test_chunks_of_another_version_are_not_mixed_in(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        run_experiment(experiment, out, progress=interrupt_after(55))
    plan = json.loads((out / "chunks" / "plan.json").read_text())
    (out / "chunks" / "plan.json").write_text(json.dumps(plan | {"version": "0.0.1"}))
    write_sums(out / "chunks", {"plan.json": sha256_of(out / "chunks" / "plan.json")})
    with pytest.raises(InputError, match=r"begun with tumor_abm 0\.0\.1"):
        run_experiment(experiment, out)
    assert (out / "chunks" / "000000000").is_dir()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"palbociclib"]', '"palbocicilb"]', 'did you mean "palbociclib"'),
        ("patients = 60", "patients = 0", "patients: found 0"),
        ("patients = 60", "patients = ", "not valid TOML"),
        ("horizon_months = 24", "horizon_months = -1", "horizon_months"),
        ("seed = 7", "sed = 7", 'did you mean "seed"'),
    ],
)
def test_bad_input_writes_nothing(experiment: Path, tmp_path: Path, old: str, new: str, words: str) -> None:
    experiment.write_text(EXPERIMENT.replace(old, new))
    run = command(experiment, tmp_path / "out")
    out, err = run.communicate()
    assert (run.returncode, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_only_the_run_shows_to_be_wrong_leaves_nothing(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise InputError("dt = 1 day is too long for patient 3")

    monkeypatch.setattr(local, "simulate", fail)
    with pytest.raises(InputError, match="too long for patient 3"):
        run_experiment(experiment, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, 10**6])
def test_jobs_that_make_no_sense_are_refused(experiment: Path, jobs: Any) -> None:
    with pytest.raises(InputError, match="jobs: found"):
        run_experiment(experiment, jobs=jobs)


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGKILL], [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]])
def test_a_run_that_is_stopped_again_and_again_gives_the_same_bytes(
    experiment: Path, many: Path, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    out = tmp_path / "out"
    for number, stop in enumerate(signals):
        run = command(experiment, out, "--patients", MANY, "--jobs", 1 + number % 2)
        wait_for_chunks(out, 1)
        run.send_signal(stop)
        stopped = time.monotonic()
        _, err = run.communicate()
        assert time.monotonic() - stopped < 5
        assert run.returncode == (-stop if stop is signal.SIGKILL else 130)
        if run.returncode == 130:
            assert f"of {MANY} patients; run the same command again to go on" in err
            assert "Traceback" not in err
    assert not (out / "provenance.json").exists()
    assert exit_code(command(experiment, out, "--patients", MANY, "--resume")) == 0
    assert tables(out) == tables(many)


@pytest.mark.slow
def test_two_runs_in_one_directory_are_refused(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = command(experiment, out, "--patients", 3 * MANY)
    wait_for_chunks(out, 1)
    second = command(experiment, out, "--patients", 3 * MANY)
    _, err = second.communicate()
    assert (second.returncode, err.count("\n")) == (2, 1)
    assert f"process {first.pid} on " in err
    first.send_signal(signal.SIGINT)  # it still runs, and ends as one that was never disturbed
    assert exit_code(first) == 130


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_run_can_go_on(experiment: Path, finished: Path, tmp_path: Path) -> None:
    def few_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    out = tmp_path / "out"
    run = command(experiment, out, preexec_fn=few_bytes)
    _, err = run.communicate()
    assert run.returncode == 2
    assert "cannot write here: " in err
    assert "Traceback" not in err
    assert exit_code(command(experiment, out)) == 0
    assert {name: tables(out)[name] for name in tables(finished)} == tables(finished)


def test_a_place_where_nothing_can_be_written_is_said(experiment: Path) -> None:
    with pytest.raises(InputError, match="/proc/out: cannot write here: "):
        run_experiment(experiment, "/proc/out")


def test_a_run_goes_on_when_nobody_listens_to_its_messages(experiment: Path, tmp_path: Path) -> None:
    run = command(experiment, tmp_path / "out")
    assert run.stderr is not None
    run.stderr.close()
    assert exit_code(run) == 0
    assert (tmp_path / "out" / "provenance.json").exists()


@pytest.mark.slow
def test_a_run_prints_its_comparison_and_says_where_everything_is(experiment: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tumor_abm", "run", experiment, "--out", tmp_path / "out", "--jobs", "2"]
    run = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=True)
    assert "Letrozole with or without palbociclib: 60 patients in 2 arms, seed 7\n" in run.stderr
    assert "60 of 60 patients (100%)" in run.stderr
    assert "Progression-free survival on the first line" in run.stdout
    assert f"In {tmp_path / 'out'}:" in run.stdout
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    assert {
        "experiment.toml",
        "provenance.json",
        "outcomes.parquet",
        "comparison.csv",
        "who_gains.csv",
        "report.html",
        "figures/pfs1.png",
        "figures/pfs1.svg",
        "figures/os.png",
    } <= written
    assert "figures/pfs2.svg" not in written  # arms of one line have no second progression
    assert "chunks" not in written
    compare = [sys.executable, "-m", "tumor_abm", "compare", tmp_path / "out", "--csv", tmp_path / "c.csv"]
    compared = subprocess.run(list(map(str, compare)), capture_output=True, text=True, check=True)
    assert run.stdout.startswith(compared.stdout)
    assert (tmp_path / "c.csv").read_text() == (tmp_path / "out" / "comparison.csv").read_text()
