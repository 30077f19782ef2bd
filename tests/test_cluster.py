"""The same patients on a Dask cluster, which may lose workers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from polars.testing import assert_frame_equal
from tumor_abm import InputError, run_experiment
from tumor_abm.batch import BatchStudy, Tally, run_batch
from tumor_abm.run import cluster
from tumor_abm.run.chunk import chunks_of
from tumor_abm.run.cluster import run_on_cluster
from tumor_abm.run.local import run_here
from tumor_abm.run.results import Results

SPEC = (Path(__file__).parents[1] / "rust_core/core/tests/fixtures/experiment.json").read_text(
    encoding="utf-8"
)
CHUNKS = chunks_of(60, 5)


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        yield local


@pytest.mark.slow
def test_a_cluster_gives_the_same_tables_as_this_machine(workers: Any) -> None:
    there = dict(run_on_cluster(SPEC, CHUNKS, workers.scheduler_address))
    assert there == dict(run_here(SPEC, CHUNKS, 2, lambda done: None))


@pytest.mark.slow
def test_a_lost_worker_costs_nothing_but_time(workers: Any) -> None:
    there = {}
    for chunk, tables in run_on_cluster(SPEC, CHUNKS, workers.scheduler_address):
        if not there:
            psutil.Process(next(iter(workers.workers.values())).pid).kill()
        there[chunk] = tables
    assert there == dict(run_here(SPEC, CHUNKS, 2, lambda done: None))


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster._core, "__version__", "99.0")
    monkeypatch.setattr(cluster, "RETRIES", 0)
    with pytest.raises(InputError, match=r"the workers cannot compute: .* this process 99\.0"):
        list(run_on_cluster(SPEC, CHUNKS, workers.scheduler_address))


@pytest.mark.slow
def test_what_only_the_run_can_show_is_wrong_is_bad_input(workers: Any) -> None:
    with pytest.raises(InputError, match="expected u64"):
        list(run_on_cluster('{"seed": "one"}', CHUNKS[:1], workers.scheduler_address))


@pytest.mark.slow
def test_a_batch_on_a_cluster_that_loses_a_worker_has_the_same_bytes(workers: Any, tmp_path: Path) -> None:
    axis = {"name": "cost", "path": "alteration.RB1 loss.fitness_cost", "values": [0.1, 0.2]}
    made = {"title": "t", "question": "q", "experiment": tomllib.loads(EXPERIMENT), "axis": [axis]}
    study = BatchStudy.from_dict(made | {"seed": 5, "replicates": 8, "set": {"patients": 10}})
    lost = []

    def lose(tally: Tally) -> None:
        if tally.done and not lost:
            lost.append(next(iter(workers.workers.values())).pid)
            psutil.Process(lost[0]).kill()

    there = run_batch(study, tmp_path / "there", scheduler=workers.scheduler_address, progress=lose)
    here = run_batch(study, tmp_path / "here")
    assert lost
    for name in here.tables:
        file = f"{name}.parquet"
        assert (there.directory / file).read_bytes() == (here.directory / file).read_bytes()


EXPERIMENT = """
title = "A run whose scheduler is lost"
question = "Is what is done kept?"
patients = 250
seed = 5
horizon_months = 24
accrual_months = 6
[[arm]]
name = "letrozole"
[[arm.line]]
regimen = ["letrozole"]
"""


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A module of Python in a process of its own, which is killed at the end."""
    line = [sys.executable, "-m", *map(str, arguments)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def wait_for(what: Callable[[], object], run: subprocess.Popen[str] | None = None) -> None:
    while not what():
        assert run is None or run.poll() is None, "it ended too early"
        time.sleep(0.05)


def command(folder: Path) -> tuple[object, ...]:
    """The command that runs the experiment in a folder."""
    return (
        "tumor_abm",
        "run",
        folder / "experiment.toml",
        "--out",
        folder / "out",
        "--no-figures",
        "--jobs",
        1,
    )


@contextmanager
def half_way(folder: Path) -> Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]:
    """A scheduler, and a run on it of which the first chunk is done."""
    where = folder / "scheduler.json"
    (folder / "experiment.toml").write_text(EXPERIMENT)
    quiet = ("--scheduler-file", where, "--no-dashboard")
    with process("distributed.cli.dask_scheduler", "--port", 0, *quiet) as scheduler:
        wait_for(where.exists)
        with (
            process("distributed.cli.dask_worker", "--nthreads", 1, "--no-nanny", *quiet),
            process(*command(folder), "--scheduler", where) as running,
        ):
            wait_for(lambda: list(folder.glob("out/chunks/*/SHA256SUMS")), running)
            yield scheduler, running


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_a_lost_scheduler_is_said_and_the_run_goes_on(tmp_path: Path, stop: signal.Signals) -> None:
    with half_way(tmp_path) as (scheduler, running):
        scheduler.send_signal(stop)
        _, err = running.communicate()
    assert running.returncode == 2
    lost = f"{tmp_path / 'scheduler.json'} was lost; once it is back, the same command goes on"
    assert err.splitlines()[-1] == f"tumor-abm: scheduler: {lost}"
    assert "Traceback" not in err
    kept = len(list(tmp_path.glob("out/chunks/*/SHA256SUMS")))
    assert 1 <= kept < 5
    with process(*command(tmp_path), "--resume") as resumed:
        _, err = resumed.communicate()
    assert resumed.returncode == 0
    assert f"{50 * kept} patients are done already" in err
    undisturbed = run_experiment(tmp_path / "experiment.toml")
    assert_frame_equal(Results.load(tmp_path / "out").overall, undisturbed.overall)


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT_S", 0.2)
    with pytest.raises(InputError, match=r"scheduler: no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        next(run_on_cluster(SPEC, CHUNKS, "tcp://127.0.0.1:1"))


def test_no_address_at_all_is_said() -> None:
    with pytest.raises(InputError, match="no Dask scheduler answers at my computer"):
        next(run_on_cluster(SPEC, CHUNKS, "my computer"))


def test_missing_dask_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install '\.\[cluster\]' in the checkout of tumor_abm"):
        next(run_on_cluster(SPEC, CHUNKS, "tcp://127.0.0.1:8786"))


@pytest.mark.slow
def test_a_scheduler_that_hangs_is_left_at_once(tmp_path: Path) -> None:
    with half_way(tmp_path) as (scheduler, running):
        scheduler.send_signal(signal.SIGSTOP)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("tumor-abm: interrupted after ")
