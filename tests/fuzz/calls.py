"""Calls of the public Python API in which an argument or two are odd."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import tumor_abm as ta
from tumor_abm import biopsy, endpoints, neutrality, plots, survival, trials
from tumor_abm.evolution.clonal_input import conipher, pyclone_vi
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.evolution.mutation_table import read_mutations
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.study import load_study
from tumor_abm.trials import predict

from fuzz import odd, sound
from fuzz.doors import BrokenError, refused


@dataclass(frozen=True)
class Call:
    """A call that has not been made: of what, with what, in which there may be further calls."""

    of: Callable[..., Any]
    named: dict[str, Any]
    listed: tuple[Any, ...] = ()

    def make(self) -> Any:
        """Make the inner calls, then this one."""
        return self.of(*map(_made, self.listed), **{name: _made(value) for name, value in self.named.items()})

    def mutated(self, rng: Random) -> Call:
        """Return the call with something odd in the place of an argument, here or farther in."""
        named, listed = dict(self.named), list(self.listed)
        where = rng.choice(list(named) or range(len(listed)))
        into: Any = listed if isinstance(where, int) else named
        into[where] = _odd(rng, into[where])
        return Call(self.of, named, tuple(listed))


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(item) for item in value]
    return value.make() if isinstance(value, Call) else value


def _odd(rng: Random, value: Any) -> Any:
    if isinstance(value, Call) and value.named and rng.random() < 0.8:
        return value.mutated(rng)
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = rng.randrange(len(value))
        return [*value[:place], _odd(rng, value[place]), *value[place + 1 :]]
    return odd.number(rng) if isinstance(value, int | float) and rng.random() < 0.6 else odd.anything(rng)


def _until(**named: Any) -> Call:
    return Call(ta.Until, named)


_RATES: dict[str, Any] = {
    "division": [0.3, 0.3],
    "death": [0.1, 0.1],
    "mutation": [[0.0, 0.01], [0.0, 0.0]],
    "switching": [[0.0, 0.01], [0.0, 0.0]],
    "initial": [10, 5],
    "dt": 1.0,
    "seed": 1,
    "max_clones": 5,
}
_SPACE = Call(
    ta.Space,
    {
        "dimensions": 2,
        "neighbourhood": "moore",
        "placement": "push",
        "depth": 3,
        "mutant": "placed",
        "width": None,
        "nutrient": Call(ta.Reach, {"length": 5.0, "profile": "linear"}),
        "drug": Call(ta.Reach, {"length": 5.0, "profile": "exponential"}),
    },
)
_IN_SPACE: dict[str, Any] = {
    "engine": "lattice",
    "space": _SPACE,
    "places": [[0, 0], [0, 1], [1, 0]],
    "initial": [2, 1],
    "drug_death": [0.2, 0.1],
    "drug_division": [0.1, 0.1],
}
_OF_CELLS: dict[str, Any] = {
    "engine": "cells",
    "trait": Call(ta.Trait, {"rate": "death", "drift": 0.1, "limit": 1.0}),
    "genealogy": True,
}
_END = _until(total=200, counts={1: 50}, below=1, extinct=True, day=20.0)
_PHASE = Call(ta.Phase, {"division": [0.1, 0.2], "death": [0.2, 0.1], "until": _END})
_GROWTH: dict[str, Any] = {
    "replicates": 3,
    "until": _END,
    "treatment": [_PHASE, Call(ta.Cycle, {"phases": [_PHASE, _PHASE], "until": _END})],
    "restart_on_extinction": True,
    "threads": 1,
    "phases": "all",
    "max_attempts": 5,
}


def _grown(step: Any = 3, **named: Any) -> ta.Population:
    population = ta.Population(**named)
    population.step(step)
    population.clones, population.counts  # noqa: B018
    population.fork(seed=1)
    return population


def _patient(days: Any = 3.0, **named: Any) -> ta.TumorModel:
    model = ta.TumorModel(**named)
    model.run(days)
    model.clones, model.drugs, model.records(), model.snapshot(), repr(model)
    return model


@functools.cache
def _tissue() -> ta.Population:
    return sound.population_of_cells()


@functools.cache
def _mutations() -> ta.Mutations:
    return ta.Mutations.draw(_tissue().genealogy, 1.0, seed=1)


@functools.cache
def _results() -> ta.Results:
    return ta.Results.load(sound.FOLDER / "run" / "out")


@functools.cache
def _model() -> ta.TumorModel:
    return ta.TumorModel(rng=1, collect_every_days=0)


def _on(thing: Callable[[], Any], method: str) -> Callable[..., Any]:
    def call(*listed: Any, **named: Any) -> Any:
        return getattr(thing(), method)(*listed, **named)

    call.__name__ = method
    return call


def _twin(method: str) -> Callable[..., Any]:
    return _on(lambda: _model().fork(), method)


def _tree() -> Any:
    return _tissue().genealogy


_READS = pl.DataFrame(
    {
        "mutation": [0, 1],
        "origin": ["driver", "passenger"],
        "type": [1, None],
        "depth": [10, 10],
        "alt_reads": [1, 2],
        "vaf": [0.1, 0.2],
        "called": [True, True],
    }
)


def _read(method: str, mutations: Any, rows: Any, seed: Any, **how: Any) -> Any:
    return getattr(ta.Sequencing(**how), method)(mutations, rows, seed=seed)


def _samples(samples: Any, seed: Any = 1) -> Any:
    return ta.Sequencing().samples(_mutations(), samples, seed=seed)


_SEQUENCING = {"depth": 50.0, "purity": 0.8, "overdispersion": 0.01, "least_reads": 2, "least_vaf": 0.02}
_READING = _SEQUENCING | {"mutations": Call(_mutations, {}), "rows": [0, 1], "seed": 1}
_PATIENT: dict[str, Any] = {
    "patient": 1,
    "strategy": [["letrozole", {"drug": "palbociclib", "dose": 0.8}], "fulvestrant"],
    "covariates": {"turnover": 0.5, "visceral": True, "target_lesions": 2, "net_growth_per_day": 0.005},
    "founder": ["PIK3CA H1047R"],
    "mutation_rate": 1.0,
    "engine": "clones",
    "horizon_months": 3.0,
    "progression_from": "nadir",
    "rng": 1,
    "collect_every_days": 1,
}

CALLS: dict[str, list[Call]] = {
    "Population": [
        Call(_grown, _RATES),
        Call(_grown, _RATES | _OF_CELLS),
        Call(_grown, _RATES | _IN_SPACE | {"step": 3, "keep_extinct": True}),
    ],
    "replicate": [
        Call(ta.replicate, _RATES | _GROWTH),
        Call(ta.replicate, _RATES | _GROWTH | _OF_CELLS | {"phases": "last", "sample": 2}),
        Call(ta.replicate, _RATES | _GROWTH | _IN_SPACE),
    ],
    "set_rates": [
        Call(
            lambda **rates: sound.population_of_cells().set_rates(**rates),
            {
                "division": [0.1, 0.1],
                "death": [0.2, 0.1],
                "mutation": [[0, 0.1], [0, 0]],
                "switching": [[0, 0.1], [0, 0]],
            },
        )
    ],
    "TumorModel": [
        Call(_patient, _PATIENT),
        Call(_patient, _PATIENT | {"engine": "cells", "cells": 10_000}),
        Call(
            _patient,
            _PATIENT
            | {
                "engine": "lattice",
                "cells": 10_000,
                "space": Call(ta.Space, {"dimensions": 2, "placement": "push", "depth": 4}),
            },
        ),
        Call(
            _patient,
            {
                "population": Call(ta.Population, _RATES),
                "rng": 1,
                "horizon_months": 2,
                "collect_every_days": 1,
            },
        ),
        Call(ta.TumorModel, {"experiment": sound.EXPERIMENT, "rng": 1}),
    ],
    "treatment": [
        Call(
            _twin("intervene"),
            {"drugs": ["capecitabine", {"drug": "letrozole", "dose": 0.5}], "new_line": True},
        ),
        Call(_twin("add"), {"drug": "capecitabine"}),
        Call(_twin("stop"), {"drug": "letrozole"}),
        Call(_twin("hold"), {}, ("letrozole", ["palbociclib"])),
        Call(_twin("resume"), {}, ("letrozole",)),
        Call(_twin("follow"), {"lines": [["capecitabine"], "docetaxel", {"regimen": ["fulvestrant"]}]}),
        Call(_twin("fork"), {"strategy": [["capecitabine"]], "seed": 3}),
        Call(_twin("run"), {"days": 3}),
        Call(_twin("section"), {"axis": "z", "at": 0}),
        Call(_twin("set_rates"), {"division": [1]}),
    ],
    "biopsy": [
        Call(
            _on(_tissue, "biopsy"),
            {"shape": Call(ta.Sphere, {"centre": (0.0, 0.0), "radius": 3.0, "cells": None}), "seed": 1},
        ),
        Call(
            _on(_tissue, "biopsy"),
            {
                "shape": Call(ta.Needle, {"through": (0, 0), "direction": (1, 0), "cells": 4, "length": 9.0}),
                "seed": 1,
            },
        ),
        Call(_on(_tissue, "biopsy"), {"shape": Call(ta.RandomCells, {"cells": 4}), "seed": 1}),
        Call(
            biopsy.take,
            {
                "shape": Call(ta.RandomCells, {"cells": 4}),
                "cells": Call(lambda: _tissue().cells, {}),
                "genealogy": Call(_tree, {}),
                "seed": 1,
            },
        ),
    ],
    "genealogy": [
        Call(_on(_tree, "site_frequency_spectrum"), {"mutations_per_division": 1.0, "seed": 1}),
        Call(_on(_tree, "mutate"), {"mutations_per_division": 1.0, "seed": 1}),
        Call(_on(_tree, "lines"), {"days": [1.0, 2.0]}),
        Call(_on(_tree, "restrict"), {"cells": [0, 1]}),
        Call(_on(_tree, "descendants"), {"nodes": Call(lambda: _tree().cells["node"], {})}),
        Call(_on(_tree, "newick"), {"lengths": "days"}),
        Call(_on(_tree, "tree_sequence"), {"mutations_per_division": 1.0, "seed": 1}),
        Call(
            lambda branchings: ta.Population(
                division=[0.3], death=[0.0], initial=[1], engine="cells", genealogy=True, seed=1
            ).genealogy.gamma(branchings),
            {"branchings": 3},
        ),
        Call(lambda outcomes: list(ta.Genealogy.of_replicates(outcomes)), {"outcomes": _READS}),
    ],
    "sequencing": [
        Call(
            ta.Mutations.draw,
            {
                "genealogy": Call(_tree, {}),
                "per_division": 1.0,
                "truncal": 3,
                "clones": Call(lambda: _tissue().all_clones, {}),
                "least_carriers": 1,
                "seed": 1,
            },
        ),
        Call(_on(_mutations, "carriers"), {"rows": [0, 1]}),
        Call(_read, _READING, ("bulk",)),
        Call(_read, _READING, ("single_cells",)),
        Call(_samples, {"samples": {"a": [0, 1], "b": [2]}, "seed": 1}),
        Call(
            pyclone_vi,
            {"reads": Call(_samples, {"samples": {"a": [0], "b": [2]}}), "purity": 0.8, "true": True},
        ),
        Call(
            conipher, {"reads": Call(_samples, {"samples": {"a": [0], "b": [2]}}), "case": "t", "true": True}
        ),
        Call(maf, {"reads": _READS, "tumour": "t", "sample": "s"}),
        Call(
            write_maf, {"table": Call(maf, {"reads": _READS, "tumour": "t", "sample": "s"}), "path": "x.maf"}
        ),
        Call(neutrality.neutral_fit, {"vaf": [0.1, 0.15, 0.2] * 8, "lowest": 0.12, "highest": 0.24}),
        Call(neutrality.cumulative, {"vaf": [0.1, 0.15, 0.2] * 8, "lowest": 0.12, "highest": 0.24}),
        Call(neutrality.spectrum, {"vaf": [0.1, 0.15, 0.2] * 8, "bins": 10}),
        Call(read_mutations, {"path": "x.maf", "sample": "s", "columns": {"vaf": "x"}, "percent": True}),
        Call(neutrality.inverse_simpson, {"sizes": [1, 2, 3]}),
    ],
    "experiments": [
        Call(
            ta.run_experiment,
            {
                "experiment": sound.EXPERIMENT | {"patients": 2},
                "out": "out",
                "patients": 2,
                "seed": 1,
                "jobs": 1,
                "resume": True,
            },
        ),
        Call(ta.load_experiment, {"path": "x.toml", "patients": 2, "seed": 1}),
        Call(load_study, {"path": "s.toml", "replicates": 2, "seed": 1}),
        Call(ta.compare, {"results": Call(_results, {})}),
        Call(ta.Results.load, {"directory": "nowhere"}),
        Call(_on(_results, "__getitem__"), {}, ("outcomes",)),
        Call(ta.TumorModel.load, {"path": "x", "model_reporters": {}, "agent_reporters": {}}),
        Call(_twin("save"), {"path": "x"}),
        Call(ta.Population.load, {"path": "x"}),
        Call(_on(_tissue, "save"), {"path": "x"}),
        Call(Ensemble.load, {"path": "x"}),
        Call(
            predict,
            {
                "wanted": [sound.TRIAL],
                "ensemble": Call(Ensemble.defaults, {}),
                "patients": 1,
                "seed": 1,
                "jobs": 1,
            },
        ),
        Call(trials.load, {"trial": sound.TRIAL, "patients": 2, "seed": 1, "afterwards": False}),
        Call(trials.find, {"wanted": [sound.TRIAL]}),
    ],
    "survival": [
        Call(survival.kaplan_meier, {"durations": [1.0, 2.0, 3.0], "events": [True, False, True]}),
        Call(plots.plot_kaplan_meier, {"results": Call(_results, {}), "timed": "PFS1"}),
        Call(endpoints.is_defined, {"endpoint": endpoints.PFS1, "results": Call(_results, {})}),
    ],
}
"""Calls that make sense, by topic."""


def call(rng: Random, scratch: Path) -> None:
    """A call with something odd in it returns or is refused in the words of all others."""
    sane = rng.choice(rng.choice(list(CALLS.values())))
    mutated = sane.mutated(rng) if sane.named or sane.listed else sane
    if rng.random() < 0.2:
        mutated = mutated.mutated(rng)
    sound.toml(scratch / "x.toml", sound.EXPERIMENT)
    sound.toml(scratch / "s.toml", sound.STUDY)
    try:
        refused(mutated.make)
    except (KeyboardInterrupt, BrokenError):
        raise
    except BaseException as error:
        error.add_note(f"called: {mutated}")
        raise
