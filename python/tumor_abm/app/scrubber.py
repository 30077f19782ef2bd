"""The days that were lived, from the first cell on: look at any, and go on from it."""

from __future__ import annotations

from collections.abc import Sequence

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.day_slider import DaySlider
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.words import when_in_words


@part("The days")
def Scrubber(session: Session) -> None:
    """Choose the day that is looked at."""
    looking = session.looking.value
    is_there, is_earlier = use_only(
        session.pictures, lambda pictures: (bool(pictures), 0 <= (looking or 0) < _last(pictures))
    )
    if not is_there:
        return
    with solara.Div(classes=["tumor-card", "tumor-days"]):
        _Slider(session)
        if looking is None:
            return
        solara.Button(
            "Go on from here",
            icon_name="mdi-source-branch",
            color="primary",
            small=True,
            disabled=not is_earlier,
            on_click=lambda: session.go_on_from(looking),
        )
        solara.Button("Back to the last day", small=True, outlined=True, on_click=session.look_at_today)
        solara.Text(_said(looking), classes=["tumor-note"])


@part("The slider of days")
def _Slider(session: Session) -> None:
    pictures, looking = session.pictures.value, session.looking.value
    last = _last(pictures)
    DaySlider(
        first=min((picture.facts["first_day"] for picture in pictures), default=0.0),
        last=last,
        value=last if looking is None else looking,
        event_look=lambda day: session.look_back(float(day)),
    )


def _last(pictures: Sequence[Picture]) -> float:
    """Return the last day that was lived."""
    return max((picture.facts["last_day"] for picture in pictures), default=0.0)


def _said(looking: float) -> str:
    if looking < 0:
        return (
            f"{when_in_words(looking)} is looked at. Before enrolment the day of each first cell is known, "
            "and the counts at enrolment; what is between is drawn straight on a log scale."
        )
    return f"{when_in_words(looking)} is looked at. To go on from here forgets what came later."
