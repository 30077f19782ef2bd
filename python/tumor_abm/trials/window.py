"""Window trials: how proliferation falls within days or weeks of a treatment, against what was published."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.model import TumorModel
from tumor_abm.treatment.line import Regimen

_NORMAL_95 = 1.959964
_MOST_CANDIDATES = 20
"""Candidates for each patient wanted, before too few are found to proliferate enough."""


class WindowArm(Table):
    """An arm of a window trial.

    Attributes
    ----------
    trial, regimen
        As in the table of Ki-67.
    drugs
        What is given.
    days
        Days of the biopsies, counted from the first dose.
    at_least
        Only tumours with so much proliferation before treatment.
    """

    trial: str
    regimen: str
    drugs: Regimen
    days: list[int] = Field(min_length=1)
    at_least: float = Field(default=0.0, ge=0, lt=1)


class Windows(Table):
    """Window trials with their patients.

    Attributes
    ----------
    node
        Output of the pathway that a biopsy shows.
    arrested_at
        Complete cell-cycle arrest: no more of it than this.
    population
        Laws of the patients, as in an experiment.
    arm
        The arms.
    """

    node: str
    arrested_at: float = Field(gt=0, lt=1)
    population: dict[str, Any]
    arm: list[WindowArm] = Field(min_length=1)

    @classmethod
    def shipped(cls) -> Windows:
        """Return those that come with the package."""
        return _shipped()

    def chosen(self, trials: Sequence[str]) -> list[WindowArm]:
        """Return the arms of some trials; of all, if none is named.

        Raises
        ------
        InputError
            No window trial has the name.
        """
        named = {arm.trial for arm in self.arm}
        for trial in trials:
            if trial not in named:
                raise InputError(key="trials", found=trial, allowed=sorted(named))
        return [arm for arm in self.arm if not trials or arm.trial in trials]


@cache
def _shipped() -> Windows:
    text = resources.files("tumor_abm.knowledge").joinpath("windows.toml").read_text(encoding="utf-8")
    return Windows.model_validate(tomllib.loads(text))


def run_windows(
    windows: Windows | None = None,
    *,
    trials: Sequence[str] = (),
    patients: int = 100,
    seed: int = 1,
    knowledge: Knowledge | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> pl.DataFrame:
    """Simulate window trials.

    Parameters
    ----------
    windows
        Instead of those of the package.
    trials
        Names of some of them; none: all.
    patients
        Virtual patients of each arm. Arms with the same entry have the same patients.
    seed
        Names all random streams.
    knowledge
        Instead of the package's.
    progress
        Called with the arms that are done.

    Returns
    -------
    polars.DataFrame
        A row per arm and day: ``trial, regimen, day, patients``; ``change_pct``, the geometric mean of the
        change in percent, with the 95% interval of this mean, ``change_lo`` and ``change_hi``;
        ``arrest_pct``; and as published, missing where it was not, ``published_change_pct``,
        ``published_lo``, ``published_hi`` and ``published_arrest_pct``.

    Raises
    ------
    InputError
        No window trial has the name, or too few tumours proliferate enough.
    """
    windows = windows or Windows.shipped()
    chosen = windows.chosen(trials)
    rows: list[dict[str, Any]] = []
    for done, arm in enumerate(chosen):
        progress(done)
        rows += _arm(windows, arm, patients, seed, knowledge)
    progress(len(chosen))
    return pl.DataFrame(rows, infer_schema_length=None)


def _arm(
    windows: Windows, arm: WindowArm, patients: int, seed: int, knowledge: Knowledge | None
) -> list[dict[str, Any]]:
    regimen = [dosing.model_dump(by_alias=True, exclude_none=True) for dosing in arm.drugs]
    tables = {
        "title": f"{arm.trial}: {arm.regimen}",
        "question": "How does proliferation fall?",
        "seed": seed,
        "population": windows.population,
        "arm": [{"name": arm.regimen, "line": [{"regimen": regimen}]}],
    }
    experiment = Experiment.from_dict(tables, knowledge=knowledge)
    explanation = Explanation(experiment.knowledge)
    found: list[list[float]] = []
    for candidate in range(_MOST_CANDIDATES * patients):
        if len(found) == patients:
            break
        model = TumorModel(experiment, patient=candidate, rng=seed, collect_every_days=0)
        before = _shown(explanation, model, windows.node)
        if before < arm.at_least:
            continue
        shares = [before]
        for day in arm.days:
            model.run(day - model.day)
            shares.append(_shown(explanation, model, windows.node))
        found.append(shares)
    if len(found) < patients:
        raise InputError(
            key=f"{arm.trial}, {arm.regimen}: at_least",
            found=arm.at_least,
            allowed=f"what {patients} of {_MOST_CANDIDATES * patients} tumours have",
        )
    seen = np.array(found)
    return [_row(windows, arm, day, seen[:, 0], seen[:, 1 + d]) for d, day in enumerate(arm.days)]


def _shown(explanation: Explanation, model: TumorModel, node: str) -> float:
    """Mean over the living cells, 0 without any."""
    living = model.genotypes
    cells = living["cells"].to_numpy().astype(float)
    if not cells.sum() > 0:
        return 0.0
    of_genotypes = explanation.numbers(
        explanation.patient_of(model.covariates),
        treatments=[model.concentrations],
        genotypes=living["alterations"].to_list(),
        nodes=[node],
    )[0, :, 0]
    return float((of_genotypes * cells).sum() / cells.sum())


def _row(windows: Windows, arm: WindowArm, day: int, before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    with np.errstate(divide="ignore"):
        ratios = np.log(np.maximum(after, 1e-6) / before)
    mean, error = (
        float(ratios.mean()),
        float(ratios.std(ddof=1) / math.sqrt(ratios.size)) if ratios.size > 1 else math.nan,
    )
    percent = [100 * math.expm1(mean + side * _NORMAL_95 * error) for side in (0, -1, 1)]
    rows = evidence.ki67().filter(trial=arm.trial, regimen=arm.regimen, day=float(day))
    published = rows.row(0, named=True) if rows.height else {}
    return {
        "trial": arm.trial,
        "regimen": arm.regimen,
        "day": day,
        "patients": ratios.size,
        "change_pct": percent[0],
        "change_lo": percent[1],
        "change_hi": percent[2],
        "arrest_pct": 100 * float((after <= windows.arrested_at).mean()),
        "published_change_pct": published.get("geometric_mean_change_pct"),
        "published_lo": published.get("lo"),
        "published_hi": published.get("hi"),
        "published_arrest_pct": published.get("ccca_pct"),
    }
