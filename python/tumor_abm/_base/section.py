"""A titled table of texts, for terminal and page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tumor_abm._base.sinks import rich_text

WIDE = 110
"""Columns of a terminal that shows a whole table."""
NOTHING = "–"
"""A cell without a value."""

_GAP = 2
_NAMES_AT_LEAST = 12
_NAMES_COMFORTABLE = 22


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled table of texts.

    Attributes
    ----------
    title, note
        What stands above it.
    remarks
        What stands below it.
    header, rows
        Cells; the first column holds the names of the rows.
    spare
        Columns a narrow terminal does without.
    """

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]
    remarks: tuple[str, ...] = ()
    spare: frozenset[str] = frozenset()

    def as_text(self, columns: int = WIDE) -> Group:
        """Render for a terminal of so many columns."""
        parts: list[RenderableType] = [rich_text(self.title, "bold")]
        parts += [rich_text(self.note, "dim")] if self.note else []
        parts += [Text(), self._table(columns)] if self.rows else []
        parts += [Padding(rich_text(remark, "dim"), (0, 0, 0, 2)) for remark in self.remarks]
        return Group(*parts, Text())

    def _table(self, columns: int) -> Table:
        header, *rows = self._fitted(columns)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
        table.add_column(header[0], width=max(_NAMES_AT_LEAST, _room_for_names([header, *rows], columns)))
        for name in header[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*map(rich_text, row))
        return table

    def _fitted(self, columns: int) -> list[list[str]]:
        """Cells that leave room for the names: limits go to a line of their own, then columns go."""
        whole = [self.header, *self.rows]
        kept = [column for column, name in enumerate(self.header) if name not in self.spare]
        broken = [[row[0], *(cell.replace(" (", "\n(") for cell in row[1:])] for row in whole]
        narrow = [[row[column] for column in kept] for row in broken]
        wanted = min(_NAMES_COMFORTABLE, _width(row[0] for row in whole))
        for table in (whole, broken):
            if _room_for_names(table, columns) >= wanted:
                return table
        return narrow


def _room_for_names(table: list[list[str]], columns: int) -> int:
    names, *others = (_width(column) for column in zip(*table, strict=True))
    return min(names, columns - sum(_GAP + width for width in others))


def _width(cells: Iterable[str]) -> int:
    return max(cell_len(line) for cell in cells for line in cell.split("\n"))
