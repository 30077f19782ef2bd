"""The live charts, drawn by the browser: what `plot_course` draws on paper, as options of ECharts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._base.genotype import Genotype
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.chart import Chart, Frame, Option, curve, line, points, rising
from tumor_abm.app.growth import Growth
from tumor_abm.app.muller import genotypes_chart
from tumor_abm.plots.course import BANDS, NEUTROPENIA, RESPONSES, SERIES, Course, spans
from tumor_abm.plots.genotypes import Palette, short
from tumor_abm.plots.layers import cells_over_time
from tumor_abm.plots.style import INK, MUTED

POINTS = 320
"""Points of a live curve, about."""

_POINTS_OF_GROWTH = 24
_STRIP = 0.16  # least share of the width that the growth before enrolment has
_STRIP_AT_FIRST = 0.8  # its share as long as nothing else is known
_STRIP_NARROWS_MONTHS = 2.0
_LEAST_MONTHS = 3.0
_NARROWEST_NAMED = 0.07
_MOST_CURVES = 12
_LEAST_MM, _LEAST_NEUTROPHILS, _LEAST_PCT = 10.0, 2.0, 150.0

Patient = tuple[Course, Palette, Growth]
"""What was seen of one, its colours, and its growth before enrolment."""


def panels_of(patients: Sequence[Patient]) -> Iterator[list[Option]]:
    """Yield the charts of each patient; patients that are compared have the same axes.

    Parameters
    ----------
    patients
        One, or twins.
    """
    frame = frame_of(patients)
    for course, palette, growth in patients:
        charts = [
            genotypes_chart(course, palette, growth, frame),
            _burden(course, palette, growth, frame),
        ]
        if _is_known(course.states["sld_mm"]):  # there is a clinic
            charts += [_diameters(course, frame), _ctdna(course, frame), _drugs(course, frame)]
        if _is_known(course.states["neutrophils"]):
            charts.append(_neutrophils(course, frame))
        bands = list(_bands(course.lines, frame.end))
        yield [chart.panel(frame, bands) for chart in charts]


def frame_of(patients: Sequence[Patient]) -> Frame:
    """Return the axes on which all of these patients can be shown."""
    courses = [course for course, _, _ in patients]
    last = max(float(course.states["day"][-1]) for course in courses) / DAYS_PER_MONTH
    end = max(_LEAST_MONTHS, last)
    share = max(_STRIP, _STRIP_AT_FIRST * math.exp(-last / _STRIP_NARROWS_MONTHS))
    first = min(growth.first_day for _, _, growth in patients) / DAYS_PER_MONTH
    most = {
        column: max(_most(course.states[column]) for course in courses)
        for column in ("cells", "sld_mm", "neutrophils")
    }
    scanned = max(_most(course.assessments["sld_mm"]) for course in courses)
    vaf = max(_most(course.liquid_biopsies["vaf"]) for course in courses)
    taken = max(_most(course.concentrations["relative"]) for course in courses)
    return Frame(
        end=end,
        strip=end * share / (1 - share) if first < 0 else 0.0,
        first=first,
        cells=3 * float(np.ceil(np.log10(max(most["cells"], 10.0)) / 3)),
        mm=_round_up(max(most["sld_mm"], scanned, _LEAST_MM)),
        vaf_pct=10.0 if 100 * vaf < 8 else 100.0,
        drug_pct=max(_LEAST_PCT, float(np.ceil(130 * taken / 50) * 50)),
        neutrophils=_round_up(max(most["neutrophils"], _LEAST_NEUTROPHILS)),
    )


def _burden(course: Course, palette: Palette, growth: Growth, frame: Frame) -> Chart:
    days, cells = cells_over_time(course.clones, course.states["day"])
    founder = next(iter(cells), ())
    coloured = [genotype for genotype in cells if genotype in palette]
    largest = sorted(coloured, key=lambda genotype: float(cells[genotype].max()), reverse=True)
    series: list[Option] = []
    for genotype in largest[:_MOST_CURVES]:
        grown = _grown(growth, genotype)
        lived = rising(days, cells[genotype], POINTS)
        series.append(line(short(genotype, founder), palette[genotype], [*grown, *lived], 1.3))
    total = course.states["cells"].to_numpy().astype(float)
    before = growth.days(_POINTS_OF_GROWTH)
    grown_all = sum((growth.on(genotype, before) for genotype in growth.cells), np.zeros(len(before)))
    of_all = [
        *rising(before, grown_all, POINTS),
        *rising(course.states["day"].to_numpy(), total, POINTS),
    ]
    series.append(line("all", INK, of_all, 2.2))
    axis = {"min": 0, "max": frame.cells, "interval": 3, "power_of_ten": True}
    return Chart("burden", "Burden", "living cells, log scale", axis, series, named_lines=True)


def _grown(growth: Growth, genotype: Genotype) -> list[list[float | None]]:
    days = growth.days(_POINTS_OF_GROWTH)
    return rising(days, growth.on(genotype, days), POINTS)


def _diameters(course: Course, frame: Frame) -> Chart:
    states = course.states
    series = [line("true", MUTED, curve(states["day"].to_numpy(), states["sld_mm"].to_numpy(), POINTS), 1.3)]
    scans = course.assessments
    seen: dict[str, str] = {}
    for response, colour in RESPONSES.items():
        rows = scans.filter(pl.col("response") == response).drop_nulls("sld_mm")
        if not rows.height:
            continue
        seen[response] = colour
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
    axis = {"min": 0, "max": frame.mm}
    return Chart("diameters", "Sum of longest diameters, RECIST 1.1", "mm", axis, series, legend=seen)


def _ctdna(course: Course, frame: Frame) -> Chart:
    readings = course.liquid_biopsies
    floor = course.undetected_pct
    series: list[Option] = []
    seen: dict[str, str] = {}
    for place, gene in enumerate(readings["gene"].unique(maintain_order=True) if readings.height else []):
        own = readings.filter(pl.col("gene") == gene)
        if not own["vaf"].max():
            continue
        colour = seen[gene] = SERIES[place % len(SERIES)]
        days, percent = own["day"].to_numpy(), own["vaf"].to_numpy() * 100
        series.append(
            {
                **line(gene, colour, points(days, np.maximum(percent, floor), percent), 1.4),
                "symbol": "circle",
                "symbolSize": 5,
            }
        )
    axis = {"type": "log", "min": floor, "max": frame.vaf_pct}
    unit = "% variant allele fraction, log scale"
    if not seen:
        unit = "% variant allele fraction: nothing found so far"
    limits = {100 * course.detection_limit: "limit of detection"} if course.detection_limit else {}
    return Chart("ctdna", "ctDNA", unit, axis, series, legend=seen, limits=limits)


def _drugs(course: Course, frame: Frame) -> Chart:
    days = course.states["day"].to_numpy()
    colours = {drug: SERIES[place % len(SERIES)] for place, drug in enumerate(course.drugs)}
    series = [
        line(drug, colour, curve(days, 100 * course.concentration(drug), POINTS), 1.3)
        for drug, colour in colours.items()
    ]
    axis = {"min": 0, "max": frame.drug_pct}
    return Chart("drugs", "Drugs", "% of usual steady state", axis, series, legend=colours)


def _neutrophils(course: Course, frame: Frame) -> Chart:
    shown = curve(course.states["day"].to_numpy(), course.states["neutrophils"].to_numpy(), POINTS)
    limits = {below: grade for grade, below in NEUTROPENIA.items()}
    axis = {"min": 0, "max": frame.neutrophils}
    return Chart(
        "neutrophils",
        "Neutrophils",
        "10⁹/L",
        axis,
        [line("neutrophils", SERIES[0], shown, 1.3)],
        limits=limits,
    )


def _bands(lines: pl.DataFrame, end: float) -> Iterator[Option]:
    """Yield lines of therapy as areas; what is too narrow for its name has none."""
    for (start, stop, name), colour in zip(spans(lines, end), cycle(BANDS), strict=False):
        named = name if stop - start > _NARROWEST_NAMED * end else ""
        yield {"name": named, "from": round(start, 3), "until": round(stop, 3), "colour": colour}


def _scan_in_words(row: dict[str, Any]) -> str:
    change = row["sld_change"]
    changed = "" if change is None or change != change else f" ({change:+.0%} from baseline)"
    new = f", {row['new_lesions']} new lesions" if row["new_lesions"] else ""
    return f"day {row['day']:.0f}: {row['sld_mm']:.0f} mm{changed}{new}, {row['response']}"


def _is_known(values: pl.Series) -> bool:
    return values.drop_nulls().is_not_nan().any()


def _most(values: pl.Series) -> float:
    most = values.drop_nulls().cast(pl.Float64).drop_nans().max()
    return float(most) if isinstance(most, int | float) else 0.0


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten, with room above the value."""
    room = 1.15 * value
    power = 10 ** np.floor(np.log10(room))
    return float(next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= room))
