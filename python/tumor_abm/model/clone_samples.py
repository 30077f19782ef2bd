"""Samples of one patient's tumour at several moments, and the tree of the clones that they are of."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import tumor_abm._core as _core
from tumor_abm._base.arguments import generator, must_be, real, whole
from tumor_abm.errors import InputError
from tumor_abm.evolution.passages import drawn
from tumor_abm.evolution.sequencing import Sequencing
from tumor_abm.model.tumor_model import TumorModel

if TYPE_CHECKING:
    import tskit

DIAGNOSIS, PROGRESSION, AUTOPSY = "diagnosis", "progression", "autopsy"
"""Moments at which `sample_through_treatment` samples; progressions are numbered from 1."""

_MOST_TRUNCAL = 2**31 - 1


@dataclass(frozen=True, eq=False)
class CloneSamples:
    """What was sampled of a patient, and how its clones descend from each other.

    Attributes
    ----------
    clones
        Sampled clones and those that they descend from, oldest first: ``clone, parent, alterations,
        born_day, died_day`` (null while it lives), ``origins`` (clones merged into it, itself included).
        Days are since enrolment. A parent stands before its children.
    cells
        ``sample, day, clone, cells``: how many sampled cells are of each clone.
    of
        Where they are from: ``patient, arm, seed, day, dt``.
    """

    clones: pl.DataFrame
    cells: pl.DataFrame
    of: dict[str, Any]

    def mutations(
        self, *, truncal: int = 0, passengers_per_day: float = 0.0, seed: int | None = None
    ) -> pl.DataFrame:
        """Put mutations on the tree of clones; the same for all samples.

        A clone carries what its parent had when the clone was founded. Passengers that arise in a clone
        later are in some of its cells only, which are not told apart: they are left out.

        Parameters
        ----------
        truncal
            Mutations of the founder.
        passengers_per_day
            A clock: the mean number on the line from the founding of the parent to that of a clone, per
            day, Poisson.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            ``mutation, origin, node, clone, type``, as `Mutations.table`: ``type`` is the alteration of a
            driver, ``clone`` the one in whose founder the mutation was first.
        """
        truncal = whole("truncal", truncal, 0, _MOST_TRUNCAL)
        rate = real("passengers_per_day", passengers_per_day, "finite and at least 0")
        passengers = generator(seed).poisson(rate * self._days_on_the_line())
        carried = dict(self.clones.select("clone", "alterations").iter_rows())
        founder = self.clones["clone"][0]
        rows: list[tuple[str, int, str | None]] = [("truncal", founder, None)] * truncal
        for clone, parent, alterations in self.clones.select("clone", "parent", "alterations").iter_rows():
            before = carried.get(parent, [])
            rows += [("driver", clone, name) for name in alterations if name not in before]
        for clone, number in zip(self.clones["clone"], passengers, strict=True):
            rows += [("passenger", clone, None)] * int(number)
        schema = {"origin": pl.String, "clone": pl.UInt64, "type": pl.String}
        table = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("mutation")
        node = pl.lit(None, pl.UInt32).alias("node")
        return table.select("mutation", "origin", node, "clone", "type")

    def reads(self, sequencing: Sequencing, mutations: pl.DataFrame, *, seed: int) -> pl.DataFrame:
        """Sequence all samples: every mutation that any of them carries, in every one.

        Parameters
        ----------
        sequencing
            Its purity is, of a liquid biopsy, the share of DNA that is of the tumour.
        mutations
            What `mutations` returned, or rows of it: those on a panel.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            As `Sequencing.samples`; ``maf``, ``pyclone_vi`` and ``conipher`` take it.
        """
        must_be("sequencing", sequencing, Sequencing)
        must_be("mutations", mutations, pl.DataFrame)
        carriers, sizes = {}, {}
        for (name,), cells in self.cells.group_by("sample", maintain_order=True):
            below = self._cells_below(cells)
            carriers[str(name)] = np.array([below[clone] for clone in mutations["clone"]], dtype=np.int64)
            sizes[str(name)] = int(cells["cells"].sum())
        return sequencing.read_all(mutations, carriers, sizes, seed=seed)

    def newick(self) -> str:
        """Write the tree of clones as newick: nodes are clones, lengths are days between foundings."""
        below: dict[int, list[str]] = {}
        written = ""
        lengths = self._days_on_the_line()
        for row in range(self.clones.height - 1, -1, -1):
            clone, parent = self.clones["clone"][row], self.clones["parent"][row]
            children = below.pop(clone, [])
            inner = f"({','.join(reversed(children))})" if children else ""
            written = f"{inner}{clone}:{lengths[row]:.10g}"
            below.setdefault(parent, []).append(written)
        return f"{written};"

    def tree_sequence(self) -> tskit.TreeSequence:
        """Convert to a tskit tree sequence; needs ``pip install '.[trees]'``.

        Returns
        -------
        tskit.TreeSequence
            A node for the founding of each clone, in the order of `clones`; then a sample node for each row
            of `cells`, whose population is the sample. Times are days before the last one. Every driver is
            a site. Metadata (JSON): clone, alterations, sample, cells. Provenance tells the patient.
        """
        try:
            import tskit
        except ImportError as error:
            raise ImportError(
                "tree sequences need tskit: pip install '.[trees]' in the checkout of tumor_abm"
            ) from error
        drivers = self.mutations().filter(pl.col("origin") == "driver")
        tables: Any = tskit.TableCollection(sequence_length=max(1, drivers.height))
        tables.time_units = "days"
        as_json = tskit.MetadataSchema.permissive_json()
        for table in (tables.nodes, tables.populations, tables.mutations):
            table.metadata_schema = as_json
        _put_nodes(tables, self, tskit)
        for site, (clone, alteration) in enumerate(drivers.select("clone", "type").iter_rows()):
            tables.sites.add_row(position=site, ancestral_state="0")
            node = self._rows[clone]
            told = {"alteration": alteration, "clone": clone}
            tables.mutations.add_row(site=site, node=node, derived_state="1", metadata=told)
        tables.provenances.add_row(record=json.dumps(self._provenance()))
        tables.sort()
        return tables.tree_sequence()

    @property
    def _rows(self) -> dict[int, int]:
        return {clone: row for row, clone in enumerate(self.clones["clone"])}

    def _provenance(self) -> dict[str, Any]:
        """Return what tskit's schema of provenance asks for."""
        return {
            "schema_version": "1.0.0",
            "software": {"name": "tumor_abm", "version": _core.__version__},
            "parameters": {"command": "sample_through_treatment", **self.of},
            "environment": {"os": {"system": platform.system()}, "python": platform.python_version()},
        }

    def _days_on_the_line(self) -> NDArray[np.float64]:
        """Days from the founding of the parent to that of each clone; 0 of the founder."""
        born = dict(self.clones.select("clone", "born_day").iter_rows())
        lines = [born[clone] - born.get(parent, born[clone]) for clone, parent in self._pairs()]
        return np.array(lines, dtype=float)

    def _pairs(self) -> list[tuple[int, int | None]]:
        return self.clones.select("clone", "parent").rows()

    def _cells_below(self, cells: pl.DataFrame) -> dict[int, int]:
        """Count sampled cells of every clone and of all that descend from it."""
        below = dict.fromkeys(self.clones["clone"].to_list(), 0)
        below.update(dict(cells.select("clone", "cells").iter_rows()))
        for clone, parent in reversed(self._pairs()):
            if parent is not None:
                below[parent] += below[clone]
        return below


