"""The page: tumour, charts and timeline in the middle, controls at the left, playing on top."""

from __future__ import annotations

from pathlib import Path

import solara
import solara.lab
import solara.settings

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.address_bar import AddressBar
from tumor_abm.app.aria import Aria
from tumor_abm.app.boundary import part
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.chair import Chair
from tumor_abm.app.chart_grid import ChartGrid
from tumor_abm.app.cohort_card import CohortCard
from tumor_abm.app.compare import Compare
from tumor_abm.app.downloads import Downloads
from tumor_abm.app.headline import Headline
from tumor_abm.app.keys import Keys
from tumor_abm.app.only import use_only
from tumor_abm.app.patient import PatientPanel
from tumor_abm.app.picture import Picture, of_twin
from tumor_abm.app.plan import PlanPanel
from tumor_abm.app.repeat import Repeat
from tumor_abm.app.scrubber import Scrubber
from tumor_abm.app.server import served
from tumor_abm.app.session import Session
from tumor_abm.app.timeline import Timeline
from tumor_abm.app.toolbar import Toolbar
from tumor_abm.app.tumour_view import TumourView
from tumor_abm.app.visitor import use_place
from tumor_abm.app.why import Why

TITLE = "tumor_abm: a tumour under therapy"

_BRAND = "<h1>tumor_abm</h1> <span>a tumour under therapy; for research, not for treating patients</span>"

_WHY = 4  # the place of the panel that says why
_FOLLOWING = (Why, Downloads)  # panels that change with every frame: they are there only when open

_STYLE = Path(__file__).with_name("page.css")


@solara.component
def Layout(children: list[solara.Element]) -> None:
    """Fill the window; there is no other page."""
    solara.Style(_STYLE)
    solara.Div(children=children)


@part("The page")
def Page() -> None:
    """One tab: a place of its own, if there is one left."""
    place = use_place()
    if place is not None:
        _Page(place)


@part("The page of a visitor")
def _Page(place: int) -> None:
    """Keep one session, from the first sight to the last."""
    router = solara.use_router()
    session = solara.use_memo(
        lambda: Session(
            served.catalogue or Catalogue.of(None),
            router.search or "",
            visitors=served.visitors,
            place=place,
        ),
        [],
    )
    solara.lab.use_task(session.live, dependencies=[], prefer_threaded=False)
    solara.use_effect(lambda: session.close, [])
    solara.Title(TITLE)
    _colours()
    shown = session.address.value
    with solara.Div(classes=["tumor-page"]):
        with solara.Div(classes=["tumor-unseen"]):
            Aria()
            _Keyboard(session)
            AddressBar(query=shown.query, is_new=shown.is_new, event_visit=session.visit)
        with solara.v.Html(tag="aside", class_="tumor-side", attributes={"aria-label": "Controls"}):
            solara.HTML(tag="div", unsafe_innerHTML=_BRAND, classes=["tumor-brand"])
            _Controls(session)
        with solara.v.Html(tag="main", class_="tumor-main"):
            Toolbar(session)
            Scrubber(session)
            _Notice(session)
            if session.catalogue.cohort is not None:
                CohortCard(session, session.catalogue.cohort)
            _Sight(session)


@part("The keyboard")
def _Keyboard(session: Session) -> None:
    """Space plays and pauses; Escape leaves an earlier day, or takes a message away."""

    def turn(_: object) -> None:
        if session.playing.value:
            session.pause()
        elif session.pictures.value:
            session.play()

    def leave(_: object) -> None:
        session.notice.value = None
        if session.looking.value is not None:
            session.look_at_today()

    Keys(event_space=turn, event_escape=leave)


def _colours() -> None:
    light = solara.lab.theme.themes.light
    light.primary, light.secondary, light.accent = "#1D5C8C", "#555555", "#1D5C8C"


