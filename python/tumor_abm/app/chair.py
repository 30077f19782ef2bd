"""The therapist's chair: change the treatment on any day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.drug_picker import DrugPicker
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.twin import Regimen

SIDES = ("left", "right")
"""Where the twins of a comparison stand."""

_RESUMED_BY_HAND = ("by hand", "adaptive dosing")
"""Pauses that a therapist ends; those for neutropenia and holidays end by themselves."""


@dataclass(frozen=True)
class _Treated:
    """What of a twin the chair shows.

    Attributes
    ----------
    taken
        Drugs of today that were not stopped: name, state, and for what it is held.
    earlier
        Earlier regimens, with their dosings.
    """

    name: str
    past: bool
    running: bool
    taken: list[tuple[str, str, str]]
    earlier: list[tuple[str, list[dict[str, Any]]]]

    @classmethod
    def of(cls, picture: Picture) -> _Treated:
        """Pick it from all that is shown."""
        facts = picture.facts
        drugs = [(row["drug"], row["state"], row["held_for"]) for row in facts["drugs"]]
        taken = [drug for drug in drugs if drug[1] != "stopped"]
        return cls(picture.name, facts["past"], facts["running"], taken, facts["earlier"])


@part("The therapist's chair")
def Chair(session: Session) -> None:
    """Switch, add, stop, hold, resume, rechallenge: from today on."""
    treated = use_only(session.pictures, lambda pictures: list(map(_Treated.of, pictures)))
    chosen, set_chosen = solara.use_state(())
    new_line, set_new_line = solara.use_state(True)
    at, set_at = solara.use_state(0)
    if not treated:
        return
    twin = min(at, len(treated) - 1)
    one = treated[twin]
    if len(treated) > 1:
        solara.ToggleButtonsSingle(
            SIDES[twin], values=list(SIDES), on_value=lambda side: set_at(SIDES.index(side)), dense=True
        )
        solara.Text(one.name, classes=["tumor-note"])
    if one.past:
        solara.Text(
            "An earlier day is looked at. To change treatment, go on from there, or back to the last day.",
            classes=["tumor-note"],
        )
        return
    _Taken(session, twin, one.taken)
    DrugPicker(
        label="Drugs from today on",
        drugs=session.catalogue.drugs_by_class,
        value=list(chosen),
        event_put=lambda drugs: set_chosen(tuple(drugs)),
    )
    solara.Checkbox(label="as a new line of therapy", value=new_line, on_value=set_new_line)

    def give(drugs: Regimen) -> None:
        session.pause()
        session.do(twin, "line" if new_line else "change", *drugs)

    solara.Button(
        "Give these",
        icon_name="mdi-pill",
        color="primary",
        small=True,
        disabled=not one.running,
        on_click=lambda: give(chosen),
    )
    if one.earlier:
        solara.Text("Rechallenge with an earlier regimen:", classes=["tumor-note"])
        for regimen, dosings in one.earlier:
            solara.Button(
                regimen,
                small=True,
                text=True,
                icon_name="mdi-history",
                on_click=lambda dosings=dosings: give(dosings),
            )


@part("The list of drugs")
def _Taken(session: Session, twin: int, taken: list[tuple[str, str, str]]) -> None:
    """Drugs of today, each with what can be done about it."""
    if not taken:
        solara.Text("No drug is being taken.", classes=["tumor-note"])
    for drug, state, held_for in taken:
        held = held_for in _RESUMED_BY_HAND
        with solara.Row(gap="4px", style={"align-items": "center"}):
            reason = f" ({held_for})" if held_for else ""
            solara.Text(f"{drug}: {state}{reason}", style={"flex": "1", "font-size": "13px"})
            solara.Button(
                "resume" if held else "hold",
                small=True,
                text=True,
                on_click=lambda drug=drug, held=held: session.do(twin, "resume" if held else "hold", drug),
            )
            solara.Button(
                "stop",
                small=True,
                text=True,
                on_click=lambda drug=drug: session.do(twin, "stop", drug),
            )
    if len(taken) == 1:
        solara.Text("To stop the last drug of a line holds it; the line goes on.", classes=["tumor-note"])
