"""Results small enough to look at, for whatever reads results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from tumor_abm._base.genotype import Genotype, named
from tumor_abm.run.results import Results

ARMS = ("Letrozole, then palbociclib + fulvestrant", "Palbociclib + letrozole, then fulvestrant")
GENOTYPES: tuple[Genotype, ...] = ((), ("ESR1 Y537S",), ("RB1 loss",), ("ESR1 Y537S", "CDK6-high"))
MONTH = 30.4375


@pytest.fixture(scope="session")
def make_results() -> Callable[..., Results]:
    """Draw the results of a trial in which the second arm does better."""
    return _draw


@pytest.fixture(scope="session")
def results(make_results: Callable[..., Results]) -> Results:
    """Return those of 60 patients in two arms."""
    return make_results()


def _draw(patients: int = 60, arms: tuple[str, ...] = ARMS, seed: int = 1) -> Results:
    rng = np.random.default_rng(seed)
    followed = rng.uniform(30, 60, patients)
    rows: dict[str, list[tuple[object, ...]]] = {"outcomes": [], "overall": [], "clones": []}
    for a, arm in enumerate(arms):
        first, second, rest = (rng.exponential(mean, patients) for mean in (12 * (a + 1), 8, 12))
        for patient in range(patients):
            lines = _lines(rng, arm, patient, [first[patient], second[patient]], followed[patient])
            rows["outcomes"] += lines
            rows["clones"] += [row for line in lines for row in _clones(rng, line)]
            progressions = first[patient] + second[patient]
            times = (progressions + rest[patient], progressions)
            rows["overall"].append((patient, arm, *(x for t in times for x in _seen(t, followed[patient]))))
    tables = {
        name: pl.DataFrame(rows[name], schema=columns, orient="row") for name, columns in _COLUMNS.items()
    }
    tables["patients"] = pl.DataFrame({"patient": range(patients), "age": rng.normal(60, 9, patients)})
    return Results(tables, _experiment(arms, patients, seed), {"software": "tumor_abm", "version": "0.1.0"})


_COLUMNS = {
    "outcomes": "patient arm line regimen start_day end_day end_reason pfs_months pfs_event "
    "best_sld_change response",
    "overall": "patient arm os_months os_event pfs2_months pfs2_event",
    "clones": "patient arm line day moment genotype alterations cells fraction",
}
_COLUMNS = {name: columns.split() for name, columns in _COLUMNS.items()}


def _seen(time: float, followed: float) -> tuple[float, bool]:
    return float(min(time, followed)), bool(time <= followed)


def _lines(
    rng: np.random.Generator, arm: str, patient: int, pfs: list[float], followed: float
) -> list[tuple[object, ...]]:
    rows, start = [], 0.0
    for line, time in enumerate(pfs, start=1):
        if start >= followed:
            break
        months, event = _seen(time, followed - start)
        days = round(start * MONTH), round((start + months) * MONTH)
        response = str(rng.choice(["CR", "PR", "SD", "PD", "NE"], p=[0.05, 0.4, 0.35, 0.15, 0.05]))
        reason = "progression" if event else "censored"
        rows.append((patient, arm, line, f"regimen {line}", *days, reason, months, event, -0.2, response))
        start += months
    return rows


def _clones(rng: np.random.Generator, row: tuple[object, ...]) -> list[tuple[object, ...]]:
    patient, arm, line, _, start, end, reason = row[:7]
    moments = [(end, "progression" if reason == "progression" else "end")]
    if line == 1:
        moments.insert(0, (start, "baseline"))
    return [
        (patient, arm, line, day, moment, named(genotype), genotype, int(1e9 * fraction), float(fraction))
        for day, moment in moments
        for genotype, fraction in zip(GENOTYPES, rng.dirichlet(np.full(len(GENOTYPES), 0.3)), strict=True)
    ]


def _experiment(arms: tuple[str, ...], patients: int, seed: int) -> dict[str, object]:
    lines = [
        {"regimen": [{"drug": "letrozole"}]},
        {"regimen": [{"drug": "palbociclib"}, {"drug": "fulvestrant"}]},
    ]
    return {
        "title": "Palbociclib first or second?",
        "question": "Does it matter in which order they are given?",
        "seed": seed,
        "patients": patients,
        "control": arms[0],
        "arm": [{"name": arm, "line": lines} for arm in arms],
    }
