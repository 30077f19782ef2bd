"""The directory of a run: filled chunk by chunk, whole at the end, and never anybody else's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq

from tumor_abm._base.arguments import is_whole as is_number
from tumor_abm._base.files import (
    SUMS,
    read_sums,
    sha256_of,
    sha256_of_text,
    verify,
    write_sums,
    write_text,
    write_whole,
)
from tumor_abm._base.frames import read_parquet
from tumor_abm._base.json import read_json
from tumor_abm._base.paths import is_file, is_text
from tumor_abm.errors import InputError
from tumor_abm.run.allotment import Allotment
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.lock import LOCK, exclusive
from tumor_abm.run.results import EXPERIMENT, PROVENANCE, Results
from tumor_abm.run.shard import is_whole, tables_of, write_shard
from tumor_abm.run.tables import Tables, write_parquet

State = Literal["new", "unfinished", "finished"]

_CHUNKS = "chunks"
_PLAN = "plan.json"
_DRAFT = ".tmp"


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What a run was begun with, and goes on with.

    Attributes
    ----------
    sha256
        Of the experiment: runs are of one experiment exactly if this is the same.
    seed
        The one used, drawn or given.
    patients, patients_per_chunk
        Number of patients, and how they are divided.
    version
        Of tumor_abm; another version may count otherwise, so none goes on with its chunks.
    started
        When the run was begun.
    sets
        Patients of each set of parameters; none: all live by the same.
    """

    sha256: str
    seed: int
    patients: int
    patients_per_chunk: int
    version: str
    started: str
    sets: Sequence[int] = ()

    @property
    def chunks(self) -> list[Chunk]:
        """All chunks, in the order of the patients."""
        return Allotment(tuple(self.sets) or (self.patients,)).chunks(self.patients_per_chunk)