@part("The panels")
def _Controls(session: Session) -> None:
    """Panels that open one at a time or together."""
    opened, set_opened = solara.use_state([0, 1])
    chosen = session.chosen.value
    solara.use_effect(lambda: set_opened([_WHY]) if chosen else None, [chosen])
    panels = [
        ("Patient", "mdi-account-outline", PatientPanel),
        ("Strategy", "mdi-format-list-numbered", PlanPanel),
        ("Therapist's chair", "mdi-medical-bag", Chair),
        ("Compare", "mdi-call-split", Compare),
        ("Why", "mdi-help-circle-outline", Why),
        ("Repeat", "mdi-repeat", Repeat),
        ("Download", "mdi-download-outline", Downloads),
    ]
    with solara.v.ExpansionPanels(
        multiple=True, accordion=True, flat=True, v_model=opened, on_v_model=set_opened
    ):
        for place, (title, icon, panel) in enumerate(panels):
            with solara.v.ExpansionPanel():
                with (
                    solara.v.ExpansionPanelHeader(),
                    solara.Row(gap="8px", style={"align-items": "center"}),
                ):
                    solara.v.Icon(children=[icon], small=True, color="primary")
                    solara.Text(title)
                with solara.v.ExpansionPanelContent():
                    if panel not in _FOLLOWING or place in opened:
                        panel(session)


@part("The notice")
def _Notice(session: Session) -> None:
    """Say what went wrong with the last request."""
    notice = session.notice.value
    if notice is not None:
        kind = solara.Error if notice.kind == "error" else solara.Info
        with kind(notice.text, dense=True):
            for twin in notice.cured:
                solara.Button(
                    "Stop the treatment",
                    icon_name="mdi-pill-off",
                    small=True,
                    text=True,
                    on_click=lambda twin=twin: session.do(twin, "hold"),
                )


@part("The view")
def _Sight(session: Session) -> None:
    """Tumour, charts and timeline: of one patient, or of two twins side by side."""
    twins = use_only(session.pictures, len)
    if not twins:
        if session.notice.value is None:
            with solara.Column(align="center", style={"padding-top": "80px"}):
                solara.v.ProgressCircular(
                    indeterminate=True, color="primary", attributes={"aria-label": "the tumour grows"}
                )
                solara.Text("The tumour grows from one cell to diagnosis …", classes=["tumor-note"])
        return
    if twins == 1:
        _One(session)
        return
    Headline(session)
    with solara.Div(classes=["tumor-row"]):
        for twin in range(twins):
            with solara.Div(classes=["tumor-twin"]):
                _Twin(session, twin)


@part("The patient")
def _One(session: Session) -> None:
    with solara.Div(classes=["tumor-row"]):
        with solara.Div(classes=["tumor-card", "tumor-look"]):
            TumourView(session, 0)
        with solara.Div(classes=["tumor-card", "tumor-charts"]):
            _Charts(session, 0)
    with solara.Div(classes=["tumor-card"]):
        Timeline(session, 0)


@part("The twin")
def _Twin(session: Session, twin: int) -> None:
    with solara.Div(classes=["tumor-card"]):
        TumourView(session, twin)
    with solara.Div(classes=["tumor-card", "tumor-charts"]):
        _Charts(session, twin)
    with solara.Div(classes=["tumor-card"]):
        Timeline(session, twin)


@part("The charts")
def _Charts(session: Session, twin: int) -> None:
    """Show the charts as last drawn; they follow the tumour a little later."""
    charts, looking = session.charts.shown.value, session.looking.value
    name = use_only(session.pictures, lambda pictures: _name(of_twin(pictures, twin)))
    if twin >= len(charts):
        return
    assets = solara.settings.assets
    solara.v.Html(tag="h2", class_="tumor-unseen", children=["Charts"])
    ChartGrid(
        panels=charts[twin],
        said=name,
        looking=None if looking is None else charts[twin].place(looking / DAYS_PER_MONTH),
        chosen=session.chosen.value,
        cdn="" if assets.proxy else assets.cdn,
        event_choose=session.choose_clone,
    )


def _name(picture: Picture | None) -> str:
    return "" if picture is None else picture.name
