"""Mutation tables in the Mutation Annotation Format of the Genomic Data Commons."""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.files import write_whole
from tumor_abm._base.frames import demand
from tumor_abm._base.paths import path_of
from tumor_abm._base.sinks import maf_text
from tumor_abm.errors import InputError

CONTIG = "synthetic"
"""There is no genome: sites are numbered on made-up contigs of this name, a kilobase apart."""

_VERSION = "#version gdc-1.0.0\n"
_BASES_BETWEEN_SITES = 1_000
_SITES_PER_CONTIG = 500_000
"""Programs count positions with 31 bits, and indices of genomes end at 2^29."""
REFERENCE, ALTERNATIVE = "C", "T"


def contig_number() -> pl.Expr:
    """Return the contig on which ``mutation`` lies, from 1."""
    return pl.col("mutation").cast(pl.Int64) // _SITES_PER_CONTIG + 1


def position() -> pl.Expr:
    """Return the base of its contig at which ``mutation`` lies."""
    return (pl.col("mutation").cast(pl.Int64) % _SITES_PER_CONTIG + 1) * _BASES_BETWEEN_SITES


def maf(reads: pl.DataFrame, *, tumour: str, sample: str) -> pl.DataFrame:
    """Turn called mutations of a bulk sample into rows of a MAF; none gives a table without rows.

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
    demand("reads", reads, ["mutation", "origin", "type", "depth", "alt_reads", "vaf", "called"])
    must_be("tumour", tumour, str)
    must_be("sample", sample, str)
    driver = pl.col("origin") == "driver"
    contig = contig_number()
    contig = pl.when(contig == 1).then(pl.lit(CONTIG)).otherwise(pl.format(f"{CONTIG}_{{}}", contig))
    types = pl.col("type").cast(pl.String)
    names = {name: maf_text(name) for name in reads.select(types).drop_nulls()["type"].unique()}
    gene = pl.when(driver).then(pl.format("DRIVER_{}", types.replace(names))).otherwise(pl.lit("Unknown"))
    kind = pl.when(driver).then(pl.lit("Missense_Mutation")).otherwise(pl.lit("IGR"))

    def text(value: str, name: str) -> pl.Expr:
        return pl.lit(value).alias(name)

    return reads.filter("called").select(
        gene.alias("Hugo_Symbol"),
        pl.lit(0).alias("Entrez_Gene_Id"),
        text("tumor_abm", "Center"),
        text(CONTIG, "NCBI_Build"),
        contig.alias("Chromosome"),
        position().alias("Start_Position"),
        position().alias("End_Position"),
        text("+", "Strand"),
        kind.alias("Variant_Classification"),
        text("SNP", "Variant_Type"),
        text(REFERENCE, "Reference_Allele"),
        text(REFERENCE, "Tumor_Seq_Allele1"),
        text(ALTERNATIVE, "Tumor_Seq_Allele2"),
        text("novel", "dbSNP_RS"),
        text(maf_text(f"{tumour}-{sample}"), "Tumor_Sample_Barcode"),
        text(maf_text(f"{tumour}-normal"), "Matched_Norm_Sample_Barcode"),
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
    must_be("table", table, pl.DataFrame)
    file = path_of("path", path)
    text = _VERSION + table.write_csv(separator="\t", quote_style="never")
    try:
        write_whole(file, partial(_write, text=text, packed=file.suffix.lower() == ".gz"))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=file) from error


def _write(path: Path, text: str, packed: bool) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data, 6, mtime=0) if packed else data)
