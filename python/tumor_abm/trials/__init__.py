"""Published trials as experiments: a file each, and what their arms stand for."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tumor_abm._arguments import must_be
from tumor_abm._paths import is_directory, is_file
from tumor_abm._toml import read_toml
from tumor_abm.config import Experiment
from tumor_abm.endpoints import PFS1, PFS2, Endpoint, Kind
from tumor_abm.errors import InputError, did_you_mean
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.evidence import designs
from tumor_abm.strategy import Arm

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the tables of trials, and the arm that simulates it.

    Attributes
    ----------
    trial, arm, subset, prior_cdk46i
        As in the tables.
    patients
        Size of the arm in the trial; ``None`` where it is not known.
    name
        Name of the arm in the experiment.
    versus
        Name of the arm that hazard ratios are against; ``None`` for controls.
    endpoint
        Whose time is told.
    """

    trial: str
    arm: str
    subset: str
    prior_cdk46i: str
    patients: int | None
    name: str
    versus: str | None
    endpoint: Endpoint


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


def load(
    trial: str,
    *,
    knowledge: Knowledge | None = None,
    patients: int | None = None,
    seed: int | None = None,
    afterwards: bool = True,
) -> Experiment:
    """Return a trial as an experiment.

    Parameters
    ----------
    trial
        File (without ``.toml``) or name in the tables.
    knowledge
        What is known, in the place of what comes with the package.
    patients, seed
        Instead of those of the file.
    afterwards
        ``False`` leaves out the lines that follow on those of the arms, and ends follow-up with the arms:
        enough for progression-free survival.
    """
    must_be("afterwards", afterwards, bool)
    path = files()[find([trial])[0]]
    written = tables(trial)
    if not afterwards:
        written |= {"afterwards": [], "end_with_last_line": True}
    return Experiment.from_dict(written, file=path, patients=patients, seed=seed, knowledge=knowledge)


def rows(experiment: Experiment) -> list[Row]:
    """Return the rows of the tables that the arms of a trial simulate, in their order.

    Raises
    ------
    InputError
        The labels of an arm are in no table, or it is compared with an arm that does not exist.
    """
    arms = {arm.name: arm for arm in experiment.arms}
    found = []
    for arm in experiment.arms:
        if "trial" not in arm.labels:
            continue
        versus = arm.labels.get("versus")
        if versus is not None and versus not in arms:
            raise InputError(key=f"arm {arm.name}: labels.versus", found=versus, allowed=list(arms))
        found.append(_row(arm, versus, experiment))
    return found


def _row(arm: Arm, versus: str | None, experiment: Experiment) -> Row:
    labels = {key: arm.labels.get(key, "") for key in ("trial", "arm", "subset")}
    given = labels | {key: arm.labels[key] for key in ("prior_cdk46i",) if key in arm.labels}
    design = designs().filter(*(pl.col(key) == value for key, value in given.items()))
    if design.height == 0:
        shown = ", ".join(f"{key} {value!r}" for key, value in given.items())
        raise InputError(f"no table of trials has {shown}", file=experiment.file, key=f"arm {arm.name}")
    first = design.row(0, named=True)
    return Row(
        **labels,
        prior_cdk46i=first["prior_cdk46i"],
        patients=first["n"],
        name=arm.name,
        versus=versus,
        endpoint=_endpoint(arm, experiment),
    )


def _endpoint(arm: Arm, experiment: Experiment) -> Endpoint:
    lines = [Endpoint(Kind.PFS, line) for line in range(1, len(arm.line) + 1)]
    known = {each.name: each for each in (*lines, PFS2)}
    name = arm.labels.get("endpoint", PFS1.name)
    if name not in known:
        key = f"arm {arm.name}: labels.endpoint"
        raise InputError(file=experiment.file, key=key, found=name, allowed=known)
    return known[name]
