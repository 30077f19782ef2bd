"""Names of files that may be no names at all."""

from __future__ import annotations

from pathlib import Path

from tumor_abm.errors import InputError, in_one_line


def path_of(name: str, value: object) -> Path:
    """Return a path that a caller gave.

    Raises
    ------
    InputError
        It is none.
    """
    if not isinstance(value, str | Path) or "\0" in str(value):
        raise InputError(f"{name}: found {in_one_line(value)}; allowed: a path")
    return Path(value)


def is_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8; file names of other encodings cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_file(path: Path) -> bool:
    """Tell whether there is such a file; there is none of a name that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_directory(path: Path) -> bool:
    """Tell whether there is such a directory; there is none of a name that is too long."""
    try:
        return path.is_dir()
    except OSError:
        return False
