"""``tumor-abm export``: the tables of a finished run for other programs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tumor_abm.cli.printing import as_written, print_pairs, writing
from tumor_abm.cli.values import target

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = """\
adam: ADTTE, ADRS and ADTR with CDISC's names. tables: every table of the run, as it is. Both as CSV.

examples:
  tumor-abm export results/order --out adam
  tumor-abm export results/order --out csv --as tables
"""


def describe(export: argparse.ArgumentParser) -> None:
    """Describe what can be written behind ``export``."""
    export.add_argument("directory", metavar="DIR", type=target, help="directory of a finished run")
    export.add_argument("--out", metavar="DIR", type=target, required=True, help="directory for the files")
    export.add_argument(
        "--as", dest="form", choices=("adam", "tables"), default="adam", help="which (default: adam)"
    )


def export(arguments: argparse.Namespace) -> None:
    """Write the tables of a finished run as CSV, with CDISC's names or as they are."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.run.results import Results

    results = Results.load(arguments.directory)
    with as_written(arguments.directory):
        if arguments.form == "adam":
            from tumor_abm.analysis.adam import adam

            tables = adam(results)
        else:
            tables = {name: _flat(results[name]) for name in results.tables}
    with writing(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_whole(arguments.out / f"{name}.csv", table.write_csv)
    rows = {f"{name}.csv": f"{table.height} rows" for name, table in tables.items()}
    print_pairs(f"In {arguments.out}:", rows)


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Write lists as text, since CSV has none."""
    import polars as pl
    from polars import selectors

    return table.with_columns(selectors.list().cast(pl.List(pl.String)).list.join("; "))
