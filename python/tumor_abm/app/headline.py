"""What a comparison has come to so far, in a table of two columns."""

from __future__ import annotations

from typing import Any

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm.app.boundary import part
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.words import ENDED


@part("The headline")
def Headline(session: Session) -> None:
    """Show PFS of each line, survival and the largest clone of both twins beside each other."""
    names, columns = use_only(
        session.pictures, lambda pictures: ([each.name for each in pictures], list(map(_column, pictures)))
    )
    longest_first = sorted(columns, key=len, reverse=True)  # lines before what follows them
    keys = list(dict.fromkeys(key for column in longest_first for key in column))
    head = "".join(f'<th scope="col">{html_text(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{html_text(key)}</th>'
        + "".join(f"<td>{html_text(column.get(key, '–'))}</td>" for column in columns)
        + "</tr>"
        for key in keys
    )
    with solara.Div(classes=["tumor-card"]):
        solara.HTML(
            tag="div",
            unsafe_innerHTML=f'<table class="tumor-headline"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>",
        )


def _column(picture: Picture) -> dict[str, str]:
    """Return what is known of a twin, in words, by what it is called."""
    facts = picture.facts
    said = {f"PFS of line {row['line']}": _pfs(row) for row in facts["outcomes"]}
    if facts["line"]:
        said[f"PFS of line {facts['line']}"] = "goes on"
    said["OS"] = _survival(facts)
    leading = next(iter(picture.legend), None)
    said["Largest clone"] = "none" if leading is None else f"{leading.name}, {100 * leading.share:.0f}%"
    return said


def _pfs(row: dict[str, Any]) -> str:
    months = f"{row['pfs_months']:.1f} months"
    return months if row["pfs_event"] else f"over {months}, {row['end_reason']}"


def _survival(facts: dict[str, Any]) -> str:
    overall = facts["overall"]
    if overall is None:
        return "is followed"
    months = f"{overall['os_months']:.1f} months"
    return months if overall["os_event"] else f"over {months}, {ENDED['censored']}"
