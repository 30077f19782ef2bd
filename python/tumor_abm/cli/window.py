"""The command of window trials."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tumor_abm.cli.printing import print_json, records, writing

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table


def window(arguments: argparse.Namespace) -> None:
    """Simulate window trials, and print what they show beside what was published."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.cli.consoles import log_to, messages, output
    from tumor_abm.cli.progress import counting
    from tumor_abm.trials.window import Windows, run_windows

    windows = Windows.shipped()
    console = messages()
    with log_to(console), counting(console, len(windows.chosen(arguments.trials)), "arms") as count:
        found = run_windows(
            windows,
            trials=arguments.trials,
            patients=arguments.patients,
            seed=arguments.seed,
            progress=count,
        )
    if arguments.csv:
        with writing(arguments.csv):
            write_whole(arguments.csv, found.write_csv)
    if arguments.json:
        print_json({"windows": records(found)})
        return
    output().print(_as_text(found))


def _as_text(found: pl.DataFrame) -> Table:
    from tumor_abm.cli.lists import plain_table

    columns = ("trial", "regimen", "day", "change (95%)", "published", "arrested", "published")
    rows = [
        (
            row["trial"],
            row["regimen"],
            str(row["day"]),
            _percent(row["change_pct"], row["change_lo"], row["change_hi"]),
            _percent(row["published_change_pct"], row["published_lo"], row["published_hi"]),
            _percent(row["arrest_pct"]),
            _percent(row["published_arrest_pct"]),
        )
        for row in found.iter_rows(named=True)
    ]
    return plain_table(columns, rows)


def _percent(value: float | None, low: float | None = None, high: float | None = None) -> str:
    if value is None:
        return ""
    interval = "" if low is None or high is None else f" ({low:.0f} to {high:.0f})"
    return f"{value:.0f}%{interval}"
