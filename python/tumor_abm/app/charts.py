"""The live charts, drawn by the browser: what `plot_course` draws on paper, as an option of ECharts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
import polars as pl
import solara

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.boundary import part
from tumor_abm.plots.course import (
    BANDS,
    NEUTROPENIA,
    RESPONSES,
    SERIES,
    Course,
    spans,
)
from tumor_abm.plots.genotypes import Palette
from tumor_abm.plots.layers import cells_over_time, genotypes_of, layers_of
from tumor_abm.plots.style import INK, MUTED
from tumor_abm.plots.thinning import extremes

POINTS = 320
"""Points of a live curve, about."""

_DAYS = 160
"""Days of the genotypes' shares."""

_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 58, 10, 30, 34
_GAP_X_PX, _GAP_Y_PX = 62, 44
_NARROWEST_NAMED = 0.07
_MOST_CURVES = 12
_LEGEND_LESS_PCT = 9  # by which a legend is narrower than a column
_NAMING = 1  # the chart of burden names the lines: it has room at its foot

Option = dict[str, Any]


@dataclass
class Chart:
    """One chart.

    Attributes
    ----------
    title, unit
        What is drawn, and the unit of the vertical axis.
    axis
        Of the vertical axis, as ECharts has it.
    series
        Curves and points, as ECharts has them.
    legend
        Names of the series that are named on the chart.
    limits
        Horizontal lines: value to label.
    filled
        Whether the series fill the chart, so that the legend needs a ground of its own.
    """

    title: str
    unit: str
    axis: Option
    series: list[Option]
    legend: list[str] = field(default_factory=list)
    limits: dict[float, str] = field(default_factory=dict)
    filled: bool = False


@part("The charts")
def Charts(option: Option, height_px: int) -> None:
    """Show charts."""
    solara.FigureEcharts(
        option=option, attributes={"style": f"height: {height_px}px; width: 100%"}, responsive=True
    )


