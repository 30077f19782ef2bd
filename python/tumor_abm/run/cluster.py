"""Chunks on a Dask cluster, a chunk a task."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import tumor_abm._core as _core
from tumor_abm._base.paths import is_text
from tumor_abm._base.problems import plainly
from tumor_abm.errors import InputError
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.tables import Tables, from_bytes, simulate, to_bytes

RETRIES = 3
"""Times a task is tried again, e.g. when its worker is lost."""

TASKS_PER_THREAD = 3
"""Tasks handed out at a time: enough that no worker waits, few enough that results do not pile up."""

CONNECT_TIMEOUT_S = 15

_log = logging.getLogger(__name__)


class VersionMismatchError(RuntimeError):
    """A worker would compute with another version of the core."""


Work = Callable[[str, Chunk, str], dict[str, bytes]]
"""What a worker does: of what, which chunk, by which version."""


def compute(spec: str, chunk: Chunk, version: str) -> dict[str, bytes]:
    """Compute one chunk of an experiment on one thread; runs on a worker."""
    demand(version)
    return to_bytes(simulate(spec, chunk, threads=1))


def demand(version: str) -> None:
    """Refuse to compute for another version of the core."""
    if _core.__version__ != version:
        raise VersionMismatchError(f"a worker has tumor_abm {_core.__version__}, this process {version}")


def run_on_cluster(
    spec: str, chunks: Iterable[Chunk], scheduler: str, work: Work = compute
) -> Iterator[tuple[Chunk, Tables]]:
    """Compute `chunks` on the workers of a Dask scheduler, in whatever order they are done.

    Parameters
    ----------
    spec
        The experiment as the core reads it, JSON, or what else `work` takes.
    scheduler
        Address, e.g. ``tcp://node01:8786``, or a scheduler file.
    work
        What a worker does.

    Raises
    ------
    InputError
        No scheduler answers, it was lost, Dask is not installed, or the workers cannot compute.
    """
    client = _connect(scheduler)
    with _silent_client():
        try:
            yield from _results(client, partial(client.submit, work, spec), iter(chunks))
        except (OSError, CancelledError) as error:
            problem = f"{scheduler} was lost; once it is back, the same command goes on"
            raise InputError(problem, key="scheduler") from error
        finally:
            client.close()


def _dask() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        problem = "needs Dask, which is not installed: pip install '.[cluster]' in the checkout of tumor_abm"
        raise InputError(problem, key="scheduler") from error


def _connect(scheduler: str) -> Any:
    distributed = _dask()
    if not is_text(scheduler):
        raise InputError(f"no Dask scheduler answers at {plainly(scheduler)}", key="scheduler")
    client = distributed.Client.__new__(distributed.Client)
    try:
        where = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
        client.__init__(**where, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        return client
    except Exception as error:  # whatever else an address or a file makes of its parser
        # The garbage collector would close it, too, but perhaps while the lock is held that this takes.
        with suppress(Exception):
            client.close()
        problem = f"no Dask scheduler answers at {plainly(scheduler)} ({plainly(str(error))})"
        raise InputError(problem, key="scheduler") from error


@contextmanager
def _silent_client() -> Iterator[None]:
    """Let Dask log no traceback of a connection that is lost: that is an error of ours, in one line."""
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in known}
    for name in before:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _results(
    client: Any, submitted: Callable[..., Any], chunks: Iterator[Chunk]
) -> Iterator[tuple[Chunk, Tables]]:
    if not client.ncores():
        _log.info("the scheduler has no workers yet; waiting for them")
    running: dict[Any, Chunk] = {}

    def submit(count: int) -> list[Any]:
        more = {
            submitted(chunk, _core.__version__, retries=RETRIES, pure=False): chunk
            for chunk in islice(chunks, count)
        }
        running.update(more)
        return list(more)

    done = _dask().as_completed(submit(_window(client)), loop=client.loop)
    for future in done:
        chunk = running.pop(future)
        yield chunk, from_bytes(_result(future))
        future.release()
        for another in submit(max(0, _window(client) - len(running))):
            done.add(another)


def _window(client: Any) -> int:
    threads: int = sum(client.ncores().values())
    return TASKS_PER_THREAD * max(1, threads)


def _result(future: Any) -> dict[str, bytes]:
    """Return what a task found; what its workers lack is the user's to mend."""
    try:
        streams: dict[str, bytes] = future.result()
    except (ImportError, _dask().KilledWorker, VersionMismatchError) as error:
        problem = f"the workers cannot compute: {error}; install the same tumor_abm there as here"
        raise InputError(problem, key="scheduler") from error
    return streams
