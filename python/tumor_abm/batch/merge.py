"""Join the parts of a batch."""

from __future__ import annotations

import shutil
from pathlib import Path

from tumor_abm._base.paths import path_of
from tumor_abm.batch.batch import Batch
from tumor_abm.batch.batch_study import BatchStudy, load_batch
from tumor_abm.batch.part import PARTS, PartOfRuns, parts_in, shard_size
from tumor_abm.batch.run import begin, finish
from tumor_abm.errors import InputError
from tumor_abm.run.directory import RunDirectory

_MOST_LISTED = 10


def merge_batch(study: BatchStudy | str | Path, out: str | Path) -> Batch:
    """Join the parts that `run_part` computed; the tables are those of a run in one go, byte for byte.

    Parameters
    ----------
    study
        The TOML file of all parts, or what `load_batch` read.
    out
        The directory that all parts were given.

    Raises
    ------
    InputError
        A part is missing or unfinished: it is named, and nothing is changed.
    """
    study = study if isinstance(study, BatchStudy) else load_batch(study)
    out = path_of("out", out)
    directory = RunDirectory(out, study.sha256, beside=PARTS)
    if directory.look() == "finished":
        shutil.rmtree(out / PARTS, ignore_errors=True)
        return Batch.open(out)
    number = parts_in(out)
    with directory.claimed():
        begin(directory, study, shard_size(study.runs, number))
        _take(directory, study, out, number)
        finish(directory, study)
    shutil.rmtree(out / PARTS, ignore_errors=True)
    return Batch.open(out)


def _take(directory: RunDirectory, study: BatchStudy, out: Path, number: int) -> None:
    """Move the shards of all parts, once all are there."""
    chunks = directory.plan.chunks
    found, missing = [], []
    for part in (PartOfRuns(k + 1, number) for k in range(number)):
        there = RunDirectory(part.directory(out), study.sha256)
        wanted = [chunk for chunk in part.among(chunks) if not directory.holds(chunk)]
        held = [chunk for chunk in wanted if there.holds(chunk)]
        found += [(chunk, there) for chunk in held]
        if len(held) < len(wanted):
            missing.append(f"{part.part}/{number}")
    if missing:
        directory.leave()
        told = ", ".join(missing[:_MOST_LISTED]) + (", ..." if len(missing) > _MOST_LISTED else "")
        problem = f"{len(missing)} of {number} parts are not done ({told}); run them first, then merge"
        raise InputError(problem, file=out)
    for chunk, there in found:
        directory.take(chunk, there)
