"""What is known, as tables for people and as records for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table

from tumor_abm._base.sinks import rich_text
from tumor_abm._base.toml import read_toml
from tumor_abm.config import named
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge

EXPERIMENTS = Path("experiments")

Record = dict[str, Any]

_LONGEST_WORD = 16

# Of every list, the keys of its records and the headers of its table.
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "drugs": {
        "name": "drug",
        "class": "class",
        "given": "given",
        "acts_on": "acts on",
        "toxicity": "main toxicity",
    },
    "alterations": {
        "name": "alteration",
        "label": "what it is",
        "resistant_to": "resistant to",
        "core": "by default",
    },
    "populations": {"name": "population", "label": "who they are", "prior_lines": "lines before"},
    "experiments": {"file": "file", "title": "title", "arms": "arms"},
    "trials": {"name": "name", "title": "title", "arms": "arms", "trials": "in the tables"},
}


def records_of(what: str) -> list[Record]:
    """Return the ``drugs``, ``alterations``, ``populations``, ``experiments`` or ``trials``."""
    return {
        "drugs": _drugs,
        "alterations": _alterations,
        "populations": _populations,
        "experiments": _experiments,
        "trials": _trials,
    }[what]()


def table_of(what: str) -> Table:
    """Return the same for a terminal."""
    columns = _COLUMNS[what]
    rows = ([_cell(record[key]) for key in columns] for record in map(_readable, records_of(what)))
    return plain_table(tuple(columns.values()), rows)


def _drugs() -> list[Record]:
    drugs = sorted(Knowledge.shipped().drugs.items(), key=lambda item: (item[1].class_, item[0]))
    return [
        {
            "name": name,
            "class": drug.class_,
            "given": drug.given,
            "acts_on": list(drug.effects),
            "toxicity": drug.toxicity,
        }
        for name, drug in drugs
    ]


def _alterations() -> list[Record]:
    return [
        {
            "name": name,
            "label": alteration.label,
            "resistant_to": alteration.resistant_to,
            "core": alteration.core,
        }
        for name, alteration in Knowledge.shipped().alterations.items()
    ]


def _populations() -> list[Record]:
    return [
        {"name": name, "label": population.label, "prior_lines": len(population.prior)}
        for name, population in Knowledge.shipped().populations.items()
    ]


def _experiments() -> list[Record]:
    files = sorted(EXPERIMENTS.rglob("*.toml"))
    if not files:
        raise InputError("there are no experiments here (looked for *.toml)", file=EXPERIMENTS)
    found = [{"file": str(file), **_experiment(file)} for file in files]
    return [record for record in found if record["error"] or record["arms"]]  # not files of knowledge


def _trials() -> list[Record]:
    return [
        {"name": name, **_experiment(named.files()[name]), "trials": list(labels)}
        for name, labels in named.names().items()
    ]


def _experiment(file: Path) -> Record:
    try:
        read = read_toml(file)
    except InputError as error:
        return {"title": None, "arms": None, "error": str(error).removeprefix(f"{file}: ")}
    arms = len(read.get("arm", read.get("scenario", [])))
    return {"title": str(read.get("title", "")), "arms": arms, "error": None}


def _readable(record: Record) -> Record:
    """Say of a file that cannot be read why, in the place of its title."""
    return record | {"title": f"cannot be read: {record['error']}"} if record.get("error") else record


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value) if value else ""


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
    return plain_table(columns, rows)


def _with_limits(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    shown = ["-" if number is None else f"{number:.{digits}f}" for number in (value, low, high)]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return rows of text for a terminal; where there is room no word is cut."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    cells = list(rows)
    for number, column in enumerate(columns):
        longest = max((len(word) for row in cells for word in row[number].split()), default=1)
        least = min(longest, _LONGEST_WORD)
        table.add_column(column, no_wrap=number == 0, style="bold" if number == 0 else "", min_width=least)
    for row in cells:
        table.add_row(*map(rich_text, row))
    return table
