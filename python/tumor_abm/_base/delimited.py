"""Tables in text files, tab-separated or not, gzipped or not, as others write them."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

import polars as pl

from tumor_abm._base.paths import is_file
from tumor_abm.errors import InputError

LINE = "line"
"""Column with the number of the line, from 1."""

_GZIPPED = b"\x1f\x8b"
_ROWS_AT_ONCE = 100_000


@contextmanager
def opened(file: Path) -> Iterator[TextIO]:
    """Open a text file, unpacked if it is gzipped; any end of line is a line feed.

    Raises
    ------
    InputError
        It is not there, or no text, or is damaged.
    """
    if not is_file(file):
        raise InputError("there is no such file", file=file)
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == _GZIPPED
            raw.seek(0)
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            yield io.TextIOWrapper(stream, encoding="utf-8-sig", newline=None)
    except UnicodeDecodeError:
        raise InputError("cannot be read: it is no UTF-8 text", file=file) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot be read: {error}", file=file) from None


def delimiter_of(header: str) -> str:
    """Return what separates the names of a header."""
    return next((sign for sign in ("\t", ",", ";", " ") if sign in header), "\t")


def fields_of(text: str, delimiter: str, line: int, file: Path) -> list[str]:
    """Split a line of this number."""
    try:
        return next(csv.reader([text], **_dialect(delimiter)), [])
    except csv.Error as error:
        raise _unreadable(error, line, file) from None


def columns_of(
    lines: Iterator[str], delimiter: str, columns: Mapping[str, int], *, width: int, line: int, file: Path
) -> pl.DataFrame:
    """Read some columns of the lines below a header, all as text.

    Parameters
    ----------
    columns
        Their names in the result, and where they stand.
    width
        Fields of the header; every line has as many.
    line
        Number of the header's line.

    Raises
    ------
    InputError
        A line has more or fewer fields.
    """
    schema = {LINE: pl.Int64, **dict.fromkeys(columns, pl.String)}
    places, frames, rows = list(columns.values()), [pl.DataFrame(schema=schema)], []
    reader = csv.reader(lines, **_dialect(delimiter))
    try:
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            number = line + reader.line_num
            if len(fields) != width:
                allowed = f"{width}, as in the header"
                raise InputError(
                    f"found {len(fields)} fields; allowed: {allowed}", file=file, key=f"line {number}"
                )
            rows.append((number, *(fields[place] for place in places)))
            if len(rows) == _ROWS_AT_ONCE:
                frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
                rows = []
    except csv.Error as error:
        raise _unreadable(error, line + reader.line_num, file) from None
    return pl.concat([*frames, pl.DataFrame(rows, schema=schema, orient="row")])


def _unreadable(error: csv.Error, line: int, file: Path) -> InputError:
    return InputError(f"cannot be read: {error}", file=file, key=f"line {line}")


def _dialect(delimiter: str) -> dict[str, Any]:
    """Tab-separated text knows no quotes."""
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    return {"delimiter": delimiter, "quoting": quoting, "strict": True}
