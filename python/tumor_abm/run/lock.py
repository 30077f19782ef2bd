"""One process at a time."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tumor_abm.errors import InputError

LOCK = "lock"
"""Name of the lock file of a directory."""

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def exclusive(directory: Path, *, of: Path | None = None) -> Iterator[None]:
    """Hold the lock file of a directory; it is removed at the end.

    The kernel gives the lock back when its process dies, however it dies, so none is ever stale. On a file
    system without locks a second process is not noticed.

    Parameters
    ----------
    directory
        Where the lock file lies; it exists.
    of
        What is locked, in the words of the user; the directory when ``None``.

    Raises
    ------
    InputError
        Another process holds it.
    """
    path = directory / LOCK
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{_holder(path)} is writing here", file=of or directory) from None
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
    try:
        with suppress(OSError):  # Windows lets nobody write to a locked file
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):  # nor remove it
            path.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") or "another process"
    except OSError:
        return "another process"
