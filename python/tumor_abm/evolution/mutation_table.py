"""Tables of mutations that others called: MAF, VCF, and plain tables of variant allele fractions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import polars as pl

from tumor_abm._base.arguments import must_be, truth
from tumor_abm._base.delimited import LINE, columns_of, delimiter_of, fields_of, opened
from tumor_abm._base.paths import path_of
from tumor_abm.errors import InputError
from tumor_abm.evolution import vcf

SCHEMA = {
    "sample": pl.String,
    "chromosome": pl.String,
    "position": pl.Int64,
    "reference": pl.String,
    "alternative": pl.String,
    "gene": pl.String,
    "depth": pl.UInt32,
    "alt_reads": pl.UInt32,
    "vaf": pl.Float64,
    "filter": pl.String,
}
"""Columns of what `read_mutations` returns."""

NAMES: dict[str, tuple[str, ...]] = {
    "sample": ("tumor_sample_barcode", "sample", "sample_id", "tumor_sample", "tumour_sample"),
    "chromosome": ("chromosome", "chrom", "chr"),
    "position": ("start_position", "position", "pos", "start"),
    "reference": ("reference_allele", "reference", "ref"),
    "alternative": ("tumor_seq_allele2", "alternative", "alt", "var"),
    "gene": ("hugo_symbol", "gene", "symbol", "gene_symbol"),
    "depth": ("t_depth", "depth", "dp", "total_reads"),
    "alt_reads": (
        "t_alt_count",
        "alt_reads",
        "alt_count",
        "alt_counts",
        "var_count",
        "var_counts",
        "var_reads",
    ),
    "ref_reads": ("t_ref_count", "ref_reads", "ref_count", "ref_counts"),
    "reads": ("ad", "allelic_depths"),
    "vaf": ("vaf", "t_vaf", "tumor_f", "i_tumor_f", "af", "allele_fraction", "variant_allele_fraction"),
    "vaf_percent": ("vaf_percent", "vaf_pct", "vaf%", "vaf (%)", "vaf(%)", "allele_frequency_percent"),
    "filter": ("filter",),
}
"""What columns are called in files; upper and lower case are the same."""

_MISSING = ("", ".")
_NO_NUMBER = (*_MISSING, "-", "na", "nan", "n/a", "null", "none")
_TEXTS = [name for name, kind in SCHEMA.items() if kind == pl.String]
_MOST_READS = 2**32 - 1
_READS_OR_FRACTIONS = (
    f"fractions ({', '.join((*NAMES['vaf'], *NAMES['vaf_percent'][:1]))}), or mutant reads "
    f"({', '.join(NAMES['alt_reads'])}) with depths ({', '.join(NAMES['depth'])}) or other reads "
    f"({', '.join(NAMES['ref_reads'])}), or both kinds of reads ({NAMES['reads'][0]})"
)


def read_mutations(
    path: str | Path,
    *,
    sample: str | None = None,
    columns: Mapping[str, str] | None = None,
    percent: bool | None = None,
) -> pl.DataFrame:
    """Read called mutations from a MAF, a VCF, a table made of one, or a plain table of fractions.

    Gzipped or not, with any end of line, separated by tabs, commas, semicolons or spaces. Lines before
    the header that begin with ``#`` are passed over. ``chr`` before a chromosome is left out. All rows
    are returned, whatever their ``filter`` says.

    Parameters
    ----------
    path
        The file. A VCF is told by its first line.
    sample
        Read this sample only; ``None``: all, one row per sample and mutation.
    columns
        Names of columns in the file by those of the result (``ref_reads`` and ``reads``, both kinds
        with a comma between, are known, too), where they are others than `NAMES` has.
    percent
        Whether fractions are in percent. ``None``: they are if the column's name says so, if they have
        the sign, or if any is above 1.

    Returns
    -------
    polars.DataFrame
        ``sample, chromosome, position, reference, alternative, gene, depth, alt_reads, vaf, filter``;
        what the file does not tell is null. ``vaf`` is that of the file, else mutant reads over depth.

    Raises
    ------
    InputError
        The file cannot be read as such a table; the message says where.
    """
    file = path_of("path", path)
    if sample is not None:
        must_be("sample", sample, str)
    if percent is not None:
        truth("percent", percent)
    own = _own_names(columns)
    with opened(file) as stream:
        if own or not _beginning(stream).startswith(vcf.FIRST_LINE):
            table = _of_text(stream, file, own, percent)
        else:
            table = _checked(vcf.calls(stream, file), file, percent=False)
    return table if sample is None else _of_sample(table, sample, file)


def _beginning(stream: TextIO) -> str:
    """Return the beginning of a text that goes on being read from its start."""
    start = stream.read(len(vcf.FIRST_LINE))
    stream.seek(0)
    return start


def _own_names(columns: Mapping[str, str] | None) -> dict[str, str]:
    if columns is None:
        return {}
    must_be("columns", columns, Mapping)
    for name, there in columns.items():
        if name not in NAMES:
            raise InputError(key="columns", found=name, allowed=NAMES)
        must_be(f"columns[{name!r}]", there, str)
    return dict(columns)


def _of_text(stream: TextIO, file: Path, own: dict[str, str], percent: bool | None) -> pl.DataFrame:
    number, header = _header(stream, file)
    delimiter = delimiter_of(header)
    fields = [_bare(field) for field in fields_of(header, delimiter, number, file)]
    found = _found(fields, own, file)
    if percent is None and "vaf_percent" in found:
        percent = True
    if "vaf_percent" in found:
        found["vaf"] = found.pop("vaf_percent")
    if "vaf" not in found and "reads" not in found and not _has_reads(found):
        raise InputError(key="columns", file=file, problem=_without(fields), allowed=_READS_OR_FRACTIONS)
    texts = columns_of(stream, delimiter, found, width=len(fields), line=number, file=file)
    return _checked(texts, file, percent=percent)


def _header(stream: TextIO, file: Path) -> tuple[int, str]:
    """Return the number and the text of the first line that is neither empty nor a comment."""
    for number, line in enumerate(stream, 1):
        if line.lower().startswith(("#chrom", "#chr\t")):
            return number, line[1:].rstrip("\n")
        if line.strip() and not line.startswith("#"):
            return number, line.rstrip("\n")
    raise InputError("has no header and no rows", file=file)


def _bare(field: str) -> str:
    field = field.strip()
    return field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field


def _found(fields: list[str], own: dict[str, str], file: Path) -> dict[str, int]:
    """Where the columns that mean something stand."""
    found = {}
    small = [field.lower() for field in fields]
    for name, known in NAMES.items():
        if name in own:
            if own[name] not in fields:
                raise InputError(file=file, key=f"column of {name}", found=own[name], allowed=fields)
            found[name] = fields.index(own[name])
            continue
        there = next((called for called in known if called in small), None)
        if there is None:
            continue
        if small.count(there) > 1:
            raise InputError("found twice; allowed: once", file=file, key=f"column {there}")
        found[name] = small.index(there)
    if "vaf" in found:
        found.pop("vaf_percent", None)
    return found


def _has_reads(found: Mapping[str, int]) -> bool:
    return "alt_reads" in found and bool({"depth", "ref_reads"} & set(found))


def _without(fields: list[str]) -> str:
    shown = ", ".join(f'"{field}"' for field in fields)
    return f"found {shown}; no variant allele fraction follows from them"


def _checked(texts: pl.DataFrame, file: Path, *, percent: bool | None) -> pl.DataFrame:
    """Turn texts into a table of `SCHEMA`; the first that cannot be is an error."""
    texts = texts.with_columns(_or_null(name) for name in texts.columns if name != LINE)
    if "reads" in texts.columns:
        texts = _with_reads(texts, file)
    numbers = {"position": 2**53, "depth": _MOST_READS, "alt_reads": _MOST_READS, "ref_reads": _MOST_READS}
    table = texts
    for name, most in numbers.items():
        if name in texts.columns:
            table = _whole(table, name, most, file)
    if "vaf" in texts.columns:
        table = _fraction(table, percent, file)
    if "chromosome" in texts.columns:
        table = table.with_columns(pl.col("chromosome").str.replace("(?i)^chr", ""))
    return _completed(table, file)


def _or_null(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars().str.replace('^"(.*)"$', "$1")
    missing = text.is_in(_MISSING) if name in _TEXTS else text.str.to_lowercase().is_in(_NO_NUMBER)
    return pl.when(~missing).then(text).alias(name)


def _with_reads(texts: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Split reads of the reference and of the mutation that stand in one field."""
    pairs = pl.col("reads").str.split(",")
    _refuse(
        texts, "reads", pairs.list.len() != 2, "reads of the reference and of the mutation, as 80,20", file
    )
    known = [name for name in ("ref_reads", "alt_reads") if name not in texts.columns]
    return texts.with_columns(
        pairs.list.get(0 if name == "ref_reads" else 1, null_on_oob=True).alias(name) for name in known
    )


