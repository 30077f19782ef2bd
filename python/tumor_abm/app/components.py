"""Parts of the page for a page of one's own: what Mesa's `SolaraViz` takes as components.

``SolaraViz(model, components=[Tumour, Genotypes, Course])``
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import solara
import solara.settings
from matplotlib.colors import ListedColormap

from tumor_abm.app.boundary import part
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.chart_grid import ChartGrid
from tumor_abm.app.chart_news import parted
from tumor_abm.app.charts import panels_of
from tumor_abm.app.legend import Legend
from tumor_abm.app.picture import today
from tumor_abm.app.tumour_view import legend_rows
from tumor_abm.app.twin import Twin
from tumor_abm.model import TumorModel
from tumor_abm.model.lattice_space import GENOTYPE
from tumor_abm.plots.genotypes import Palette

with warnings.catch_warnings():  # Solara warns of hooks in Mesa's own components
    warnings.simplefilter("ignore", UserWarning)
    from mesa.visualization.components import PropertyLayerStyle
    from mesa.visualization.utils import update_counter

_FREE = "#FFFFFF"
_SIDE = "262"
_LOOK = Path(__file__).with_name("page.css")

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
        solara.Style(_LOOK)


@part("The course")
def Course(model: TumorModel) -> None:
    """Show the charts, with a point for every day on which the page was drawn."""
    twin = _seen(model)
    assets = solara.settings.assets
    (panels,) = panels_of([(twin.course(), twin.palette, twin.record.growth)])
    with solara.Card("Course"):
        ChartGrid(
            panels=parted(panels),
            said=twin.name,
            looking=None,
            chosen="",
            cdn="" if assets.proxy else assets.cdn,
            event_choose=_nothing,
        )
        solara.Style(_LOOK)


def genotype_colours(layer: Any) -> PropertyLayerStyle | None:
    """Colour a lattice by genotype, as the parts of the page do.

    ``SpaceRenderer(model).draw_propertylayer(genotype_colours)`` draws `TumorModel.space`.
    """
    if layer.name != GENOTYPE:
        return None
    palette = _palette()
    for genotype in layer.genotypes:
        palette.give(genotype)
    colours = [_FREE, *(palette[genotype] for genotype in layer.genotypes)]
    return PropertyLayerStyle(
        colormap=ListedColormap(colours), vmin=-0.5, vmax=len(colours) - 0.5, colorbar=False
    )


@cache
def _usual() -> Catalogue:
    return Catalogue.of(None)


def _palette() -> Palette:
    """Return colours that do not depend on who is met first."""
    return Palette(_usual().states, alterations=_usual().colour_order)


def _seen(model: TumorModel) -> Twin:
    """Return what was seen of a model so far, today included; drawn anew at every step of Mesa's page."""
    update_counter.get()
    twin: Twin | None = getattr(model, _TWIN, None)
    if twin is None or twin.model is not model:  # a fork brings that of its origin
        twin = Twin(model, model.arm, _palette())
        setattr(model, _TWIN, twin)
    if model.day > twin.record.day:
        twin.note()
    return twin


def _nothing(_: str) -> None:
    """Leave a click without an answer."""
