"""All kinds of cases, and how often each is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz import calls, configs, files, names, sound

CASES: dict[str, tuple[float, Callable[[Random, Path], object]]] = {
    "config": (6, configs.experiment),
    "config, text": (4, configs.text),
    "config, tables": (2, configs.tables),
    "config, study": (2, configs.study),
    "config, batch": (2, configs.batch),
    "command line": (3, configs.arguments),
    "call": (12, calls.call),
    "names, experiment": (1, names.experiment),
    "names, study": (1, names.study),
    "names, page": (0.3, names.page),
    "names, maf": (1, names.tables),
    "names, model": (0.3, names.model),
    "files, run": (4, files.run),
    "files, study": (3, files.study),
    "files, prediction": (1, files.prediction),
    "files, ensemble": (2, files.ensemble),
    "files, model": (4, files.model),
    "files, calibration": (1, files.calibration),
}
"""Name to weight and function."""


def prepare(folder: Path) -> None:
    """Make the sound things that cases damage."""
    sound.make(folder / "sound")
