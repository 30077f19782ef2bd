"""One process at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tumor_abm.errors import InputError


@contextmanager
def exclusive(path: Path, *, of: Path) -> Iterator[None]:
    """Hold the lock file `path` of the directory `of`; it is removed at the end.

    The kernel gives the lock back when its process dies, however it dies, so none is ever stale.

    Raises
    ------
    InputError
        Another process holds it.
    """
    descriptor = _locked(path, of)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path, of: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise InputError(f"{holder} is writing here", file=of) from None
        except OSError:
            return descriptor  # a file system without locks; there a second process is not noticed
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder removed it between our opening and locking it


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
