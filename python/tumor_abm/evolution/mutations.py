"""Mutations of the cells of one tumour, put on its genealogy, and who carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import is_real, must_be, whole
from tumor_abm._base.frames import demand
from tumor_abm.errors import InputError
from tumor_abm.evolution.genealogy import Genealogy

_NO_CLONE = -1
_MOST_COPIES = 1_000


@dataclass(frozen=True, eq=False)
class Mutations:
    """Mutations of a tumour whose genealogy was recorded. Every mutation is a site of its own.

    Attributes
    ----------
    table
        ``mutation`` (from 0), ``origin`` (``"truncal"``: the founder had it; ``"driver"``: it made
        a clone of another type; ``"passenger"``: neutral, put on the tree afterwards), ``node``
        below whose line a passenger lies, ``clone`` and ``type`` that a driver made.
    genealogy
        Of all living cells.
    """

    table: pl.DataFrame
    genealogy: Genealogy
    _parents: dict[int, int]

    @classmethod
    def draw(
        cls,
        genealogy: Genealogy,
        per_division: float,
        *,
        truncal: int = 0,
        clones: pl.DataFrame | None = None,
        copies: Mapping[int, tuple[float, float]] | None = None,
        least_carriers: int = 1,
        seed: int,
    ) -> Mutations:
        """Draw neutral mutations, and add those of the founder and of the drivers.

        Parameters
        ----------
        genealogy
            Of all living cells.
        per_division
            Mean number of passengers per division, Poisson; each in one of the two daughters.
        truncal
            Mutations that the founder had already.
        clones
            All clones that ever lived (`Population.all_clones`): those of another type than their
            parent carry a driver. ``None``: no drivers. Not for populations that switch types.
        copies
            By the type that a driver makes: copies of its locus in a cell that carries it, and how many of
            them have it; one of two elsewhere. The table has columns ``copies, mutant_copies`` then.
        least_carriers
            Leave passengers of fewer living cells out: most are in one cell only.
        seed
            Of numpy's generator.
        """
        must_be("genealogy", genealogy, Genealogy)
        if clones is not None:
            demand("clones", clones, ["clone", "parent", "type"])
        truncal = whole("truncal", truncal, 0, 2**31 - 1)
        least_carriers = whole("least_carriers", least_carriers, 0, 2**32 - 1)
        per_node = genealogy.mutate(per_division, seed=seed)
        per_node[genealogy.nodes["descendants"].to_numpy() < least_carriers] = 0
        nodes = np.repeat(np.arange(per_node.size, dtype=np.uint32), per_node)
        drivers, parents = _drivers(clones)
        table = pl.concat(
            [
                pl.DataFrame({"origin": ["truncal"] * truncal}, schema={"origin": pl.String}),
                drivers.with_columns(pl.lit("driver").alias("origin")),
                pl.DataFrame({"node": nodes}).with_columns(pl.lit("passenger").alias("origin")),
            ],
            how="diagonal",
        )
        table = table.with_row_index("mutation").select("mutation", "origin", "node", "clone", "type")
        if copies is not None:
            table = with_copies(table, copies)
        return cls(table=table, genealogy=genealogy, _parents=parents)

    def carriers(self, rows: Sequence[int] | NDArray[np.integer[Any]] | None = None) -> NDArray[np.int64]:
        """Count the cells that carry each mutation.

        Parameters
        ----------
        rows
            Which cells are looked at: rows of the genealogy's ``cells``; all when ``None``.

        Returns
        -------
        numpy.ndarray
            One number per mutation, in the order of `table`.
        """
        chosen = self.genealogy.chosen("rows", rows)
        below = self.genealogy.descendants(chosen["node"])
        of_clone = self._cells_below(chosen["clone"])
        node = self.table["node"].fill_null(0).to_numpy()
        drivers = [of_clone.get(clone, 0) for clone in self.table["clone"].drop_nulls()]
        # Truncal mutations first, then drivers, then passengers.
        truncal = self.table.height - len(drivers) - self.table["node"].count()
        passengers = below[node[truncal + len(drivers) :]].astype(np.int64)
        return np.concatenate(
            [np.full(truncal, chosen.height), np.array(drivers, dtype=np.int64), passengers]
        )

    def of_cell(self, row: int) -> NDArray[np.int64]:
        """Return the mutations of one cell: rows of `table`, in their order.

        Parameters
        ----------
        row
            Of the genealogy's ``cells``.
        """
        cell = self.genealogy.chosen("row", [row])
        line = self.genealogy.line_of(int(cell["node"][0]))
        clones = self._clones_above(int(cell["clone"][0])) if self._parents else set()
        nodes, before = self._passengers
        drivers = [k for k, clone in self._drivers if clone in clones]
        first, end = (before + np.searchsorted(nodes, line, side) for side in ("left", "right"))
        passengers = [np.arange(a, b) for a, b in zip(first, end, strict=True) if a < b]
        truncal = np.arange(before - len(self._drivers))
        return np.concatenate([truncal, np.array(drivers, dtype=np.int64), *passengers])

    @cached_property
    def _passengers(self) -> tuple[NDArray[np.uint32], int]:
        """Nodes of the passengers, ascending, and how many other mutations stand before them."""
        nodes = self.table["node"].drop_nulls().to_numpy()
        return nodes, self.table.height - nodes.size

    @cached_property
    def _drivers(self) -> list[tuple[int, int]]:
        """Drivers and the clones that they made."""
        return list(self.table.drop_nulls("clone").select("mutation", "clone").iter_rows())

    def _clones_above(self, clone: int) -> set[int]:
        """Return a clone and all that it descends from."""
        found = set()
        while clone != _NO_CLONE:
            found.add(clone)
            clone = self._parents[clone]
        return found

    def _cells_below(self, clones: pl.Series) -> dict[int, int]:
        """Cells of every clone and of all that descend from it."""
        sizes: dict[int, int] = dict(clones.value_counts().iter_rows()) if self._parents else {}
        # A clone is younger than its parent, and has the larger number.
        for clone in sorted(self._parents, reverse=True):
            parent = self._parents[clone]
            if parent != _NO_CLONE and clone in sizes:
                sizes[parent] = sizes.get(parent, 0) + sizes[clone]
        return sizes


def with_copies(table: pl.DataFrame, copies: Mapping[Any, tuple[float, float]]) -> pl.DataFrame:
    """Add ``copies, mutant_copies`` to a table of mutations, by the type of drivers; one of two elsewhere."""
    must_be("copies", copies, Mapping)
    for kind, pair in copies.items():
        given = isinstance(pair, tuple) and len(pair) == 2 and all(map(is_real, pair))
        if not given or not 0 < pair[1] <= pair[0] <= _MOST_COPIES:
            allowed = f"(copies, mutant copies), up to {_MOST_COPIES}, mutant ones above 0"
            raise InputError(key=f"copies[{kind!r}]", found=pair, allowed=allowed)
    told = [
        pl.col("type").replace_strict(
            {kind: float(pair[k]) for kind, pair in copies.items()}, default=usual, return_dtype=pl.Float64
        )
        if copies
        else pl.lit(usual)
        for k, usual in enumerate((2.0, 1.0))
    ]
    return table.with_columns(copies=told[0], mutant_copies=told[1])


def _drivers(clones: pl.DataFrame | None) -> tuple[pl.DataFrame, dict[int, int]]:
    """Clones of another type than their parent, and the parent of every clone."""
    schema = {"clone": pl.UInt64, "type": pl.UInt32}
    if clones is None:
        return pl.DataFrame(schema=schema), {}
    of_parent = clones.select(pl.col("clone").alias("parent"), pl.col("type").alias("before"))
    drivers = clones.join(of_parent, on="parent").filter(pl.col("type") != pl.col("before")).sort("clone")
    parents = clones.select("clone", pl.col("parent").cast(pl.Int64).fill_null(_NO_CLONE))
    return drivers.select(pl.col(name).cast(kind) for name, kind in schema.items()), dict(parents.iter_rows())