def _put_nodes(tables: Any, samples: CloneSamples, tskit: Any) -> None:
    """Put foundings of clones and sampled cells into tables, with the lines between them."""
    last, half, rows = samples.of["day"], samples.of["dt"] / 2, samples._rows
    for clone, parent, alterations, born in samples.clones.select(
        "clone", "parent", "alterations", "born_day"
    ).iter_rows():
        # A founding is in the middle of its step, before any sampling of that day.
        told = {"clone": clone, "alterations": alterations}
        node = tables.nodes.add_row(time=last - born + half, metadata=told)
        if parent is not None:
            tables.edges.add_row(left=0, right=tables.sequence_length, parent=rows[parent], child=node)
    populations: dict[str, int] = {}
    carried = samples.clones["alterations"].to_list()
    for name, day, clone, cells in samples.cells.select("sample", "day", "clone", "cells").iter_rows():
        if name not in populations:
            populations[name] = tables.populations.add_row(metadata={"name": name, "day": day})
        told = {"clone": clone, "alterations": carried[rows[clone]], "sample": name, "cells": cells}
        node = tables.nodes.add_row(
            flags=tskit.NODE_IS_SAMPLE, time=last - day, population=populations[name], metadata=told
        )
        tables.edges.add_row(left=0, right=tables.sequence_length, parent=rows[clone], child=node)


