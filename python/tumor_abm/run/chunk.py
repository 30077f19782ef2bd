"""Consecutive patients that are computed together, and kept or lost together."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_PATIENTS = 50
PATIENTS_PER_THREAD = 8
"""Enough that threads seldom wait for the last patient of a chunk."""


@dataclass(frozen=True, order=True)
class Chunk:
    """Patients `first` to ``first + patients - 1``.

    A patient's life depends on the experiment and the patient's number alone, so the division into
    chunks does not show in the results.
    """

    first: int
    patients: int

    @property
    def name(self) -> str:
        """Name that sorts in the order of the patients."""
        return f"{self.first:09d}"


def chunk_size(threads: int) -> int:
    """Patients in a chunk: few, so that little is lost at an interruption, but work for all threads."""
    return max(LEAST_PATIENTS, PATIENTS_PER_THREAD * threads)


def chunks_of(patients: int, size: int) -> list[Chunk]:
    """Divide `patients` into chunks of `size`, of which the last may be smaller.

    Examples
    --------
    >>> chunks_of(120, 50)
    [Chunk(first=0, patients=50), Chunk(first=50, patients=50), Chunk(first=100, patients=20)]
    """
    return [Chunk(first, min(size, patients - first)) for first in range(0, patients, size)]
