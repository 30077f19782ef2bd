"""Experiments that come with the package, found by the name of their file or of their trial."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from tumor_abm._base.arguments import must_be
from tumor_abm._base.paths import is_directory, is_file
from tumor_abm._base.toml import read_toml
from tumor_abm.errors import InputError, did_you_mean

FOLDER = Path(str(resources("tumor_abm"))) / "trials"
"""Of the files of trials."""


def files() -> dict[str, Path]:
    """Files of all trials by their name without ``.toml``, in the order of the names."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


@functools.cache
def _labels(path: Path) -> tuple[str, ...]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    labels = [arm.get("labels", {}).get("trial") for arm in tables.get("arm", [])]
    return tuple(dict.fromkeys(label for label in labels if label))


def names() -> dict[str, tuple[str, ...]]:
    """Trials, as the tables call them, that each file holds."""
    return {stem: _labels(path) for stem, path in files().items()}


def find(wanted: Iterable[str]) -> list[str]:
    """Return the files (without ``.toml``) of trials given by file or as the tables call them; none: all.

    Raises
    ------
    InputError
        There is no such trial; all are listed.
    """
    known = names()
    must_be("wanted", wanted, Iterable)
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    if not wanted:
        return list(known)
    chosen: list[str] = []
    for name in wanted:
        must_be("wanted", name, str)
        folded = name.casefold()
        hits = [
            stem
            for stem, labels in known.items()
            if folded == stem.casefold() or folded in (label.casefold() for label in labels)
        ]
        if not hits:
            listed = "; ".join(f"{stem} ({', '.join(labels)})" for stem, labels in known.items())
            raise InputError(f'"{name}" is no trial; allowed: {listed}', key="TRIAL")
        chosen += [hit for hit in hits if hit not in chosen]
    return chosen


def experiment_file(named: str | Path) -> Path:
    """Return the file of an experiment: that at this path or, if there is none, of the trial so called.

    Raises
    ------
    InputError
        Several files are about that trial.
    """
    path = Path(named)
    if is_file(path) or path.suffix:
        return path
    try:
        found = find([str(named)])
    except InputError:
        if is_directory(path):
            return path
        nearest = did_you_mean(str(named), files())
        guess = f'; did you mean "{nearest}"?' if nearest else " (tumor-abm list trials)"
        raise InputError(f"there is no such file, nor a trial of this name{guess}", file=path) from None
    if len(found) > 1:
        raise InputError("several files are about this trial", key=str(named), allowed=found)
    return files()[found[0]]


def tables(trial: str) -> dict[str, Any]:
    """Return a trial as written, by its file (without ``.toml``) or its name in the tables."""
    return read_toml(files()[find([trial])[0]])
