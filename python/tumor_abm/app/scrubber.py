"""The days that were lived, from the first cell on: look at any, and go on from it."""

from __future__ import annotations

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.day_slider import DaySlider
from tumor_abm.app.session import Session
from tumor_abm.app.words import when_in_words


@part("The days")
def Scrubber(session: Session) -> None:
    """Choose the day that is looked at."""
    pictures = session.pictures.value
    if not pictures:
        return
    first = min(picture.facts["first_day"] for picture in pictures)
    last = max(picture.facts["last_day"] for picture in pictures)
    looking = session.looking.value
    with solara.Div(classes=["tumor-card", "tumor-days"]):
        DaySlider(
            first=first,
            last=last,
            value=last if looking is None else looking,
            event_look=lambda day: session.look_back(float(day)),
        )
        if looking is None:
            return
        solara.Button(
            "Go on from here",
            icon_name="mdi-source-branch",
            color="primary",
            small=True,
            disabled=not 0 <= looking < last,
            on_click=lambda: session.go_on_from(looking),
        )
        solara.Button("Back to the last day", small=True, outlined=True, on_click=session.look_at_today)
        solara.Text(_said(looking), classes=["tumor-note"])


def _said(looking: float) -> str:
    if looking < 0:
        return (
            f"{when_in_words(looking)} is looked at. Before enrolment the day of each first cell is known, "
            "and the counts at enrolment; what is between is drawn straight on a log scale."
        )
    return f"{when_in_words(looking)} is looked at. To go on from here forgets what came later."
