"""The page: tumour, charts and timeline in the middle, controls at the left, playing on top."""

from __future__ import annotations

from pathlib import Path

import solara
import solara.lab

from tumor_abm.app.boundary import part
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.chair import Chair
from tumor_abm.app.charts import Charts
from tumor_abm.app.compare import Compare
from tumor_abm.app.downloads import Downloads
from tumor_abm.app.patient import PatientPanel
from tumor_abm.app.plan import PlanPanel
from tumor_abm.app.server import served
from tumor_abm.app.session import Session, charts_height
from tumor_abm.app.timeline import Timeline
from tumor_abm.app.toolbar import Toolbar
from tumor_abm.app.tumour_view import TumourView
from tumor_abm.app.why import Why

TITLE = "tumor_abm: a tumour under therapy"

_BRAND = "<b>tumor_abm</b> <span>a tumour under therapy; for research, not for treating patients</span>"

_STYLE = Path(__file__).with_name("page.css")


@solara.component
def Layout(children: list[solara.Element]) -> None:
    """Fill the window; there is no other page."""
    solara.Style(_STYLE)
    solara.Div(children=children)


@part("The page")
def Page() -> None:
    """One tab: its own session, from the first sight to the last."""
    session = solara.use_memo(lambda: Session(served.catalogue or Catalogue.of(None)), [])
    solara.lab.use_task(session.live, dependencies=[], prefer_threaded=False)
    solara.use_effect(lambda: session.close, [])
    solara.Title(TITLE)
    _colours()
    with solara.Div(classes=["tumor-page"]):
        with solara.Div(classes=["tumor-side"]):
            solara.HTML(tag="div", unsafe_innerHTML=_BRAND, classes=["tumor-brand"])
            _Controls(session)
        with solara.Div(classes=["tumor-main"]):
            Toolbar(session)
            _Notice(session)
            _Sight(session)


def _colours() -> None:
    light = solara.lab.theme.themes.light
    light.primary, light.secondary, light.accent = "#1D5C8C", "#555555", "#1D5C8C"


@part("The panels")
def _Controls(session: Session) -> None:
    """Panels that open one at a time or together."""
    opened, set_opened = solara.use_state([0, 1])
    panels = [
        ("Patient", "mdi-account-outline", PatientPanel),
        ("Strategy", "mdi-format-list-numbered", PlanPanel),
        ("Therapist's chair", "mdi-medical-bag", Chair),
        ("Compare", "mdi-call-split", Compare),
        ("Why", "mdi-help-circle-outline", Why),
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
                    if panel is not Why or place in opened:  # it follows every frame
                        panel(session)


@part("The notice")
def _Notice(session: Session) -> None:
    """Say what went wrong with the last request."""
    notice = session.notice.value
    if notice is not None:
        kind = solara.Error if notice.kind == "error" else solara.Info
        kind(notice.text, dense=True)


@part("The view")
def _Sight(session: Session) -> None:
    """Tumour, charts and timeline: of one patient, or of two twins side by side."""
    pictures = session.pictures.value
    if not pictures:
        if session.notice.value is None:
            with solara.Column(align="center", style={"padding-top": "80px"}):
                solara.v.ProgressCircular(indeterminate=True, color="primary")
                solara.Text("The tumour grows from one cell to diagnosis …", classes=["tumor-note"])
    elif len(pictures) == 1:
        with solara.Div(classes=["tumor-row"]):
            with solara.Div(classes=["tumor-card", "tumor-look"]):
                TumourView(session, 0)
            with solara.Div(classes=["tumor-card", "tumor-charts"]):
                _Charts(session, 0)
        with solara.Div(classes=["tumor-card"]):
            Timeline(pictures[0])
    else:
        with solara.Div(classes=["tumor-row"]):
            for twin, picture in enumerate(pictures):
                with solara.Div(classes=["tumor-twin"]):
                    with solara.Div(classes=["tumor-card"]):
                        TumourView(session, twin)
                    with solara.Div(classes=["tumor-card", "tumor-charts"]):
                        _Charts(session, twin)
                    with solara.Div(classes=["tumor-card"]):
                        Timeline(picture)


@part("The charts")
def _Charts(session: Session, twin: int) -> None:
    """Show the charts as last drawn; they follow the tumour a little later."""
    charts = session.charts.value
    if twin < len(charts):
        Charts(charts[twin], charts_height(len(session.pictures.value)))
