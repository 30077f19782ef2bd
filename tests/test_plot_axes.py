"""Every figure can be drawn into axes of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl
import pytest
import tumor_abm as ta
from lived import lived
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tumor_abm.app.twin import Twin
from tumor_abm.batch import BatchStudy, run_batch
from tumor_abm.plots.evidence import Panel
from tumor_abm.plots.genotypes import Palette
from tumor_abm.run.results import Results
from tumor_abm.study import Study, run_study

Draw = Callable[..., Figure]

PLANE = {
    "name": "In a plane",
    "types": ["founder", "driver"],
    "division": [0.5, 0.9],
    "death": [0.05, 0.05],
    "mutation": [[0.02, 0.02], [0, 0.02]],
    "space": {"dimensions": 2},
}
STUDY = {
    "title": "Drawn",
    "question": "Where?",
    "seed": 3,
    "replicates": 1,
    "cells": 1_000,
    "whole_tumour_cells": 200,
    "scenario": [PLANE],
    "biopsy": [{"name": "east", "centre": [0.6, 0, 0], "cells": 40}],
}
BATCH = {
    "title": "Drawn",
    "question": "How fast?",
    "seed": 3,
    "population": {
        "replicates": 10,
        "until": {"total": 100},
        "restart_on_extinction": True,
        "division": [0.3],
        "death": [0.1],
        "initial": [1],
    },
    "axis": [
        {"name": "death", "path": "population.death[0]", "values": [0.05, 0.1]},
        {"name": "birth", "path": "population.division[0]", "values": [0.2, 0.3]},
    ],
}
SAMPLED = BATCH | {
    "design": "morris",
    "points": 2,
    "axis": [
        {
            "name": "death",
            "path": "population.death[0]",
            "sample": {"law": "uniform", "low": 0.0, "high": 0.1},
        }
    ],
}
NAMES = sorted(name for name in ta.plots.__all__ if name.startswith("plot_"))


@pytest.fixture(scope="module")
def draws(results: Results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Draw]:
    """All functions with what they draw."""
    study = run_study(Study.from_dict(STUDY), tmp_path_factory.mktemp("study") / "out", jobs=1)
    twin = Twin(ta.TumorModel(rng=1, founder=[], collect_every_days=0), "as planned")
    twin.advance(30)
    palette = Palette()
    palette.give(())
    batch = run_batch(BatchStudy.from_dict(BATCH), tmp_path_factory.mktemp("batch") / "out", jobs=1)
    sampled = run_batch(BatchStudy.from_dict(SAMPLED), tmp_path_factory.mktemp("sampled") / "out", jobs=1)
    of_study = {
        name: partial(getattr(ta.plots, name), study)
        for name in ("plot_maps", "plot_muller", "plot_neutrality", "plot_spectra")
    }
    full = lived(results)
    return of_study | {
        **{
            name: partial(getattr(ta.plots, name), full)
            for name in ("plot_burden", "plot_escape", "plot_spider", "plot_swimmer", "plot_waterfall")
        },
        "plot_acceptability": partial(ta.plots.plot_acceptability, _priced(results)),
        "plot_fit": partial(
            ta.plots.plot_fit,
            results,
            pl.DataFrame({"arm": results.arms * 4, "months": [5.0, 9.0] * 4, "event": [True, False] * 4}),
        ),
        "plot_forest": partial(ta.plots.plot_forest, ta.compare(full, by=["age"])),
        "plot_patient": partial(ta.plots.plot_patient, full, 0),
        "plot_who_gains": partial(ta.plots.plot_who_gains, full, ["age"]),
        "plot_along_axis": partial(ta.plots.plot_along_axis, batch, "death", "day", where={"birth": 0.3}),
        "plot_heat_map": partial(ta.plots.plot_heat_map, batch, "death", "birth", "day"),
        "plot_indices": partial(ta.plots.plot_indices, sampled, "day"),
        "plot_small_multiples": partial(ta.plots.plot_small_multiples, batch, "death", "birth", "day"),
        "plot_against_published": partial(ta.plots.plot_against_published, [panel()], "Trials"),
        "plot_course": partial(ta.plots.plot_course, twin.course(), palette),
        "plot_kaplan_meier": partial(ta.plots.plot_kaplan_meier, results, "OS"),
        "plot_pathway": partial(ta.plots.plot_pathway, drugs=["letrozole"], alterations=["ESR1 fusion"]),
        "plot_responses": partial(ta.plots.plot_responses, ta.knowledge.response_matrix()),
        "plot_resistance": partial(ta.plots.plot_resistance, results),
    }


def _priced(results: Results) -> Results:
    worth = {"utility": {"without_progression": 0.8, "after_progression": 0.5}, "price": {"month": 1.0}}
    outcomes = results.outcomes.with_columns(lowest_neutrophils=2.0)
    written = {**results.experiment, **worth, "horizon_months": 60.0}
    return Results({**results.tables, "outcomes": outcomes}, written, {})


def panel() -> Panel:
    observed = pl.DataFrame({"months": [3.0, 5.0, 9.0, 60.0], "event": [True, True, True, False]})
    rates = {f"pfs{month}_published": None for month in (6, 12, 18, 24, 36)}
    return Panel(title="A trial", arms={"one": (observed, {"mpfs_mo": 5, "ci_lo": 3, "ci_hi": 9, **rates})})


def test_all_functions_follow_one_convention() -> None:
    for name in NAMES:
        signature = inspect.signature(getattr(ta.plots, name))
        ax = signature.parameters["ax"]
        assert (ax.kind, ax.default, ax.annotation) == (ax.KEYWORD_ONLY, None, "Axes | None"), name
        assert signature.return_annotation.startswith("Figure"), name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_stays_in_the_place_of_the_axes(draws: dict[str, Draw], name: str) -> None:
    figure = Figure(figsize=(24, 12), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert draws[name](ax=right) is figure
    figure.draw_without_rendering()
    drawn = [axes for axes in figure.axes if axes.has_data()]
    assert drawn
    assert left not in drawn
    edge = left.get_window_extent().x1
    assert all(axes.get_window_extent().x0 > edge for axes in drawn)
    legends = [*figure.legends, *(legend for part in figure.subfigs for legend in part.legends)]
    assert all(legend.get_window_extent().x0 > edge for legend in legends)


@pytest.mark.parametrize("name", NAMES)
def test_without_axes_the_figure_is_new(draws: dict[str, Draw], name: str) -> None:
    assert draws[name]() is not draws[name]()


@pytest.mark.parametrize("name", ["plot_kaplan_meier", "plot_resistance"])
@pytest.mark.parametrize("wrong", ["left", 3, Figure()])
def test_what_are_no_axes_is_refused(draws: dict[str, Draw], name: str, wrong: Any) -> None:
    with pytest.raises(ta.InputError, match=r"^ax: found .*; allowed: axes of matplotlib"):
        draws[name](ax=wrong)


def test_axes_without_a_place_in_a_grid_hold_no_panels(draws: dict[str, Draw]) -> None:
    ax: Axes = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ta.InputError, match=r"^ax: .*allowed: axes in a grid, as plt\.subplots"):
        draws["plot_resistance"](ax=ax)
    assert draws["plot_kaplan_meier"](ax=ax) is ax.figure


def test_curves_are_drawn_in_the_axes_themselves(draws: dict[str, Draw]) -> None:
    ax = Figure().subplots()
    draws["plot_kaplan_meier"](ax=ax, titled=False)
    assert ax.get_ylabel() == "Alive (%)"
    assert ax.figure.axes == [ax]
