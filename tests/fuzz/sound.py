"""Sound things, made once, of which the cases damage copies."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomli_w
import tumor_abm as ta
from tumor_abm import trials
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Tried, Wave
from tumor_abm.calibration.store import calibrate
from tumor_abm.cli import main
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.study import load_study, run_study
from tumor_abm.trials import Parts, predict

ROOT = Path(__file__).parents[2]
FOLDER = Path()
"""Where the sound things are, once they are made."""

EXPERIMENT: dict[str, Any] = {
    "title": "Two arms",
    "question": "Does it last?",
    "patients": 60,  # two chunks
    "seed": 1,
    "horizon_months": 2,
    "accrual_months": 0,
    "arm": [
        {"name": "letrozole", "line": [{"regimen": ["letrozole"]}]},
        {"name": "letrozole + palbociclib", "line": [{"regimen": ["letrozole", "palbociclib"]}]},
    ],
}
STUDY: dict[str, Any] = {
    "title": "Two scenarios",
    "question": "Do they differ?",
    "seed": 1,
    "replicates": 2,
    "cells": 300,
    "whole_tumour_cells": 100,
    "snapshots": 5,
    "sequencing": {"single_cells": 2},
    "scenario": [
        {"name": "mixed", "types": ["a"], "division": [0.6], "death": [0.3], "mutation": [[0.01]]},
        {
            "name": "flat",
            "types": ["a", "b"],
            "division": [0.6, 0.7],
            "death": [0.1, 0.1],
            "mutation": [[0.01, 0.01], [0, 0]],
            "space": {"dimensions": 2},
        },
    ],
    "biopsy": [{"name": "left", "cells": 20, "centre": [-0.5, 0, 0]}],
}
TRIAL = "paloma_2"


class EnoughError(Exception):
    """What was to be seen was seen."""


def experiments() -> list[dict[str, Any]]:
    """Return experiments as written: those of the project, trials, small cases, and one as resolved."""
    files = [*trials.files().values(), *(ROOT / "experiments").glob("*.toml"), *_cases("evolve_names", False)]
    written = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(files)]
    resolved = ta.load_experiment(ROOT / "experiments" / "cdk46_first_or_second_line.toml").resolved()
    return [*written, EXPERIMENT, json.loads(json.dumps(resolved))]


def studies() -> list[dict[str, Any]]:
    """Return studies as written, made small."""
    files = [*(ROOT / "experiments" / "evolution").glob("*.toml"), *_cases("evolve_names", True)]
    small = {"cells": 300, "whole_tumour_cells": 100, "replicates": 1}
    found = [tomllib.loads(file.read_text(encoding="utf-8")) | small for file in sorted(files)]
    for study in found:
        study["biopsy"] = [sample | {"cells": 20} for sample in study.get("biopsy", [])]
    return [*found, STUDY]


def _cases(name: str, is_it: bool) -> list[Path]:
    return [file for file in (ROOT / "tests" / "cases").glob("*.toml") if (file.stem == name) is is_it]


def make(folder: Path, names: Iterable[str] | None = None) -> None:
    """Make everything, or what is named, in a folder, unless it is there already."""
    global FOLDER
    FOLDER = folder
    for name in names or _MADE:
        if not (folder / name).exists():
            draft = folder / f"{name}.draft"
            draft.mkdir(parents=True)
            _MADE[name](draft)
            draft.rename(folder / name)


def toml(path: Path, tables: dict[str, Any]) -> Path:
    """Write tables; what is no UTF-8 text is written nevertheless."""
    path.write_bytes(tomli_w.dumps(tables).encode("utf-8", "surrogatepass"))
    return path


def _stop_at(done: int) -> Callable[[int], None]:
    def stop(now: int) -> None:
        if now >= done:
            raise KeyboardInterrupt

    return stop


def _run(folder: Path) -> None:
    toml(folder / "x.toml", EXPERIMENT)
    assert main(["run", str(folder / "x.toml"), "--out", str(folder / "out"), "--no-figures"]) == 0


def _unfinished_run(folder: Path) -> None:
    with suppress(KeyboardInterrupt):
        ta.run_experiment(toml(folder / "x.toml", EXPERIMENT), folder / "out", jobs=1, progress=_stop_at(51))


def _study(folder: Path) -> None:
    file = toml(folder / "x.toml", STUDY)
    assert main(["evolve", str(file), "--out", str(folder / "out"), "--no-figures"]) == 0


def _unfinished_study(folder: Path) -> None:
    file = toml(folder / "x.toml", STUDY)
    with suppress(KeyboardInterrupt):
        run_study(load_study(file), folder / "out", jobs=1, progress=_stop_at(2))


def _prediction(folder: Path) -> None:
    Ensemble.defaults().save(folder / "ensemble.json")
    predict([TRIAL], ensemble=Ensemble.defaults(), patients=2).save(folder / "out")


def _parts(folder: Path) -> None:
    Ensemble.defaults().save(folder / "ensemble.json")
    with Parts.claimed(folder / "out.parquet.parts") as parts:
        predict([TRIAL], ensemble=Ensemble.defaults(), patients=2, parts=parts)


def _ensemble(folder: Path) -> None:
    shipped = Ensemble.shipped()
    Ensemble(members=shipped.members[:2], provenance=shipped.provenance).save(folder / "ensemble.json")


def _models(folder: Path) -> None:
    patient = ta.TumorModel(rng=1, engine="lattice", cells=10_000, agent_reporters={"cells": "cells"})
    patient.run(3)
    patient.save(folder / "patient")
    population = population_of_cells()
    population.save(folder / "population")
    model = ta.TumorModel.of_population(population)
    model.run(3)
    model.save(folder / "bare")


def population_of_cells() -> ta.Population:
    """Return a few cells of two types in space, with everything recorded."""
    grown = ta.Population(
        division=[0.3, 0.3],
        death=[0.1, 0.1],
        mutation=[[0, 0.1], [0, 0]],
        initial=[20, 0],
        engine="lattice",
        space=ta.Space(dimensions=2),
        genealogy=True,
        keep_extinct=True,
        seed=1,
    )
    grown.step(10)
    return grown


SMALL_CALIBRATION: dict[str, Any] = {
    "seed": 1,
    "jobs": 1,
    "plan": "chemotherapy",
    "waves": (Wave(sets=2, patients=2, width=0.05, named=2),),
    "rounds": 1,
    "candidates": 2,
    "patients": 2,
}


def _calibration(folder: Path) -> None:
    """Write the journal of a search in which only the first set was really simulated."""
    problem = Problem.shipped("chemotherapy")

    def stop_at_the_second(done: int) -> None:
        if done == 1:
            raise EnoughError

    with suppress(EnoughError):
        calibrate(folder / "out", **SMALL_CALIBRATION, progress=stop_at_the_second)
    journal = folder / "out" / "simulated.jsonl"
    head, line = journal.read_text(encoding="utf-8").splitlines()
    first = Tried(**json.loads(line))
    assert len(first.shares) == len(problem.parameters)
    lines = [json.dumps(vars(first) | {"seed": first.seed + number}) for number in range(4)]
    journal.write_text("\n".join([head, line, *lines]) + "\n", encoding="utf-8")


_MADE: dict[str, Callable[[Path], None]] = {
    "run": _run,
    "unfinished_run": _unfinished_run,
    "study": _study,
    "unfinished_study": _unfinished_study,
    "prediction": _prediction,
    "parts": _parts,
    "ensemble": _ensemble,
    "models": _models,
    "calibration": _calibration,
}
