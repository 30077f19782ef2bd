"""Parts of the page for a page of one's own, and models of one's own."""

from __future__ import annotations

import gc
import sys
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import solara
import tumor_abm as ta
from matplotlib.colors import to_hex
from page_client import Tab, serving_command
from tumor_abm.app.charts import panels_of
from tumor_abm.evolution.space import Space

with warnings.catch_warnings():  # Solara warns of hooks in Mesa's own components
    warnings.simplefilter("ignore", UserWarning)
    from mesa.visualization import SpaceRenderer
    from mesa.visualization.solara_viz import ComponentsView, SpaceRendererComponent

from tumor_abm.app.components import Course, Genotypes, Tumour, _seen, genotype_colours


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
        "bare": ta.TumorModel.of_population(types()),
        "bare lattice": ta.TumorModel.of_population(types(engine="lattice")),
    }


def types(**options: Any) -> ta.Population:
    mutation = [[0.0, 0.01], [0.0, 0.0]]
    return ta.Population(
        division=[0.2, 0.25], death=[0.1, 0.1], mutation=mutation, initial=[60, 0], seed=1, **options
    )


@pytest.mark.parametrize("name", ["patient", "subclass", "lattice", "bare", "bare lattice"])
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


def test_a_bare_population_has_charts_of_its_cells_alone() -> None:
    twin = _seen(models()["bare"])
    (panels,) = panels_of([(twin.course(), twin.palette, twin.record.growth)])
    assert [panel["key"] for panel in panels] == ["genotypes", "burden"]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_space_of_a_lattice_has_every_site_at_its_place(dimensions: int) -> None:
    space = Space(dimensions=dimensions)
    model = ta.TumorModel(rng=1, cells=100_000, engine="lattice", space=space)
    layer, sites = model.space.genotype.data, model.sites
    plane, middle = model.section("z", 0), layer.shape[0] // 2
    assert layer.shape == (model.space.width, model.space.height)
    assert np.count_nonzero(layer) == np.count_nonzero(plane) > 0
    for x, y in np.argwhere(plane)[::40]:
        assert layer[x + sites.origin[0] + middle, y + sites.origin[1] + middle] == plane[x, y]
    assert ((layer == 0) == model.space.empty.data).all()


def test_mesas_renderer_draws_the_space_in_the_colours_of_the_page() -> None:
    model = ta.TumorModel(rng=1, engine="lattice", cells=10_000)
    renderer = SpaceRenderer(model)
    renderer.draw_propertylayer(genotype_colours)
    (image,) = renderer.canvas.images
    shown = image.get_array()
    assert (shown == model.space.genotype.data.T).all()
    rgb = {code: image.cmap(image.norm(code))[:3] for code in np.unique(shown).tolist()}
    palette = _seen(model).palette
    for code, colour in rgb.items():
        alterations = None if code == 0 else model.genotype_alterations[code - 1]
        expected = "#FFFFFF" if alterations is None else palette[alterations]
        if alterations is None or alterations in palette:
            assert to_hex(colour).upper() == expected
    model.step()
    _, rendered = solara.render(SpaceRendererComponent(model, renderer), handle_error=False)
    rendered.close()


def test_only_a_lattice_is_a_space() -> None:
    assert ta.TumorModel(rng=1).space is None


def test_a_page_of_ones_own_is_served_as_the_documentation_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "mesa.md").read_text(encoding="utf-8")
    (code,) = [block for block in page.split("```python\n") if "serve(model" in block]
    file = tmp_path / "page.py"
    file.write_text(code.split("```")[0].replace("components=", "open_browser=False, components="))
    with serving_command(sys.executable, str(file)) as (address, _), Tab(address) as tab:
        tab.wait_for(" ".join("Watched"))
        tab.wait_for("Genotypes")
        tab.click("Step")
        tab.wait_for("Step: 1")
