"""One tumour, two futures: fork the patient and follow both twins."""

from __future__ import annotations

from collections.abc import Sequence

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.chair import SIDES
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.plan import LinesEditor, PlanInWords
from tumor_abm.app.session import Session
from tumor_abm.app.setup import OWN_LINES, lines_of
from tumor_abm.errors import InputError


@part("The panel that compares")
def Compare(session: Session) -> None:
    """Choice of the other strategy; or, once forked, of the twin to go on with."""
    arms = session.catalogue.arms
    other, set_other = solara.use_state(arms[min(1, len(arms) - 1)])
    own = session.catalogue.drugs_of_lines(arms[min(1, len(arms) - 1)])
    lines, set_lines = solara.use_state(own[1:] or own)  # the first line is behind the patient
    names, can_fork = use_only(session.pictures, _names_and_whether_to_fork)
    if len(names) > 1:
        solara.Text("Both twins live the same days.", classes=["tumor-note"])
        for twin, name in enumerate(names):
            solara.Button(
                f"Go on with the {SIDES[twin]}",
                small=True,
                outlined=True,
                on_click=lambda twin=twin: session.keep(twin),
            )
            solara.Text(name, classes=["tumor-note"])
        return
    solara.Text(
        "A twin with the same tumour and the same chances goes another way from today on.",
        classes=["tumor-note"],
    )
    solara.Select(
        "The twin's strategy", values=[*arms, OWN_LINES], value=other, on_value=set_other, dense=True
    )
    if other == OWN_LINES:
        LinesEditor(session.catalogue, lines, set_lines)
    else:
        PlanInWords(session.catalogue, other)

    def fork() -> None:
        try:
            written = [list(drugs) for drugs in lines_of(lines)] if other == OWN_LINES else None
        except InputError as error:
            session.tell(str(error))
            return
        named = "; ".join(" + ".join(drugs) for drugs in lines) if other == OWN_LINES else other
        session.fork(named, written)

    solara.Button(
        "Fork and compare",
        icon_name="mdi-call-split",
        color="primary",
        small=True,
        disabled=not can_fork,
        on_click=fork,
    )


def _names_and_whether_to_fork(pictures: Sequence[Picture]) -> tuple[list[str], bool]:
    return [picture.name for picture in pictures], bool(pictures) and pictures[0].facts["running"]
