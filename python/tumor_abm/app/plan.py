"""The strategy: a shipped arm, or lines composed from drugs."""

from __future__ import annotations

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.drug_picker import DrugPicker
from tumor_abm.app.session import Session
from tumor_abm.app.setup import OWN_LINES

MOST_LINES = 8

Lines = tuple[tuple[str, ...], ...]


@part("The panel of the strategy")
def PlanPanel(session: Session) -> None:
    """Choose a strategy; it counts from the next reset on."""
    setup = session.setup.value
    solara.Select(
        "Strategy",
        values=[*session.catalogue.arms, OWN_LINES],
        value=setup.strategy,
        on_value=lambda name: session.choose(strategy=name),
        dense=True,
    )
    if setup.strategy == OWN_LINES:
        LinesEditor(session.catalogue, setup.lines, lambda lines: session.choose(lines=lines))
    else:
        PlanInWords(session.catalogue, setup.strategy)
    solara.Text("Counts from the next Reset on.", classes=["tumor-note"])


@part("The strategy in words")
def PlanInWords(catalogue: Catalogue, arm: str) -> None:
    """Say the lines of a shipped strategy."""
    for number, words in enumerate(catalogue.lines_in_words(arm), 1):
        solara.Text(f"{number}. {words}", classes=["tumor-note"])


@part("The editor of lines")
def LinesEditor(catalogue: Catalogue, lines: Lines, on_lines: solara.Callable[[Lines], None]) -> None:
    """Compose lines of therapy, each a choice of drugs."""

    def put(number: int, drugs: list[str]) -> None:
        on_lines((*lines[:number], tuple(drugs), *lines[number + 1 :]))

    for number, drugs in enumerate(lines):
        with solara.Row(gap="2px", style={"align-items": "center"}):
            with solara.Div(style={"flex": "1", "min-width": "0"}):
                DrugPicker(
                    label=f"Line {number + 1}",
                    drugs=catalogue.drugs_by_class,
                    value=list(drugs),
                    event_put=lambda chosen, number=number: put(number, chosen),
                )
            solara.Button(
                icon_name="mdi-close",
                icon=True,
                small=True,
                attributes={"aria-label": f"Remove line {number + 1}"},
                on_click=lambda number=number: on_lines((*lines[:number], *lines[number + 1 :])),
            )
    if len(lines) < MOST_LINES:
        solara.Button(
            "Add a line", icon_name="mdi-plus", text=True, small=True, on_click=lambda: on_lines((*lines, ()))
        )
