"""What small works give for a seed, as digests; `python tests/golden.py` writes golden.json anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import polars as pl
import tumor_abm as ta
from polars import selectors as columns
from tumor_abm import trials
from tumor_abm.study import Study, run_study, write_mutations, write_trees

FILE = Path(__file__).with_name("golden.json")
EXPERIMENTS = Path(__file__).parents[1] / "experiments"
RATES: dict[str, Any] = {
    "division": [0.25, 0.3],
    "death": [0.05, 0.1],
    "mutation": [[0, 1e-3], [0, 0]],
    "initial": [20, 0],
    "seed": 11,
}
FITTED = columns.matches("hr|paired|^p$")
"""Columns that lifelines or a bootstrap fit; last digits of other estimates differ between processors."""

Digests = Iterator[tuple[str, str]]


def digest(content: bytes) -> str:
    """Shorten what is compared."""
    return hashlib.sha256(content).hexdigest()[:32]


def digest_of_table(table: pl.DataFrame) -> str:
    """Digest names, types and values, whatever the format of a file."""
    values = table.with_columns(columns.list().list.join(";"))  # CSV has no lists
    return digest((str(table.schema) + values.write_csv()).encode())


def of_file(path: Path) -> Digests:
    """Digest what a saved state holds, member by member."""
    with ZipFile(path) as members:
        for name in sorted(members.namelist()):
            yield f"saved {name}", digest(members.read(name))


def experiment(named: str | Path) -> Digests:
    """Four patients of an experiment."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        results = ta.run_experiment(trials.experiment_file(named), patients=4, jobs=1, out=out)
        for name in sorted(results.tables):
            yield name, digest_of_table(results[name])
        yield "experiment.toml", digest((out / "experiment.toml").read_bytes())
        estimates = ta.compare(results).table.select(~FITTED).with_columns(columns.float().round(6))
        yield "comparison", digest_of_table(estimates)


def model(days: float = 200, **arguments: Any) -> Digests:
    """A patient some way into treatment, saved, and what becomes of the one who is loaded."""
    one = ta.TumorModel(seed=5, **arguments)
    one.run(days)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        one.save(path)
        yield from of_file(path)
        two = ta.TumorModel.load(path)
    two.run(days / 2)
    for name, table in sorted(two.records().items()):
        yield name, digest_of_table(table)


def population(**arguments: Any) -> Digests:
    """Forty days of explicit rates, saved, and twenty of other rates after loading."""
    one = ta.Population(**RATES, **arguments)
    one.step(40)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "population"
        one.save(path)
        yield from of_file(path)
        two = ta.Population.load(path)
    two.set_rates(death=[0.2, 0.1])
    two.step(20)
    yield "clones", digest_of_table(two.clones)


def replicates(engine: str) -> Digests:
    """Fifty tumours, grown and treated."""
    outcomes = ta.replicate(
        **RATES,
        engine=engine,
        replicates=50,
        until=ta.Until(total=2_000, day=200),
        treatment=ta.Phase(death=[0.24, 0.1], until=ta.Until(day=50)),
        threads=2,
    )
    yield "outcomes", digest_of_table(outcomes)


def study() -> Digests:
    """A small study of clonal evolution, its sequenced mutations and its trees."""
    written = {
        "title": "Small",
        "question": "Are these the same bytes?",
        "seed": 5,
        "replicates": 2,
        "cells": 400,
        "whole_tumour_cells": 100,
        "genome": {"mutations_per_division": 5, "truncal": 10},
        "sequencing": {"single_cells": 3},
        "scenario": [
            {"name": "Mixed", "types": ["a"], "division": [0.5], "death": [0.1], "mutation": [[0.01]]},
            {
                "name": "In 2-D",
                "types": ["a", "b"],
                "division": [0.5, 0.8],
                "death": [0.1, 0.1],
                "mutation": [[0.01, 0.01], [0, 0]],
                "space": {"dimensions": 2},
            },
        ],
        "biopsy": [{"name": "left", "centre": [-0.6, 0, 0], "cells": 40}],
    }
    with TemporaryDirectory() as folder:
        results = run_study(Study.from_dict(written), Path(folder) / "out", jobs=1)
        for name in sorted(results.tables):
            yield name, digest_of_table(results[name])
        write_mutations(results, Path(folder) / "maf")
        write_trees(results, Path(folder) / "trees")
        for written_file in sorted(Path(folder).glob("maf/*")) + sorted(Path(folder).glob("trees/*.nwk")):
            yield written_file.name, digest(written_file.read_bytes())


WORKS: dict[str, Callable[[], Digests]] = {
    **{
        f"experiment {name}": partial(experiment, EXPERIMENTS / f"{name}.toml")
        for name in ("cdk46_first_or_second_line", "ctdna_guided_switch", "chemotherapy_timing")
    },
    **{
        f"trial {name}": partial(experiment, name)
        for name in ("paloma_2", "monarch_3", "destiny_breast04_hr")
    },
    "model on clones": model,
    "model on cells": partial(model, engine="cells", cells=20_000),
    "model on a lattice": partial(model, 60, engine="lattice", cells=20_000),
    "population of clones": partial(population, engine="clones"),
    "population of cells": partial(population, engine="cells"),
    "population of cells with a genealogy": partial(population, engine="cells", genealogy=True),
    "population on a lattice": partial(population, engine="lattice", space=ta.Space(dimensions=2)),
    "population in a pushing lattice": partial(
        population, engine="lattice", space=ta.Space(dimensions=3, placement="push", depth=3)
    ),
    "replicates of clones": partial(replicates, "clones"),
    "replicates of cells": partial(replicates, "cells"),
    "study": study,
}


def main() -> None:
    """Write the digests of all works."""
    digests = {name: dict(work()) for name, work in WORKS.items()}
    FILE.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
