"""One patient's disease over time: clones, burden, scans, ctDNA, drugs and neutrophils under each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from string import ascii_lowercase
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from tumor_abm._base.sinks import figure_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.plots.genotypes import Palette
from tumor_abm.plots.layers import POINTS, cells_over_time, layers_of, legend_of
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, style, whole
from tumor_abm.plots.style import width_in as width_of
from tumor_abm.plots.thinning import extremes

NEUTROPENIA = {"grade 3": 1.0, "grade 4": 0.5}
"""Neutrophils below which neutropenia has that grade, 1e9 per litre (CTCAE 5.0)."""

BANDS = ("#EEF3F8", "#F8F1E7", "#EFF6EF", "#F7EEF4")
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B2A86", "#7A3B00")
RESPONSES = {"CR": "#004B36", "PR": "#0072B2", "SD": "#A8A8A8", "PD": "#D55E00", "NE": "#FFFFFF"}
_LEAST_SHOWN = 1.0
_LEAST_FRACTION = 1e-4
_LEAST_TAKEN = 0.01
_LEGEND_ROW_IN, _LETTER_IN, _KEY_IN = 0.135, 0.056, 0.7

Frame = pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Course:
    """What was seen of one patient, as the figures draw it. Days count from enrolment.

    Attributes
    ----------
    states
        ``day, line, cells, volume_cm3, sld_mm, neutrophils``, a row per recorded day.
    clones
        ``day, genotype, alterations, cells``, a row per recorded day and living genotype; the founder comes
        first.
    concentrations
        ``day, drug, relative``: average of the day, relative to the usual steady state.
    assessments
        ``day, sld_mm, sld_change, new_lesions, response``, a row per scan.
    liquid_biopsies
        ``day, gene, vaf``, a row per sample and gene.
    lines
        ``line, regimen, start_day, end_day, end_reason``; of a running line the last two are null.
    events
        ``day, line, event, detail``.
    detection_limit
        Variant allele fraction below which a liquid biopsy reports nothing; ``None`` without them.
    """

    states: Frame
    clones: Frame
    concentrations: Frame
    assessments: Frame
    liquid_biopsies: Frame
    lines: Frame
    events: Frame
    detection_limit: float | None = None

    @property
    def tables(self) -> dict[str, Frame]:
        """All tables by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, pl.DataFrame)}

    @property
    def drugs(self) -> list[str]:
        """Drugs that were taken, the first first."""
        found = self.concentrations.filter(pl.col("relative") > _LEAST_TAKEN)
        return found["drug"].unique(maintain_order=True).to_list()

    def concentration(self, drug: str) -> NDArray[np.float64]:
        """Return the concentration of a drug on each day of `states`; no number while the body has none."""
        own = self.concentrations.filter(pl.col("drug") == drug).select("day", "relative")
        on_days = self.states.select("day").join(own, on="day", how="left", maintain_order="left")
        return on_days["relative"].fill_null(np.nan).to_numpy()

    @property
    def undetected_pct(self) -> float:
        """Where a sample is drawn in which nothing was found, in %: half of the least that can be."""
        found = self.liquid_biopsies.filter(pl.col("vaf") > 0)["vaf"]
        least = self.detection_limit or min(found, default=_LEAST_FRACTION)
        return 100 * float(least) / 2


