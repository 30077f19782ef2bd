"""Parts of the page for a page of one's own, and models of one's own."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Any

import pytest
import solara
import tumor_abm as ta

with warnings.catch_warnings():  # Solara warns of hooks in Mesa's own components
    warnings.simplefilter("ignore", UserWarning)
    from mesa.visualization.solara_viz import ComponentsView

from tumor_abm.app.components import Course, Genotypes, Tumour, _seen


class Watched(ta.TumorModel):
    """A model of one's own, with an attribute of its own."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.notes: list[float] = []

    def step(self) -> None:
        super().step()
        self.notes.append(self.day)


def models() -> dict[str, ta.TumorModel]:
    return {
        "patient": ta.TumorModel(rng=1),
        "subclass": Watched(rng=1),
        "lattice": ta.TumorModel(rng=1, engine="lattice", cells=10_000),
    }


@pytest.mark.parametrize("name", ["patient", "subclass", "lattice"])
@pytest.mark.parametrize("component", [Tumour, Genotypes, Course])
def test_components_show_a_model_after_every_step(name: str, component: Any) -> None:
    model = models()[name]
    for _ in range(3):
        model.step()
        _, rendered = solara.render(component(model), handle_error=False)
        rendered.close()
    assert _seen(model).record.days[-1] == model.day == 3


def test_mesas_own_view_takes_them() -> None:
    model = ta.TumorModel(rng=1)
    _, rendered = solara.render(ComponentsView([Tumour, Genotypes, Course], model), handle_error=False)
    rendered.close()


def test_charts_of_a_model_have_what_it_has_lived() -> None:
    model = ta.TumorModel(rng=1)
    for _ in range(5):
        model.step()
        states = _seen(model).course().states
    assert states["day"].to_list() == [1, 2, 3, 4, 5]


def test_a_model_that_was_shown_is_freed_when_it_is_dropped() -> None:
    model = ta.TumorModel(rng=1)
    _seen(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_fork_of_a_subclass_keeps_its_attributes_and_goes_its_own_way() -> None:
    model = Watched(rng=1)
    model.step()
    twin = model.fork()
    assert type(twin) is Watched
    twin.step()
    assert (model.notes, twin.notes) == ([1.0], [1.0, 2.0])
