"""Chunks on this machine, side by side in threads; the core needs no lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from tumor_abm.run.chunk import Chunk
from tumor_abm.run.tables import Tables

Stopped = Callable[[], bool]
"""Asked now and then by what runs; once it says yes, `KeyboardInterrupt` is raised."""

_GLANCE_S = 0.1


def side_by_side(
    work: Callable[[Chunk, Stopped], Tables], chunks: Iterable[Chunk], threads: int
) -> Iterator[tuple[Chunk, Tables]]:
    """Yield chunks as they are done.

    Twice as many as there are threads are handed out at a time, so that no thread waits, however unequal they
    are, and no more than these are in memory.
    """
    stop = threading.Event()
    waiting = iter(chunks)
    running: dict[Future[Tables], Chunk] = {}
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="chunk")
    try:
        while True:
            for chunk in islice(waiting, 2 * threads - len(running)):
                running[pool.submit(work, chunk, stop.is_set)] = chunk
            if not running:
                return
            # polars' handler of Ctrl-C lets what waits for a lock wait on, so this wakes up by itself.
            done = wait(running, timeout=_GLANCE_S, return_when=FIRST_COMPLETED).done
            for future in sorted(done, key=_failed):  # what is whole is kept before a failure is raised
                yield running.pop(future), future.result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _failed(future: Future[Tables]) -> bool:
    return future.exception() is not None