def plot_course(
    course: Course,
    palette: Palette,
    *,
    columns: int = 1,
    width_in: float = 7.2,
    height_in: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw one patient's disease.

    Panels: share of genotypes (a Muller plot), burden on a log axis, sum of diameters with what RECIST
    made of it, variant allele fractions, drug concentrations, and neutrophils when they are modelled.
    Bands are lines of therapy.

    Parameters
    ----------
    course
        The patient.
    palette
        Colours of genotypes.
    columns
        Panels side by side.
    width_in, height_in
        Size of a new figure; by default 1.5 inches a row.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    panels = panels_of(course)
    rows = -(-len(panels) // columns)
    names = legend_of(course.clones, palette)
    beside = partial(_names_beside, names)
    legend_in = _LEGEND_ROW_IN * -(-len(names) // beside(width_in)) + 0.1
    with style():
        figure = canvas(width_in, height_in or 1.5 * rows + 0.4 + legend_in, ax)
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
        end = _months_shown(course)
        for place, axis in enumerate(axes.T.flat):
            if place >= len(panels):
                axis.set_axis_off()
                continue
            _frame(axis, course, end, named=place % rows == 0)
            panels[place](axis, course, palette)
            if place % rows == rows - 1 or place == len(panels) - 1:
                axis.set_xlabel("months since enrolment")
                axis.tick_params(labelbottom=True)
        figure.legend(
            handles=[Patch(color=colour, label=figure_text(name)) for name, colour in names.items()],
            loc="outside lower left",
            ncols=beside(width_of(figure)),
            fontsize=6.5,
            handlelength=1.2,
            handletextpad=0.4,
            labelspacing=0.25,
            borderaxespad=0.4,
            borderpad=0,
        )
    return whole(figure)


def _names_beside(names: Iterable[str], width_in: float) -> int:
    """Entries of the legend that a row has room for."""
    widest_in = _KEY_IN + _LETTER_IN * max(map(len, names), default=0)
    return max(1, int(width_in / widest_in))


Draw = Callable[[Axes, Course, Palette], None]


def panels_of(course: Course) -> list[Draw]:
    """Return the panels that there is something to draw in."""
    panels: list[Draw] = [draw_genotypes, draw_burden, draw_diameters, draw_ctdna, draw_drugs]
    if course.states["neutrophils"].drop_nulls().len():
        panels.append(draw_neutrophils)
    return panels


def draw_genotypes(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the share of each genotype, descendants inside their parent."""
    _title(axes, "Genotypes, share of living cells")
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 100])
    axes.set_ylabel("%")
    days, layers = layers_of(course.clones, palette)
    if not layers:
        return
    colours = [layer.colour for layer in layers]
    axes.stackplot(
        days / DAYS_PER_MONTH,
        np.array([100 * layer.share for layer in layers]),
        colors=colours,
        edgecolor=colours,
        linewidth=0.4,
    )


def draw_burden(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the living cells, in all and of each genotype, on a log axis."""
    _title(axes, "Burden, living cells")
    axes.set_yscale("log")
    axes.set_ylabel("cells")
    total = course.states["cells"].to_numpy().astype(float)
    days, cells_of = cells_over_time(course.clones, course.states["day"])
    for genotype, cells in cells_of.items():
        if genotype in palette:
            _curve(axes, days, _living(cells), color=palette[genotype], linewidth=1.0)
    _curve(axes, days, _living(total), color=INK, linewidth=1.6)
    top = float(total.max(initial=10.0))
    axes.set_ylim(_LEAST_SHOWN, max(top * 3, 10.0))
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def draw_diameters(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the sum of longest diameters: as it is, as measured, and what RECIST made of it."""
    _title(axes, "Sum of longest diameters (RECIST 1.1)")
    axes.set_ylabel("mm")
    states = course.states
    _curve(axes, states["day"], states["sld_mm"], color=MUTED, linewidth=1.0)
    scans = course.assessments
    for (response,), rows in scans.group_by("response", maintain_order=True):
        colour = RESPONSES.get(str(response), MUTED)
        axes.plot(
            rows["day"] / DAYS_PER_MONTH,
            rows["sld_mm"],
            "o",
            markersize=4.5,
            markerfacecolor=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=str(response),
        )
    for row in scans.filter((pl.col("response") == "PD") | (pl.col("new_lesions") > 0)).iter_rows(named=True):
        said = "PD" if row["response"] == "PD" else ""
        said += f" {row['new_lesions']} new" if row["new_lesions"] else ""
        axes.annotate(
            said.strip(),
            (row["day"] / DAYS_PER_MONTH, row["sld_mm"] or 0.0),  # on the axis if nothing can be measured
            (0, 5),
            textcoords="offset points",
            fontsize=6.5,
            ha="center",
            color=RESPONSES["PD"],
        )
    if scans.height:
        _legend(axes)
    top = max(_most(states["sld_mm"]), _most(scans["sld_mm"]), 1.0)
    axes.set_ylim(0, top * 1.25)
    axes.yaxis.set_major_locator(MaxNLocator(4))


def draw_ctdna(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the variant allele fractions of the liquid biopsies; what was not found lies on the floor."""
    _title(axes, "ctDNA, variant allele fraction")
    axes.set_yscale("log")
    axes.set_ylabel("%")
    readings = course.liquid_biopsies
    found = readings.filter(pl.col("vaf") > 0)
    floor = course.undetected_pct
    axes.set_ylim(floor * 0.8, max(100 * _most(found["vaf"]) * 3, 1.0, 10 * floor))
    genes = readings["gene"].unique(maintain_order=True).to_list()
    for place, gene in enumerate(genes):
        own = readings.filter(pl.col("gene") == gene)
        if not own["vaf"].max():
            continue
        axes.plot(
            own["day"] / DAYS_PER_MONTH,
            np.maximum(own["vaf"].to_numpy() * 100, floor),
            "o-",
            color=SERIES[place % len(SERIES)],
            linewidth=1.1,
            markersize=3,
            label=figure_text(gene),
        )
    if course.detection_limit:
        axes.axhline(100 * course.detection_limit, color=MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if found.height:
        _legend(axes)
    else:
        _note(axes, "nothing found so far" if readings.height else "no sample so far")


def draw_drugs(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the concentration of each drug relative to its usual steady state."""
    _title(axes, "Drugs, concentration")
    axes.set_ylabel("% of steady state")
    for place, drug in enumerate(course.drugs):
        _curve(
            axes,
            course.states["day"],
            course.concentration(drug) * 100,
            color=SERIES[place % len(SERIES)],
            linewidth=1.0,
            label=figure_text(drug),
        )
    axes.set_ylim(0, max(1.2, _most(course.concentrations["relative"])) * 125)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    if course.drugs:
        _legend(axes)
    else:
        _note(axes, "no drug so far")


def draw_neutrophils(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the neutrophils, and where neutropenia becomes grave."""
    _title(axes, "Neutrophils")
    axes.set_ylabel("10⁹/L")
    states = course.states
    _curve(axes, states["day"], states["neutrophils"], color=SERIES[0], linewidth=1.1)
    top = max(_most(states["neutrophils"]) * 1.15, 2.0)
    axes.set_ylim(0, top)
    for grade, below in NEUTROPENIA.items():
        axes.axhline(below, color=MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
        axes.annotate(
            grade,
            (1, below),
            (-2, 1),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            fontsize=6.5,
            ha="right",
            color=MUTED,
        )
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _curve(axes: Axes, days: ArrayLike, values: ArrayLike, **how: Any) -> None:
    """Draw a curve over time with its extremes and its gaps."""
    heights = np.asarray(values, dtype=float)
    shown = extremes(heights, POINTS)
    axes.plot(np.asarray(days)[shown] / DAYS_PER_MONTH, heights[shown], **how)


def _living(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts for a log axis, on which no cell is a gap."""
    return np.where(cells >= _LEAST_SHOWN, cells, np.nan)


def _months_shown(course: Course) -> float:
    last = _most(course.states["day"]) / DAYS_PER_MONTH
    return max(3.0, last * 1.02)


def _frame(axes: Axes, course: Course, end: float, *, named: bool) -> None:
    axes.set_xlim(0, end)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.tick_params(labelsize=7.5, length=2.5, pad=2)
    axes.yaxis.label.set_fontsize(8)
    axes.xaxis.label.set_fontsize(8)
    for place, (start, stop, name) in enumerate(spans(course.lines, end)):
        axes.axvspan(start, stop, color=BANDS[place % len(BANDS)], linewidth=0, zorder=0)
        axes.axvline(start, color=FAINT, linewidth=0.8, zorder=0.5)
        if named and (stop - start) > 0.06 * end:
            axes.annotate(
                name,
                ((start + stop) / 2, 1),
                (0, 13),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                fontsize=7,
                color=MUTED,
                ha="center",
            )


def spans(lines: Frame, end: float) -> Iterator[tuple[float, float, str]]:
    """Return the bands of therapy in their order: first and last month, and name.

    Drugs may change within a line; the stretches of such a line are told apart by letters.
    """
    stretches = Counter(lines["line"])
    seen: Counter[int] = Counter()
    for row in lines.iter_rows(named=True):
        line = row["line"]
        letter = ascii_lowercase[seen[line] % 26] if stretches[line] > 1 else ""
        seen[line] += 1
        stop = end if row["end_day"] is None else row["end_day"] / DAYS_PER_MONTH
        yield row["start_day"] / DAYS_PER_MONTH, min(stop, end), f"line {line}{letter}"


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=8, fontweight="bold", pad=3)


def _note(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=8, color=MUTED)


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="upper left",
        ncols=4,
        fontsize=6.5,
        handlelength=1.0,
        handletextpad=0.3,
        columnspacing=0.8,
        borderaxespad=0.2,
        frameon=True,
        framealpha=0.8,
        edgecolor="none",
    )


def _most(values: pl.Series) -> float:
    most = values.drop_nulls().max()
    return float(most) if isinstance(most, int | float) else 0.0
