"""Calls of a file in the Variant Call Format: reads of every sample and alternative allele."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import polars as pl

from tumor_abm._base.delimited import LINE
from tumor_abm.errors import InputError

FIRST_LINE = "##fileformat=VCF"

_FIXED = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_COLUMNS = (
    "sample",
    "chromosome",
    "position",
    "reference",
    "alternative",
    "filter",
    "depth",
    "alt_reads",
    "vaf",
)
_SCHEMA = {LINE: pl.Int64, **dict.fromkeys(_COLUMNS, pl.String)}
_MISSING = "."


def calls(stream: TextIO, file: Path) -> pl.DataFrame:
    """Return the calls, all as text: a row per line, sample and alternative allele.

    Of the sample, ``depth`` is the sum of AD, else DP, ``alt_reads`` is of AD, and ``vaf`` is AF, else the
    share of reads.

    Raises
    ------
    InputError
        It is no VCF with samples, or a sample tells no reads.
    """
    samples: list[str] | None = None
    rows: list[tuple[object, ...]] = []
    for number, line in enumerate(stream, 1):
        line = line.rstrip("\n")
        if line.startswith("##") or not line:
            continue
        fields = line.split("\t")
        if samples is None:
            samples = _samples(fields, file, number)
        elif len(fields) != len(_FIXED) + len(samples):
            allowed = f"{len(_FIXED) + len(samples)}, as in the header"
            raise InputError(
                f"found {len(fields)} fields; allowed: {allowed}", file=file, key=f"line {number}"
            )
        else:
            rows += _calls(fields, samples, file, number)
    if samples is None:
        raise InputError("has no line #CHROM", file=file)
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _samples(fields: list[str], file: Path, number: int) -> list[str]:
    fixed = (fields[0].removeprefix("#"), *fields[1 : len(_FIXED)])
    if not fields[0].startswith("#") or fixed != _FIXED or len(fields) == len(_FIXED):
        allowed = f"#{' '.join(_FIXED)} and samples"
        raise InputError(file=file, key=f"line {number}", found=" ".join(fields)[:200], allowed=allowed)
    return fields[len(_FIXED) :]


def _calls(fields: list[str], samples: list[str], file: Path, number: int) -> Iterator[tuple[object, ...]]:
    chromosome, position, _, reference, alternatives, _, passed, _, form = fields[: len(_FIXED)]
    keys = form.split(":")
    if not {"AD", "AF"} & set(keys):
        raise InputError(
            file=file, key=f"line {number}, FORMAT", found=form, allowed="AD, or AF with or without DP"
        )
    for sample, told in zip(samples, fields[len(_FIXED) :], strict=True):
        # Trailing fields may be left out.
        values = dict(zip(keys, told.split(":"), strict=False))
        depths = values.get("AD", _MISSING).split(",")
        fractions = values.get("AF", _MISSING).split(",")
        depth = values.get("DP", _MISSING)
        if all(reads.isdecimal() for reads in depths):
            depth = str(sum(map(int, depths)))
        for k, alternative in enumerate(alternatives.split(",")):
            reads = depths[k + 1] if len(depths) > k + 1 else _MISSING
            vaf = fractions[k] if len(fractions) > k else _MISSING
            if vaf == _MISSING and reads.isdecimal() and depth.isdecimal() and int(depth) > 0:
                vaf = repr(int(reads) / int(depth))
            yield number, sample, chromosome, position, reference, alternative, passed, depth, reads, vaf
