"""Files that appear whole or not at all, and can be told from what became of them since."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tumor_abm.errors import InputError

SUMS = "SHA256SUMS"
"""File of a directory that holds the SHA-256 of the others, as ``sha256sum --check`` reads it."""

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it in place at once."""
    # Absolute, since a relative path may look like an address or somebody's home to what writes.
    draft = path.absolute().with_name(path.name + ".tmp")
    try:
        write(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, whole."""
    write_whole(path, lambda draft: draft.write_bytes(text.encode()))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    _must_be_a_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """Return the text of a file, UTF-8."""
    _must_be_a_file(path)
    return path.read_text(encoding="utf-8")


def _must_be_a_file(path: Path) -> None:
    """Refuse what may never end, such as a pipe."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")


def sha256_of_text(text: str) -> str:
    """Return the SHA-256 that a file of this text has."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_sums(directory: Path, sums: Mapping[str, str]) -> None:
    """Note the SHA-256 of files of a directory, by name."""
    write_text(directory / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def read_sums(directory: Path) -> dict[str, str]:
    """Return what `write_sums` noted.

    Raises
    ------
    InputError
        Nothing was noted, or the note is damaged.
    """
    path = directory / SUMS
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        raise InputError(f"cannot be verified: there is no {SUMS}", file=directory) from None
    except (OSError, ValueError) as error:
        raise InputError(f"damaged: {error}", file=path) from error
    matches = [_LINE.fullmatch(line) for line in lines]
    if not all(matches):
        raise InputError("damaged: a line is no SHA-256 with a name", file=path)
    return {match[2]: match[1] for match in matches if match}


def verify(directory: Path, names: Iterable[str] | None = None) -> None:
    """Demand that files of a directory are what they were when `write_sums` noted them.

    Parameters
    ----------
    names
        Files to look at; all that were noted when ``None``.

    Raises
    ------
    InputError
        A file is missing, or not the one that was noted; it is named.
    """
    sums = read_sums(directory)
    for name in sums if names is None else names:
        path = directory / name
        try:
            found = sha256_of(path)
        except FileNotFoundError:
            raise InputError("is missing", file=path) from None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=path) from error
        if found != sums.get(name):
            raise InputError(f"damaged or changed since it was written (see {SUMS})", file=path)
