"""How long a batch takes and how large it gets, from a few short runs that are measured."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tumor_abm.batch.batch_study import BatchStudy
from tumor_abm.run.tables import write_parquet

PROBED_POINTS = 4
PROBED_SIZE = 32
"""Patients or populations of a probe; of a study, a whole run."""
PATIENCE_S = 10.0


class Forecast(NamedTuple):
    """What a batch will take.

    Attributes
    ----------
    runs, size
        Runs, and the patients, tumours or populations of one.
    seconds, shortest, longest
        Of one run on one thread: mean, and the range of the points that were probed.
    probed
        Points that were probed.
    megabytes
        Of all tables; while the batch is joined, twice as much.
    """

    runs: int
    size: int
    seconds: float
    shortest: float
    longest: float
    probed: int
    megabytes: float

    def hours(self, jobs: int) -> float:
        """Return the hours that all runs take, so many at once."""
        return self.runs * self.seconds / min(jobs, self.runs) / 3600


def forecast(study: BatchStudy) -> Forecast:
    """Measure short runs at a few points, and scale them up.

    Raises
    ------
    InputError
        A run fails.
    """
    points = np.unique(np.linspace(0, len(study.points) - 1, PROBED_POINTS).astype(int)).tolist()
    begun = time.monotonic()
    seconds: list[float] = []
    sizes: list[float] = []
    for point in points:
        ready = study.ready(point)
        size = ready.size if study.base.kind == "study" else min(ready.size, PROBED_SIZE)
        seed = study.run(point * study.written.replicates).seed
        before = time.monotonic()
        tables = ready.run(seed, lambda: False, size)
        scale = ready.size / size
        seconds.append((time.monotonic() - before) * scale)
        sizes.append(sum(_bytes(tables[name]) for name in study.kept) * scale)
        if time.monotonic() - begun > PATIENCE_S:
            break
    return Forecast(
        runs=study.runs,
        size=study.ready(0).size,
        seconds=float(np.mean(seconds)),
        shortest=min(seconds),
        longest=max(seconds),
        probed=len(seconds),
        megabytes=float(np.mean(sizes)) * study.runs / 1e6,
    )


def _bytes(table: pa.Table) -> int:
    """Return how much a file grows by the rows of a table."""
    with tempfile.TemporaryDirectory() as folder:
        path, sizes = Path(folder) / "probe.parquet", []
        for rows in (table, table.slice(0, 0)):
            write_parquet(path, [rows])
            sizes.append(path.stat().st_size)
    return int(sizes[0] - sizes[1])
