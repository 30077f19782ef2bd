"""Samples of one patient's tumour at several moments, and the tree of the clones that they are of."""

from __future__ import annotations

import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import tumor_abm._core as _core
from tumor_abm._base.arguments import generator, must_be, real, whole
from tumor_abm.config.samples import MOMENTS, Moment
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Aim
from tumor_abm.evolution.mutations import with_copies
from tumor_abm.evolution.sequencing import Sequencing
from tumor_abm.knowledge import Alteration, Knowledge
from tumor_abm.model.lines import FOUNDING
from tumor_abm.model.tissue import SampledTumour
from tumor_abm.model.tumor_model import TumorModel

if TYPE_CHECKING:
    import tskit

DIAGNOSIS, PROGRESSION, AUTOPSY = MOMENTS
"""Moments at which `sample_through_treatment` samples; progressions are numbered from 1."""
DAY = "day"
"""Stands before the day in the names of samples that are taken every so many days."""

LEAST_SHARE = 0.01
"""Passengers of individuals that fewer of the cells of every sample carry are not drawn."""

_MOST_TRUNCAL = 2**31 - 1
_AXES = ("x", "y", "z")
_EVENT = "event"
_ABOVE_0 = "finite and above 0"


@dataclass(frozen=True, eq=False)
class CloneSamples:
    """What was sampled of a patient, and how it descends from each other.

    With the engines ``cells`` and ``lattice`` a row of `clones` is one of three things, told by the column
    ``event``: a clone of counted cells was founded (``founding``), the lines of sampled cells part at a
    division of an individual (``branching``), or an individual was sampled (``sampling``). What is said below
    of clones is said of these rows; ``born_day`` is the day of the event, and ``alterations`` of a branching
    are what all sampled cells below share.

    Attributes
    ----------
    clones
        Sampled clones and those that they descend from, oldest first: ``clone, parent, alterations,
        born_day, died_day`` (null while it lives), ``origins`` (clones merged into it, itself included).
        Days are since enrolment. A parent stands before its children.
    cells
        ``sample, day, clone, cells``: how many sampled cells are of each clone. On a lattice also
        ``x, y, z`` of individuals, in sites; counted cells have no place.
    blood
        ``day, shed_per_day``: tumour DNA that was shed on the days of the samples, genome equivalents.
    of
        Where they are from: ``patient, arm, seed, day, dt``.
    empty
        Names of samples for which no cell was found: the place was empty, or the tumour was gone.
    """

    clones: pl.DataFrame
    cells: pl.DataFrame
    blood: pl.DataFrame
    of: dict[str, Any]
    empty: tuple[str, ...] = ()

    def mutations(
        self,
        *,
        truncal: int = 0,
        passengers_per_day: float = 0.0,
        known: Mapping[str, Alteration] | None = None,
        seed: int | None = None,
    ) -> pl.DataFrame:
        """Put mutations on the tree of clones; the same for all samples.

        A clone carries what its parent had when the clone was founded. Passengers that arise in a clone
        later are in some of its cells only, which are not told apart: they are left out. Individuals are
        told apart; there passengers that less than 1% of the cells of every sample carry are left out.

        Parameters
        ----------
        truncal
            Mutations of the founder.
        passengers_per_day
            A clock: the mean number on the line from the founding of the parent to that of a clone, per
            day, Poisson.
        known
            Alterations by name, as knowledge has them (those that come with the package when ``None``):
            which leave a trace in DNA, and in how many copies of their locus. Others are on one of two.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            ``mutation, origin, node, clone, type``, as `Mutations.table`, and ``copies, mutant_copies``:
            ``type`` is the alteration of a driver, ``clone`` the one in whose founder the mutation was first.
        """
        known = Knowledge.shipped().alterations if known is None else known
        hidden = {name for name, alteration in known.items() if not alteration.in_dna}
        numbers = {name: alteration.copy_number for name, alteration in known.items()}
        copies = {name: (n.copies.value, n.mutant_copies.value) for name, n in numbers.items()}
        truncal = whole("truncal", truncal, 0, _MOST_TRUNCAL)
        rate = real("passengers_per_day", passengers_per_day, "finite and at least 0")
        passengers = generator(seed).poisson(rate * self._days_on_the_line() * self._is_seen())
        carried = dict(self.clones.select("clone", "alterations").iter_rows())
        rows: list[tuple[str, int, str | None]] = [
            ("truncal", founder, None) for founder in self.clones["clone"][:1] for _ in range(truncal)
        ]
        for clone, parent, alterations in self.clones.select("clone", "parent", "alterations").iter_rows():
            before = carried.get(parent, [])
            gained = [name for name in alterations if name not in before and name not in hidden]
            rows += [("driver", clone, name) for name in gained]
        for clone, number in zip(self.clones["clone"], passengers, strict=True):
            rows += [("passenger", clone, None)] * int(number)
        schema = {"origin": pl.String, "clone": pl.UInt64, "type": pl.String}
        table = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("mutation")
        node = pl.lit(None, pl.UInt32).alias("node")
        return with_copies(table.select("mutation", "origin", node, "clone", "type"), copies)

    def only(self, names: Collection[str]) -> CloneSamples:
        """Return some of the samples, with all clones."""
        return replace(self, cells=self.cells.filter(pl.col("sample").is_in(list(names))))

    def reads(
        self, sequencing: Sequencing, mutations: pl.DataFrame, *, every: bool = False, seed: int
    ) -> pl.DataFrame:
        """Sequence all samples: every mutation that any of them carries, in every one.

        Parameters
        ----------
        sequencing
            Its purity is, of a liquid biopsy, the share of DNA that is of the tumour.
        mutations
            What `mutations` returned, or rows of it: those on a panel.
        every
            Read those that no sample carries, too.
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
        return sequencing.read_all(mutations, carriers, sizes, every=every, seed=seed)

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
            a site, of individuals those that founded a clone. Metadata (JSON): clone, alterations, sample,
            cells, place. Provenance tells the patient.
        """
        try:
            import tskit
        except ImportError as error:
            raise ImportError(
                "tree sequences need tskit: pip install '.[trees]' in the checkout of tumor_abm"
            ) from error
        drivers = self.mutations(known={}).filter(pl.col("origin") == "driver")
        if _EVENT in self.clones.columns:  # what individuals gain and lose later are states, and no mutations
            founded = self.clones.filter(pl.col(_EVENT) == FOUNDING)["clone"]
            drivers = drivers.filter(pl.col("clone").is_in(founded.implode()))
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

    @cached_property
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
        lines = [born[clone] - born.get(parent, born[clone]) for clone, parent in self._pairs]
        return np.array(lines, dtype=float)

    def _is_seen(self) -> NDArray[np.bool_]:
        """Whether passengers on the line to each clone are worth drawing."""
        if _EVENT not in self.clones.columns:
            return np.ones(self.clones.height, dtype=bool)
        seen = np.zeros(self.clones.height, dtype=bool)
        for _, cells in self.cells.group_by("sample", maintain_order=True):
            below = np.fromiter(self._cells_below(cells).values(), dtype=np.int64)
            seen |= below >= LEAST_SHARE * int(cells["cells"].sum())
        return seen

    @cached_property
    def _pairs(self) -> list[tuple[int, int | None]]:
        return self.clones.select("clone", "parent").rows()

    def _cells_below(self, cells: pl.DataFrame) -> dict[int, int]:
        """Count sampled cells of every clone and of all that descend from it."""
        below = dict.fromkeys(self.clones["clone"].to_list(), 0)
        for clone, number in cells.select("clone", "cells").iter_rows():
            below[clone] += number
        for clone, parent in reversed(self._pairs):
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
    axes = [axis for axis in _AXES if axis in samples.cells.columns]
    rows_of_cells = samples.cells.select("sample", "day", "clone", "cells", *axes).iter_rows()
    for name, day, clone, cells, *place in rows_of_cells:
        if name not in populations:
            populations[name] = tables.populations.add_row(metadata={"name": name, "day": day})
        told = {"clone": clone, "alterations": carried[rows[clone]], "sample": name, "cells": cells}
        if place and None not in place:
            told["place"] = place
        node = tables.nodes.add_row(
            flags=tskit.NODE_IS_SAMPLE, time=last - day, population=populations[name], metadata=told
        )
        tables.edges.add_row(left=0, right=tables.sequence_length, parent=rows[clone], child=node)


