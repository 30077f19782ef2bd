"""What is told, as HTML: in the report, and of an object in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tumor_abm._base.section import Section
from tumor_abm._base.sinks import html_text as escape

_LEFT = 'style="text-align: left"'


def facts(title: str, told: Mapping[str, str]) -> str:
    """Return a title and what is told of it, a row each."""
    rows = "".join(
        f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(text)}</td></tr>"
        for name, text in told.items()
    )
    return f"<div><strong>{escape(title)}</strong><table>{rows}</table></div>"


def section(worded: Section) -> str:
    """Return a section; nothing of one without rows."""
    return f"<section>{heading(worded)}{table(worded)}</section>" if worded.rows else ""


def heading(worded: Section) -> str:
    """Return title and note of a section."""
    return f"<h2>{escape(worded.title)}</h2><p class=note>{escape(worded.note)}</p>"


def table(worded: Section) -> str:
    """Return the table of a section, and its remarks."""
    header = "".join(f"<th scope=col>{escape(name)}</th>" for name in worded.header)
    rows = "".join(
        f"<tr><th scope=row>{escape(name)}</th>{_cells(cells)}</tr>" for name, *cells in worded.rows
    )
    whole = f"<div class=wide><table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    return whole + "".join(f"<p class=note>{escape(remark)}</p>" for remark in worded.remarks)


def _cells(cells: Iterable[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)
