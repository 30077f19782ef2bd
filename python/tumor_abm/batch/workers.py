"""Processes that run chunks for the threads of this one, which would wait for the interpreter's lock."""

from __future__ import annotations

import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import tumor_abm._core as _core
from tumor_abm.errors import InputError
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.side_by_side import Stopped
from tumor_abm.run.tables import Tables, from_bytes

_GLANCE_S = 0.05


class Workers:
    """A process per thread, started when the thread has its first chunk.

    Parameters
    ----------
    spec
        The resolved batch, JSON.
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._of_thread = threading.local()
        self._all: list[subprocess.Popen[bytes]] = []

    @classmethod
    @contextmanager
    def of(cls, spec: str) -> Iterator[Workers]:
        """Give workers that are ended at the end."""
        workers = cls(spec)
        try:
            yield workers
        finally:
            for process in workers._all:
                process.kill()
                process.communicate()

    def compute(self, chunk: Chunk, stopped: Stopped) -> Tables:
        """Let the process of this thread run a chunk.

        Raises
        ------
        InputError
            The process died.
        KeyboardInterrupt
            The batch is stopped.
        """
        process = getattr(self._of_thread, "process", None) or self._started()
        try:
            assert process.stdout is not None
            _say(process.stdin, chunk)
            while not select.select([process.stdout], [], [], _GLANCE_S)[0]:
                if stopped():
                    raise KeyboardInterrupt
            answer = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError):
            code = process.wait()
            problem = f"a worker process died (exit code {code}), perhaps for lack of memory"
            raise InputError(f"{problem}; the same command goes on, with fewer --jobs if need be") from None
        if isinstance(answer, BaseException):
            raise answer
        return from_bytes(answer)

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tumor_abm.batch.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process alone, which ends the others
        )
        self._of_thread.process = process
        self._all.append(process)
        _say(process.stdin, (self._spec, _core.__version__))
        return process


def _say(pipe: IO[bytes] | None, what: Any) -> None:
    assert pipe is not None
    pickle.dump(what, pipe)
    pipe.flush()
