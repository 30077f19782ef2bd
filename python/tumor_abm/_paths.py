"""Names of files that may be no names at all."""

from __future__ import annotations

from pathlib import Path


def is_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8; file names of other encodings cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_directory(path: Path) -> bool:
    """Tell whether there is such a directory; there is none of a name that is too long."""
    try:
        return path.is_dir()
    except OSError:
        return False
