"""Trials whose patients are alike share them: each such cohort is simulated once per parameter set."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tumor_abm.analysis.endpoints import PFS1, PFS2
from tumor_abm.config import Experiment, named
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.site import is_measurable
from tumor_abm.run.chunk import Chunk
from tumor_abm.run.tables import Tables, simulate
from tumor_abm.trials.rows import load
from tumor_abm.trials.rows import rows as rows_of

# What may differ between trials that share patients: arms, the drugs that only they give, the name of the
# population, and the seed that their files have for runs of their own.
_OWN = ("arms", "drugs", "seed")
EVERYBODY = ""
_FOUND = 0.01
"""Share of cells from which an alteration counts as found."""
_MOST = 0.5
"""Share of cells from which it counts as carried by most."""

_NOT_ASKED = {
    f"{endpoint}_{part}": pl.lit(None, dtype)
    for endpoint in ("pfs2", "os")
    for part, dtype in (("months", pl.Float64), ("event", pl.Boolean))
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is kept of a simulated cohort.

    Attributes
    ----------
    observations
        ``file, arm, patient, months, event, responded, measurable, pfs2_months, pfs2_event, os_months,
        os_event``: a row per arm and patient who lived it; `months` and `event` are those of the endpoint of
        the arm. PFS2 and overall survival are null where nobody asks for them.
    prevalence
        ``file, arm, moment, gene, found, most``: in how many patients a gene was altered in at least a
        hundredth, and in at least half, of the cells, at enrolment and at progression on the first line of
        the arm; gene `EVERYBODY` counts all patients.
    """

    observations: pl.DataFrame
    prevalence: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Trials that enrol the same patients and look at them on the same days.

    Attributes
    ----------
    files
        Of the trials.
    name
        The first of all trials with these patients, whichever are asked for. The seed of the patients follows
        from it, so that they stay the same ones when numbers or tables of the model change.
    """

    files: tuple[str, ...]
    name: str

    def spec(self, knowledge: Knowledge, seed: int) -> str:
        """Return the experiment with the arms of all trials, as the core reads it.

        Follow-up ends with the last line of an arm where no more is asked of any of the trials. What patients
        bear hangs on the drugs of an experiment: those of lines that nobody lives stay.
        """
        whole: dict[str, Any] = {}
        arms: list[Any] = []
        drugs: dict[str, Any] = {}
        to_the_end = any(map(is_followed_to_the_end, self.files))
        for file in self.files:
            experiment = load(file, knowledge=knowledge, seed=seed)
            core = experiment.to_core()
            for own, arm in zip(experiment.arms, core["arms"], strict=True):
                lines = arm["lines"] if to_the_end else arm["lines"][: len(own.line)]
                arms.append({**arm, "name": _among_all(file, arm["name"]), "lines": lines})
            drugs |= {drug["name"]: drug for drug in core["drugs"]}
            whole = core
        whole |= {"arms": arms, "drugs": [drugs[name] for name in sorted(drugs)]}
        whole["end_with_last_line"] = not to_the_end
        return json.dumps(whole, sort_keys=True, allow_nan=False)

    def live(self, spec: str, patients: int, jobs: int, progress: Callable[[int], None]) -> Part:
        """Simulate the patients and keep what predictions need."""
        experiments = {file: loaded(file) for file in self.files}
        arms = [(file, arm.name) for file, experiment in experiments.items() for arm in experiment.arms]
        tables = _CohortTables(simulate(spec, Chunk(0, patients), jobs, progress), arms)
        return Part(
            observations=_observations(tables, experiments), prevalence=_prevalence(tables, experiments)
        )


@functools.cache
def loaded(file: str) -> Experiment:
    """Return a trial with what is known by default: its arms and rows."""
    return load(file)


@functools.cache
def is_followed_to_the_end(file: str) -> bool:
    """Whether more is asked of a trial than progression on its lines: overall survival, or PFS2."""
    return any(row.survival or row.endpoint == PFS2 for row in rows_of(loaded(file)))


def cohorts(files: Iterable[str]) -> tuple[Cohort, ...]:
    """Put trials with the same patients together, in the order in which each first appears."""
    alike: dict[str, list[str]] = {}
    for file in files:
        alike.setdefault(_first_alike()[file], []).append(file)
    return tuple(Cohort(files=tuple(group), name=name) for name, group in alike.items())


@functools.cache
def _first_alike() -> Mapping[str, str]:
    """Every trial to the first one, in the order of the alphabet, that has the same patients."""
    first: dict[str, str] = {}
    return {file: first.setdefault(_patients(file), file) for file in sorted(named.names())}


def _patients(file: str) -> str:
    """Who is enrolled in a trial, and when they are looked at, as the core reads it."""
    core = loaded(file).to_core()
    core["population"] = {key: value for key, value in core["population"].items() if key != "name"}
    return json.dumps({key: value for key, value in core.items() if key not in _OWN}, sort_keys=True)


def _among_all(file: str, arm: str) -> str:
    """Name of an arm among those of all trials."""
    return f"{file}/{arm}"


@dataclass(frozen=True)
class _CohortTables:
    """The tables of a cohort, and its arms by trial."""

    tables: Tables
    arms: Sequence[tuple[str, str]]

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Return a table, in which an arm is told by the file of its trial and its name there."""
        table = pl.from_arrow(self.tables[name])
        assert isinstance(table, pl.DataFrame)
        if "arm" not in table.columns:
            return table
        whole = pl.col("arm").cast(pl.String)
        names = [_among_all(*arm) for arm in self.arms]
        own = (whole.replace_strict(names, [arm[at] for arm in self.arms]) for at in (0, 1))
        return table.with_columns(**dict(zip(("file", "arm"), own, strict=True)))