@dataclass(frozen=True, kw_only=True)
class Taking:
    """What is taken of a patient at some moments.

    Attributes
    ----------
    cells
        Of each sample, drawn at random without replacement from all lesions; all if there are fewer. By place
        they are individuals.
    place
        Where they are taken, with engine ``lattice``; anywhere when ``None``.
    name
        Stands before the moment in the names of samples.
    moments
        When: ``diagnosis``, ``progression`` (each), ``autopsy``.
    every_days
        Days between further samples, from the first day to the end; none when ``None``.
    """

    cells: int
    place: Aim | None = None
    name: str = ""
    moments: Sequence[Moment] = MOMENTS
    every_days: float | None = None

    def __post_init__(self) -> None:
        if self.every_days is not None and not real("every_days", self.every_days, _ABOVE_0):
            raise InputError(key="every_days", found=self.every_days, allowed=_ABOVE_0)
        whole("cells", self.cells, 1, 10**8)
        must_be("name", self.name, str)
        must_be("place", self.place, Aim, NoneType)
        if isinstance(self.moments, str) or not self.moments or not set(self.moments) <= set(MOMENTS):
            raise InputError(key="moments", found=self.moments, allowed=f"a list of {', '.join(MOMENTS)}")

    def is_due(self, before: float, today: float) -> bool:
        """Whether a further sample is due after `before` and not after `today`, days from the first."""
        return self.every_days is not None and today // self.every_days > before // self.every_days

    def sample(self, moment: str) -> str:
        """Return the name of a sample."""
        return f"{self.name}, {moment}" if self.name else moment


