"""Why a cell grows or stops, for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tumor_abm._base.sinks import rich_text
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explained import Explained, NodeValues, doubling_days
from tumor_abm.knowledge.formula import Name


def table(explained: Explained) -> Table:
    """Return what is put in, every node, and net growth, a column per cell."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    shown.add_column("", no_wrap=True)
    shown.add_column("", style="bold", no_wrap=True)
    shown.add_column("what it is")
    shown.add_column("unit")
    for cell in explained.cells:
        shown.add_column(cell.heading.replace(", ", ",\n"), justify="right")
    for rows in (explained.inputs(), explained.nodes()):
        for row in rows:
            _add(shown, row)
        shown.add_section()
    nets = [cell.net for cell in explained.cells]
    growth = NodeValues(name=Name("", "net growth"), label="division - death", unit="per day", values=nets)
    _add(shown, growth, "+.3g")
    days = (doubling_days(net) for net in nets)
    times = ("-" if day is None else f"{day:+,.0f}" for day in days)
    shown.add_row(*map(rich_text, ("", "", "doubles (+) or halves (-) in", "days", *times)))
    return shown


def _add(shown: Table, row: NodeValues, form: str = ".3g") -> None:
    mark = "*" if row.differs else ""
    shown.add_row(*map(rich_text, (mark, str(row.name), row.label, row.unit, *row.in_words(form))))


def names(texts: Iterable[str], known: Collection[str]) -> list[str]:
    """Return the names of comma-separated lists, each once; a known name may have commas itself."""
    found: list[str] = []
    for text in texts:
        found += [text] if text in known else [part.strip() for part in text.split(",")]
    return list(dict.fromkeys(found))


def knowledge_with(files: Iterable[Path]) -> Knowledge:
    """Return the shipped knowledge with a user's files laid over it, one after the other."""
    knowledge = Knowledge.shipped()
    for file in files:
        knowledge = knowledge.with_file(file)
    return knowledge
