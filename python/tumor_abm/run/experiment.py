"""Run an experiment: every patient of the cohort lives every arm."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

import tumor_abm._core as _core
from tumor_abm._base.arguments import MOST_THREADS, must_be, whole
from tumor_abm._base.memory import afford
from tumor_abm._base.paths import path_of
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.config.named import experiment_file
from tumor_abm.config.notices import notices
from tumor_abm.errors import InputError, of_file
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.run.allotment import Allotment
from tumor_abm.run.chunk import LEAST_PATIENTS, Chunk, chunk_size
from tumor_abm.run.cluster import run_on_cluster
from tumor_abm.run.directory import RunDirectory, RunPlan, patients_of, recorded_seed
from tumor_abm.run.local import run_here
from tumor_abm.run.provenance import now, provenance
from tumor_abm.run.results import Results
from tumor_abm.run.screening import screen
from tumor_abm.run.so_far import SoFar
from tumor_abm.run.tables import BYTES_PER_LIFE, Tables

Resume = bool | Literal["required"]

_log = logging.getLogger(__name__)


class Interrupted(KeyboardInterrupt):
    """A run was stopped before its end.

    Attributes
    ----------
    done, patients
        Patients (or tumours of a study) that are finished (and kept, if in a directory), and all.
    """

    def __init__(self, done: int, patients: int, what: str = "patients") -> None:
        super().__init__(f"interrupted after {done} of {patients} {what}")
        self.done = done
        self.patients = patients


def run_experiment(
    experiment: str | Path | Mapping[str, Any] | Experiment,
    out: str | Path | None = None,
    *,
    patients: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    resume: Resume = True,
    ensemble: Ensemble | None = None,
    crossed: bool = False,
    enough: Callable[[Results], bool] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Run an experiment and return its results.

    The results depend on the experiment, its number of patients and its seed alone: not on `jobs`
    or `scheduler`, nor on how often the run was interrupted.

    Parameters
    ----------
    experiment
        A TOML file, the name of a trial, the tables of a file, or what `load_experiment` made of one.
    out
        Directory for the results: absent, empty, or that of a run of the same experiment, which is
        gone on with, or returned if it is finished. ``None``: results stay in memory.
    patients, seed
        Instead of those of the experiment. A seed that nobody gives is drawn, or taken from `out`.
    jobs
        Threads on this machine; all processors when ``None``.
    scheduler
        Address of a Dask scheduler, or a scheduler file: compute on its workers instead.
    resume
        ``False`` refuses to go on with an unfinished run in `out`; ``"required"`` demands one.
    ensemble
        Sets of parameters over which the patients are shared out by weight; every table says in its column
        ``set`` by which one a patient lived, numbered from 1. ``None``: all live by the defaults.
    crossed
        Let all patients live by every set instead. Of N patients, those of set k are numbered from
        ``(k - 1) * N``, and those N apart have the same luck.
    enough
        Asked after every 50 patients whether those so far are enough, of the tables ``outcomes`` and
        ``overall``. If so, the run ends as one of so many patients; `patients` is the most. On this machine
        only, without an ensemble.
    progress
        Called with the number of patients finished so far.

    Raises
    ------
    InputError
        The experiment is wrong, or `out` holds something else or cannot be written to.
    Interrupted
        On Ctrl-C; the same call goes on where it stopped.

    Examples
    --------
    >>> results = run_experiment("experiments/chemotherapy_timing.toml", patients=200)  # doctest: +SKIP
    >>> results.outcomes  # doctest: +SKIP
    """
    must_be("resume", resume, bool, str)
    must_be("crossed", crossed, bool)
    if ensemble is not None:
        must_be("ensemble", ensemble, Ensemble)
    elif crossed:
        raise InputError(key="crossed", found=True, allowed="with an ensemble, whose sets are crossed")
    loaded = _loaded(experiment, patients, seed)
    directory = None if out is None else path_of("out", out)
    if directory is not None and loaded.written.seed is None:
        seed = recorded_seed(directory)
        loaded = loaded if seed is None else replace(loaded, seed=seed)
    sets = 1 if ensemble is None or not crossed else len(ensemble.members)
    if directory is None:
        lives = loaded.patients * len(loaded.arms) * sets
        afford("patients", loaded.patients * sets, lives * BYTES_PER_LIFE)
    if enough is not None and not callable(enough):
        raise InputError(key="enough", found=enough, allowed="a function of results")
    if enough is not None and (ensemble is not None or scheduler is not None):
        problem = "patients are added one chunk after the other"
        raise InputError(f"{problem}: without an ensemble, and on this machine only", key="enough")
    run = _Run(
        experiment=loaded,
        enough=enough,
        ensemble=ensemble,
        crossed=crossed,
        specs=_specs(loaded, ensemble, crossed=crossed),
        jobs=threads_of(jobs),
        scheduler=scheduler,
        progress=progress or (lambda done: None),
    )
    return run.in_memory() if directory is None else run.in_directory(directory, resume)


