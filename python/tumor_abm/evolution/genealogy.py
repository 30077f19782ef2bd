"""The genealogy of living cells, and neutral mutations put on it afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

import tumor_abm._core as _core
from tumor_abm._base.arguments import generator, must_be, numbers, one_of, positive, real
from tumor_abm._base.frames import demand, frame
from tumor_abm._base.memory import afford
from tumor_abm._base.sums import total
from tumor_abm.errors import InputError

if TYPE_CHECKING:
    import tskit

_NO_NODE = np.uint32(2**32 - 1)
_BYTES_PER_MUTATION = 40
"""In a table of mutations, with what is computed on the way."""


_NODES = pl.Schema({"parent": pl.UInt32, "day": pl.Float64, "divisions": pl.UInt32, "descendants": pl.UInt32})
_CELLS = pl.Schema({"node": pl.UInt32, "clone": pl.UInt64, "type": pl.UInt32})


def _node_columns(dt: float | None) -> list[pl.Expr]:
    """Columns of `Genealogy.nodes` from those of the core; `dt` gives days to steps."""
    day = pl.col("day") if dt is None else (pl.col("step") - 0.5) * dt
    return [pl.col("parent"), day.alias("day"), pl.col("divisions"), pl.col("descendants")]


def with_trees(
    outcomes: pl.DataFrame, nodes: pl.DataFrame, cells: pl.DataFrame, *, dt: float
) -> pl.DataFrame:
    """Outcomes of replicates with the nodes and cells of their trees as columns of lists."""
    nodes = nodes.select("replicate", *_node_columns(dt))
    for name, rows, schema in (("nodes", nodes, _NODES), ("cells", cells, _CELLS)):
        lists = rows.group_by("replicate", maintain_order=True).agg(pl.struct(list(schema)).alias(name))
        outcomes = outcomes.join(lists, on="replicate", how="left", maintain_order="left")
        outcomes = outcomes.with_columns(pl.col(name).fill_null(pl.lit([], pl.List(pl.Struct(schema)))))
    return outcomes


@dataclass(frozen=True, eq=False)
class Genealogy:
    """How the living cells descend from each other.

    A node is a living cell, or a division of which both daughters have living descendants. Other
    divisions are counted in ``divisions``; they are where cells pass on mutations. A division of
    step ``s`` is put in the middle of the step, at day ``(s - 0.5) * dt``, so that a parent is
    always older than its children.

    Attributes
    ----------
    nodes
        ``parent`` (null for the first of each founder's line), ``day`` (null for living cells),
        ``divisions`` (from the parent, or the founder, to this node), ``descendants`` (living
        cells). Parents stand before their children.
    cells
        ``node, clone, type``, and what else the engine tells: every living cell.
    day
        The day on which it was looked at.
    """

    nodes: pl.DataFrame
    cells: pl.DataFrame
    day: float

    @classmethod
    def _of(cls, nodes: pl.DataFrame, living: bytes, cells: pl.DataFrame, day: float, dt: float) -> Genealogy:
        node = pl.Series("node", np.frombuffer(living, dtype=np.uint32))
        return cls(nodes=nodes.select(_node_columns(dt)), cells=cells.insert_column(0, node), day=day)

    @classmethod
    def _of_nodes(cls, nodes: pl.DataFrame, cells: pl.DataFrame, day: float, dt: float) -> Genealogy:
        """Of cells that need not be tips, nor different ones."""
        whole = cls(nodes=nodes.select(_node_columns(dt)), cells=cells.select("node").unique(), day=day)
        part = whole.restrict(np.arange(whole.cells.height))
        numbers = whole.cells.select("node", part.cells["node"].alias("of_part"))
        cells = cells.join(numbers, on="node", maintain_order="left")
        return cls(nodes=part.nodes, cells=cells.drop("node").rename({"of_part": "node"}), day=day)

    @property
    def samples(self) -> dict[str, NDArray[np.int64]]:
        """Rows of `cells` by the sample that they are of, in a genealogy of several samples."""
        if "sample" not in self.cells.columns:
            raise InputError("samples: found none; allowed: a genealogy of Population.remembered")
        rows = self.cells.with_row_index("row").group_by("sample", maintain_order=True).agg("row")
        return {name: np.asarray(of_it, dtype=np.int64) for name, of_it in rows.iter_rows()}

    @classmethod
    def of_replicates(cls, outcomes: pl.DataFrame) -> Iterator[Genealogy]:
        """Read the genealogies that `tumor_abm.replicate` kept, one per row.

        Parameters
        ----------
        outcomes
            What ``replicate(..., genealogy=True)`` returned, or rows of it.

        Yields
        ------
        Genealogy
            Of the replicate of each row.
        """
        demand("outcomes", outcomes, ["day", "nodes", "cells"])
        for day, nodes, cells in outcomes.select("day", "nodes", "cells").iter_rows():
            yield cls(
                nodes=pl.DataFrame(nodes, schema=_NODES, orient="row"),
                cells=pl.DataFrame(cells, schema=_CELLS, orient="row"),
                day=day,
            )

    def chosen(self, name: str, rows: ArrayLike | pl.Series | None) -> pl.DataFrame:
        """Return the cells of some rows, all when ``None``; `name` is that of the argument."""
        if rows is None:
            return self.cells
        try:
            chosen = np.asarray(rows)
        except ValueError:
            chosen = np.asarray(None)
        if chosen.size == 0:
            return self.cells.clear()
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise InputError(f"{name}: found {rows!r}; allowed: whole numbers, the rows of cells")
        outside = chosen[(chosen < 0) | (chosen >= self.cells.height)]
        if outside.size:
            raise InputError(f"{name}: found {outside[0]}; allowed: from 0 to {self.cells.height - 1}")
        return self.cells[chosen]

    def restrict(self, cells: pl.Series | NDArray[np.integer[Any]]) -> Genealogy:
        """How some of the cells descend from each other.

        Parameters
        ----------
        cells
            Rows of `cells`: their numbers, from 0.

        Returns
        -------
        Genealogy
            Its nodes are numbered anew; `cells` are the chosen ones, in the order given.
        """
        chosen = self.chosen("cells", cells)
        if chosen["node"].n_unique() < chosen.height:
            raise InputError("cells: found a cell twice; allowed: every cell once")
        missing = pl.col("parent").fill_null(int(_NO_NODE))
        parents, divisions = self.nodes.select(missing, "divisions").get_columns()
        columns, tips = _core.subtree(
            parents.to_numpy().tobytes(), divisions.to_numpy().tobytes(), chosen["node"].to_numpy().tobytes()
        )
        kept = frame(columns)
        nodes = kept.with_columns(self.nodes["day"].gather(kept["step"])).select(_node_columns(None))
        node = pl.Series("node", np.frombuffer(tips, dtype=np.uint32))
        return Genealogy(nodes=nodes, cells=chosen.with_columns(node), day=self.day)

    def line_of(self, node: int) -> NDArray[np.int64]:
        """Return the nodes from the oldest ancestor to `node`."""
        line = [node]
        parents = self._line_parents
        while (node := int(parents[node])) >= 0:
            line.append(node)
        return np.array(line[::-1], dtype=np.int64)

    @cached_property
    def _line_parents(self) -> NDArray[np.int64]:
        return self._parents()

    def descendants(self, nodes: pl.Series) -> NDArray[np.uint32]:
        """Count the given cells below every node.

        Parameters
        ----------
        nodes
            Nodes of living cells.

        Returns
        -------
        numpy.ndarray
            One number per node.
        """
        must_be("nodes", nodes, pl.Series)
        parents = self.nodes["parent"].fill_null(int(_NO_NODE)).to_numpy()
        below = _core.descendants(parents.tobytes(), nodes.cast(pl.UInt32).to_numpy().tobytes())
        return np.frombuffer(below, dtype=np.uint32)

    def mutate(self, mutations_per_division: float, *, seed: int) -> NDArray[np.int64]:
        """Draw neutral mutations: for every node, those on the line that leads to it.

        A division brings a Poisson number of mutations, each in one of the two daughters.

        Parameters
        ----------
        mutations_per_division
            The mean number.
        seed
            Of numpy's generator.

        Returns
        -------
        numpy.ndarray
            Mutations per node; its ``descendants`` carry them.
        """
        expected = self._expected(mutations_per_division)
        mean = float(expected.sum())
        afford("mutations_per_division", f"{mean:.3g} mutations", mean * _BYTES_PER_MUTATION)
        return generator(seed).poisson(expected)

    def _expected(self, mutations_per_division: float) -> NDArray[np.float64]:
        """Mutations per node, on average."""
        mean = real("mutations_per_division", mutations_per_division, "finite and at least 0")
        expected: NDArray[np.float64] = self.nodes["divisions"].to_numpy() * (mean / 2)
        return expected

    def site_frequency_spectrum(
        self, mutations_per_division: float = 1.0, *, seed: int | None = None
    ) -> NDArray[np.float64]:
        """Count mutations by the number of living cells that carry them.

        Parameters
        ----------
        mutations_per_division
            As in `mutate`.
        seed
            Draw the mutations; ``None`` gives their expectation on this genealogy.

        Returns
        -------
        numpy.ndarray
            ``[j]``: mutations in exactly ``j`` of the ``n`` living cells, shape ``(n + 1,)``; ``[n]``
            are those that all cells share.
        """
        if seed is None:
            weights = self._expected(mutations_per_division)
        else:
            weights = self.mutate(mutations_per_division, seed=seed).astype(float)
        carriers = self.nodes["descendants"].to_numpy()
        spectrum = np.bincount(carriers, weights=weights, minlength=self.cells.height + 1)
        return spectrum.astype(np.float64)

    @property
    def branching_days(self) -> NDArray[np.float64]:
        """Days on which lines branched of which both sides live on, in order."""
        return self.nodes["day"].drop_nulls().sort().to_numpy()

    def lines(self, days: ArrayLike) -> NDArray[np.int64]:
        """Count the lines that lived on some days and have descendants now (lineages through time).

        Parameters
        ----------
        days
            Since the founders; at most `day`.

        Returns
        -------
        numpy.ndarray
            One number per day. For a birth-death process from one cell its mean is ``exp(r s)``
            times the chance of a cell to have descendants after ``day - s`` days (Nee, May and
            Harvey 1994, doi:10.1098/rstb.1994.0068).
        """
        asked = numbers("days", days)
        if not (np.isfinite(asked).all() and (asked <= self.day).all()):
            raise InputError(f"days: found {asked}; allowed: finite and at most {self.day}")
        founders = int(self.nodes["parent"].null_count())
        return founders + np.searchsorted(self.branching_days, asked, side="right")

    def gamma(self, branchings: int | None = None) -> float:
        """Measure whether lines branched early (negative) or late in the history of the cells.

        The statistic of Pybus and Harvey (2000, doi:10.1098/rspb.2000.1278): standard normal for a
        birth process without death in the limit of many lines.

        Parameters
        ----------
        branchings
            Look at the time from the first branching to this one only; ``None``: to `day`.

        Returns
        -------
        float
            NaN with fewer than three lines.
        """
        if self.nodes["parent"].null_count() > 1:
            raise InputError("gamma: found several founders; allowed: a genealogy of one founder")
        if branchings is not None:
            branchings = positive("branchings", branchings)
        days = self.branching_days
        ends = np.append(days, self.day) if branchings is None else days[:branchings]
        if len(ends) < 3:
            return math.nan
        # Length of all lines while there are 2, 3, ..., n of them.
        length = np.cumsum(np.diff(ends) * np.arange(2, len(ends) + 1))
        whole = length[-1]
        return float(
            (total(length[:-1]) / (len(length) - 1) - whole / 2)
            / (whole * math.sqrt(1 / (12 * (len(ends) - 2))))
        )

    def newick(self, *, lengths: str = "days") -> str:
        """Write the tree as newick, one tree a line for every founder with living descendants.

        Parameters
        ----------
        lengths
            Of branches: ``"days"``, or ``"divisions"``. Living cells are named by their node.
        """
        one_of("lengths", lengths, ("days", "divisions"))
        parents = self._parents()
        days = self._days()
        born = np.where(parents >= 0, days[parents], 0.0)
        length = days - born if lengths == "days" else self.nodes["divisions"].to_numpy()
        named = self.nodes["day"].is_null().to_numpy().copy()
        named[self.cells["node"].to_numpy()] = True
        return _newick(parents, length, named)

    def tree_sequence(
        self, mutations_per_division: float | None = None, *, seed: int = 0
    ) -> tskit.TreeSequence:
        """Convert to a tskit tree sequence; needs ``pip install '.[trees]'``.

        Parameters
        ----------
        mutations_per_division, seed
            As in `mutate`; ``None`` puts no mutations on it. Every mutation is a site of its own.

        Returns
        -------
        tskit.TreeSequence
            Nodes are numbered as in `nodes`; samples are the living cells, times are days ago, and
            a sample's population is its type.
        """
        try:
            import tskit
        except ImportError as error:
            raise ImportError(
                "tree sequences need tskit: pip install '.[trees]' in the checkout of tumor_abm"
            ) from error
        parents, count = self._parents(), self.nodes.height
        mutations = np.zeros(count, dtype=np.int64)
        if mutations_per_division is not None:
            mutations = self.mutate(mutations_per_division, seed=seed)
        sites = int(mutations.sum())
        tables: Any = tskit.TableCollection(sequence_length=max(1, sites))
        tables.time_units = "days"
        for _ in range(int(self.cells["type"].max() or 0) + 1):  # type: ignore[arg-type]
            tables.populations.add_row()
        node, kind = self.cells["node"].to_numpy(), np.full(count, tskit.NULL, dtype=np.int32)
        kind[node] = self.cells["type"].to_numpy()
        flags = np.zeros(count, dtype=np.uint32)
        flags[node] = tskit.NODE_IS_SAMPLE
        ago = self.day - self._days()
        tables.nodes.set_columns(flags=flags, time=ago, population=kind)
        children = np.flatnonzero(parents >= 0).astype(np.int32)
        tables.edges.set_columns(
            left=np.zeros(children.size),
            right=np.full(children.size, float(max(1, sites))),
            parent=parents[children].astype(np.int32),
            child=children,
        )
        one_letter = np.arange(sites + 1, dtype=np.uint32)
        tables.sites.set_columns(
            position=np.arange(sites, dtype=float),
            ancestral_state=np.full(sites, ord("0"), dtype=np.int8),
            ancestral_state_offset=one_letter,
        )
        tables.mutations.set_columns(
            site=np.arange(sites, dtype=np.int32),
            node=np.repeat(np.arange(count, dtype=np.int32), mutations),
            derived_state=np.full(sites, ord("1"), dtype=np.int8),
            derived_state_offset=one_letter,
        )
        tables.sort()
        return tables.tree_sequence()

    def _days(self) -> NDArray[np.float64]:
        """Day of every node: of its division, else of its last sampling, else today."""
        days = self.nodes["day"].fill_null(self.day).to_numpy().copy()
        if "sampled_day" in self.cells.columns:
            last = self.cells.group_by("node").agg(pl.col("sampled_day").max())
            tips = last.filter(self.nodes["day"].gather(last["node"]).is_null())
            days[tips["node"].to_numpy()] = tips["sampled_day"].to_numpy()
        return days

    def _parents(self) -> NDArray[np.int64]:
        return self.nodes["parent"].cast(pl.Int64).fill_null(-1).to_numpy()


def _newick(parents: NDArray[np.int64], length: NDArray[Any], named: NDArray[np.bool_]) -> str:
    """Write trees, whose parents stand before their children, in time that grows with the nodes alone.

    In postorder every node is written as the brackets that open at it, if it is a tip, its name and length,
    and what follows: a comma before a sibling, a bracket after the last one, an end after a root.
    """
    if not parents.size:
        return ""
    size, start, is_last = _places(parents)
    order = np.empty_like(start)
    order[start + size - 1] = np.arange(start.size)
    # Brackets open at a tip for every inner node whose first tip it is.
    opens = np.where(size == 1, np.bincount(start[size > 1], minlength=start.size)[start], 0)[order]
    end = np.where(parents < 0, 2, is_last)[order]
    columns = {
        "open": _told(opens, lambda brackets: "(" * brackets),
        "node": pl.Series(order),
        "named": pl.Series(named[order]),
        "length": _told(length[order], lambda days: f":{days:.10g}"),
        "end": pl.Series([",", ")", ";\n"]).gather(end),
    }
    name = pl.when("named").then(pl.col("node").cast(pl.String)).otherwise(pl.lit(""))
    text = pl.DataFrame(columns).select(text=pl.concat_str("open", name, "length", "end"))
    return "".join(text["text"].to_list()).rstrip("\n")


def _places(parents: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return of every node how many are below it and itself, where these begin, and if it is the last child.

    Nodes are placed one after the other: what is below a node before it, children by their numbers.
    """
    above = parents.tolist()
    sizes = [1] * len(above) + [0]  # the last is above the roots, whose parent is -1
    for node in range(len(above) - 1, -1, -1):
        sizes[above[node]] += sizes[node]
    size = np.array(sizes[:-1])
    siblings = np.argsort(parents, kind="stable")
    begins = np.diff(parents[siblings], prepend=-2) != 0
    before = np.cumsum(size[siblings]) - size[siblings]
    among = np.empty_like(size)
    among[siblings] = before - before[begins][np.cumsum(begins) - 1]
    starts = [*among.tolist(), 0]
    for node, parent in enumerate(above):
        starts[node] += starts[parent]
    is_last = np.empty(size.size, dtype=bool)
    is_last[siblings] = np.append(begins[1:], True)
    return size, np.array(starts[:-1]), is_last


def _told(values: NDArray[Any], told: Callable[[Any], str]) -> pl.Series:
    """Write numbers of which many are alike."""
    levels, which = np.unique(values, return_inverse=True)
    return pl.Series([told(level) for level in levels.tolist()], dtype=pl.String).gather(which)
