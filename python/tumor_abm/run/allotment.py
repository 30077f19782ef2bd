"""Which patients live by which set of parameters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tumor_abm.run.chunk import Chunk, chunks_of


@dataclass(frozen=True)
class Allotment:
    """Patients of sets of parameters: consecutive ones, in the order of the sets.

    Parameters
    ----------
    sizes
        Patients of each set.
    crossed
        The sets have the same patients: the n-th of each has the luck of patient n. Otherwise every patient
        has luck of their own.
    """

    sizes: tuple[int, ...]
    crossed: bool = False

    @classmethod
    def by_weight(cls, patients: int, weights: Sequence[float]) -> Allotment:
        """Share patients out in proportion to weights, as evenly as whole patients allow.

        Examples
        --------
        >>> Allotment.by_weight(100, [1.0, 1.0, 1.0])
        Allotment(sizes=(33, 34, 33))
        """
        total = sum(weights)
        ends = [round(patients * part / total) for part in accumulate(weights)]
        return cls(tuple(end - begin for begin, end in pairwise([0, *ends])))

    @classmethod
    def crossing(cls, patients: int, sets: int) -> Allotment:
        """Let the same patients live by every set.

        Examples
        --------
        >>> Allotment.crossing(50, 3).sizes
        (50, 50, 50)
        """
        return cls((patients,) * sets, crossed=True)

    @property
    def ends(self) -> list[int]:
        """Patient after the last one of each set."""
        return list(accumulate(self.sizes))

    def chunks(self, size: int) -> list[Chunk]:
        """Divide all patients into chunks of at most `size`, none of which has patients of two sets."""
        return [
            Chunk(end - patients + chunk.first, chunk.patients)
            for end, patients in zip(self.ends, self.sizes, strict=True)
            for chunk in chunks_of(patients, size)
        ]

    def set_of(self, chunk: Chunk) -> int:
        """Return the number of the set by which the patients of a chunk live, from 0."""
        return bisect_right(self.ends, chunk.first)

    def luck_of(self, chunk: Chunk) -> Chunk:
        """Return the patients whose luck those of a chunk have."""
        if not self.crossed:
            return chunk
        number = self.set_of(chunk)
        return Chunk(chunk.first - self.ends[number] + self.sizes[number], chunk.patients)
