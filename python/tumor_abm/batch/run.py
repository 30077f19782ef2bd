"""Run a batch: every replicate of every point, kept shard by shard in one store."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import tomli_w

import tumor_abm._core as _core
from tumor_abm._base.paths import is_directory, path_of
from tumor_abm.batch.batch import Batch
from tumor_abm.batch.batch_study import BatchStudy, load_batch
from tumor_abm.batch.part import PARTS, PartOfRuns, shard_size
from tumor_abm.batch.shard_of_runs import compute, compute_there, failures
from tumor_abm.batch.workers import Workers
from tumor_abm.errors import InputError
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.cluster import run_on_cluster
from tumor_abm.run.directory import RunDirectory, RunPlan, recorded_seed
from tumor_abm.run.experiment import Interrupted, threads_of
from tumor_abm.run.provenance import now, provenance
from tumor_abm.run.side_by_side import Stopped, side_by_side
from tumor_abm.run.tables import Tables

_MOST_TOLD = 5

_log = logging.getLogger(__name__)


class Tally(NamedTuple):
    """How far a batch is.

    Attributes
    ----------
    done, failed
        Runs that are finished, and those among them that failed.
    """

    done: int
    failed: int


Progress = Callable[[Tally], None]


def run_batch(
    study: BatchStudy | str | Path,
    out: str | Path,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Run a batch into a directory and open it.

    The tables depend on the batch alone: not on `jobs` or `scheduler`, nor on how often it was interrupted.
    A run that fails is a row of the table ``runs`` with its message; the others go on.

    Parameters
    ----------
    study
        A TOML file, or what `load_batch` read.
    out
        Absent, empty, or the directory of the same batch, which is gone on with, or opened if it is finished.
    jobs
        Runs at once on this machine; as many as processors when ``None``.
    scheduler
        Address of a Dask scheduler, or a scheduler file: compute on its workers instead.
    progress
        Called after every run.

    Raises
    ------
    InputError
        The batch is wrong, or `out` holds something else or cannot be written to.
    Interrupted
        On Ctrl-C; the same call goes on where it stopped.
    """
    study = study if isinstance(study, BatchStudy) else load_batch(study)
    out = path_of("out", out)
    if is_directory(out / PARTS):
        problem = "holds parts of a batch; --merge joins them, or name another directory"
        raise InputError(problem, file=out)
    if study.written.seed is None:
        recorded = recorded_seed(out)
        study = study if recorded is None else study.with_seed(recorded)
    _Fill(study, out, threads_of(jobs), scheduler, progress).go()
    return Batch.open(out)