def option_of(course: Course, palette: Palette, *, columns: int, height_px: int) -> Option:
    """Return the charts of a patient.

    Parameters
    ----------
    course
        What was seen so far.
    palette
        Colours of genotypes.
    columns
        Charts side by side.
    height_px
        Height of all charts together.
    """
    panels = [make(course, palette) for make in _panels(course)]
    rows = -(-len(panels) // columns)
    last = float(course.states["day"][-1]) / DAYS_PER_MONTH
    end = max(3.0, last)
    places = [_place(at % rows, at // rows, rows, columns, height_px) for at in range(len(panels))]
    bands = _bands(course.lines, end)
    return {
        "animation": False,
        "textStyle": {"color": INK, "fontFamily": "Roboto, Arial, sans-serif"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "lineStyle": {"color": MUTED}},
        "tooltip": {"trigger": "item", "formatter": "{b}", "confine": True, "textStyle": {"fontSize": 11}},
        "grid": places,
        "title": [
            {
                "text": f"{panel.title}  {{u|{panel.unit}}}",
                "left": place["title_left"],
                "top": place["top"] - 24,
                "textStyle": {
                    "fontSize": 12,
                    "color": INK,
                    "rich": {"u": {"fontSize": 11, "color": MUTED, "fontWeight": "normal"}},
                },
            }
            for panel, place in zip(panels, places, strict=True)
        ],
        "legend": [
            _legend(panel, place) for panel, place in zip(panels, places, strict=True) if panel.legend
        ],
        "xAxis": [
            _time_axis(at, end, at % rows == rows - 1 or at == len(panels) - 1) for at in range(len(panels))
        ],
        "yAxis": [{**_AXIS, **panel.axis, "gridIndex": at} for at, panel in enumerate(panels)],
        "series": [
            {**series, "xAxisIndex": at, "yAxisIndex": at}
            for at, panel in enumerate(panels)
            for series in [
                _ground(panel, bands),
                *panel.series,
                *([_names_of_lines(bands, end)] if at == _NAMING else []),
            ]
        ],
    }


_AXIS: Option = {
    "type": "value",
    "axisLabel": {"fontSize": 10, "color": INK},
    "axisLine": {"show": True, "lineStyle": {"color": MUTED}},
    "axisTick": {"show": True, "length": 3},
    "splitLine": {"show": False},
    "splitNumber": 3,
}


_POWER_OF_TEN: Option = {
    "formatter": "10{raised|{value}}",
    "rich": {"raised": {"fontSize": 8, "color": INK, "padding": [0, 0, 6, 1]}},
}


def _panels(course: Course) -> Iterator[Callable[[Course, Palette], Chart]]:
    yield from (_genotypes, _burden, _diameters, _ctdna, _drugs)
    if course.states["neutrophils"].drop_nulls().len():
        yield _neutrophils


def _genotypes(course: Course, palette: Palette) -> Chart:
    days, layers = layers_of(course.clones, palette, _DAYS)
    months = _months(days)
    series: list[Option] = []
    top = np.zeros(len(days))
    # Every layer reaches down to the axis; the lower ones are drawn over the higher ones. A layer is known
    # by its place, so that the browser keeps the order when layers come and go.
    for place, layer in enumerate(layers):
        top = top + 100 * layer.share
        series.append(
            {
                "id": f"layer {place}",
                "name": layer.name,
                "type": "line",
                "symbol": "none",
                "silent": True,
                "lineStyle": {"width": 0},
                "itemStyle": {"color": layer.colour},
                "areaStyle": {"color": layer.colour, "opacity": 1, "origin": "start"},
                "data": _points(months, top),
                "z": 3 - place / 100,
            }
        )
    named = list(dict.fromkeys(layer["name"] for layer in series))
    axis = {"min": 0, "max": 100, "splitNumber": 2}
    return Chart("Genotypes", "% of living cells", axis, series, legend=named, filled=True)


def _burden(course: Course, palette: Palette) -> Chart:
    peaks = course.clones.group_by("genotype").agg(pl.col("cells").max()).sort("cells", descending=True)
    genotypes = genotypes_of(course.clones)
    largest = [name for name in peaks["genotype"] if genotypes[name] in palette][:_MOST_CURVES]
    shown = course.clones.filter(pl.col("genotype").is_in(largest))
    days, cells = cells_over_time(shown, course.states["day"])
    series = [
        _line(name, palette[genotypes[name]], _curve(days, _log10(cells[genotypes[name]])), 1.2)
        for name in largest
    ]
    total = course.states["cells"].to_numpy()
    series.append(_line("all", INK, _curve(days, _log10(total)), 2.0))
    most = float(total.max(initial=1.0))
    top = 3 * float(np.ceil(np.log10(max(most, 10.0)) / 3))
    axis = {
        "min": 0,
        "max": top,
        "interval": 3,
        "axisLabel": {**_AXIS["axisLabel"], **_POWER_OF_TEN},
    }
    return Chart("Burden", "living cells, log scale", axis, series)


def _diameters(course: Course, palette: Palette) -> Chart:
    states = course.states
    series = [_line("true", MUTED, _curve(states["day"].to_numpy(), states["sld_mm"].to_numpy()), 1.2)]
    scans = course.assessments
    seen: list[str] = []
    for response, colour in RESPONSES.items():
        rows = scans.filter(pl.col("response") == response).drop_nulls("sld_mm")
        if not rows.height:
            continue
        seen.append(response)
        series.append(
            {
                "name": response,
                "type": "scatter",
                "symbolSize": 8 if response != "PD" else 11,
                "symbol": "circle" if response != "PD" else "triangle",
                "itemStyle": {"color": colour, "borderColor": "white", "borderWidth": 0.6},
                "data": [
                    {
                        "name": _scan_in_words(row),
                        "value": [round(row["day"] / DAYS_PER_MONTH, 3), row["sld_mm"]],
                    }
                    for row in rows.iter_rows(named=True)
                ],
            }
        )
    return Chart("Sum of longest diameters, RECIST 1.1", "mm", {"min": 0}, series, legend=seen)


def _ctdna(course: Course, palette: Palette) -> Chart:
    readings = course.liquid_biopsies
    floor = course.undetected_pct
    series, seen = [], []
    for place, gene in enumerate(readings["gene"].unique(maintain_order=True) if readings.height else []):
        own = readings.filter(pl.col("gene") == gene)
        if not own["vaf"].max():
            continue
        seen.append(gene)
        percent = np.maximum(own["vaf"].to_numpy() * 100, floor)
        series.append(
            {
                **_line(
                    gene, SERIES[place % len(SERIES)], _points(_months(own["day"].to_numpy()), percent), 1.4
                ),
                "symbol": "circle",
                "symbolSize": 5,
            }
        )
    most = 100 * float(readings["vaf"].max() or 0.0) if readings.height else 0.0  # type: ignore[arg-type]
    axis = {"type": "log", "min": floor, "max": 10 if most < 8 else 100}
    unit = (
        "% variant allele fraction, log scale" if seen else "% variant allele fraction: nothing found so far"
    )
    limits = {100 * course.detection_limit: "limit of detection"} if course.detection_limit else {}
    return Chart("ctDNA", unit, axis, series, legend=seen, limits=limits)


def _drugs(course: Course, palette: Palette) -> Chart:
    taken, days = course.concentrations, course.states["day"].to_numpy()
    series = [
        _line(drug, SERIES[place % len(SERIES)], _curve(days, 100 * course.concentration(drug)), 1.2)
        for place, drug in enumerate(course.drugs)
    ]
    most = 100 * float(taken["relative"].max() or 1.0) if taken.height else 100.0  # type: ignore[arg-type]
    return Chart(
        "Drugs",
        "% of usual steady state",
        {"min": 0, "max": max(150.0, round(1.3 * most, -1))},
        series,
        legend=course.drugs,
    )


def _neutrophils(course: Course, palette: Palette) -> Chart:
    points = _curve(course.states["day"].to_numpy(), course.states["neutrophils"].to_numpy())
    limits = {below: grade for grade, below in NEUTROPENIA.items()}
    return Chart(
        "Neutrophils", "10⁹/L", {"min": 0}, [_line("neutrophils", SERIES[0], points, 1.3)], limits=limits
    )


def _line(name: str, colour: str, points: list[list[float | None]], width: float) -> Option:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "lineStyle": {"width": width, "color": colour},
        "itemStyle": {"color": colour},
        "data": points,
    }


def _ground(panel: Chart, bands: list[Option]) -> Option:
    """Return the series without points that carries bands and limits."""
    return {
        "type": "line",
        "data": [],
        "silent": True,
        "z": 0,
        "markArea": {
            "silent": True,
            "label": {"show": False},
            "data": [
                [{**band, "itemStyle": {"color": colour}}, {"xAxis": band["until"]}]
                for band, colour in zip(bands, cycle(BANDS), strict=False)
            ],
        },
        "markLine": {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": MUTED, "width": 0.8, "type": "dashed"},
            "label": {"position": "insideEndTop", "formatter": "{b}", "fontSize": 9, "color": MUTED},
            "data": [
                {"yAxis": value, "name": label, "label": {"position": f"insideEnd{side}"}}
                for (value, label), side in zip(panel.limits.items(), ("Top", "Bottom"), strict=False)
            ],
        },
    }


def _names_of_lines(bands: list[Option], end: float) -> Option:
    """Return the series without points that writes the numbers of the lines of therapy above all else."""
    wide = [band for band in bands if band["until"] - band["xAxis"] > _NARROWEST_NAMED * end]
    return {
        "type": "line",
        "data": [],
        "silent": True,
        "markArea": {
            "z": 9,
            "silent": True,
            "itemStyle": {"color": "transparent"},
            "label": {"position": "insideTop", "fontSize": 10, "color": INK},
            "data": [[band, {"xAxis": band["until"]}] for band in wide],
        },
    }


def _bands(lines: pl.DataFrame, end: float) -> list[Option]:
    return [{"name": name, "xAxis": start, "until": stop} for start, stop, name in spans(lines, end)]


def _place(row: int, column: int, rows: int, columns: int, height_px: int) -> Option:
    """Where a chart stands: columns share the width, rows the height."""
    inner = (height_px - _TOP_PX - _BOTTOM_PX - (rows - 1) * _GAP_Y_PX) / rows
    share = 100 / columns
    return {
        "left": _LEFT_PX if column == 0 else f"{column * share + 100 * _GAP_X_PX / 1500:.2f}%",
        "right": f"{100 - (column + 1) * share + 0.8:.2f}%",
        "top": _TOP_PX + row * (inner + _GAP_Y_PX),
        "height": inner,
        "legend_width": f"{share - _LEGEND_LESS_PCT:.0f}%",
        "title_left": 8 if column == 0 else f"{column * share + 0.4:.2f}%",
    }


def _time_axis(at: int, end: float, named: bool) -> Option:
    return {
        **_AXIS,
        "gridIndex": at,
        "min": 0,
        "max": end,
        "splitNumber": 6,
        "axisLabel": {"fontSize": 10, "color": INK, "showMaxLabel": False},
        "axisPointer": {"show": True, "label": {"show": False}},
        "name": "months since enrolment" if named else "",
        "nameLocation": "middle",
        "nameGap": 20,
        "nameTextStyle": {"fontSize": 11, "color": INK},
    }


def _legend(panel: Chart, place: Option) -> Option:
    return {
        "type": "scroll",
        "backgroundColor": "rgba(255, 255, 255, 0.8)" if panel.filled else "transparent",
        "padding": 2,
        "data": panel.legend,
        "left": place["left"],
        "width": place["legend_width"],
        "top": place["top"] - 2,
        "itemWidth": 12,
        "itemHeight": 7,
        "itemGap": 8,
        "selectedMode": False,
        "textStyle": {"fontSize": 10},
    }


def _scan_in_words(row: dict[str, Any]) -> str:
    change = row["sld_change"]
    changed = "" if change is None or change != change else f" ({change:+.0%} from baseline)"
    new = f", {row['new_lesions']} new lesions" if row["new_lesions"] else ""
    return f"day {row['day']:.0f}: {row['sld_mm']:.0f} mm{changed}{new}, {row['response']}"


def _months(days: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.round(days / DAYS_PER_MONTH, 3)


def _curve(days: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> list[list[float | None]]:
    """Return the points of a curve, with its extremes and its gaps."""
    shown = extremes(values, POINTS)
    return _points(_months(days[shown]), values[shown])


def _points(months: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> list[list[float | None]]:
    """Pair months with values to three figures or so; what is not a number is a gap."""
    rounded = np.round(values.astype(float), 3)
    return [
        [month, None if value != value else value]
        for month, value in zip(months.tolist(), rounded.tolist(), strict=True)
    ]


def _log10(cells: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.log10(np.where(cells >= 1, cells, np.nan))
