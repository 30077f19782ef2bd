"""Published trials as experiments: what their arms stand for in the tables of evidence."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.endpoints import PFS1, PFS2, Endpoint, Kind
from tumor_abm.config import Experiment
from tumor_abm.config.named import files, find, tables
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.evidence import designs, trials
from tumor_abm.treatment import Arm


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
    survival
        Whether overall survival is asked: it was published, or the whole outcome is yet to be predicted.
    """

    trial: str
    arm: str
    subset: str
    prior_cdk46i: str
    patients: int | None
    name: str
    versus: str | None
    endpoint: Endpoint
    survival: bool


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
    of_row = [pl.col(key) == value for key, value in given.items()]
    design = designs().filter(*of_row)
    if design.height == 0:
        shown = ", ".join(f"{key} {value!r}" for key, value in given.items())
        raise InputError(f"no table of trials has {shown}", file=experiment.file, key=f"arm {arm.name}")
    first = design.row(0, named=True)
    published = trials().filter(*of_row)
    return Row(
        **labels,
        prior_cdk46i=first["prior_cdk46i"],
        patients=first["n"],
        name=arm.name,
        versus=versus,
        endpoint=_endpoint(arm, experiment),
        survival=published.height == 0 or published["mos_mo"].is_not_null().any(),
    )


def _endpoint(arm: Arm, experiment: Experiment) -> Endpoint:
    lines = [Endpoint(Kind.PFS, line) for line in range(1, len(arm.line) + 1)]
    known = {each.name: each for each in (*lines, PFS2)}
    name = arm.labels.get("endpoint", PFS1.name)
    if name not in known:
        key = f"arm {arm.name}: labels.endpoint"
        raise InputError(file=experiment.file, key=key, found=name, allowed=known)
    return known[name]
