"""The page of a model of one's own: Mesa's page, and a copy of the model in every tab."""

from __future__ import annotations

import warnings

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.components import Course, Genotypes, Tumour
from tumor_abm.app.server import served
from tumor_abm.app.visitor import use_place

with warnings.catch_warnings():  # Solara warns of hooks in Mesa's own components
    warnings.simplefilter("ignore", UserWarning)
    from mesa.visualization import SolaraViz

_PLAY_MS = 300  # Mesa's play loop hangs where drawing takes longer than this


@part("The page")
def Page() -> None:
    """One tab: a place of its own, if there is one left."""
    if use_place() is not None:
        _Page()


@part("The page of a visitor")
def _Page() -> None:
    own = served.own
    assert own is not None
    model = solara.use_memo(own.model.fork, [])
    SolaraViz(
        model,
        components=list(own.components) or [Tumour, Genotypes, Course],
        model_params=dict(own.model_params),
        play_interval=_PLAY_MS,
    )
