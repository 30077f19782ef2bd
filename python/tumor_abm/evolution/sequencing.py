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
    """How a sample is sequenced. A mutation is on one of two copies, unless its table says otherwise.

    A table of mutations may have the columns ``copies`` and ``mutant_copies``: how many copies of the locus
    there are in a cell that carries the mutation, and how many of them have it. All other cells are diploid.

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
        reads = self._read(self._mutant_share(fraction, mutations.table[present]), generator(seed))
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
        every: bool = False,
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
        every
            Read mutations that no sample carries, too.
        seed
            Of numpy's generator.

        Returns
        -------
        polars.DataFrame
            As `samples`.
        """
        rng = generator(seed)
        present = np.arange(mutations.height) if every else np.flatnonzero(sum(carriers.values()))
        about = mutations[present]
        found = []
        for name, carried in carriers.items():
            counts = carried[present]
            fraction = counts / max(cells[name], 1)
            reads = self._read(self._mutant_share(fraction, about), rng)
            seen = about.select(
                pl.lit(name).alias("sample"),
                "mutation",
                pl.Series("carriers", counts, dtype=pl.UInt32),
                pl.Series("cancer_cell_fraction", fraction),
            )
            found.append(pl.concat([seen, reads, about.drop("mutation")], how="horizontal"))
        return pl.concat(found)

    def single_cells(
        self,
        mutations: Mutations,
        rows: Sequence[int] | NDArray[np.integer[Any]],
        *,
        seed: int,
        errors: SingleCellErrors | None = None,
    ) -> pl.DataFrame:
        """Sequence cells one by one. `purity` has no part in it.

        Parameters
        ----------
        mutations, rows, seed
            As in `bulk`.
        errors
            What goes wrong with the DNA of single cells; nothing when ``None``.

        Returns
        -------
        polars.DataFrame
            The mutations of every cell: ``cell`` (its row), ``mutation, depth, alt_reads, vaf, called``.
            Mutations that a cell does not carry have no row. With `errors` those have one that are read by
            error, and a last column, ``carried``, tells the truth.
        """
        must_be("mutations", mutations, Mutations)
        rng = generator(seed)
        mutations.genealogy.chosen("rows", rows)
        # Nobody at all has a table without rows, too.
        nobody = self._cell(mutations, None, rng, errors)
        return pl.concat([nobody, *(self._cell(mutations, int(row), rng, errors) for row in rows)])

    def _cell(
        self,
        mutations: Mutations,
        row: int | None,
        rng: np.random.Generator,
        errors: SingleCellErrors | None,
    ) -> pl.DataFrame:
        """Mutations of one cell, or of none, as read."""
        carried = np.zeros(0, dtype=np.int64) if row is None else mutations.of_cell(row)
        total, mutant = _copies(mutations.table[carried])
        if errors is None:
            expected, seen, truth = mutant / total, carried, None
        else:
            wrong = errors.read_by_error(0 if row is None else mutations.table.height, carried, rng)
            seen = np.concatenate([carried, wrong])
            share = errors.amplified(mutant, total - mutant, rng)
            expected = np.concatenate([share, np.full(wrong.size, 1 / PLOIDY)])
            truth = pl.Series("carried", np.arange(seen.size) < carried.size)
        reads = self._read(np.nan_to_num(expected), rng, covered=~np.isnan(expected))
        table = reads.select(
            pl.lit(row or 0, dtype=pl.UInt32).alias("cell"),
            pl.Series("mutation", seen, dtype=pl.UInt32),
            pl.all(),
        )
        return table if truth is None else table.with_columns(truth).sort("mutation")

    def _mutant_share(self, fraction: NDArray[np.float64], about: pl.DataFrame) -> NDArray[np.float64]:
        """Share of a sample's copies that are mutant, where a fraction of the tumour's cells is."""
        if "copies" not in about.columns:
            return fraction * self.purity / PLOIDY
        total, mutant = _copies(about)
        carriers = fraction * self.purity
        share: NDArray[np.float64] = carriers * mutant / (carriers * total + (1 - carriers) * PLOIDY)
        return share

    def _read(
        self,
        expected: NDArray[np.float64],
        rng: np.random.Generator,
        covered: NDArray[np.bool_] | None = None,
    ) -> pl.DataFrame:
        """Depths and mutant reads where a share `expected` of the copies is mutant; none if not `covered`."""
        depth = rng.poisson(self.depth, expected.size)
        if covered is not None:
            depth[~covered] = 0
        share = expected.copy()
        if self.overdispersion > 0:
            # Beta with this mean, so that two reads of a site correlate as said.
            scale, present = 1 / self.overdispersion - 1, (expected > 0) & (expected < 1)
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


@dataclass(frozen=True, kw_only=True)
class SingleCellErrors:
    """What goes wrong when the genome of a single cell is amplified and read.

    Attributes
    ----------
    dropout
        Chance that a copy of a locus is lost on the way. Where all are, nothing covers the site.
    false_positives
        Chance, per cell and mutation of the tumour that the cell does not carry, that it is read as if it
        did.
    """

    dropout: float = 0.0
    false_positives: float = 0.0

    def __post_init__(self) -> None:
        for name in ("dropout", "false_positives"):
            value = getattr(self, name)
            if not is_real(value) or not 0 <= value <= 1:
                raise InputError(f"errors.{name}: found {value!r}; allowed: from 0 to 1")

    def read_by_error(
        self, mutations: int, carried: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw which of so many mutations that a cell does not carry are read in it."""
        others = np.ones(mutations, dtype=bool)
        others[carried] = False
        drawn = rng.binomial(int(others.sum()), self.false_positives)
        return np.sort(rng.choice(np.flatnonzero(others), drawn, replace=False))

    def amplified(
        self, mutant: NDArray[np.float64], normal: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Share of mutant copies among those that are not lost; NaN where all are."""
        kept = rng.binomial(np.rint(mutant).astype(np.int64), 1 - self.dropout)
        others = rng.binomial(np.rint(normal).astype(np.int64), 1 - self.dropout)
        total = kept + others
        share: NDArray[np.float64] = np.divide(kept, total, out=np.full(kept.size, np.nan), where=total > 0)
        return share


def _copies(about: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the copies of the locus of each mutation in a carrier, and how many are mutant."""
    if "copies" not in about.columns:
        return np.full(about.height, float(PLOIDY)), np.ones(about.height)
    return (
        about["copies"].fill_null(PLOIDY).to_numpy().astype(float),
        about["mutant_copies"].fill_null(1).to_numpy().astype(float),
    )
