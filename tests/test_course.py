"""The figure of a patient, and the page's charts, draw what was seen of the patient."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from matplotlib.colors import to_hex
from tumor_abm.app.charts import panels_of
from tumor_abm.app.growth import Growth
from tumor_abm.app.record import Record
from tumor_abm.app.twin import Twin
from tumor_abm.plots.course import Course, plot_course
from tumor_abm.plots.genotypes import OTHERS, Palette
from tumor_abm.plots.hues import difference
from tumor_abm.plots.layers import OTHER, layers_of, legend_of

DRIVERS = [f"driver {number}" for number in range(30)]
SMALL = [f"small {number}" for number in range(200)]
ONE_ARM = {"title": "x", "question": "x?", "arm": [{"name": "a", "line": [{"regimen": ["letrozole"]}]}]}


def clones_of(shares: dict[str, float]) -> pl.DataFrame:
    """A tumour of the founder that turns into one of such shares within 100 days."""
    rows = [(0.0, "wild type", 1e9)]
    for day in (50.0, 100.0):
        grown = {name: 1e9 * share * day / 100 for name, share in shares.items() if name != "wild type"}
        rows += [
            (day, name, cells) for name, cells in {"wild type": 1e9 - sum(grown.values()), **grown}.items()
        ]
    table = pl.DataFrame(rows, schema=["day", "genotype", "cells"], orient="row")
    alterations = [[] if name == "wild type" else [name] for name in table["genotype"]]
    return table.insert_column(2, pl.Series("alterations", alterations, pl.List(pl.String)))


@pytest.fixture(scope="module")
def lived() -> tuple[Course, Palette]:
    """A patient whose tumour has thirty drivers of 2%, and two hundred genotypes of 0.1%."""
    twin = Twin(ta.TumorModel(rng=1, founder=[], collect_every_days=0), "as planned")
    twin.advance(100)
    clones = clones_of({"wild type": 0.2, **dict.fromkeys(DRIVERS, 0.02), **dict.fromkeys(SMALL, 0.001)})
    palette = Palette()
    for genotype in ((), *((driver,) for driver in DRIVERS)):
        palette.give(genotype)
    return Course(**twin.course().tables | {"clones": clones}), palette


def live(course: Course, palette: Palette) -> list[dict[str, Any]]:
    """The charts of the page, of a tumour of which no growth is known."""
    (panels,) = panels_of([(course, palette, Growth({}, {}))])
    return panels


def series_of(course: Course, palette: Palette) -> list[dict[str, Any]]:
    """All curves and points of the charts of the page; names on the plot apart."""
    return [series for panel in live(course, palette) for series in panel["series"] if "said" not in series]


def truth(course: Course) -> dict[str, float]:
    """The shares of the last day."""
    last = course.clones.filter(pl.col("day") == pl.col("day").max())
    return dict(last.select("genotype", pl.col("cells") / pl.col("cells").sum()).iter_rows())


def expected(course: Course) -> dict[str, float]:
    shares = truth(course)
    own = {name: share for name, share in shares.items() if name not in SMALL}
    own["wild type (founder)"] = own.pop("wild type")
    own = {f"+ {name}" if name in DRIVERS else name: share for name, share in own.items()}
    return own | {OTHER: sum(shares[name] for name in SMALL)}


def test_drawn_heights_are_the_fractions_of_genotypes(lived: tuple[Course, Palette]) -> None:
    course, palette = lived
    figure = plot_course(course, palette)
    names = {colour.lower(): name for name, colour in legend_of(course.clones, palette).items()}
    drawn = dict.fromkeys(names.values(), 0.0)
    for band in figure.axes[0].collections:
        (path,) = band.get_paths()
        ends = path.vertices[path.vertices[:, 0] == path.vertices[:, 0].max()][:, 1]
        drawn[names[to_hex(band.get_facecolor()[0])]] += (ends.max() - ends.min()) / 100
    assert drawn == pytest.approx(expected(course))


def test_the_page_draws_the_same_heights(lived: tuple[Course, Palette]) -> None:
    course, palette = lived
    layers = [series for series in series_of(course, palette) if "areaStyle" in series]
    tops = [layer["data"][-1][1] / 100 for layer in layers]
    drawn: dict[str, float] = {}
    for layer, height in zip(layers, np.diff([0, *tops]), strict=True):
        drawn[layer["name"]] = drawn.get(layer["name"], 0.0) + height
    assert drawn == pytest.approx(expected(course), abs=2e-5)  # the page rounds to 0.001%


def test_layers_add_up_on_every_day(lived: tuple[Course, Palette]) -> None:
    course, palette = lived
    _, layers = layers_of(course.clones, palette)
    assert sum(layer.share for layer in layers) == pytest.approx(np.ones(3))


def test_many_drivers_keep_colours_that_can_be_told_apart(lived: tuple[Course, Palette]) -> None:
    course, palette = lived
    named = legend_of(course.clones, palette)
    assert len(named) == 1 + len(DRIVERS) + 1
    assert named[OTHER] == OTHERS == palette["never given a colour",]
    # 2.3 can just be seen (Mahy, Van Eycken and Oosterlinck 1994, Color Res Appl 19:105).
    assert min(difference(one, other) for one, other in combinations(named.values(), 2)) > 4 * 2.3


@pytest.mark.parametrize(("columns", "width_in"), [(1, 7.2), (2, 9.0), (1, 4.0)])
def test_legend_names_every_genotype_inside_the_figure(
    lived: tuple[Course, Palette], columns: int, width_in: float
) -> None:
    course, palette = lived
    figure = plot_course(course, palette, columns=columns, width_in=width_in)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == expected(course).keys()
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.y0 >= 0
    assert all(box.y1 <= axes.get_position().y0 * figure.bbox.y1 for axes in figure.axes)


def test_small_genotypes_get_colours_until_nine_tenths_of_the_tumour_have_one() -> None:
    twin = Twin(ta.TumorModel(rng=1, collect_every_days=0), "as planned")
    twin.advance(30)
    living = twin.model.genotypes
    coloured = living.filter(pl.Series([tuple(each) in twin.palette for each in living["alterations"]]))
    assert coloured["fraction"].sum() >= 0.9


def test_progression_without_a_measurable_lesion_is_drawn() -> None:
    def lived(rng: int) -> Course:
        model = ta.TumorModel(ONE_ARM, covariates={"bone_only": True, "visceral": False}, rng=rng)
        model.run()
        return Record(model).course(model)

    # The first patient who does not live to the end without.
    unmeasured = pl.col("sld_mm").is_null() & (pl.col("response") == "PD")
    course = next(one for one in map(lived, range(1, 7)) if one.assessments.filter(unmeasured).height)
    figure = plot_course(course, Palette())
    figure.draw_without_rendering()
    (panel,) = [axes for axes in figure.axes if "diameters" in axes.get_title(loc="left")]
    assert any(text.get_text().startswith("PD") for text in panel.texts)


@pytest.mark.parametrize("limit", [0.001, 0.02])
def test_limit_of_detection_is_that_of_the_experiment(limit: float) -> None:
    assay = {"genes": ["ESR1"], "limit_of_detection": limit}
    model = ta.TumorModel(ONE_ARM | {"liquid_biopsy": assay}, rng=1, collect_every_days=0)
    assert model.limit_of_detection == limit
    course = Record(model).course(model)
    (panel,) = [axes for axes in plot_course(course, Palette()).axes if "ctDNA" in axes.get_title(loc="left")]
    assert [line.get_ydata()[0] for line in panel.lines if list(line.get_xdata()) == [0, 1]] == [100 * limit]
    limits = [mark for panel in live(course, Palette()) for mark in panel["limits"]]
    assert [mark["at"] for mark in limits if mark["name"] == "limit of detection"] == [100 * limit]


def test_no_limit_of_detection_is_drawn_without_liquid_biopsies() -> None:
    model = ta.TumorModel(ONE_ARM, rng=1, collect_every_days=0)
    assert model.limit_of_detection is None
    assert "limit of detection" not in str(live(Record(model).course(model), Palette()))


def dips(curve: np.ndarray[Any, Any], below: float) -> int:
    """Count how often a curve goes below a value."""
    under = curve < below
    return int(under[0]) + int((under[1:] & ~under[:-1]).sum())


def of_days(**columns: Any) -> Course:
    """Return a course of which only some columns of `states`, one a day, are of interest."""
    days = len(next(iter(columns.values())))
    states = {"cells": 1e9, "sld_mm": 30.0, "neutrophils": 3.0, **columns}
    table = pl.DataFrame({"day": np.arange(days, dtype=float)}).with_columns(
        pl.lit(value).alias(name) if isinstance(value, float) else pl.Series(name, value, pl.Float64)
        for name, value in states.items()
    )
    wild_type = pl.lit("wild type").alias("genotype"), pl.lit([], pl.List(pl.String)).alias("alterations")
    clones = table.select("day", *wild_type, "cells").drop_nulls()
    empty = pl.DataFrame(schema={"day": pl.Float64})
    return Course(
        states=table,
        clones=clones,
        concentrations=empty.with_columns(drug=pl.lit(""), relative=pl.lit(0.0)),
        assessments=empty.with_columns(
            response=pl.lit(""), sld_mm=pl.lit(0.0), sld_change=pl.lit(0.0), new_lesions=pl.lit(0)
        ),
        liquid_biopsies=empty.with_columns(gene=pl.lit(""), vaf=pl.lit(0.0)),
        lines=pl.DataFrame({"line": [1], "regimen": ["letrozole"], "start_day": [0.0], "end_day": [None]}),
        events=empty,
    )


def drawn_by_the_page(course: Course, curve: str) -> list[np.ndarray[Any, Any]]:
    """Return the curves of that name on the page, as points (month, value)."""
    found = [series["data"] for series in series_of(course, Palette()) if series.get("name") == curve]
    return [np.array(points, dtype=float)[:, :2] for points in found]


def drawn_by_the_figure(course: Course, panel: str) -> list[np.ndarray[Any, Any]]:
    """Return the curves of a panel of the figure, as points (month, value)."""
    (axes,) = [axes for axes in plot_course(course, Palette()).axes if panel in axes.get_title(loc="left")]
    return [np.asarray(line.get_xydata(), dtype=float) for line in axes.lines if len(line.get_xydata()) > 2]


def test_every_dip_of_the_neutrophils_is_drawn() -> None:
    neutrophils = np.full(36 * 28, 3.0)
    neutrophils[20::28] = 0.4  # a day of each of 36 cycles
    course = of_days(neutrophils=neutrophils)
    (page,) = drawn_by_the_page(course, "neutrophils")
    (figure,) = drawn_by_the_figure(course, "Neutrophils")
    for curve in (page, figure):
        assert dips(curve[:, 1], 0.5) == 36
        assert curve[[0, -1], 0] * 30.4375 == pytest.approx([0, 36 * 28 - 1], abs=0.02)
    assert len(page) < len(neutrophils) / 2


def test_dips_of_the_burden_and_of_each_genotype_are_drawn() -> None:
    cells = np.full(36 * 29, 1e9)
    cells[20::29] = 1e5
    course, palette = of_days(cells=cells), Palette()
    palette.give(())
    for curve in ("all", "wild type (founder)"):
        (points,) = [
            series["data"]
            for series in series_of(course, palette)
            if series.get("name") == curve and series["lineStyle"]["width"]
        ]
        assert dips(np.array(points)[:, 1], 7) == 36


def test_no_line_is_drawn_over_days_without_a_drug() -> None:
    course = of_days(neutrophils=np.full(900, 3.0))
    on = [*range(100), *range(400, 500), *range(880, 900)]
    taken = pl.DataFrame({"day": np.array(on, dtype=float), "drug": "letrozole", "relative": 1.0})
    course = replace(course, concentrations=taken)
    (page,) = drawn_by_the_page(course, "letrozole")
    (figure,) = drawn_by_the_figure(course, "Drugs")
    for curve in (page, figure):
        days, drawn = curve[:, 0] * 30.4375, curve[:, 1]
        for start, end in ((100, 400), (500, 880)):
            without = (days > start - 0.5) & (days < end - 0.5)
            assert without.any()
            assert np.isnan(drawn[without]).all()
        known = days[~np.isnan(drawn)]
        assert {round(day) for day in known} >= {0, 99, 400, 499, 880, 899}


def test_genotypes_are_drawn_from_the_first_day_to_the_last() -> None:
    course, palette = of_days(cells=np.full(1000, 1e9)), Palette()
    palette.give(())
    days, _ = layers_of(course.clones, palette, 100)
    assert days[[0, -1]].tolist() == [0, 999]
    assert len(days) == 100
