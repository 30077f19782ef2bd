"""What commands print, and how they say that they cannot write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumor_abm.errors import InputError

if TYPE_CHECKING:
    import polars as pl


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document as JSON."""
    print(json.dumps(document, indent=1, allow_nan=False))


def records(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table; what is no finite number is null, as JSON has none."""
    import polars as pl
    from polars import selectors

    finite = [
        pl.when(pl.col(name).is_finite()).then(name)
        for name in selectors.expand_selector(table, selectors.float())
    ]
    return table.with_columns(finite).to_dicts()


def print_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """Print names and what is said of them below a title."""
    from rich.table import Table

    from tumor_abm._base.sinks import rich_text
    from tumor_abm.cli.consoles import output

    out = output()
    out.print(rich_text(title), soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    for name, value in pairs.items():
        table.add_row(f"  {name}", rich_text(value))
    out.print(table)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of what cannot be written within that it is here."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=path) from error


@contextmanager
def as_written(directory: Path) -> Iterator[None]:
    """Say of files that fit their checksums and make no sense that no run wrote them so."""
    import polars as pl

    try:
        yield
    except InputError as error:
        raise (error if error.file is not None else error.in_file(directory)) from None
    except (AttributeError, LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        problem = (
            f"its tables or experiment are not those that a run writes, or this is a defect of ours ({told})"
        )
        raise InputError(problem, file=directory) from error
