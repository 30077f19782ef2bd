"""Cells that are drawn, leave, found another population, or are told apart, from outside the law."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import core_refusals, count, generator, must_be
from tumor_abm._base.memory import afford
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Biopsy
from tumor_abm.evolution.rates import Engine

if TYPE_CHECKING:
    import tumor_abm._core as _core

_MOST_OF_NUMPY = 10**9
"""Cells that numpy's hypergeometric law takes."""
_BYTES_PER_DRAW = 32
_WHERE = ("x", "y", "z")

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CellSample:
    """Cells that were drawn at random; the population keeps them.

    Attributes
    ----------
    clones
        ``clone, type, cells``: how many of each clone, where there are any.
    cells
        The cells one by one, as in `Biopsy.cells`; ``None`` with engine ``"clones"``.
    """

    clones: pl.DataFrame
    cells: pl.DataFrame | None


class Passages(ABC):
    """What can be done to a population from outside its law."""

    _core: _core.Population

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """Which engine holds the cells."""

    @property
    @abstractmethod
    def clones(self) -> pl.DataFrame:
        """Living clones."""

    @property
    @abstractmethod
    def cells(self) -> pl.DataFrame:
        """Every living cell."""

    @abstractmethod
    def fork(self, *, seed: int | None = None) -> Self:
        """Return a copy of the whole state."""

    def sample(self, cells: int, *, seed: int | None = None) -> CellSample:
        """Draw living cells at random, without replacement, every cell with the same chance.

        Exact with every engine: with ``"clones"`` numbers per clone follow the multivariate
        hypergeometric law.

        Parameters
        ----------
        cells
            How many.
        seed
            Of numpy's generator.

        Raises
        ------
        InputError
            There are not so many.
        """
        wanted, rng = count("cells", cells), generator(seed)
        there = self.clones["cells"].to_numpy().astype(np.int64)
        if wanted > there.sum():
            allowed = f"at most the cells that are there, {there.sum()}"
            raise InputError(f"cells: found {wanted}; allowed: {allowed}")
        if self.engine == "clones":
            counts = drawn(there, wanted, rng)
            clones = self.clones.select("clone", "type", pl.Series("cells", counts, dtype=pl.UInt64))
            return CellSample(clones=clones.filter(pl.col("cells") > 0), cells=None)
        rows = np.sort(rng.choice(int(there.sum()), wanted, replace=False))
        taken = self.cells[rows].insert_column(0, pl.Series("cell", rows, dtype=pl.UInt32))
        clones = taken.group_by("clone", "type").agg(pl.len().cast(pl.UInt64).alias("cells")).sort("clone")
        return CellSample(clones=clones, cells=taken)

    def remove(self, cells: CellSample | Biopsy) -> None:
        """Take cells out, as a resection or a biopsy does; the others live on by the same law.

        Exact with every engine. On a lattice the sites of these cells are free from now on; nothing
        closes the hole but growth.

        Parameters
        ----------
        cells
            What `sample` or `biopsy` took from this population since its last step.

        Raises
        ------
        InputError
            They are not among the living cells, where and as they were.
        """
        self._leave(self._numbers(cells))

    def seed_from(self, cells: CellSample | Biopsy, *, seed: int | None = None) -> Self:
        """Begin another population with some of the cells: a bottleneck, a passage, a metastasis.

        This one keeps them. Rates, the day, clones and the genealogy go on in the other, so that it can be
        traced back. Exact with ``"clones"`` and ``"cells"``. On a lattice the cells keep their places and
        the sites between them are free: they are not packed together as cells in a new place would be.

        Parameters
        ----------
        cells
            What `sample` or `biopsy` took from this population since its last step.
        seed
            Of the random stream of the other; by default that of this one.

        Raises
        ------
        InputError
            They are not among the living cells, where and as they were.
        """
        kept = self._numbers(cells)
        there = self.clones["cells"].to_numpy().astype(np.int64) if self.engine == "clones" else 1
        other = self.fork(seed=seed)
        other._leave(there - kept)
        return other

    def barcode(self) -> None:
        """Make every living cell the first of a clone of its own, whose parent is the clone it was of.

        Exact with every engine. With ``"clones"`` and ``"lattice"`` there must not be more cells of a
        type than `max_clones`; barcodes of clones that are merged later are lost.

        Raises
        ------
        InputError
            There are too many cells.
        """
        with core_refusals():
            self._core.label()

    def _leave(self, gone: Counts) -> None:
        with core_refusals():
            self._core.remove(gone.astype(np.uint64).tobytes())

    def _numbers(self, cells: CellSample | Biopsy) -> Counts:
        """How many of each living clone, or of each cell, are meant."""
        must_be("cells", cells, CellSample, Biopsy)
        if cells.cells is not None and self.engine != "clones":
            return self._rows(cells.cells)
        if not isinstance(cells, CellSample) or self.engine != "clones":
            raise _not_there(f"cells of another engine than {self.engine!r}")
        numbers = self.clones.select("clone", "type", pl.col("cells").alias("there")).join(
            cells.clones, on=["clone", "type"], how="left", maintain_order="left"
        )
        numbers = numbers.with_columns(pl.col("cells").fill_null(0))
        if (
            numbers["cells"].sum() != cells.clones["cells"].sum()
            or (numbers["cells"] > numbers["there"]).any()
        ):
            raise _not_there("cells that have died or never were")
        return numbers["cells"].to_numpy().astype(np.int64)

    def _rows(self, taken: pl.DataFrame) -> Counts:
        living = self.cells
        rows = taken["cell"].to_numpy()
        same = [
            name for name in ("clone", "type", *_WHERE) if name in living.columns and name in taken.columns
        ]
        gone = np.zeros(living.height, dtype=np.int64)
        if rows.size and (
            rows.max() >= living.height or not living[rows].select(same).equals(taken.select(same))
        ):
            raise _not_there("cells that have died or moved")
        gone[rows] = 1
        return gone


def _not_there(found: str) -> InputError:
    return InputError(f"cells: found {found}; allowed: what sample or biopsy took since the last step")


def drawn(there: Counts, wanted: int, rng: np.random.Generator) -> Counts:
    """Draw so many cells without replacement from clones of these sizes; how many are of each."""
    total = int(there.sum())
    if total < _MOST_OF_NUMPY:
        return np.asarray(rng.multivariate_hypergeometric(there, wanted, method="marginals"), dtype=np.int64)
    if wanted > total // 2:
        return there - drawn(there, total - wanted, rng)
    # Distinct cells by their number, which clones share out.
    afford("cells", f"{wanted:,} cells", wanted * _BYTES_PER_DRAW)
    chosen = np.unique(rng.integers(total, size=wanted))
    while chosen.size < wanted:
        chosen = np.unique(np.concatenate([chosen, rng.integers(total, size=wanted - chosen.size)]))
    owner = np.searchsorted(np.cumsum(there), chosen, side="right")
    return np.bincount(owner, minlength=there.size).astype(np.int64)
