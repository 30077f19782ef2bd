"""TOML files in, with errors a user can act on."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tumor_abm._base.paths import path_of
from tumor_abm.errors import InputError


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        There is no such file, it is a directory, not text, or not TOML (with line and column).
    """
    file = path_of("file", path)
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors begin with a mark
    except FileNotFoundError:
        raise InputError("there is no such file", file=file) from None
    except IsADirectoryError:
        raise InputError("found a directory; allowed: a TOML file", file=file) from None
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8 text; allowed: a TOML file", file=file) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason}", file=ascii(str(file))[1:-1]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", file=file) from None
    except RecursionError:
        raise InputError("not valid TOML: nested too deeply", file=file) from None
    except ValueError as error:
        raise InputError(f"not valid TOML: {str(error).split(';')[0]}", file=file) from None