def _observations(tables: _CohortTables, experiments: Mapping[str, Experiment]) -> pl.DataFrame:
    outcomes = tables["outcomes"]
    overall = tables["overall"]
    sites = next(iter(experiments.values())).knowledge.sites
    measurable = tables["patients"].select("patient", measurable=is_measurable(sites))
    keys = ["file", "arm", "patient"]
    found = []
    for file, experiment in experiments.items():
        endpoints = {row.name: row.endpoint for row in rows_of(experiment)}
        ends = overall if is_followed_to_the_end(file) else overall.with_columns(**_NOT_ASKED)
        for arm in experiment.arms:
            here = (pl.col("file") == file) & (pl.col("arm") == arm.name)
            endpoint = endpoints.get(arm.name, PFS1)
            on_line = outcomes.filter(here & (pl.col("line") == (endpoint.line or 1)))
            timed = on_line.select(*keys, months="pfs_months", event="pfs_event")
            if endpoint == PFS2:
                timed = ends.filter(here).select(*keys, months="pfs2_months", event="pfs2_event")
            responded = pl.col("response").cast(pl.String).is_in(["CR", "PR"])
            found.append(
                timed.join(on_line.select(*keys, responded=responded), on=keys)
                .join(ends.filter(here), on=keys)
                .join(measurable, on="patient")
                .sort("patient")
            )
    columns = [*keys, "months", "event", "responded", "measurable"]
    columns += ["pfs2_months", "pfs2_event", "os_months", "os_event"]
    return pl.concat(found).select(columns).drop_nulls(["months", "event"])


def _prevalence(tables: _CohortTables, experiments: Mapping[str, Experiment]) -> pl.DataFrame:
    clones = tables["clones"].filter(
        (pl.col("line") == 1) & pl.col("moment").cast(pl.String).is_in(["baseline", "progression"])
    )
    genes = {
        name: alteration.gene
        for experiment in experiments.values()
        for name, alteration in experiment.knowledge.alterations.items()
    }
    keys = ["file", "arm", "moment"]
    clones = clones.with_columns(pl.col("moment").cast(pl.String))
    patients = pl.col("patient").n_unique()
    everybody = clones.group_by(keys).agg(gene=pl.lit(EVERYBODY), found=patients, most=patients)
    carried = (
        clones.rename({"alterations": "gene"})
        .explode("gene")
        .drop_nulls("gene")
        .with_columns(gene=pl.col("gene").replace(genes))
        .group_by(*keys, "gene", "patient")
        .agg(share=pl.col("fraction").sum())
        .filter(pl.col("share") >= _FOUND)
        .group_by(*keys, "gene")
        .agg(found=pl.len(), most=(pl.col("share") >= _MOST).sum())
    )
    counts = [pl.col("found", "most").cast(pl.Int64)]
    both = (table.select(*keys, "gene", *counts) for table in (everybody, carried))
    return pl.concat(both).sort(*keys, "gene")
