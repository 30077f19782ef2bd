"""The same patients on a Dask cluster, which may lose workers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tumor_abm import InputError
from tumor_abm.execution import cluster
from tumor_abm.execution.chunk import chunks_of
from tumor_abm.execution.cluster import run_on_cluster
from tumor_abm.execution.local import run_here

SPEC = (Path(__file__).parents[1] / "rust_core/tests/fixtures/experiment.json").read_text(encoding="utf-8")
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