def sample_through_treatment(model: TumorModel, *, cells: int, seed: int | None = None) -> CloneSamples:
    """Step a patient to the end, with samples at the start, at each progression, and at the end.

    Parameters
    ----------
    model
        Made with ``clone_genealogy=True``, with engine ``"clones"``. It is stepped, and it is the same
        patient as without samples: they take nothing away.
    cells
        Of each sample, drawn at random without replacement from all lesions; all if there are fewer.
    seed
        Of numpy's generator.

    Returns
    -------
    CloneSamples
        Samples ``diagnosis`` (today), ``progression 1``, ... and ``autopsy`` (the last day).

    Raises
    ------
    InputError
        The model does not record the genealogy of its clones.
    """
    must_be("model", model, TumorModel)
    wanted = whole("cells", cells, 1, 10**8)
    rng = generator(seed)
    before = _progressions(model)
    taken = [_taken(model, DIAGNOSIS, wanted, rng)]
    scans = model._core.scans
    while model.running:
        model.step()
        if model._core.scans > scans or not model.running:
            scans = model._core.scans
            found = _progressions(model)
            if found > before:
                before = found
                taken.append(_taken(model, f"{PROGRESSION} {found}", wanted, rng))
    taken.append(_taken(model, AUTOPSY, wanted, rng))
    table = pl.concat(taken)
    told = {name: getattr(model, name) for name in ("patient", "arm", "seed", "day", "dt")}
    return CloneSamples(clones=_ancestors(model.all_clones, table["clone"]), cells=table, of=told)


def _progressions(model: TumorModel) -> int:
    outcomes = model.outcomes
    return int((outcomes["end_reason"] == PROGRESSION).sum()) if outcomes.height else 0


def _taken(model: TumorModel, name: str, wanted: int, rng: np.random.Generator) -> pl.DataFrame:
    living = model.clones.select("clone", "cells")
    there = living["cells"].to_numpy().astype(np.int64)
    counts = drawn(there, min(wanted, int(there.sum())), rng)
    table = living.select("clone", pl.Series("cells", counts, dtype=pl.UInt64)).filter(pl.col("cells") > 0)
    return table.select(pl.lit(name).alias("sample"), pl.lit(model.day).alias("day"), "clone", "cells")


def _ancestors(clones: pl.DataFrame, sampled: pl.Series) -> pl.DataFrame:
    """Return sampled clones and those that they descend from."""
    parents = dict(clones.select("clone", "parent").iter_rows())
    kept: set[int] = set()
    for clone in sampled.unique():
        line: int | None = clone
        while line is not None and line not in kept:
            if line not in parents:
                raise InputError(f"clone_genealogy: the parent {line} of a clone is not known")
            kept.add(line)
            line = parents[line]
    chosen = clones.filter(pl.col("clone").is_in(sorted(kept))).sort("clone")
    return chosen.select("clone", "parent", "alterations", "born_day", "died_day", "origins")