def _loaded(
    experiment: str | Path | Mapping[str, Any] | Experiment, patients: int | None, seed: int | None
) -> Experiment:
    if isinstance(experiment, str | Path):
        return load_experiment(experiment_file(experiment), patients=patients, seed=seed)
    if isinstance(experiment, Experiment):
        if patients is None and seed is None:
            return experiment
        return Experiment.from_dict(experiment.resolved(), file=experiment.file, patients=patients, seed=seed)
    must_be("experiment", experiment, str, Path, Experiment, Mapping)
    return Experiment.from_dict(experiment, patients=patients, seed=seed)


def _specs(experiment: Experiment, ensemble: Ensemble | None, *, crossed: bool) -> tuple[str, ...]:
    """Return the experiment as the core reads it, once for every set of parameters."""
    if ensemble is None:
        return (checked_spec(experiment),)
    if not crossed and experiment.patients < len(ensemble.members):
        allowed = f"at least {len(ensemble.members)}, one for every set of the ensemble"
        raise InputError(key="patients", found=experiment.patients, allowed=allowed, file=experiment.file)
    return tuple(checked_spec(knowing(experiment, member.knowledge())) for member in ensemble.members)


def knowing(experiment: Experiment, knowledge: Knowledge) -> Experiment:
    """Return an experiment as written, where this is known instead of what comes with the package."""
    if experiment.written.self_contained:
        problem = "says all numbers itself (self_contained), so that no other ones can take their place"
        raise InputError(problem, file=experiment.file)
    data = experiment.written.model_dump(by_alias=True, exclude_unset=True)
    return Experiment.from_dict(data, file=experiment.file, seed=experiment.seed, knowledge=knowledge)


def checked_spec(experiment: Experiment) -> str:
    """Return the experiment as the core reads it, JSON, once its step is found short enough."""
    spec = _canonical(experiment.to_core())
    with of_file(experiment.file):
        _core.Experiment(spec).check(experiment.patients)
    return spec


