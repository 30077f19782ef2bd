"""Mutation tables in the Mutation Annotation Format of the Genomic Data Commons."""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path

import polars as pl

from tumor_abm._files import write_whole

CONTIG = "synthetic"
"""There is no genome: sites are numbered on one made-up contig, a kilobase apart."""

_VERSION = "#version gdc-1.0.0\n"
_BASES_BETWEEN_SITES = 1_000


def maf(reads: pl.DataFrame, *, tumour: str, sample: str) -> pl.DataFrame:
    """Turn called mutations of a bulk sample into rows of a MAF.

    Real: the sample, the read counts of the tumour, which mutations are shared between samples
    (same position), and drivers (``DRIVER_<type>``). Made up: contig, position, bases, and with them
    what an annotation would say. The normal sample is not sequenced, and has no counts.

    Parameters
    ----------
    reads
        Rows of `Sequencing.bulk`, joined with ``origin`` and ``type`` of `Mutations.table`.
    tumour, sample
        Names of the tumour and of the sample.

    Returns
    -------
    polars.DataFrame
        The columns of the format that have a meaning here, and ``vaf`` behind them.
    """
    driver = pl.col("origin") == "driver"
    position = (pl.col("mutation").cast(pl.Int64) + 1) * _BASES_BETWEEN_SITES
    gene = pl.when(driver).then(pl.format("DRIVER_{}", "type")).otherwise(pl.lit("Unknown"))
    kind = pl.when(driver).then(pl.lit("Missense_Mutation")).otherwise(pl.lit("IGR"))

    def text(value: str, name: str) -> pl.Expr:
        return pl.lit(value).alias(name)

    return reads.filter("called").select(
        gene.alias("Hugo_Symbol"),
        pl.lit(0).alias("Entrez_Gene_Id"),
        text("tumor_abm", "Center"),
        text(CONTIG, "NCBI_Build"),
        text(CONTIG, "Chromosome"),
        position.alias("Start_Position"),
        position.alias("End_Position"),
        text("+", "Strand"),
        kind.alias("Variant_Classification"),
        text("SNP", "Variant_Type"),
        text("C", "Reference_Allele"),
        text("C", "Tumor_Seq_Allele1"),
        text("T", "Tumor_Seq_Allele2"),
        text("novel", "dbSNP_RS"),
        text(f"{tumour}-{sample}", "Tumor_Sample_Barcode"),
        text(f"{tumour}-normal", "Matched_Norm_Sample_Barcode"),
        text("Somatic", "Mutation_Status"),
        text("WGS", "Sequence_Source"),
        pl.col("depth").alias("t_depth"),
        (pl.col("depth") - pl.col("alt_reads")).alias("t_ref_count"),
        pl.col("alt_reads").alias("t_alt_count"),
        text("PASS", "FILTER"),
        "vaf",
    )


def write_maf(table: pl.DataFrame, path: str | Path) -> None:
    """Write a table of `maf` as tab-separated text with its version line; gzipped if `path` ends so."""
    text = _VERSION + table.write_csv(separator="\t")
    write_whole(Path(path), partial(_write, text=text, packed=Path(path).suffix == ".gz"))


def _write(path: Path, text: str, packed: bool) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data, 6, mtime=0) if packed else data)
