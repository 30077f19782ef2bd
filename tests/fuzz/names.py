"""Odd names through every sink: terminal, tables, report, figures, MAF, trees, file names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import polars as pl
from tumor_abm import Results
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.setup import Choices
from tumor_abm.app.twin import Twin
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.knowledge import Knowledge
from tumor_abm.report.page import write_report
from tumor_abm.study.files import _file_names

from fuzz import odd, sound
from fuzz.doors import BrokenError, command, refused

_RUNS = {"script", "img", "iframe", "object", "embed"}


class _Page(HTMLParser):
    """Refuses what runs, but for the one script that sorts tables."""

    scripts = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "script" and not attributes and not self.scripts:
            self.scripts += 1
            return
        if tag in _RUNS or any(name.startswith("on") for name, _ in attributes):
            raise BrokenError(f"the report runs <{tag} {attributes}>")


def experiment(rng: Random, scratch: Path) -> None:
    """Names of arms, drugs, alterations and of the experiment."""
    drug, alteration, title = (odd.name(rng) for _ in range(3))
    arms = [odd.name(rng) for _ in range(rng.choice([1, 2, 3]))]
    known = Knowledge.shipped().tables
    tables = sound.EXPERIMENT | {
        "title": title,
        "question": odd.name(rng),
        "patients": 3,
        "control": rng.choice(arms),
        "drug": {drug: known["drug"]["letrozole"]},
        "alteration": {alteration: known["alteration"]["ESR1 Y537S"] | {"core": True}},
        "alterations": [alteration, "RB1 loss"],
        "population": {"founder": {alteration: 0.9}},
        "arm": [{"name": arm, "line": [{"regimen": [drug]}]} for arm in arms],
    }
    file, out = sound.toml(scratch / "x.toml", tables), Path(odd.file_name(rng))
    drawn = [] if rng.random() < 0.1 else ["--no-figures"]
    if not command("check", file).done:
        return
    if not command("run", file, "--out", out, "--jobs", "1", *drawn).done:
        raise BrokenError("was sound, and cannot be run")
    command("compare", out, "--csv", scratch / "x.csv")
    results = Results.load(out)
    if results.arms != arms or set(results.outcomes["arm"].cast(pl.String)) - set(arms):
        raise BrokenError("an arm is called otherwise in the tables")
    if results.experiment["title"] != title:
        raise BrokenError("the title is another one in the results")
    if drawn:
        if rng.random() < 0.1:
            _Page().feed(write_report(results, scratch).read_text(encoding="utf-8"))
        return
    _Page().feed((out / "report.html").read_text(encoding="utf-8"))
    for picture in (out / "figures").glob("*.svg"):
        ET.parse(picture)


def page(rng: Random, scratch: Path) -> None:
    """Names in the page."""
    arm = odd.name(rng)
    file = sound.toml(
        scratch / "x.toml",
        sound.EXPERIMENT
        | {"title": odd.name(rng), "arm": [{"name": arm, "line": [{"regimen": ["letrozole"]}]}]},
    )
    was_refused, catalogue = refused(Catalogue.of, file)
    if not was_refused:
        setup = Choices(population=catalogue.populations[0], strategy=arm)
        twin = Twin(setup.model(catalogue), arm)
        twin.advance(3)


def study(rng: Random, scratch: Path) -> None:
    """Names of scenarios, types and biopsies."""
    law = sound.STUDY["scenario"][1]
    scenarios = [odd.name(rng) for _ in range(rng.choice([1, 2]))]
    tables = sound.STUDY | {
        "title": odd.name(rng),
        "replicates": 1,
        "scenario": [law | {"name": name, "types": [odd.name(rng), odd.name(rng)]} for name in scenarios],
        "biopsy": [{"name": odd.name(rng), "cells": 20} for _ in range(rng.choice([1, 2]))],
    }
    out = Path(odd.file_name(rng))
    drawn = [] if rng.random() < 0.1 else ["--no-figures"]
    file = sound.toml(scratch / "x.toml", tables)
    if not command("evolve", file, "--out", out, "--jobs", "1", *drawn).done:
        return
    results = Results.load(out)
    if results["tumours"]["scenario"].to_list() != scenarios:
        raise BrokenError("a scenario is called otherwise in the tables")
    written = list((out / "maf").iterdir())
    if len(written) != len(scenarios) or len({path.name.lower() for path in written}) != len(scenarios):
        raise BrokenError("a MAF was lost")
    names = [name for found in _file_names(results) for name in found.values()]
    if not all(name.isascii() and "/" not in name for name in names):
        raise BrokenError(f"no names of files: {names}")
    for picture in (out / "figures").glob("*.svg"):
        ET.parse(picture)


def tables(rng: Random, scratch: Path) -> None:
    """Names in a MAF."""
    reads = pl.DataFrame(
        {
            "mutation": [0, 2**31],
            "origin": ["driver", "passenger"],
            "type": [odd.name(rng), None],
            "depth": [10, 10],
            "alt_reads": [1, 2],
            "vaf": [0.1, 0.2],
            "called": [True, True],
        }
    )
    path = scratch / rng.choice(["x.maf", "x.maf.gz", "x.MAF.GZ"])
    table = maf(reads, tumour=odd.name(rng), sample=odd.name(rng))
    write_maf(table, path)
    read = pl.read_csv(path, separator="\t", comment_prefix="#version", quote_char=None, infer_schema=False)
    if (read.height, read.columns) != (2, table.columns):
        raise BrokenError(f"a MAF of {read.height} rows")


def model(rng: Random, scratch: Path) -> None:
    """Names that a model is asked about, and is saved under."""
    from tumor_abm import TumorModel

    model = TumorModel(rng=1, collect_every_days=0)
    for ask in (model.intervene, model.add, model.stop, model.hold, model.resume):
        refused(ask, odd.name(rng))
    refused(model.section, odd.name(rng))
    refused(TumorModel, strategy=odd.name(rng))
    refused(TumorModel, population=odd.name(rng))
    refused(TumorModel, odd.name(rng))
    refused(TumorModel.load, scratch / odd.name(rng).lstrip("/").replace("..", ""))
    refused(model.save, scratch / odd.name(rng).lstrip("/").replace("..", ""))
