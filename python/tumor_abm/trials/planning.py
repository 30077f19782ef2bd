"""Planning of a trial: its power under every parameter set of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tumor_abm._base import seeds
from tumor_abm._base.arguments import must_be, positive
from tumor_abm.analysis.endpoints import PFS1, Endpoint, endpoint
from tumor_abm.analysis.power import (
    LOOKS,
    OVER_TIME,
    POWER,
    TrialDesign,
    hazard_ratio_over_time,
    simulate_trials,
)
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.run.experiment import run_experiment


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """What a trial of two arms would show.

    Attributes
    ----------
    arm, control, endpoint
        What is compared, by what.
    table
        A row per size: `tumor_abm.analysis.power.POWER` under the members of the ensemble together
        (``power`` is then the assurance: the mean over them by weight), and ``power_lo, power_hi``, the least
        and the greatest of the members.
    members
        The same per ``member``, with its ``weight``.
    over_time
        Hazard ratio in periods, per ``member``.
    looks
        A row per size and look, the last of which is the analysis: `tumor_abm.analysis.power.LOOKS`, by
        weight over the members.
    """

    arm: str
    control: str
    endpoint: str
    table: pl.DataFrame
    members: pl.DataFrame
    over_time: pl.DataFrame
    looks: pl.DataFrame


def plan_trial(
    file: str | Path,
    arm: str,
    control: str,
    sizes: Sequence[int],
    design: TrialDesign,
    *,
    timed: str = PFS1.name,
    ensemble: Ensemble | None = None,
    patients: int = 1000,
    trials: int = 1000,
    seed: int = 1,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrialPlan:
    """Simulate a cohort under every parameter set, and trials of each size from it.

    Parameters
    ----------
    file
        Of the experiment.
    arm, control
        Two of its arms.
    sizes
        Patients of the trials, both arms together.
    design
        Accrual, follow-up and interim looks.
    timed
        Name of the endpoint.
    ensemble
        Parameter sets; the defaults alone when ``None``.
    patients
        Virtual patients under each parameter set, from whom trials draw.
    trials
        Trials of each size under each parameter set.
    seed
        Names the random streams.
    jobs
        Threads.
    progress
        Called with the number of parameter sets done.

    Raises
    ------
    InputError
        The experiment has no such arms or endpoint, or follows its patients for less long than the trial.
    """
    must_be("design", design, TrialDesign)
    for size in sizes:
        positive("n", size)
    ensemble = Ensemble.defaults() if ensemble is None else ensemble
    rows, periods, looks = [], [], []
    for number, member in enumerate(ensemble.members):
        own = int(seeds.derive(seed, number).generate_state(1)[0])
        experiment = load_experiment(file, patients=patients, seed=own, knowledge=member.knowledge())
        _check(experiment, arm, control, design)
        results = run_experiment(experiment, jobs=jobs)
        observed = _endpoint(endpoint(results, timed), arm, control, results.experiment).observations(results)
        named = {"member": number, "weight": member.weight}
        for size in sizes:
            drawn = simulate_trials(observed, arm, control, size, design, trials=trials, seed=own)
            rows.append(named | drawn.row())
            looks += [named | row for row in drawn.looks()]
        over_time = hazard_ratio_over_time(observed, arm, control)
        periods += [{"member": number} | row for row in over_time.iter_rows(named=True)]
        if progress:
            progress(number + 1)
    schema = {"member": pl.Int64, "weight": pl.Float64, **POWER}
    members = pl.DataFrame(rows, schema=schema)
    return TrialPlan(
        arm=arm,
        control=control,
        endpoint=timed,
        table=_together(members),
        members=members,
        over_time=pl.DataFrame(periods, schema={"member": pl.Int64, **OVER_TIME}),
        looks=_looks(pl.DataFrame(looks, schema={"member": pl.Int64, "weight": pl.Float64, **LOOKS})),
    )


def _check(experiment: Experiment, arm: str, control: str, design: TrialDesign) -> None:
    known = [each.name for each in experiment.arms]
    for name in (arm, control):
        if name not in known:
            raise InputError(key="arms", found=name, allowed=known)
    if arm == control:
        raise InputError(key="arms", found=f"{arm} twice", allowed="two different arms")
    longest = design.accrual_months + design.follow_up_months
    least = experiment.written.horizon_months - experiment.written.accrual_months
    if least < longest:
        allowed = f"at most {least:g} months together, for which the experiment follows every patient"
        raise InputError(key="accrual and follow-up", found=f"{longest:g} months", allowed=allowed)


def _endpoint(timed: Endpoint, arm: str, control: str, experiment: dict[str, object]) -> Endpoint:
    for name in (arm, control):
        reason = timed.undefined(experiment, name)
        if reason is not None or not timed.randomised:
            why = reason or "it does not count from the first day"
            raise InputError(f"{timed.name} is not defined in {name}: {why}", key="endpoint")
    return timed


def _together(members: pl.DataFrame) -> pl.DataFrame:
    """Average over the members by weight; the Monte Carlo error is that of trials and of members."""
    rows = []
    for (size,), own in members.group_by("n", maintain_order=True):
        weight = own["weight"].to_numpy() / own["weight"].sum()
        means = {
            name: float(weight @ own[name].to_numpy())
            for name in ("events", "power", "against", "schoenfeld", "hr", "hr_lo", "hr_hi", "months")
        }
        error = float(np.sqrt(weight**2 @ own["power_se"].to_numpy() ** 2))
        ends = {"power_lo": own["power"].min(), "power_hi": own["power"].max()}
        rows.append({"n": size, "trials": int(own["trials"].sum()), **means, "power_se": error, **ends})
    return pl.DataFrame(rows, schema={**POWER, "power_lo": pl.Float64, "power_hi": pl.Float64})


def _looks(of_members: pl.DataFrame) -> pl.DataFrame:
    """Average the looks over the members by weight."""
    weight = pl.col("weight")
    means = [
        ((pl.col(name) * weight).sum() / weight.sum()).alias(name)
        for name in LOOKS
        if name not in ("n", "look")
    ]
    return of_members.group_by("n", "look", maintain_order=True).agg(means).select(*LOOKS)
