"""Parts of the page for a page of one's own: what Mesa's `SolaraViz` takes as components.

``SolaraViz(model, components=[Tumour, Genotypes, Course])``
"""

from __future__ import annotations

from base64 import b64encode

import solara
import solara.settings
from mesa.visualization.utils import update_counter

from tumor_abm.app.boundary import part
from tumor_abm.app.chart_grid import ChartGrid
from tumor_abm.app.charts import panels_of
from tumor_abm.app.legend import Legend
from tumor_abm.app.picture import today
from tumor_abm.app.tumour_view import legend_rows
from tumor_abm.app.twin import Twin
from tumor_abm.model import TumorModel

_SIDE = "262"

_TWIN = "_twin_on_the_page"
"""Attribute of a model with what was seen of it: both go together."""


@part("The tumour")
def Tumour(model: TumorModel) -> None:
    """Show the tumour of today: dots, or the sites of a lattice."""
    twin = _seen(model)
    drawn = b64encode(twin.picture()).decode()
    said = f"The tumour on day {model.day:g}"
    attributes = {"src": f"data:image/png;base64,{drawn}", "alt": said, "width": _SIDE}
    with solara.Card("Tumour"):
        solara.v.Html(tag="img", attributes=attributes)


@part("The genotypes")
def Genotypes(model: TumorModel) -> None:
    """Show the living genotypes with colour, cells, share and growth."""
    picture = today(_seen(model))
    with solara.Card("Genotypes"):
        Legend(rows=legend_rows(picture), chosen="", event_choose=_nothing)


@part("The course")
def Course(model: TumorModel) -> None:
    """Show the charts, with a point for every day on which the page was drawn."""
    twin = _seen(model)
    assets = solara.settings.assets
    (panels,) = panels_of([(twin.course(), twin.palette, twin.record.growth)])
    with solara.Card("Course"):
        ChartGrid(
            panels=panels,
            said=twin.name,
            looking=None,
            chosen="",
            cdn="" if assets.proxy else assets.cdn,
            event_choose=_nothing,
        )


def _seen(model: TumorModel) -> Twin:
    """Return what was seen of a model so far, today included; drawn anew at every step of Mesa's page."""
    update_counter.get()
    twin: Twin | None = getattr(model, _TWIN, None)
    if twin is None or twin.model is not model:  # a fork brings that of its origin
        twin = Twin(model, model.arm)
        setattr(model, _TWIN, twin)
    if model.day > twin.record.day:
        twin.note()
    return twin


def _nothing(_: str) -> None:
    """Leave a click without an answer."""
