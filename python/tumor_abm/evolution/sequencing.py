"""What a sequencer reads of a sample: depths, reads, and variant allele fractions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import generator, is_real, must_be
from tumor_abm.errors import InputError
from tumor_abm.evolution.mutations import Mutations

PLOIDY = 2


@dataclass(frozen=True, kw_only=True)
class Sequencing:
    """How a sample is sequenced. Genomes are diploid, and every mutation is on one of the two copies.

    Attributes
    ----------
    depth
        Mean number of reads that cover a site, Poisson.
    purity
        Share of the sample's cells that are of the tumour; the others are normal and diploid.
    overdispersion
        Of the beta-binomial law of mutant reads: the correlation of two reads of a site. 0 is the
        binomial law.
    least_reads
        Mutant reads below which nothing is called.
    least_vaf
        Variant allele fraction below which nothing is called.
    """

    depth: float = 100.0
    purity: float = 1.0
    overdispersion: float = 0.0
    least_reads: int = 3
    least_vaf: float = 0.02

    def __post_init__(self) -> None:
        most = {"depth": 1e9, "purity": 1.0, "overdispersion": 0.999, "least_reads": 1e9, "least_vaf": 1.0}
        for name, high in most.items():
            value = getattr(self, name)
            if not is_real(value) or not 0 <= value <= high:
                raise InputError(f"sequencing.{name}: found {value}; allowed: from 0 to {high:g}")

    def bulk(
        self,
        mutations: Mutations,
        rows: Sequence[int] | NDArray[np.integer[Any]] | None = None,
        *,
        seed: int,
    ) -> pl.DataFrame:
        """Sequence cells together.

        Parameters
        ----------
        mutations
            Of the tumour.
        rows
            The cells of the sample, see `Mutations.carriers`; all when ``None``.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            The mutations that any of the cells carries: ``mutation, carriers, cancer_cell_fraction,
            depth, alt_reads, vaf, called``. ``vaf`` is null where no read covers the site.
        """
        must_be("mutations", mutations, Mutations)
        carriers = mutations.carriers(rows)
        cells = mutations.genealogy.cells.height if rows is None else len(rows)
        present = np.flatnonzero(carriers)
        fraction = carriers[present] / max(cells, 1)
        reads = self._read(fraction * self.purity / PLOIDY, generator(seed))
        return reads.select(
            pl.Series("mutation", present, dtype=pl.UInt32),
            pl.Series("carriers", carriers[present], dtype=pl.UInt32),
            pl.Series("cancer_cell_fraction", fraction),
            pl.all(),
        )

    def samples(
        self,
        mutations: Mutations,
        samples: Mapping[str, Sequence[int] | NDArray[np.integer[Any]]],
        *,
        seed: int,
    ) -> pl.DataFrame:
        """Sequence several samples of one tumour, and read every mutation in each of them.

        Parameters
        ----------
        mutations
            Of the tumour; a mutation is the same, at the same place, in all samples.
        samples
            The cells of each sample by its name, as in `bulk`.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            A row per sample and mutation that any of the samples carries: ``sample``, the columns of
            `bulk`, and those of `Mutations.table`: ``origin, node, clone, type``. Where nobody carries
            the mutation, it has a depth and no mutant reads.
        """
        must_be("mutations", mutations, Mutations)
        must_be("samples", samples, Mapping)
        if not samples or not all(isinstance(name, str) for name in samples):
            raise InputError(key="samples", found=list(samples), allowed="at least one, by names")
        carriers = {name: mutations.carriers(rows) for name, rows in samples.items()}
        sizes = {name: len(rows) for name, rows in samples.items()}
        return self.read_all(mutations.table, carriers, sizes, seed=seed)

    def read_all(
        self,
        mutations: pl.DataFrame,
        carriers: Mapping[str, NDArray[np.int64]],
        cells: Mapping[str, int],
        *,
        seed: int,
    ) -> pl.DataFrame:
        """Sequence samples of which it is known how many of their cells carry each mutation.

        Parameters
        ----------
        mutations
            ``mutation, origin, node, clone, type``, as `Mutations.table`.
        carriers
            By the name of a sample, a number for each mutation.
        cells
            By the name of a sample, all its cells.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            As `samples`.
        """
        rng = generator(seed)
        present = np.flatnonzero(sum(carriers.values()))
        about = mutations[present]
        found = []
        for name, carried in carriers.items():
            counts = carried[present]
            fraction = counts / max(cells[name], 1)
            reads = self._read(fraction * self.purity / PLOIDY, rng)
            seen = about.select(
                pl.lit(name).alias("sample"),
                "mutation",
                pl.Series("carriers", counts, dtype=pl.UInt32),
                pl.Series("cancer_cell_fraction", fraction),
            )
            found.append(pl.concat([seen, reads, about.drop("mutation")], how="horizontal"))
        return pl.concat(found)

    def single_cells(
        self, mutations: Mutations, rows: Sequence[int] | NDArray[np.integer[Any]], *, seed: int
    ) -> pl.DataFrame:
        """Sequence cells one by one. `purity` has no part in it.

        Parameters
        ----------
        mutations, rows, seed
            As in `bulk`.

        Returns
        -------
        polars.DataFrame
            The mutations of every cell: ``cell`` (its row), ``mutation, depth, alt_reads, vaf, called``.
            Mutations that a cell does not carry have no row.
        """
        must_be("mutations", mutations, Mutations)
        rng = generator(seed)
        # Nobody at all has a table without rows, too.
        found = [self._cell(0, np.zeros(0, dtype=np.int64), rng)]
        mutations.genealogy.chosen("rows", rows)
        found += [self._cell(int(row), np.flatnonzero(mutations.carriers([int(row)])), rng) for row in rows]
        return pl.concat(found)

    def _cell(self, row: int, carried: NDArray[np.int64], rng: np.random.Generator) -> pl.DataFrame:
        """Mutations that one cell carries, as read."""
        reads = self._read(np.full(carried.size, 1 / PLOIDY), rng)
        return reads.select(
            pl.lit(row, dtype=pl.UInt32).alias("cell"),
            pl.Series("mutation", carried, dtype=pl.UInt32),
            pl.all(),
        )

    def _read(self, expected: NDArray[np.float64], rng: np.random.Generator) -> pl.DataFrame:
        """Depths and mutant reads where a share `expected` of the copies is mutant."""
        depth = rng.poisson(self.depth, expected.size)
        share = expected.copy()
        if self.overdispersion > 0:
            # Beta with this mean, so that two reads of a site correlate as said.
            scale, present = 1 / self.overdispersion - 1, expected > 0
            share[present] = rng.beta(scale * expected[present], scale * (1 - expected[present]))
        alt = rng.binomial(depth, share)
        vaf = np.divide(alt, depth, out=np.full(expected.size, np.nan), where=depth > 0)
        called = (alt >= self.least_reads) & (alt > 0) & (np.nan_to_num(vaf) >= self.least_vaf)
        return pl.DataFrame(
            {
                "depth": depth.astype(np.uint32),
                "alt_reads": alt.astype(np.uint32),
                "vaf": pl.Series(vaf).fill_nan(None),
                "called": called,
            }
        )