@dataclass(frozen=True, kw_only=True)
class _Run:
    experiment: Experiment
    ensemble: Ensemble | None
    crossed: bool
    specs: tuple[str, ...]
    jobs: int
    scheduler: str | None
    enough: Callable[[Results], bool] | None
    progress: Callable[[int], None]

    @property
    def patients(self) -> int:
        """All of all sets."""
        return sum(self.allotment.sizes)

    @property
    def sha256(self) -> str:
        spec = self.specs[0] if self.ensemble is None else f"[{','.join(self.specs)}]"
        crossed = ',"crossed":true' if self.crossed else ""
        identity = f'{{"patients":{self.patients},"spec":{spec}{crossed}}}'
        return hashlib.sha256(identity.encode()).hexdigest()

    @property
    def allotment(self) -> Allotment:
        """Which patients live by which set of parameters."""
        patients = self.experiment.patients
        if self.ensemble is None:
            return Allotment((patients,))
        if self.crossed:
            return Allotment.crossing(patients, len(self.ensemble.members))
        return Allotment.by_weight(patients, [one.weight for one in self.ensemble.members])

    @property
    def _patients_per_chunk(self) -> int:
        """Patients computed together: the same everywhere if those so far are to be judged."""
        return LEAST_PATIENTS if self.enough else chunk_size(self.jobs)

    def in_memory(self) -> Results:
        started = now()
        so_far = SoFar(self.experiment.resolved(), self.enough)
        done = {}
        for chunk, tables in self._compute(self.allotment.chunks(self._patients_per_chunk)):
            done[chunk] = tables
            if so_far.suffices_with({name: pl.DataFrame(tables[name]) for name in SoFar.TABLES}):
                break
        tables = _joined([done[chunk] for chunk in sorted(done)])
        run = self if self.enough is None else self._of(sum(chunk.patients for chunk in done))
        return Results(tables, run.experiment.resolved(), run._provenance(started))

    def _of(self, patients: int) -> _Run:
        """Return the run of fewer patients."""
        written = self.experiment.written.model_copy(update={"patients": patients})
        return replace(self, experiment=replace(self.experiment, written=written), enough=None)

    def in_directory(self, path: Path, resume: Resume) -> Results:
        if self.enough is not None and (patients := patients_of(path)) is not None:
            results = self._of(min(patients, self.patients)).in_directory(path, resume)
            if patients < self.patients and not self.enough(results):
                problem = f"finished before with {patients} patients, who are not enough"
                raise InputError(f"{problem}; name another directory", file=path)
            return results
        directory = RunDirectory(path, self.sha256)
        state = directory.look()
        if state == "finished":
            return self._finished_before(directory)
        if state == "new" and resume == "required":
            raise InputError("nothing to resume here; leave out --resume to start", file=path)
        if state == "unfinished" and not resume:
            raise InputError("holds an unfinished run, which is not to be resumed", file=path)
        with directory.claimed() as state:
            if state == "finished":
                return self._finished_before(directory)
            try:
                self._fill(directory)
            except KeyboardInterrupt:
                raise Interrupted(directory.done(), self.patients) from None
            except InputError:
                directory.leave()
                raise
        return directory.results()

    def _fill(self, directory: RunDirectory) -> None:
        directory.begin(self._plan(), self.experiment.to_toml())
        plan = directory.plan
        if plan.version != _core.__version__:
            problem = f"begun with tumor_abm {plan.version}, this is {_core.__version__}"
            raise InputError(f"{problem}; name another directory", file=directory.path)
        if self.enough is not None:
            self._grow(directory, plan)
            return
        for chunk, tables in self._compute(directory.missing()):
            directory.keep(chunk, tables)
        directory.finish(self._provenance(plan.started))

    def _grow(self, directory: RunDirectory, plan: RunPlan) -> None:
        """Add chunks until their patients are enough, then finish as a run of these."""
        missing = directory.missing()
        computed = self._compute(missing)
        so_far = SoFar(self.experiment.resolved(), self.enough)
        held: list[Chunk] = []
        for chunk in plan.chunks:
            if chunk in missing:
                directory.keep(*next(computed))
            held.append(chunk)
            if so_far.suffices_with(directory.read(chunk, SoFar.TABLES)):
                break
        run = self._of(sum(chunk.patients for chunk in held))
        directory.finish(run._provenance(plan.started), held, run.experiment.to_toml())

    def _finished_before(self, directory: RunDirectory) -> Results:
        directory.tidy()
        directory.describe(self.experiment.to_toml())  # title or control arm may be new
        ended, version = (directory.provenance().get(key, "?") for key in ("ended", "version"))
        _log.info("%s was finished before (%s, tumor_abm %s)", directory.path, ended, version)
        return directory.results()

    def _compute(self, chunks: list[Chunk]) -> Iterator[tuple[Chunk, Tables]]:
        """Yield finished chunks; a chunk counts as done when the next one is asked for."""
        done = self.patients - sum(chunk.patients for chunk in chunks)
        self._announce(done)
        for notice in notices(self.experiment):
            _log.warning("%s", notice)
        if chunks:
            screen(self.specs[0], self.patients - done, self.jobs)
        tally = _Tally(self.progress, done)
        allotment = self.allotment
        for number, spec in enumerate(self.specs):
            of_set = [chunk for chunk in chunks if allotment.set_of(chunk) == number]
            chunk_of = {allotment.luck_of(chunk): chunk for chunk in of_set}
            for luck, tables in self._runner(spec, list(chunk_of), tally.under_way):
                chunk = chunk_of[luck]
                if self.ensemble is not None:
                    tables = _of_set(tables, number + 1, chunk.first - luck.first)
                yield chunk, tables
                tally.add(chunk.patients)

    def _announce(self, done: int) -> None:
        sets = f" under each of {len(self.specs)} sets of parameters" if self.crossed else ""
        people = f"{self.experiment.patients} patients{sets}"
        whole = f"{people} in {len(self.experiment.arms)} arms, seed {self.experiment.seed}"
        already = f"; {done} patients are done already" if done else ""
        _log.info("%s: %s%s", self.experiment.title, whole, already)

    def _runner(
        self, spec: str, chunks: list[Chunk], progress: Callable[[int], None]
    ) -> Iterator[tuple[Chunk, Tables]]:
        if not chunks:
            return iter(())
        if self.scheduler is None:
            return run_here(spec, chunks, self.jobs, progress)
        return run_on_cluster(spec, chunks, self.scheduler)

    def _plan(self) -> RunPlan:
        return RunPlan(
            sha256=self.sha256,
            seed=self.experiment.seed,
            patients=self.patients,
            patients_per_chunk=self._patients_per_chunk,
            version=_core.__version__,
            started=now(),
            sets=() if self.ensemble is None else self.allotment.sizes,
        )

    def _provenance(self, started: str) -> dict[str, Any]:
        made = provenance(
            sha256=self.sha256,
            seed=self.experiment.seed,
            patients=self.patients,
            started=started,
            notices=notices(self.experiment),
        )
        if self.ensemble is None:
            return made
        members = zip(self.ensemble.members, self.allotment.sizes, strict=True)
        sets = [{"patients": size, "numbers": dict(member.overrides)} for member, size in members]
        return {**made, "ensemble": sets, **({"crossed": True} if self.crossed else {})}


