"""JSON files in, with errors a user can act on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tumor_abm.errors import InputError

MOST_BYTES = 256_000_000
"""Larger than anything the package writes or reads as JSON."""


def read_json(path: Path, what: str = "table in JSON") -> dict[str, Any]:
    """Read a table in a JSON file; messages say that it is no `what`.

    Raises
    ------
    InputError
        The file cannot be read, is too large, nested too deeply, no JSON, or no table.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(file=path, found=f"{size:,} bytes", allowed=f"at most {MOST_BYTES:,}")
        parsed = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from error
    except InputError:
        raise
    except RecursionError:
        raise InputError("is no JSON that can be read: nested too deeply", file=path) from None
    except ValueError as error:
        raise InputError(f"is no JSON: {str(error).split(';')[0]}", file=path) from error
    if not isinstance(parsed, dict):
        raise InputError(f"is no {what}: found a {type(parsed).__name__}; allowed: a table", file=path)
    return parsed
