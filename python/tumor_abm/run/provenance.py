"""Where results come from: software, versions, machine, seed."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import tumor_abm._core as _core

_PACKAGES = ("lifelines", "numpy", "polars", "pyarrow", "pydantic")


def now() -> str:
    """Return the time, in seconds, with its zone."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance(
    *, sha256: str, seed: int, patients: int, started: str, notices: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe a run that ends now.

    Parameters
    ----------
    sha256
        Of the experiment as the core reads it.
    seed
        The one used, drawn or given.
    notices
        What the experiment allows and may surprise.
    """
    return {
        "software": "tumor_abm",
        "version": _core.__version__,
        "sha256": sha256,
        "seed": seed,
        "patients": patients,
        **({"notices": list(notices)} if notices else {}),
        "generator": _core.GENERATOR,
        "python": platform.python_version(),
        "packages": {package: version(package) for package in _PACKAGES},
        "platform": platform.platform(),
        "command": shlex.join(sys.argv),
        "started": started,
        "ended": now(),
    }
