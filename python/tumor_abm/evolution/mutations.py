"""Mutations of the cells of one tumour, put on its genealogy, and who carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import must_be, whole
from tumor_abm._base.frames import demand
from tumor_abm.evolution.genealogy import Genealogy

_NO_CLONE = -1


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

    def _cells_below(self, clones: pl.Series) -> dict[int, int]:
        """Cells of every clone and of all that descend from it."""
        sizes: dict[int, int] = dict(clones.value_counts().iter_rows()) if self._parents else {}
        # A clone is younger than its parent, and has the larger number.
        for clone in sorted(self._parents, reverse=True):
            parent = self._parents[clone]
            if parent != _NO_CLONE and clone in sizes:
                sizes[parent] = sizes.get(parent, 0) + sizes[clone]
        return sizes


def _drivers(clones: pl.DataFrame | None) -> tuple[pl.DataFrame, dict[int, int]]:
    """Clones of another type than their parent, and the parent of every clone."""
    schema = {"clone": pl.UInt64, "type": pl.UInt32}
    if clones is None:
        return pl.DataFrame(schema=schema), {}
    of_parent = clones.select(pl.col("clone").alias("parent"), pl.col("type").alias("before"))
    drivers = clones.join(of_parent, on="parent").filter(pl.col("type") != pl.col("before")).sort("clone")
    parents = clones.select("clone", pl.col("parent").cast(pl.Int64).fill_null(_NO_CLONE))
    return drivers.select(pl.col(name).cast(kind) for name, kind in schema.items()), dict(parents.iter_rows())
