"""States in files: a zip of a few members, whole or not at all, whose every byte is checked."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tumor_abm.errors import InputError

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What `zipfile` raises when bytes are not those that were written."""


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members to a file.

    Raises
    ------
    InputError
        It cannot be written.
    """
    if not path.name:
        raise InputError("cannot be written: it has no name", file=path)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        draft.replace(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be written: {getattr(error, 'strerror', None) or error}", file=path
        ) from None
    finally:
        with suppress(OSError):  # there is none
            draft.unlink()


def read_archive(path: Path, what: str) -> dict[str, bytes]:
    """Read what `write_archive` wrote.

    Raises
    ------
    InputError
        The file is missing or damaged; `what` says of what.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from None
    except _DAMAGED:
        raise InputError(f"no saved {what}, or one that is cut off or damaged", file=path) from None
