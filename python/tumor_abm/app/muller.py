"""The live Muller plot: genotypes, descendants inside their parent, each named where it is widest."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.genotype import named
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.chart import Chart, Frame, Option
from tumor_abm.app.growth import Growth
from tumor_abm.plots.course import Course
from tumor_abm.plots.genotypes import Palette, as_rgb
from tumor_abm.plots.layers import Layer, layers_of
from tumor_abm.plots.style import INK
from tumor_abm.plots.thinning import steadily

_DAYS = 160
_DAYS_OF_GROWTH = 24
_LEAST_NAMED_PCT = 14.0
_HALF_A_LETTER = 0.0095  # of the width
_LIGHT = 150.0

Floats = NDArray[np.float64]


def genotypes_chart(course: Course, palette: Palette, growth: Growth, frame: Frame) -> Chart:
    """Return the Muller plot of a patient.

    Every layer reaches down to the axis; the lower ones are drawn over the higher ones.

    Parameters
    ----------
    course, palette, growth
        The patient.
    frame
        The axis of time.
    """
    days, layers = layers_of(whole_life(course, growth), palette, _DAYS + _DAYS_OF_GROWTH)
    months = np.round(days / DAYS_PER_MONTH, 3)
    series: list[Option] = []
    top = np.zeros(len(days))
    for place, layer in enumerate(layers):
        middle = top + 50 * layer.share
        top = top + 100 * layer.share
        series.append(_layer(place, layer, months, top))
        series += _name(
            layer, months, middle, frame, given={each["name"] for each in series if "label" in each}
        )
    axis = {"min": 0, "max": 100, "splitNumber": 2}
    return Chart("genotypes", "Genotypes", "% of living cells", axis, series)


def whole_life(course: Course, growth: Growth) -> pl.DataFrame:
    """Return cells per genotype from the first cell on, as `Course.clones`."""
    known = course.clones["day"].unique(maintain_order=True)
    lived = course.clones.filter(pl.col("day").is_in(known[steadily(known.len(), _DAYS)].implode()))
    days = growth.days(_DAYS_OF_GROWTH)[:-1]
    founder = course.clones.head(1)
    rows = [
        (day, named(genotype), list(genotype), cells)
        for genotype in growth.cells
        for day, cells in zip(days.tolist(), growth.on(genotype, days).tolist(), strict=True)
        if cells > 0
    ]
    grown = pl.DataFrame(rows, schema=lived.schema, orient="row").sort("day", maintain_order=True)
    return pl.concat([founder.with_columns(day=pl.lit(growth.first_day), cells=pl.lit(0.0)), grown, lived])


def _layer(place: int, layer: Layer, months: Floats, top: Floats) -> Option:
    """Return a layer, known by its place so that the browser keeps the order when layers come and go."""
    data = np.column_stack([months, np.round(top, 3), np.round(100 * layer.share, 3)])
    return {
        "id": f"layer {place}",
        "name": layer.name,
        "type": "line",
        "symbol": "none",
        "lineStyle": {"width": 0},
        "itemStyle": {"color": layer.colour},
        "areaStyle": {"color": layer.colour, "opacity": 1, "origin": "start"},
        "data": data.tolist(),
        "z": 3 - place / 100,
    }


def _name(layer: Layer, months: Floats, middle: Floats, frame: Frame, given: set[str]) -> list[Option]:
    """Return the name of a layer, at its widest place, if there is room and it is not named yet."""
    start, end, places = -frame.strip, frame.end, frame.place(months)
    width = end - start
    edge = _HALF_A_LETTER * len(layer.name) * width
    inside = (places >= start + edge) & (places <= end - edge)
    shares = np.where(inside, layer.share, 0.0)
    widest = int(np.argmax(shares))
    if 100 * shares[widest] < _LEAST_NAMED_PCT or layer.name in given:
        return []
    red, green, blue = as_rgb(layer.colour)
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > _LIGHT
    return [
        {
            "name": layer.name,
            "type": "scatter",
            "silent": True,
            "symbolSize": 0,
            "z": 9,
            "said": True,
            "label": {
                "show": True,
                "formatter": "{a}",
                "fontSize": 10,
                "color": INK if is_light else "#FFFFFF",
            },
            "data": [[float(months[widest]), round(float(middle[widest]), 3)]],
        }
    ]
