"""Figures of a study of clonal evolution draw what its tables say."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from tumor_abm.plots.evolution import plot_neutrality, plot_spectra
from tumor_abm.plots.hues import difference, distinct
from tumor_abm.plots.lineages import plot_maps, plot_muller
from tumor_abm.run.results import Results
from tumor_abm.study import Study, run_study

MIXED = {
    "name": "Many small drivers, well mixed",
    "types": ["founder", "driver", "double driver"],
    "division": [0.5, 0.6, 0.7],
    "death": [0.1, 0.1, 0.1],
    "mutation": [[0.01, 0.15, 0], [0, 0.02, 0.05], [0, 0, 0]],
}
PLANE = {
    "name": "In a plane",
    "types": ["founder", "driver"],
    "division": [0.5, 0.9],
    "death": [0.05, 0.05],
    "mutation": [[0.02, 0.02], [0, 0.02]],
    "space": {"dimensions": 2},
}
DRAWN = [plot_spectra, plot_neutrality, plot_muller, plot_maps]


def study_of(folder: Path, *scenarios: dict[str, Any]) -> Results:
    study = Study.from_dict(
        {
            "title": "Drawn",
            "question": "Is what is drawn what is true?",
            "seed": 3,
            "replicates": 1,
            "cells": 3_000,
            "whole_tumour_cells": 200,
            "scenario": list(scenarios),
            "biopsy": [{"name": "east", "centre": [0.6, 0, 0], "cells": 40}],
        }
    )
    return run_study(study, folder / "out", jobs=1)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return study_of(tmp_path_factory.mktemp("study"), MIXED, PLANE)


def legends_of(figure: Figure) -> list[Legend]:
    """The legends of the panels, then those of the figure."""
    return [*filter(None, (axes.get_legend() for axes in figure.axes)), *figure.legends]


def named_colours(figure: Figure, panel: int) -> dict[str, str]:
    """What the legend of a panel calls each colour."""
    legend = legends_of(figure)[panel]
    named = zip(legend.get_patches(), legend.get_texts(), strict=False)
    return {to_hex(patch.get_facecolor()): text.get_text() for patch, text in named}


def heights(figure: Figure, panel: int) -> dict[str, float]:
    """The height of every colour of a Muller plot at its right end."""
    axes = figure.axes[panel]
    right = axes.get_xlim()[1]
    found: dict[str, float] = {}
    for band in axes.collections:
        assert isinstance(band, PolyCollection)
        (path,) = band.get_paths()
        ends = path.vertices[path.vertices[:, 0] == right][:, 1]
        colour = to_hex(band.get_facecolor()[0])
        found[colour] = found.get(colour, 0.0) + ends.max() - ends.min()
    return found


def shares(clones: pl.DataFrame, names: dict[str, str], types: list[str]) -> dict[str, float]:
    """The share of cells of everything that a legend names, from the living clones themselves."""
    total = clones["cells"].sum()
    own = {int(name.split()[0]) for name in names.values() if name[0].isdigit()}
    rest = clones.filter(~pl.col("clone").is_in(sorted(own)), pl.col("parent").is_not_null())
    found: dict[str, float] = {}
    for colour, name in names.items():
        if name == "founder clone":
            cells = clones.filter(pl.col("parent").is_null())["cells"].sum()
        elif name.startswith("others: "):
            cells = rest.filter(type=types.index(name.removeprefix("others: ")))["cells"].sum()
        else:
            cells = clones.filter(clone=int(name.split()[0]))["cells"].sum()
        found[colour] = cells / total
    return found


@pytest.mark.parametrize(("panel", "scenario"), [(0, MIXED), (1, PLANE)])
def test_drawn_heights_are_the_fractions_of_clones(
    results: Results, panel: int, scenario: dict[str, Any]
) -> None:
    figure = plot_muller(results)
    clones = results["clones"].filter(scenario=scenario["name"])
    names = named_colours(figure, panel)
    drawn = heights(figure, panel)
    expected = shares(clones, names, scenario["types"])
    assert drawn.keys() == expected.keys()
    assert sum(drawn.values()) == pytest.approx(1)
    for colour, share in expected.items():
        assert drawn[colour] == pytest.approx(share, abs=1e-9), names[colour]


def test_small_driver_clones_are_not_drawn_as_the_founder(results: Results) -> None:
    figure = plot_muller(results)
    clones = results["clones"].filter(scenario=MIXED["name"])
    colour = {name: colour for colour, name in named_colours(figure, 0).items()}
    own = [int(name.split()[0]) for name in colour if name[0].isdigit()]
    small = clones.filter(
        pl.col("type") == 1, pl.col("peak") < 0.005 * clones["cells"].sum(), ~pl.col("clone").is_in(own)
    )
    assert small["cells"].sum() > 0.05 * clones["cells"].sum()
    drawn = heights(figure, 0)
    assert drawn[colour["others: driver"]] >= small["cells"].sum() / clones["cells"].sum() - 1e-9
    founder = clones.filter(pl.col("parent").is_null())["cells"].sum()
    assert drawn[colour["founder clone"]] == pytest.approx(founder / clones["cells"].sum())


def test_drawn_areas_of_a_map_are_the_numbers_of_cells(results: Results) -> None:
    figure = plot_maps(results)
    assert figure is not None
    image = np.asarray(figure.axes[0].images[0].get_array())
    pixels, numbers = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    drawn = {to_hex(rgb / 255): number for rgb, number in zip(pixels, numbers, strict=True)}
    drawn.pop("#ffffff", None)
    names = named_colours(figure, 0)
    clones = results["clones"].filter(scenario=PLANE["name"])
    expected = shares(clones, names, PLANE["types"])
    assert drawn.keys() == names.keys()
    for colour, number in drawn.items():
        assert number == pytest.approx(expected[colour] * clones["cells"].sum()), names[colour]


def test_every_drawn_colour_is_in_the_legend_once(results: Results) -> None:
    figure = plot_muller(results)
    for panel in range(2):
        names = named_colours(figure, panel)
        assert set(heights(figure, panel)) == set(names)
        assert len(set(names.values())) == len(names) == len(legends_of(figure)[panel].get_patches())


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("scenarios", [(PLANE,), (MIXED, PLANE), (MIXED, PLANE, PLANE | {"name": "Again"})])
def test_legends_lie_inside_the_figure(
    tmp_path: Path, draw: Any, scenarios: tuple[dict[str, Any], ...]
) -> None:
    figure = draw(study_of(tmp_path, *scenarios))
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height
    boxes = [legend.get_window_extent() for legend in legends_of(figure)]
    assert boxes
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("pale", [False, True])
def test_many_colours_can_be_told_apart(pale: bool) -> None:
    colours = distinct(40, apart_from=["#E4E4E4"], pale=pale)
    # 2.3 can just be seen (Mahy, Van Eycken and Oosterlinck 1994, Color Res Appl 19:105).
    assert min(difference(one, other) for one, other in combinations(colours, 2)) > 4 * 2.3
    assert distinct(7, apart_from=["#E4E4E4"], pale=pale) == colours[:7]


def test_black_and_white_are_a_hundred_apart() -> None:
    assert difference("#000000", "#FFFFFF") == pytest.approx(100, abs=0.01)
    assert difference("#123456", "#123456") == 0