def sample_through_treatment(
    model: TumorModel,
    *,
    cells: int | None = None,
    takings: Sequence[Taking] | None = None,
    seed: int | None = None,
) -> CloneSamples:
    """Step a patient to the end, with samples at the start, at each progression, and at the end.

    Parameters
    ----------
    model
        Made with ``clone_genealogy=True``. It is stepped, and it is the same patient as without samples: they
        take nothing away.
    cells
        Of each sample, drawn at random without replacement from all lesions; all if there are fewer.
    takings
        Instead of `cells`: several things to take, each at its moments.
    seed
        Of numpy's generator.

    Returns
    -------
    CloneSamples
        Samples ``diagnosis`` (today), ``progression 1``, ... and ``autopsy`` (the last day); of what is taken
        every so many days, also ``day 56``, ...

    Raises
    ------
    InputError
        The model does not record the genealogy of its clones, or has no places where one is asked for.
    """
    must_be("model", model, TumorModel)
    if (cells is None) == (takings is None):
        raise InputError(key="cells", found=cells, allowed="either cells or takings")
    wanted = [Taking(cells=cells)] if cells is not None else list(takings or [])
    rng = generator(seed)
    tissue = SampledTumour.of(model)
    empty: list[str] = []
    shed: dict[float, float] = {}

    def take(due: list[Taking], name: str) -> None:
        for taking in due:
            sample = taking.sample(name)
            if not tissue.take(sample, taking.cells, taking.place, rng):
                empty.append(sample)
        if due:
            shed[model.day] = model.shed_per_day

    def at(moment: Moment) -> list[Taking]:
        return [taking for taking in wanted if moment in taking.moments]

    before, scans, first = _progressions(model), model._core.scans, model.day
    take(at(DIAGNOSIS), DIAGNOSIS)
    while model.running:
        yesterday = model.day - first
        model.step()
        today = model.day - first
        take([taking for taking in wanted if taking.is_due(yesterday, today)], f"{DAY} {model.day:g}")
        if model._core.scans > scans or not model.running:
            scans = model._core.scans
            found = _progressions(model)
            if found > before:
                before = found
                take(at(PROGRESSION), f"{PROGRESSION} {found}")
    take(at(AUTOPSY), AUTOPSY)
    clones, table = tissue.found()
    told = {name: getattr(model, name) for name in ("patient", "arm", "seed", "day", "dt")}
    blood = pl.DataFrame({"day": list(shed), "shed_per_day": list(shed.values())}, _SHED)
    return CloneSamples(clones=clones, cells=table, blood=blood, of=told, empty=tuple(empty))


_SHED = {"day": pl.Float64, "shed_per_day": pl.Float64}


def _progressions(model: TumorModel) -> int:
    outcomes = model.outcomes
    return int((outcomes["end_reason"] == PROGRESSION).sum()) if outcomes.height else 0
