"""Mutated experiments, studies and command lines."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import tomli_w
from tumor_abm import TumorModel
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.setup import Choices
from tumor_abm.config import load_experiment
from tumor_abm.run.experiment import run_experiment
from tumor_abm.study import load_study

from fuzz import odd, sound
from fuzz.doors import Said, command, refused

_experiments = functools.cache(sound.experiments)
_studies = functools.cache(sound.studies)


def experiment(rng: Random, scratch: Path) -> None:
    """What is checked as sound runs, opens in the page and can be stepped."""
    tables = rng.choice(_experiments())
    if rng.random() < 0.7:
        tables = tables | {"horizon_months": 3, "accrual_months": 0}
    file = sound.toml(scratch / "x.toml", odd.mutated(rng, tables))
    if not command("check", file).done:
        return
    match rng.choice(["read", "read", "read", "run", "figures", "step", "page"]):
        case "run":
            out = scratch / "out"
            if command("run", file, "--out", out, "--patients", "2", "--jobs", "1", "--no-figures").done:
                command("compare", out)
        case "figures" if rng.random() < 0.2:
            command("run", file, "--out", scratch / "out", "--patients", "2", "--jobs", "1")
        case "step":
            _, model = refused(TumorModel, file, patient=rng.randrange(3))
            if model is not None:
                refused(model.run, 10)
        case "page":
            catalogue = Catalogue.of(file)
            for arm in catalogue.arms:
                catalogue.lines_in_words(arm)
            setup = Choices(population=catalogue.populations[0], strategy=rng.choice(catalogue.arms))
            refused(setup.model, catalogue)
        case _:
            read = load_experiment(file)
            again = load_experiment(sound.toml(scratch / "again.toml", tomllib.loads(read.to_toml())))
            assert again.to_core() == read.to_core()


def text(rng: Random, scratch: Path) -> None:
    """Bytes of a file that are not those that were written."""
    kind = rng.choice(["experiment", "study"])
    tables = rng.choice(_experiments() if kind == "experiment" else _studies())
    file = scratch / "x.toml"
    file.write_bytes(odd.damaged(rng, tomli_w.dumps(tables).encode()))
    if kind == "experiment":
        command("check", file)
    else:
        refused(load_study, file)


def study(rng: Random, scratch: Path) -> None:
    """What is a study grows."""
    file = sound.toml(scratch / "x.toml", odd.mutated(rng, rng.choice(_studies())))
    stopped = ["--replicates", "1", "--jobs", "1"]
    figures = [] if rng.random() < 0.05 else ["--no-figures"]
    command("evolve", file, "--out", scratch / "out", *stopped, *figures)


_BATCH: dict[str, Any] = {
    "title": "t",
    "question": "q",
    "seed": 3,
    "replicates": 2,
    "population": {
        "replicates": 5,
        "until": {"total": 100, "counts": {"1": 10}},
        "division": [0.3, 0.3],
        "death": [0.1, 0.1],
        "mutation": [[0, 1e-3], [0, 0]],
        "initial": [1, 0],
        "treatment": [{"death": [0.4, 0.1], "until": {"day": 30}}],
    },
    "axis": [
        {"name": "a", "path": "population.death[0]", "range": {"from": 0.05, "to": 0.1, "steps": 2}},
        {"name": "b", "path": ["population.death[1]"], "values": [0.1, 0.2], "zip": "z"},
        {"name": "c", "path": "population.initial[0]", "values": [1, 3], "zip": "z"},
        {"name": "d", "path": "population.dt", "sample": {"law": "uniform", "low": 0.4, "high": 0.8}},
    ],
    "design": "sobol",
    "points": 2,
}


def batch(rng: Random, scratch: Path) -> None:
    """What is a batch runs, and is asked."""
    file, out = sound.toml(scratch / "x.toml", odd.mutated(rng, _BATCH)), scratch / "out"
    figures = [] if rng.random() < 0.05 else ["--no-figures"]
    if command("batch", file, "--out", out, "--jobs", "1", *figures).done:
        command("query", out, f"SELECT {odd.name(rng)} FROM {rng.choice(['outcomes', 'summary', 'x'])}")


def tables(rng: Random, scratch: Path) -> None:
    """Tables handed over in Python, which can hold what no TOML can."""
    written: dict[str, Any] = odd.mutated(rng, sound.EXPERIMENT | {"patients": 2})
    path = rng.choice(odd.places(written) or [("title",)])
    parent: Any = written
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = odd.anything(rng)
    refused(run_experiment, written, jobs=1)


_ARGUMENTS = {
    "run": (
        ["EXPERIMENT"],
        ["--out", "--patients", "--seed", "--jobs", "--scheduler", "--resume", "--no-figures"],
    ),
    "compare": (["DIRECTORY"], ["--csv"]),
    "evolve": (["STUDY"], ["--out", "--replicates", "--seed", "--jobs", "--no-figures"]),
    "batch": (
        ["STUDY"],
        ["--out", "--seed", "--jobs", "--scheduler", "--dry-run", "--part", "--merge", "--no-figures"],
    ),
    "query": (["DIRECTORY", "STUDY"], ["--csv"]),
    "predict": (["TRIAL"], ["--out", "--ensemble", "--patients", "--seed", "--jobs", "--keep"]),
    "list": (["LIST"], []),
    "check": (["EXPERIMENT"], []),
    "schema": (["SCHEMA"], ["--out"]),
}


def arguments(rng: Random, scratch: Path) -> Said | None:
    """Odd words on the command line. Nothing lies where it is run, and little is left to compute."""
    name = rng.choice([*_ARGUMENTS, *_ARGUMENTS, odd.name(rng)])
    positional, options = _ARGUMENTS.get(name, ([], ["--out", "--help"]))
    file = sound.toml(scratch / "x.toml", sound.EXPERIMENT | {"patients": 2})
    usual = {
        "EXPERIMENT": str(file),
        "STUDY": str(sound.toml(scratch / "s.toml", sound.STUDY | {"replicates": 1})),
        "DIRECTORY": str(scratch),
        "TRIAL": sound.TRIAL,
        "LIST": rng.choice(["drugs", "alterations", "populations", "experiments", "trials"]),
        "SCHEMA": rng.choice(["experiment", "study"]),
    }
    argv = [name]
    for word in positional:
        argv += [usual[word]] if rng.random() < 0.7 else [_word(rng, scratch)]
    for option in options:
        if option == "--out" or rng.random() < 0.3:
            argv.append(option)
            if option in ("--resume", "--no-figures", "--help"):
                continue
            argv.append(
                str(scratch / "out") if option == "--out" and rng.random() < 0.7 else _word(rng, scratch)
            )
    if rng.random() < 0.1:
        argv.insert(rng.randint(0, len(argv)), odd.name(rng))
    if name == "predict" and "--patients" not in argv:
        argv += ["--patients", "1"]  # fewer than there are parameter sets
    return command(*argv)


def _word(rng: Random, scratch: Path) -> str:
    inside = str(scratch / odd.name(rng).replace("..", "").replace("/", rng.choice(["/", "_"])).lstrip("/"))
    return rng.choice(
        [inside, inside, str(odd.number(rng)), rng.choice(["1", "2", "tcp://", "/dev/null", str(scratch)])]
    )