class _Tally:
    """Patients done, of whom some are in finished chunks and some in the one under way."""

    def __init__(self, progress: Callable[[int], None], done: int) -> None:
        self._progress = progress
        self._done = done
        progress(done)

    def under_way(self, patients: int) -> None:
        self._progress(self._done + patients)

    def add(self, patients: int) -> None:
        self._done += patients
        self._progress(self._done)


def _of_set(tables: Tables, number: int, later: int) -> Tables:
    """Say in every table by which set of parameters the patients lived, with numbers so much higher."""
    return {
        name: _renumbered(table, later).append_column("set", pa.array([number] * table.num_rows, pa.uint16()))
        for name, table in tables.items()
    }


def _renumbered(table: pa.Table, later: int) -> pa.Table:
    column = table.column("patient")
    numbers = pc.add_checked(column, pa.scalar(later, column.type))
    return table.set_column(table.column_names.index("patient"), table.field("patient"), numbers)


def _joined(chunks: list[Tables]) -> dict[str, pl.DataFrame]:
    names = sorted(chunks[0])
    return {name: pl.DataFrame(pa.concat_tables([tables[name] for tables in chunks])) for name in names}


def threads_of(jobs: int | None) -> int:
    """Return the number of threads asked for, all processors by default, or raise an `InputError`."""
    if jobs is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return whole("jobs", jobs, 1, MOST_THREADS)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
