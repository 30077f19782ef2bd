"""Tables, lists, paragraphs and intervals in Markdown, no line of them wider than a window."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 140
BELOW = "below"
_GLUE = "\0"
_MARK = re.compile(r" (?=(?:[-+*=]|#+|\d+[.)])(?: |$)|[>|])")
"""A space before what would be a mark of Markdown if a line began with it."""


def paragraph(text: str, first: str = "", later: str = "") -> str:
    """Return text in lines that fit, without a break after the last.

    `first` stands before the first line, `later` before the others.
    """
    lines = textwrap.wrap(
        _MARK.sub(_GLUE, text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_GLUE, " ")


def items(texts: Iterable[str]) -> str:
    """Return a list, with a line break after it."""
    return "".join(paragraph(text, "* ", "  ") + "\n" for text in texts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with a line break after it."""
    return "".join(f"{_line(cells)}\n" for cells in (header, ["---"] * len(header), *rows))


def table_and_list(header: Sequence[str], rows: Iterable[Sequence[str]], *, named: int = 1) -> str:
    """Return a table, and beneath it, as a list, the last cells of rows that they make too wide.

    An item is called as the first `named` cells of its row.
    """
    shown, beneath = [], []
    for row in rows:
        if len(_line(row)) <= WIDTH:
            shown.append(row)
        else:
            shown.append((*row[:-1], BELOW))
            beneath.append(f"{', '.join(row[:named])}: {row[-1]}")
    return table(header, shown) + (f"\n{items(beneath)}" if beneath else "")


def limits(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    """Return a value and its interval, if there is one; nothing if neither is known."""
    if value is None and low is None:
        return ""
    shown = ["-" if number is None else f"{number:.{digits}f}" for number in (value, low, high)]
    if low is None and high is None:
        return shown[0]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
