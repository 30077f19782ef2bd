"""What happened to the patient, in words, the latest first."""

from __future__ import annotations

from typing import Any

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.boundary import part
from tumor_abm.app.session import Picture


@part("The timeline")
def Timeline(picture: Picture) -> None:
    """Lines of therapy and events."""
    solara.HTML(tag="div", unsafe_innerHTML="<b>Timeline</b>", classes=["tumor-facts"])
    events = events_as_rows(picture.facts["events"])
    solara.HTML(tag="div", unsafe_innerHTML=f"<table>{events}</table>", classes=["tumor-events"])


def events_as_rows(events: list[dict[str, Any]]) -> str:
    """Return rows of an HTML table, the latest event first."""
    return "".join(
        f'<tr><td class="day">month {event["day"] / DAYS_PER_MONTH:.1f}, day {event["day"]:,.0f}</td>'
        f"<td>{html_text(event_in_words(event))}</td></tr>"
        for event in reversed(events)
    )


def event_in_words(event: dict[str, Any]) -> str:
    """Say what happened.

    Examples
    --------
    >>> event_in_words({"line": 2, "event": "line started", "detail": "fulvestrant"})
    'Line 2 started: fulvestrant'
    >>> event_in_words({"line": 1, "event": "dose held", "detail": "palbociclib"})
    'Dose held: palbociclib'
    """
    said = str(event["event"])
    if said.startswith("line ") and event.get("line"):
        said = f"line {event['line']}{said.removeprefix('line')}"
    detail = event.get("detail") or ""
    whole = f"{said}: {detail}" if detail else said
    return whole[0].upper() + whole[1:]
