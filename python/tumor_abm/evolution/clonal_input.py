"""Input of programs that infer clones and their tree from several samples of one tumour."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tumor_abm._base.arguments import is_real, must_be, truth
from tumor_abm._base.files import write_text
from tumor_abm._base.frames import demand
from tumor_abm._base.paths import path_of
from tumor_abm._base.sinks import maf_text
from tumor_abm.errors import InputError
from tumor_abm.evolution.maf import ALTERNATIVE, REFERENCE, contig_number, position
from tumor_abm.evolution.sequencing import PLOIDY

_MOST_CELLS = 0.5
_READS = ("sample", "mutation", "depth", "alt_reads", "called")
_TRUE = ("node", "clone", "cancer_cell_fraction")


def pyclone_vi(reads: pl.DataFrame, *, purity: float = 1.0, true: bool = False) -> pl.DataFrame:
    """Turn read counts into the input of PyClone-VI: every mutation called anywhere, in every sample.

    Gillis and Roth 2020, doi:10.1186/s12859-020-03919-2.

    Parameters
    ----------
    reads
        What `Sequencing.samples` returned.
    purity
        Of the samples.
    true
        Add what is known and cannot be measured: ``true_node``, ``true_clone``,
        ``true_cancer_cell_fraction``. The program passes over them.

    Returns
    -------
    polars.DataFrame
        ``mutation_id, sample_id, ref_counts, alt_counts, major_cn, minor_cn, normal_cn,
        tumour_content``. A mutation's id is its contig and position in a MAF. Copy numbers are those of a
        diploid genome, or, where the reads have ``copies`` and more than half of the cancer cells carry the
        mutation, those of its carriers: of a locus with other copies, the truth that a program is told.
    """
    table = _seen(reads, purity, true)
    return table.select(
        pl.format("{}:{}", contig_number(), position()).alias("mutation_id"),
        pl.col("sample").alias("sample_id"),
        _reference_reads().alias("ref_counts"),
        pl.col("alt_reads").alias("alt_counts"),
        *_alleles(table, "major_cn", "minor_cn"),
        pl.lit(PLOIDY).alias("normal_cn"),
        pl.lit(float(purity)).alias("tumour_content"),
        *_truth(true),
    )


def conipher(reads: pl.DataFrame, *, case: str, purity: float = 1.0, true: bool = False) -> pl.DataFrame:
    """Turn read counts into the input of CONIPHER: every mutation called anywhere, in every sample.

    Grigoriadis et al. 2024, doi:10.1038/s41596-023-00913-9.

    Parameters
    ----------
    reads
        What `Sequencing.samples` returned.
    case
        Name of the tumour, with which names of samples begin.
    purity, true
        As in `pyclone_vi`.

    Returns
    -------
    polars.DataFrame
        ``CASE_ID, SAMPLE, CHR, POS, REF, ALT, REF_COUNT, VAR_COUNT, DEPTH, COPY_NUMBER_A,
        COPY_NUMBER_B, ACF, PLOIDY``. ``CHR`` is the number of the contig.
    """
    must_be("case", case, str)
    table = _seen(reads, purity, true)
    name = maf_text(case)
    return table.select(
        pl.lit(name).alias("CASE_ID"),
        pl.format("{}_{}", pl.lit(name), "sample").alias("SAMPLE"),
        contig_number().alias("CHR"),
        position().alias("POS"),
        pl.lit(REFERENCE).alias("REF"),
        pl.lit(ALTERNATIVE).alias("ALT"),
        _reference_reads().alias("REF_COUNT"),
        pl.col("alt_reads").alias("VAR_COUNT"),
        pl.col("depth").alias("DEPTH"),
        *_alleles(table, "COPY_NUMBER_A", "COPY_NUMBER_B"),
        pl.lit(float(purity)).alias("ACF"),
        pl.lit(PLOIDY).alias("PLOIDY"),
        *_truth(true),
    )


def write_clonal_input(table: pl.DataFrame, path: str | Path) -> None:
    """Write a table of `pyclone_vi` or `conipher` as tab-separated text, whole or not at all."""
    must_be("table", table, pl.DataFrame)
    file = path_of("path", path)
    try:
        write_text(file, table.write_csv(separator="\t", quote_style="never"))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=file) from error


def _seen(reads: pl.DataFrame, purity: float, true: bool) -> pl.DataFrame:
    """Mutations that are called in any sample, in all of them."""
    truth("true", true)
    if not is_real(purity) or not 0 < purity <= 1:
        raise InputError(f"purity: found {purity!r}; allowed: above 0, up to 1")
    demand("reads", reads, [*_READS, *(_TRUE if true else ())])
    samples = reads["sample"].unique(maintain_order=True).cast(pl.String)
    names = pl.col("sample").cast(pl.String).replace(dict(zip(samples, map(maf_text, samples), strict=True)))
    return reads.filter(pl.col("called").any().over("mutation")).with_columns(names)


def _reference_reads() -> pl.Expr:
    return pl.col("depth") - pl.col("alt_reads")


def _alleles(table: pl.DataFrame, major: str, minor: str) -> list[pl.Expr]:
    """Return the copies of the more and of the less frequent allele, as most cancer cells have them."""
    if "copies" not in table.columns:
        return [pl.lit(1).alias(major), pl.lit(PLOIDY - 1).alias(minor)]
    mutant = pl.col("mutant_copies").round().cast(pl.Int32)
    others = pl.col("copies").round().cast(pl.Int32) - mutant
    carried = pl.col("cancer_cell_fraction") > _MOST_CELLS
    more, less = pl.max_horizontal(mutant, others), pl.min_horizontal(mutant, others)
    return [
        pl.when(carried).then(more).otherwise(pl.lit(1, pl.Int32)).alias(major),
        pl.when(carried).then(less).otherwise(pl.lit(PLOIDY - 1, pl.Int32)).alias(minor),
    ]


def _truth(true: bool) -> list[pl.Expr]:
    return [pl.col(name).alias(f"true_{name}") for name in _TRUE] if true else []