class RunDirectory:
    """A directory that a run of one experiment may use.

    Parameters
    ----------
    path
        Absent, empty, or the directory of a run of the same experiment.
    sha256
        Of the experiment.
    beside
        Name of what may stand beside an unfinished run.
    """

    def __init__(self, path: Path, sha256: str, *, beside: str | None = None) -> None:
        if not is_text(str(path)):
            raise InputError(key="out", found=ascii(str(path)), allowed="a name that is UTF-8 text")
        self.path = path
        self._sha256 = sha256
        self._beside = beside
        self._chunks = path / _CHUNKS

    def look(self) -> State:
        """Say what is here; nothing is touched.

        Raises
        ------
        InputError
            Something else than a run of the experiment.
        """
        try:
            found = sorted(entry.name for entry in self.path.iterdir() if entry.name != self._beside)
        except FileNotFoundError:
            return "new"
        except OSError as error:
            raise InputError(f"no directory to write to: {error.strerror}", file=self.path) from error
        if PROVENANCE in found:
            self._must_be_sound(self.path, PROVENANCE)
            self._must_be_ours(read_json(self.path / PROVENANCE).get("sha256"), "the result")
            return "finished"
        if (self._chunks / _PLAN).is_file():
            self._must_be_sound(self._chunks, _PLAN)
            self._must_be_ours(read_json(self._chunks / _PLAN).get("sha256"), "an unfinished run")
            return "unfinished"
        if found and not (found == [_CHUNKS] and self._is_barely_begun()):
            foreign = [name for name in found if name != _CHUNKS] or found
            problem = f"holds other files ({', '.join(foreign[:3])}{', ...' if foreign[3:] else ''})"
            raise InputError(f"{problem}; name a new or an empty directory", file=self.path)
        return "new"

    @contextmanager
    def claimed(self) -> Iterator[State]:
        """Keep other processes out; gives what is here now.

        Raises
        ------
        InputError
            Another process is writing here, or nothing can be written.
        """
        with ExitStack() as held:
            with self._writing():
                self._chunks.mkdir(parents=True, exist_ok=True)
                held.enter_context(exclusive(self._chunks, of=self.path))
            yield self.look()

    def begin(self, plan: RunPlan, experiment: str) -> None:
        """Note down what is going to be run; an unfinished run keeps its plan.

        `experiment` is the text of `experiment.toml`.
        """
        if not (self._chunks / _PLAN).exists():
            text = json.dumps(asdict(plan), indent=2) + "\n"
            with self._writing():
                write_sums(self._chunks, {_PLAN: sha256_of_text(text)})
                write_text(self._chunks / _PLAN, text)
        self._write_experiment(experiment)

    def describe(self, experiment: str) -> None:
        """Let the `experiment.toml` of a finished run say this, e.g. after a change of the title."""
        self._write_experiment(experiment)
        sums, written = read_sums(self.path), {EXPERIMENT: sha256_of_text(experiment)}
        if sums != sums | written:
            with self._writing():
                write_sums(self.path, sums | written)

    @property
    def plan(self) -> RunPlan:
        """The plan of the unfinished run."""
        path = self._chunks / _PLAN
        problem = "not a plan of this version of tumor_abm"
        try:
            plan = RunPlan(**read_json(path))
        except TypeError as error:
            raise InputError(problem, file=path) from error
        positive = (plan.patients, plan.patients_per_chunk)
        sizes = plan.sets if isinstance(plan.sets, list | tuple) else (-1,)
        if not all(is_number(number) and number > 0 for number in positive) or not all(
            is_number(number) and number >= 0 for number in sizes
        ):
            raise InputError(problem, file=path)
        return plan

    def missing(self) -> list[Chunk]:
        """Chunks that are not yet here; damaged ones (a power cut) are removed and count as missing."""
        return [chunk for chunk in self.plan.chunks if not self.holds(chunk)]

    def holds(self, chunk: Chunk) -> bool:
        """Tell whether a chunk is here; a damaged one is removed."""
        return is_whole(self._chunks / chunk.name, of=self._part(chunk))

    def _part(self, chunk: Chunk) -> str:
        return f"patients {chunk.first} to {chunk.first + chunk.patients - 1} of {self._sha256}"

    def done(self) -> int:
        """Return the number of patients in finished chunks."""
        if not (self._chunks / _PLAN).exists():
            return 0
        return sum(chunk.patients for chunk in self.plan.chunks if (self._chunks / chunk.name).is_dir())

    @classmethod
    def progress_in(cls, path: Path) -> tuple[int, int] | None:
        """Return what is done of the unfinished run in a directory, and of how much; ``None`` without one."""
        if is_file(path / PROVENANCE) or not is_file(path / _CHUNKS / _PLAN):
            return None
        here = cls(path, "")
        return here.done(), here.plan.patients

    def take(self, chunk: Chunk, other: RunDirectory) -> None:
        """Move a chunk from another directory of the same run to here."""
        with self._writing():
            (other._chunks / chunk.name).replace(self._chunks / chunk.name)

    def leave(self) -> None:
        """Undo `begin`, if no chunk was finished since."""
        if not self.done():
            (self.path / EXPERIMENT).unlink(missing_ok=True)
            self.tidy()
            with suppress(OSError):  # it holds something
                self.path.rmdir()

    def keep(self, chunk: Chunk, tables: Tables) -> None:
        """Store a finished chunk: it appears whole or not at all."""
        with self._writing():
            write_shard(self._chunks / chunk.name, tables, of=self._part(chunk))

    def read(self, chunk: Chunk, names: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Return tables of a finished chunk."""
        held = tables_of(self._chunks / chunk.name)
        return {name: read_parquet(held[name]) for name in names}

    def finish(
        self,
        provenance: Mapping[str, Any],
        chunks: Sequence[Chunk] | None = None,
        experiment: str | None = None,
    ) -> None:
        """Join the chunks into the tables; `provenance.json`, written last, says that all is there.

        Of a run that ends with fewer patients than planned, `chunks` are those it has, and `experiment` is
        the text of the `experiment.toml` of so many.
        """
        shards = [tables_of(self._chunks / chunk.name) for chunk in chunks or self.plan.chunks]
        if experiment is not None:
            self._write_experiment(experiment)
        rows = {name: self._join(name, shards) for name in sorted({name for held in shards for name in held})}
        text = json.dumps({**provenance, "tables": rows}, indent=2) + "\n"
        with self._writing():
            written = [EXPERIMENT, *(f"{name}.parquet" for name in rows)]
            sums = {name: sha256_of(self.path / name) for name in written}
            write_sums(self.path, sums | {PROVENANCE: sha256_of_text(text)})
            write_text(self.path / PROVENANCE, text)
        self.tidy()

    def tidy(self) -> None:
        """Remove the chunks."""
        shutil.rmtree(self._chunks, ignore_errors=True)

    def results(self) -> Results:
        """Results of the finished run.

        Raises
        ------
        InputError
            They are damaged.
        """
        try:
            return Results.load(self.path)
        except InputError as error:
            raise InputError(f"{error}; remove {self.path} first") from error

    def provenance(self) -> dict[str, Any]:
        """Provenance of the finished run."""
        return read_json(self.path / PROVENANCE)

    def _must_be_sound(self, directory: Path, name: str) -> None:
        try:
            verify(directory, [name])
        except InputError as error:
            raise InputError(f"{error}; remove {self.path} to begin anew") from error

    def _must_be_ours(self, sha256: object, what: str) -> None:
        if sha256 != self._sha256:
            problem = f"holds {what} of another experiment (or other patients or seed)"
            raise InputError(f"{problem}; name a new or an empty directory", file=self.path)

    def _is_barely_begun(self) -> bool:
        """Tell whether a process was killed here before it had noted down its plan."""
        return {entry.name for entry in self._chunks.iterdir()} <= {LOCK, SUMS, _PLAN + _DRAFT, SUMS + _DRAFT}

    def _join(self, table: str, shards: Sequence[Mapping[str, Path]]) -> int:
        """Write the rows of all chunks that have any to one file; return their number."""
        paths = (held[table] for held in shards if table in held)
        parts = (pq.ParquetFile(path.absolute()).read() for path in paths)
        rows: list[int] = []
        with self._writing():
            write_whole(
                self.path / f"{table}.parquet", lambda draft: rows.append(write_parquet(draft, parts))
            )
        return rows[0]

    def _write_experiment(self, text: str) -> None:
        """Write `experiment.toml`, unless it says the same already."""
        path = self.path / EXPERIMENT
        if not (path.is_file() and path.read_bytes() == text.encode()):
            with self._writing():
                write_text(path, text)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            problem = f"cannot write here: {reason}; once this is mended, the same command goes on"
            raise InputError(problem, file=self.path) from error


def patients_of(path: Path) -> int | None:
    """Return the patients of the finished run in a directory; ``None`` without one."""
    if not is_file(path / PROVENANCE):
        return None
    patients = read_json(path / PROVENANCE).get("patients")
    return int(patients) if is_number(patients) and patients > 0 else None


def recorded_seed(path: Path) -> int | None:
    """Return the seed of the run in the directory `path`, if there is one."""
    for file in (path / PROVENANCE, path / _CHUNKS / _PLAN):
        if is_file(file):
            seed = read_json(file).get("seed")
            return seed if isinstance(seed, int) else None
    return None


def finished_in(path: Path) -> Results:
    """Open the result in a directory, or say how far the run in it is.

    Raises
    ------
    InputError
        There is none, it is unfinished, or a file of it is missing or damaged.
    """
    unfinished = RunDirectory.progress_in(path)
    if unfinished is not None:
        done, whole = unfinished
        problem = f"holds an unfinished run, {done} of {whole} are done; the same command goes on"
        raise InputError(problem, file=path)
    return Results.load(path)