def run_part(
    study: BatchStudy | str | Path,
    out: str | Path,
    part: PartOfRuns,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Run a part of a batch, as a job of an array does; `merge_batch` joins the parts.

    Parameters
    ----------
    study
        A TOML file, or what `load_batch` read; it names its seed.
    out
        The directory of the batch, the same for all parts.
    part
        Which.
    jobs, scheduler, progress
        As in `run_batch`.

    Raises
    ------
    InputError, Interrupted
        As in `run_batch`.
    """
    study = study if isinstance(study, BatchStudy) else load_batch(study)
    if study.written.seed is None:
        problem = "missing; parts must agree on it: write it into the file, or give it"
        raise InputError(problem, file=study.file, key="seed")
    _FillPart(study, path_of("out", out), part, threads_of(jobs), scheduler, progress).go()


class _Fill:
    """A batch and its directory, filled until nothing is missing."""

    def __init__(
        self,
        study: BatchStudy,
        out: Path,
        jobs: int,
        scheduler: str | None,
        progress: Progress | None,
    ) -> None:
        self.study = study
        self.directory = RunDirectory(out, study.sha256)
        self.jobs = jobs
        self.scheduler = scheduler
        self.progress = progress or (lambda tally: None)
        self.size = shard_size(study.runs)
        self.total = study.runs

    def go(self) -> None:
        """Fill the directory, unless that was done before."""
        if self.directory.look() != "finished":
            with self.directory.claimed() as state:
                if state != "finished":
                    self._go_on()
        self.directory.tidy()

    def _go_on(self) -> None:
        try:
            self._fill()
        except KeyboardInterrupt:
            raise Interrupted(self.directory.done(), self.total, "runs") from None
        except InputError:
            self.directory.leave()
            raise

    def _fill(self) -> None:
        begin(self.directory, self.study, self.size)
        self._compute(self.directory.missing())
        finish(self.directory, self.study)

    def _compute(self, missing: list[Chunk]) -> None:
        done = self.total - sum(chunk.patients for chunk in missing)
        already = f"; {done} are done already" if done else ""
        points, seed = len(self.study.points), self.study.seed
        title = self.study.written.title
        _log.info("%s: %d runs, %d points, seed %d%s", title, self.total, points, seed, already)
        count = _Count(self.progress, done)
        for chunk, tables in self._runner(missing, count):
            self.directory.keep(chunk, tables)
            for run, message in failures(tables):
                count.failure(f"run {run}, {self.study.told(self.study.run(run).point)} failed: {message}")

    def _runner(self, missing: list[Chunk], count: _Count) -> Iterator[tuple[Chunk, Tables]]:
        apart = self.study.base.holds_lock and min(self.jobs, len(missing)) > 1
        if self.scheduler is None and not apart:

            def work(chunk: Chunk, stopped: Stopped) -> Tables:
                return compute(self.study, chunk, stopped, count.add)

            yield from side_by_side(work, missing, self.jobs)
        elif missing:
            for chunk, tables in self._elsewhere(missing):
                yield chunk, tables
                failed = len(failures(tables))
                for number in range(chunk.patients):
                    count.add(number < failed)

    def _elsewhere(self, missing: list[Chunk]) -> Iterator[tuple[Chunk, Tables]]:
        """Let other processes compute: those of a cluster, or of this machine."""
        spec = json.dumps(self.study.resolved())
        if self.scheduler is not None:
            yield from run_on_cluster(spec, missing, self.scheduler, compute_there)
        else:
            with Workers.of(spec) as workers:
                yield from side_by_side(workers.compute, missing, self.jobs)


class _FillPart(_Fill):
    """A part of a batch in a directory of its own, which `merge_batch` takes the shards from."""

    def __init__(
        self,
        study: BatchStudy,
        out: Path,
        part: PartOfRuns,
        jobs: int,
        scheduler: str | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(study, part.directory(out), jobs, scheduler, progress)
        self.part = part
        self.size = shard_size(study.runs, part.parts)
        self.total = part.runs_of(study.runs)

    def _fill(self) -> None:
        begin(self.directory, self.study, self.size)
        own = self.part.among(self.directory.plan.chunks)
        missing = [chunk for chunk in own if not self.directory.holds(chunk)]
        self._compute(missing)

    def go(self) -> None:
        """Fill the directory of the part."""
        with self.directory.claimed():
            self._go_on()


class _Count:
    """Runs done and failed, counted from several threads."""

    def __init__(self, progress: Progress, done: int) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._done, self._failed, self._told = done, 0, 0
        progress(Tally(done, 0))

    def add(self, failed: bool) -> None:
        with self._lock:
            self._done += 1
            self._failed += failed
            self._progress(Tally(self._done, self._failed))

    def failure(self, message: str) -> None:
        """Say the first failures, one by one."""
        self._told += 1
        if self._told <= _MOST_TOLD:
            _log.warning("%s", message)
        elif self._told == _MOST_TOLD + 1:
            _log.warning("further failures stand in the table runs")


def begin(directory: RunDirectory, study: BatchStudy, size: int) -> None:
    """Note down what is going to be run, and refuse to go on with what another version began."""
    plan = RunPlan(
        sha256=study.sha256,
        seed=study.seed,
        patients=study.runs,
        patients_per_chunk=size,
        version=_core.__version__,
        started=now(),
    )
    directory.begin(plan, tomli_w.dumps(study.resolved()))
    found = directory.plan.version
    if found != _core.__version__:
        problem = f"begun with tumor_abm {found}, this is {_core.__version__}"
        raise InputError(f"{problem}; name another directory", file=directory.path)


def finish(directory: RunDirectory, study: BatchStudy) -> None:
    """Join the shards into the tables."""
    source = provenance(
        sha256=study.sha256, seed=study.seed, patients=study.runs, started=directory.plan.started
    )
    directory.finish({"runs": source.pop("patients"), **source})
