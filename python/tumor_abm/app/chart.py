"""One live chart, and the axes that charts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.plots.thinning import extremes

Option = dict[str, Any]
Points = list[list[float | None]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Axes on which several charts, and several patients, are shown.

    Attributes
    ----------
    end
        Last month since enrolment.
    strip
        Width that the growth before enrolment has on the axis of time, in months of that axis; 0: none.
    first
        Month of the first cell, negative.
    cells
        Top of the axis of cells, as a power of ten.
    mm, vaf_pct, drug_pct, neutrophils
        Tops of the other axes: mm, %, % of the usual steady state, 1e9 per litre.
    """

    end: float
    strip: float
    first: float
    cells: float
    mm: float
    vaf_pct: float
    drug_pct: float
    neutrophils: float

    def place(self, months: Floats) -> Floats:
        """Return where months lie on the axis of time: before enrolment it is drawn together."""
        if not self.strip:
            return months
        return np.where(months < 0, months * (self.strip / -self.first), months)


@dataclass
class Chart:
    """One chart.

    Attributes
    ----------
    key
        What it is known by.
    title, unit
        What is drawn, and the unit of the vertical axis.
    axis
        Of the vertical axis, as ECharts has it; ``power_of_ten``: its labels are exponents.
    series
        Curves and points, as ECharts has them.
    legend
        Names of the series that are named above the chart, with their colours.
    limits
        Horizontal lines: value to label.
    named_lines
        Whether the lines of therapy are named in this chart.
    """

    key: str
    title: str
    unit: str
    axis: Option
    series: list[Option]
    legend: dict[str, str] = field(default_factory=dict)
    limits: dict[float, str] = field(default_factory=dict)
    named_lines: bool = False

    def panel(self, frame: Frame, bands: list[Option]) -> Option:
        """Return the chart as the page's component for charts takes it."""
        axis = dict(self.axis)
        power_of_ten = axis.pop("power_of_ten", False)
        return {
            "key": self.key,
            "title": self.title,
            "unit": self.unit,
            "legend": [{"name": name, "colour": colour} for name, colour in self.legend.items()],
            "powerOfTen": power_of_ten,
            "first": round(frame.first, 3),
            "strip": round(frame.strip, 3),
            "end": round(frame.end, 3),
            "yAxis": axis,
            "series": self.series,
            "bands": bands,
            "namedLines": self.named_lines,
            "limits": [{"at": value, "name": name} for value, name in self.limits.items()],
        }


def line(name: str, colour: str, data: Points, width: float) -> Option:
    """Return a curve."""
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "lineStyle": {"width": width, "color": colour},
        "itemStyle": {"color": colour},
        "data": data,
    }


def curve(days: Floats, values: Floats, most: int) -> Points:
    """Return about so many points of a curve, its extremes and its gaps among them."""
    shown = extremes(values, most, steady=True)
    return points(days[shown], values[shown])


def rising(days: Floats, cells: Floats, most: int) -> Points:
    """Return counts of cells for a log axis, on which no cell is a gap.

    Parameters
    ----------
    days, cells
        The curve.
    most
        Points, about.
    """
    with np.errstate(divide="ignore"):
        logs = np.where(cells >= 1, np.log10(np.maximum(cells, 1)), np.nan)
    shown = extremes(logs, most, steady=True)
    return _paired(days[shown] / DAYS_PER_MONTH, logs[shown])


def points(days: Floats, values: Floats, said: Floats | None = None) -> Points:
    """Pair days, as months, with values; `said` is what is told of them where that differs."""
    return _paired(days / DAYS_PER_MONTH, values, said)


def _paired(months: Floats, values: Floats, said: Floats | None = None) -> Points:
    """Pair months with values to three figures or so; what is not a number is a gap."""
    columns = [np.round(months, 3), np.round(values.astype(float), 3)]
    if said is not None:
        columns.append(said)
    return [
        [None if value != value else value for value in row]
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
