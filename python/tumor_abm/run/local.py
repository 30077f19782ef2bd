"""Chunks in order on this machine; the core's threads share the patients of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tumor_abm.run.chunk import Chunk
from tumor_abm.run.tables import Tables, simulate


def run_here(
    spec: str, chunks: Iterable[Chunk], threads: int, progress: Callable[[int], None]
) -> Iterator[tuple[Chunk, Tables]]:
    """Compute `chunks` one after the other.

    Parameters
    ----------
    spec
        The experiment as the core reads it, JSON.
    threads
        Threads of the core.
    progress
        Called about 20 times a second with the patients finished of the chunk under way.
    """
    for chunk in chunks:
        yield chunk, simulate(spec, chunk, threads, progress)
