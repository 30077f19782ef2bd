"""Parts of a batch, for plain job arrays: each in a directory of its own, joined at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tumor_abm._base.paths import is_directory
from tumor_abm.errors import InputError
from tumor_abm.run.chunk import Chunk, chunks_of

PARTS = "parts"
"""Directory, within that of the batch, of the directories of its parts."""

SHARDS = 256
"""About so many: an interruption loses little of a batch, and writing them takes little of its time."""

SHARDS_PER_PART = 8
MOST_RUNS_PER_SHARD = 256
_MOST_PARTS = 100_000
_NAME = re.compile(r"(\d+)-of-(\d+)")


class PartOfRuns(NamedTuple):
    """Part `part` (from 1) of `parts`.

    Attributes
    ----------
    part, parts
        Which of how many.
    """

    part: int
    parts: int

    @classmethod
    def parse(cls, text: str) -> PartOfRuns:
        """Read ``3/100``.

        Raises
        ------
        InputError
            It is no part.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        found = cls(int(match[1]), int(match[2])) if match else cls(0, 0)
        if not 1 <= found.part <= found.parts <= _MOST_PARTS:
            raise InputError(key="part", found=text, allowed="K/N, part K of N, e.g. 3/100")
        return found

    def directory(self, out: Path) -> Path:
        """Return the directory of the part within that of the batch."""
        return out / PARTS / f"{self.part:0{len(str(self.parts))}d}-of-{self.parts}"

    def runs_of(self, runs: int) -> int:
        """Return how many of the runs of a batch are in this part."""
        return sum(chunk.patients for chunk in self.among(chunks_of(runs, shard_size(runs, self.parts))))

    def among(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Return the chunks of this part: every `parts`-th, so that dear points are shared out."""
        return list(chunks[self.part - 1 :: self.parts])


def parts_in(out: Path) -> int:
    """Return into how many parts the batch in a directory was divided.

    Raises
    ------
    InputError
        There are no parts, or of several divisions.
    """
    folder = out / PARTS
    names = [entry.name for entry in folder.iterdir()] if is_directory(folder) else []
    found = {int(match[2]) for name in names if (match := _NAME.fullmatch(name))}
    if len(found) != 1:
        told = ", ".join(map(str, sorted(found))) or "none"
        raise InputError(file=folder, key="parts", found=told, allowed="all parts of one division, K-of-N")
    return found.pop()


def shard_size(runs: int, parts: int = 1) -> int:
    """Return the runs of a shard: a matter of the batch and the number of its parts alone."""
    shards = max(SHARDS, SHARDS_PER_PART * parts) if parts > 1 else SHARDS
    return min(MOST_RUNS_PER_SHARD, max(1, -(-runs // shards)))
