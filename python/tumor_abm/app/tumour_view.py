"""The tumour of today with its legend."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import solara

from tumor_abm._base.sinks import html_text, terminal_text
from tumor_abm.app.boundary import part
from tumor_abm.app.legend import Legend
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture, of_twin
from tumor_abm.app.session import Session
from tumor_abm.app.words import (
    burden_in_words,
    cure_in_words,
    places_in_words,
    scientific,
    treatment_in_words,
)
from tumor_abm.plots.genotypes import short

_MIXED = (
    "Each dot stands for the same number of cells; the disc has the tumour's diameter. Well mixed: place "
    "says nothing."
)
_ENGINE = (
    "Types of which few individuals are left are counted cell by cell, so that residual disease hardly "
    "depends on the engine."
)


@part("The picture of the tumour")
def TumourView(session: Session, twin: int) -> None:
    """Picture and legend of one twin."""
    compared, view = use_only(
        session.pictures, lambda pictures: (len(pictures) > 1, _view(of_twin(pictures, twin)))
    )
    if compared:
        _Heading(session, twin)
    with solara.Div(classes=["tumor-beside" if compared else "tumor-below"]):
        with solara.Div(classes=["tumor-picture"]):
            _Tumour(session, twin, "180" if compared else "262")
            _Cure(session, twin)
        with solara.Div(classes=["tumor-grow"]):
            _Genotypes(session, twin)
            _Caption(session, twin)
    if view is not None:
        solara.ToggleButtonsSingle(
            view,
            values=["surface", "section"],
            on_value=lambda view: session.look(twin, view),
            dense=True,
        )


def _view(picture: Picture | None) -> str | None:
    """Return from where a tumour is seen that can be seen from elsewhere, too."""
    if picture is None or picture.facts["engine"] != "lattice" or not picture.solid:
        return None
    return picture.view


@part("The heading")
def _Heading(session: Session, twin: int) -> None:
    picture = of_twin(session.pictures.value, twin)
    said = "" if picture is None else _heading(picture)
    solara.HTML(tag="div", unsafe_innerHTML=said, classes=["tumor-facts"])


@part("The tumour")
def _Tumour(session: Session, twin: int, width: str) -> None:
    picture = of_twin(session.pictures.value, twin)
    shown = {} if picture is None else {"src": _source(picture.tumour), "alt": _alternative(picture)}
    solara.v.Html(tag="img", class_="solara-image", attributes={**shown, "width": width})


@part("The word of a cure")
def _Cure(session: Session, twin: int) -> None:
    said = use_only(session.pictures, lambda pictures: _cure(of_twin(pictures, twin)))
    solara.v.Html(tag="div", class_="tumor-cured" if said else "", children=[said])


def _cure(picture: Picture | None) -> str:
    return "" if picture is None or picture.facts["cured_day"] is None else cure_in_words(picture.facts)


@part("The genotypes")
def _Genotypes(session: Session, twin: int) -> None:
    picture = of_twin(session.pictures.value, twin)
    rows = [] if picture is None else legend_rows(picture)
    Legend(rows=rows, chosen=session.chosen.value, event_choose=session.choose_clone)


@part("The caption")
def _Caption(session: Session, twin: int) -> None:
    said = use_only(session.pictures, lambda pictures: _caption(of_twin(pictures, twin)))
    solara.HTML(tag="div", unsafe_innerHTML=said, classes=["tumor-note"])


def _source(tumour: bytes) -> str:
    return f"data:image/png;base64,{b64encode(tumour).decode()}"


def _heading(picture: Picture) -> str:
    facts = picture.facts
    state = html_text(treatment_in_words(facts))
    return f"<h2>{html_text(picture.name)}</h2>{state}<br>{burden_in_words(facts)}"


def _alternative(picture: Picture) -> str:
    """Say what the picture shows."""
    parts = [f"{row.name} {_percent(row.share)}%" for row in picture.legend]
    return f"The tumour on day {picture.facts['day']:,.0f}: {', '.join(parts) or 'no cell'}"


def _caption(picture: Picture | None) -> str:
    if picture is None:
        return ""
    facts = picture.facts
    if facts["engine"] == "lattice":
        return f"{places_in_words(facts)} {_ENGINE}"
    scale = f" An individual stands for {scientific(facts['scale'])} cells." if facts["scale"] > 1 else ""
    return f"{_MIXED}{scale}" + (f" {_ENGINE}" if scale else "")


def legend_rows(picture: Picture) -> list[dict[str, Any]]:
    """Return the rows of the legend as its component takes them."""
    return [
        {
            "name": "" if row.genotype is None else short(row.genotype, picture.founder),
            "label": terminal_text(
                row.name if row.genotype is None else short(row.genotype, picture.founder)
            ),
            "title": terminal_text(row.name),
            "colour": row.colour,
            "cells": scientific(row.cells),
            "share": _percent(row.share),
            "growth": "" if row.net_growth is None else f"{100 * row.net_growth:+.1f}".replace("-", "−"),
        }
        for row in picture.legend
    ]


def _percent(share: float) -> str:
    percent = 100 * share
    if percent >= 10:
        return f"{percent:.0f}"
    return f"{percent:.1f}" if percent >= 0.1 else "<0.1"
