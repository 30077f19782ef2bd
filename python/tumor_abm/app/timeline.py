"""What happened to the patient, in words, the latest first."""

from __future__ import annotations

from typing import Any

import solara

from tumor_abm._base.sinks import html_text, terminal_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.boundary import part
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture, of_twin
from tumor_abm.app.record import OVERTAKING
from tumor_abm.app.session import Session

_BANDS = "In the charts, line 1a, 1b, 1c … are stretches of line 1 between which its drugs or doses changed."
_DOSES = "A percentage after a drug is its dose, of the standard one."


@part("The timeline")
def Timeline(session: Session, twin: int) -> None:
    """Lines of therapy and events of a twin; the last one is read out as it comes."""
    events, changed, reduced = use_only(session.pictures, lambda pictures: _happened(of_twin(pictures, twin)))
    latest = event_in_words(events[-1]) if events else ""
    solara.HTML(tag="div", unsafe_innerHTML="<h2>Timeline</h2>", classes=["tumor-facts"])
    solara.v.Html(
        tag="div",
        class_="tumor-unseen",
        attributes={"role": "status", "aria-live": "polite"},
        children=[terminal_text(latest)],
    )
    solara.v.Html(
        tag="div",
        class_="tumor-events",
        attributes={"tabindex": "0", "role": "region", "aria-label": "Timeline"},
        children=[solara.HTML(tag="table", unsafe_innerHTML=f"<tbody>{events_as_rows(events)}</tbody>")],
    )
    for said in (_BANDS if changed else "", _DOSES if reduced else ""):
        if said:
            solara.Text(said, classes=["tumor-note"])


def _happened(picture: Picture | None) -> tuple[list[dict[str, Any]], bool, bool]:
    """Return the events, and whether drugs or doses have changed within a line, and doses been reduced."""
    if picture is None:
        return [], False, False
    return picture.facts["events"], picture.facts["changed_in_line"], picture.facts["reduced"]


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
    >>> event_in_words({"line": 1, "event": "overtaking", "detail": "ESR1 Y537S overtook the founder"})
    'ESR1 Y537S overtook the founder'
    """
    said = str(event["event"])
    if said == OVERTAKING:
        return f"{event['detail'][0].upper()}{event['detail'][1:]}"
    if said.startswith("line ") and event.get("line"):
        said = f"line {event['line']}{said.removeprefix('line')}"
    detail = event.get("detail") or ""
    whole = f"{said}: {detail}" if detail else said
    return whole[0].upper() + whole[1:]