def _whole(table: pl.DataFrame, name: str, most: int, file: Path) -> pl.DataFrame:
    value = pl.col(name).cast(pl.Float64, strict=False)
    wrong = value.is_null() | value.is_nan() | (value < 0) | (value > most) | (value != value.floor())
    _refuse(table, name, wrong, f"a whole number from 0 to {most}", file)
    return table.with_columns(value.cast(pl.Int64))


def _fraction(table: pl.DataFrame, percent: bool | None, file: Path) -> pl.DataFrame:
    signed = table["vaf"].drop_nulls().str.ends_with("%")
    if signed.any() and not signed.all():
        _refuse(table, "vaf", ~pl.col("vaf").str.ends_with("%"), "a sign % as the others have", file)
    value = pl.col("vaf").str.strip_suffix("%").cast(pl.Float64, strict=False)
    if percent is None:
        percent = bool(signed.any()) or bool(table.select((value > 1).any()).item())
    most = 100 if percent else 1
    wrong = value.is_null() | value.is_nan() | (value < 0) | (value > most)
    _refuse(table, "vaf", wrong, f"a number from 0 to {most}", file)
    return table.with_columns(value / most)


def _refuse(table: pl.DataFrame, name: str, wrong: pl.Expr, allowed: str, file: Path) -> None:
    """Refuse the first row that has something, and something wrong, in a column."""
    refused = table.filter(pl.col(name).is_not_null() & wrong)
    if refused.height:
        place = f"line {refused[LINE][0]}, {name}"
        found = refused[name][0]
        found = " ".join(found.split()) if isinstance(found, str) else found
        raise InputError(file=file, key=place, found=found, allowed=allowed)


def _completed(table: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Add what follows from other columns, and nulls for what is not told."""
    names = table.columns
    if "depth" not in names and {"ref_reads", "alt_reads"} <= set(names):
        table = table.with_columns((pl.col("ref_reads") + pl.col("alt_reads")).alias("depth"))
    if {"depth", "alt_reads"} <= set(table.columns):
        more = pl.col("alt_reads") > pl.col("depth")
        _refuse(table, "alt_reads", more, "at most the depth", file)
        if "vaf" not in names:
            share = pl.when(pl.col("depth") > 0).then(pl.col("alt_reads") / pl.col("depth"))
            table = table.with_columns(share.alias("vaf"))
    missing = [pl.lit(None).alias(name) for name in SCHEMA if name not in table.columns]
    return table.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _of_sample(table: pl.DataFrame, sample: str, file: Path) -> pl.DataFrame:
    known = table["sample"].drop_nulls().unique(maintain_order=True).to_list()
    if sample not in known:
        raise InputError(file=file, key="sample", found=sample, allowed=known)
    return table.filter(pl.col("sample") == sample)
