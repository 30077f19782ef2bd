"""Tables of what is known, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table

from tumor_abm import trials
from tumor_abm._sinks import rich_text
from tumor_abm._toml import read_toml
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge

EXPERIMENTS = Path("experiments")


def table_of(what: str) -> Table:
    """Return the table of ``drugs``, ``alterations``, ``populations``, ``experiments`` or ``trials``."""
    return {
        "drugs": _drugs,
        "alterations": _alterations,
        "populations": _populations,
        "experiments": _experiments,
        "trials": _trials,
    }[what]()


def _drugs() -> Table:
    rows = [
        (name, drug.class_, drug.given, ", ".join(drug.effects), drug.toxicity)
        for name, drug in Knowledge.shipped().drugs.items()
    ]
    columns = ("drug", "class", "given", "acts on", "main toxicity")
    return _table(columns, sorted(rows, key=lambda row: (row[1], row[0])))


def _alterations() -> Table:
    rows = [
        (name, alteration.label, alteration.resistant_to, "yes" if alteration.core else "")
        for name, alteration in Knowledge.shipped().alterations.items()
    ]
    return _table(("alteration", "what it is", "resistant to", "by default"), rows)


def _populations() -> Table:
    rows = [
        (name, population.label, str(len(population.prior) or ""))
        for name, population in Knowledge.shipped().populations.items()
    ]
    return _table(("population", "who they are", "lines before"), rows)


def _experiments() -> Table:
    files = sorted(EXPERIMENTS.rglob("*.toml"))
    if not files:
        raise InputError("there are no experiments here (looked for *.toml)", file=EXPERIMENTS)
    return _table(("file", "title", "arms"), [_experiment(file) for file in files])


def _experiment(file: Path) -> tuple[str, str, str]:
    try:
        read = read_toml(file)
    except InputError as error:
        return str(file), f"cannot be read: {str(error).removeprefix(f'{file}: ')}", ""
    return str(file), str(read.get("title", "")), str(len(read.get("arm", read.get("scenario", []))))


def _trials() -> Table:
    rows = [
        (name, *_experiment(trials.files()[name])[1:], ", ".join(labels))
        for name, labels in trials.names().items()
    ]
    return _table(("name", "title", "arms", "in the tables"), rows)


def table_of_predictions(predicted: pl.DataFrame) -> Table:
    """Return predictions for a terminal."""
    columns = ("trial", "arm", "subset", "n", "median PFS (95%)", "HR (95%)", "12 mo", "24 mo", "ORR")
    rows = [
        (
            row["trial"],
            row["arm"],
            row["subset"],
            str(row["n"]),
            _with_limits(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"], 1),
            _with_limits(row["hr"], row["hr_lo"], row["hr_hi"], 2) if row["versus"] else "",
            *("" if row[key] is None else f"{row[key]:.0f}%" for key in ("pfs12", "pfs24", "orr_pct")),
        )
        for row in predicted.iter_rows(named=True)
    ]
    return _table(columns, rows)


def _with_limits(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    shown = ["-" if number is None else f"{number:.{digits}f}" for number in (value, low, high)]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, style="bold" if number == 0 else "")
    for row in rows:
        table.add_row(*map(rich_text, row))
    return table
