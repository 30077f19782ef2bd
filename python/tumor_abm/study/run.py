"""Run a study: every scenario, every replicate, kept tumour by tumour."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import tomli_w

import tumor_abm._core as _core
from tumor_abm._base.paths import path_of
from tumor_abm.errors import InputError
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.directory import RunDirectory, RunPlan, recorded_seed
from tumor_abm.run.experiment import Interrupted, threads_of
from tumor_abm.run.provenance import now, provenance
from tumor_abm.run.results import Results, without_none
from tumor_abm.run.side_by_side import Stopped, side_by_side
from tumor_abm.study.study import Study
from tumor_abm.study.tumour import simulate

_log = logging.getLogger(__name__)


def run_study(
    study: Study, out: str | Path, *, jobs: int | None = None, progress: Callable[[int], None] | None = None
) -> Results:
    """Run a study into a directory and return its tables.

    The tables depend on the study alone: not on `jobs`, nor on how often the run was interrupted.

    Parameters
    ----------
    study
        What `load_study` read.
    out
        Absent, empty, or the directory of a run of the same study, which is gone on with, or
        returned if it is finished.
    jobs
        Tumours that grow at once; as many as processors when ``None``.
    progress
        Called with the number of tumours finished so far.

    Raises
    ------
    InputError
        A tumour cannot grow, or `out` holds something else or cannot be written to.
    Interrupted
        On Ctrl-C; the same call goes on where it stopped.
    """
    out = path_of("out", out)
    if study.written.seed is None:
        recorded = recorded_seed(out)
        study = study if recorded is None else Study(study.written, seed=recorded, file=study.file)
    run = _StudyRun(
        study, RunDirectory(out, _sha256(study)), threads_of(jobs), progress or (lambda done: None)
    )
    if run.directory.look() != "finished":
        with run.directory.claimed() as state:
            if state != "finished":
                run.go()
    run.directory.tidy()
    return run.directory.results()


def _sha256(study: Study) -> str:
    told = {key: value for key, value in study.resolved().items() if key not in ("title", "question")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class _StudyRun:
    def __init__(
        self, study: Study, directory: RunDirectory, jobs: int, progress: Callable[[int], None]
    ) -> None:
        self.study = study
        self.directory = directory
        self.jobs = jobs
        self.progress = progress
        self.tumours = study.tumours

    def go(self) -> None:
        try:
            self._fill()
        except KeyboardInterrupt:
            raise Interrupted(self.directory.done(), self.tumours, "tumours") from None
        except InputError:
            self.directory.leave()
            raise

    def _fill(self) -> None:
        self.directory.begin(self._plan(), tomli_w.dumps(without_none(self.study.resolved())))
        plan = self.directory.plan
        if plan.version != _core.__version__:
            problem = f"begun with tumor_abm {plan.version}, this is {_core.__version__}"
            raise InputError(f"{problem}; name another directory", file=self.directory.path)
        missing = self.directory.missing()
        done = self.tumours - len(missing)
        scenarios = len(self.study.written.scenario)
        whole = f"{self.tumours} tumours in {scenarios} scenarios, seed {self.study.seed}"
        already = f"; {done} tumours are done already" if done else ""
        _log.info("%s: %s%s", self.study.written.title, whole, already)
        self.progress(done)
        for chunk, tables in self._compute(missing):
            self.directory.keep(chunk, tables)
            done += 1
            self.progress(done)
        source = provenance(
            sha256=_sha256(self.study), seed=self.study.seed, patients=self.tumours, started=plan.started
        )
        self.directory.finish({"tumours": source.pop("patients"), **source})

    def _compute(self, chunks: list[Chunk]) -> Iterator[tuple[Chunk, dict[str, pa.Table]]]:
        """Yield tumours as they are done."""
        return side_by_side(partial(_tables, self.study), chunks, self.jobs)

    def _plan(self) -> RunPlan:
        return RunPlan(
            sha256=_sha256(self.study),
            seed=self.study.seed,
            patients=self.tumours,
            patients_per_chunk=1,
            version=_core.__version__,
            started=now(),
        )


def _tables(study: Study, chunk: Chunk, stopped: Stopped) -> dict[str, pa.Table]:
    scenario, replicate = divmod(chunk.first, study.written.replicates)
    tables = simulate(study, scenario, replicate, stopped)
    return {name: table.to_arrow() for name, table in tables.items()}
