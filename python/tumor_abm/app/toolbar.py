"""Play, pause, step, reset; how fast; and the patient's state in a line of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm.app.boundary import part
from tumor_abm.app.number_slider import NumberSlider
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import SPEEDS, Session
from tumor_abm.app.words import burden_in_words, treatment_in_words, when_in_words

MOST_DAYS_PER_FRAME = 28


@part("The toolbar")
def Toolbar(session: Session) -> None:
    """Everything that moves time."""
    ready, over = use_only(session.pictures, _readiness)
    with solara.Div(classes=["tumor-card", "tumor-bar"]):
        _Buttons(session, ready, over)
        with solara.Div(classes=["tumor-pace"]):
            NumberSlider(
                label="Days a frame",
                places=list(range(1, MOST_DAYS_PER_FRAME + 1)),
                value=session.days_per_frame.value,
                whole=True,
                event_put=lambda days: session.days_per_frame.set(int(days)),
            )
            solara.Select("Frames a second", values=list(SPEEDS), value=session.speed, dense=True)
        with solara.Div(classes=["tumor-grow"]):
            _Facts(session)
            if session.busy.value:
                solara.v.ProgressLinear(
                    indeterminate=True, height=2, color="primary", attributes={"aria-label": "at work"}
                )


def _readiness(pictures: Sequence[Picture]) -> tuple[bool, bool]:
    """Tell whether there is a patient, and whether follow-up of all twins is over."""
    return bool(pictures), bool(pictures) and not any(picture.facts["running"] for picture in pictures)


@part("The buttons")
def _Buttons(session: Session, ready: bool, over: bool) -> None:
    playing = session.playing.value
    with solara.Div(classes=["tumor-buttons"]):
        if playing:
            solara.Button("Pause", icon_name="mdi-pause", on_click=session.pause, color="primary", small=True)
        else:
            solara.Button(
                "Play",
                icon_name="mdi-play",
                on_click=session.play,
                color="primary",
                disabled=not ready or over,
                small=True,
            )
        solara.Button(
            "Step",
            icon_name="mdi-skip-next",
            on_click=session.step,
            disabled=not ready or over,
            outlined=True,
            small=True,
        )
        solara.Button(
            "Stop",
            icon_name="mdi-stop",
            on_click=session.stop,
            disabled=not (playing or session.busy.value),
            outlined=True,
            small=True,
        )
        solara.Button("Reset", icon_name="mdi-restart", on_click=session.reset, outlined=True, small=True)


@part("The patient's state")
def _Facts(session: Session) -> None:
    pictures = session.pictures.value
    if pictures:
        solara.HTML(
            tag="div", unsafe_innerHTML=_words(pictures[0].facts, len(pictures)), classes=["tumor-facts"]
        )


def _words(facts: dict[str, Any], twins: int) -> str:
    day, _, month = when_in_words(facts["day"]).partition(" (")
    when = f"<b>{day}</b> ({month}"
    if twins > 1:
        return when
    return f"{when} · {html_text(treatment_in_words(facts))}<br>{burden_in_words(facts)}"
