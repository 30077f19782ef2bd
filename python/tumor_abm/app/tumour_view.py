"""The tumour of today with its legend."""

from __future__ import annotations

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm.app.boundary import part
from tumor_abm.app.session import Picture, Session
from tumor_abm.app.toolbar import burden_in_words, cure_in_words, scientific
from tumor_abm.plots.genotypes import short

_CAPTIONS = {
    "clones": "Each dot stands for the same number of cells; the disc has the tumour's diameter. Well mixed: "
    "place says nothing.",
    "lattice": "Each cell has its place.",
}


@part("The picture of the tumour")
def TumourView(session: Session, twin: int) -> None:
    """Picture and legend of one twin."""
    picture = session.pictures.value[twin]
    compared = len(session.pictures.value) > 1
    if compared:
        solara.HTML(tag="div", unsafe_innerHTML=_heading(picture), classes=["tumor-facts"])
    with solara.Div(classes=["tumor-beside" if compared else "tumor-below"]):
        with solara.Div(classes=["tumor-picture"]):
            solara.Image(picture.tumour, width="180px" if compared else "262px")
            if picture.facts["cured_day"] is not None:
                solara.Div(children=[cure_in_words(picture.facts)], classes=["tumor-cured"])
        with solara.Div(classes=["tumor-grow"]):
            solara.HTML(tag="div", unsafe_innerHTML=_legend(picture))
            if not compared:
                solara.HTML(tag="div", unsafe_innerHTML=_caption(picture), classes=["tumor-note"])
    if picture.facts["engine"] == "lattice" and picture.solid:
        solara.ToggleButtonsSingle(
            picture.view,
            values=["surface", "section"],
            on_value=lambda view: session.look(twin, view),
            dense=True,
        )


def _heading(picture: Picture) -> str:
    facts = picture.facts
    treated = f"line {facts['line']}: {facts['regimen']}" if facts["line"] else "no treatment"
    state = {"dead": "died", "censored": "follow-up has ended"}.get(facts["status"], treated)
    return f"<b>{html_text(picture.name)}</b><br>{html_text(state)}<br>{burden_in_words(facts)}"


def _caption(picture: Picture) -> str:
    facts = picture.facts
    kind = "lattice" if facts["engine"] == "lattice" else "clones"
    scale = f" One stands for {scientific(facts['scale'])} cells." if facts["scale"] > 1 else ""
    return _CAPTIONS[kind] + scale


def _legend(picture: Picture) -> str:
    rows = []
    for row in picture.legend:
        growth = "" if row.net_growth is None else f"{100 * row.net_growth:+.1f}".replace("-", "−")
        name = row.name if row.genotype is None else short(row.genotype, picture.founder)
        chip = f'<span class="tumor-chip" style="background:{row.colour}"></span>'
        numbers = "".join(
            f'<td class="number">{text}</td>' for text in (scientific(row.cells), _percent(row.share), growth)
        )
        rows.append(f'<tr title="{html_text(row.name)}"><td>{chip}{html_text(name)}</td>{numbers}</tr>')
    head = "<tr><th>genotype</th><th>cells</th><th>%</th><th>growth, %/day</th></tr>"
    return f'<table class="tumor-legend">{head}{"".join(rows)}</table>'


def _percent(share: float) -> str:
    percent = 100 * share
    if percent >= 10:
        return f"{percent:.0f}"
    return f"{percent:.1f}" if percent >= 0.1 else "<0.1"
