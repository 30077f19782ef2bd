"""The life of one patient and of its twins in the other arms, on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from tumor_abm._base.arguments import is_whole, must_be
from tumor_abm._base.genotype import Genotype
from tumor_abm._base.sinks import figure_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.errors import InputError
from tumor_abm.plots.course import Course, draw_ctdna, draw_diameters, draw_neutrophils
from tumor_abm.plots.genotypes import OTHERS, Palette, short
from tumor_abm.plots.layers import LEAST_SHARE, genotypes_of
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, style, whole, wrapped
from tumor_abm.plots.swimmer import colour_of_line
from tumor_abm.run.results import Results

_MARKS = {
    "dose held": ("|", MUTED, 5.0),
    "dose reduced": ("v", "#D55E00", 4.5),
    "drug stopped": ("s", "#D55E00", 4.0),
    "drug left out": ("s", "#CC79A7", 4.0),
    "rule": ("D", "#5B2A86", 4.0),
    "progression": ("X", INK, 5.5),
    "death": ("P", INK, 7.0),
}
"""What is marked on the strip of lines: an event, its marker, colour and size."""
_SHOWN_GENOTYPES = 9
_ROW_IN = 1.45
_LINE_LETTERS = 30

Draw = Callable[[Axes, Course, Palette], None]


def plot_patient(
    results: Results,
    patient: int,
    *,
    arms: Sequence[str] | None = None,
    titled: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Draw what one patient lived through in every arm, under each other on a common axis of time.

    Panels: lines of therapy with what happened to them, sum of diameters with what RECIST made of it, living
    cells, ctDNA where blood was taken, neutrophils where they are modelled, and the genotypes at enrolment
    and at the end of each line. A column is an arm.

    Parameters
    ----------
    results
        Of an experiment, with the tables ``trajectory`` and ``events``.
    patient
        Number of the patient.
    arms
        Those that are drawn; all of them when ``None``. Two fit a sheet of paper, five a wide screen.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.

    Raises
    ------
    InputError
        There is no such patient, or no such arm.
    """
    must_be("results", results, Results)
    wanted = list(results.arms if arms is None else arms)
    for arm in wanted:
        if arm not in results.arms:
            raise InputError(key="arms", found=arm, allowed=results.arms)
    lived = {arm: course_of(results, patient, arm) for arm in wanted} if is_whole(patient) else {}
    courses = {arm: course for arm, course in lived.items() if course.lines.height}
    if not courses:
        allowed = f"the number of a patient who began a line; {results.enrolled} were enrolled"
        raise InputError(key="patient", found=patient, allowed=allowed)
    palette, names = _palette(courses)
    panels = _panels(courses)
    columns = len(courses)
    with style():
        figure = canvas(max(5.0, 4.1 * columns), _ROW_IN * len(panels) + 2.2, ax)
        axes = figure.subplots(
            len(panels), columns, squeeze=False, sharex=True, sharey="row", height_ratios=_heights(panels)
        )
        ranges: list[list[tuple[float, float]]] = [[] for _ in panels]
        end = 1.03 * max(_last_day(course) for course in courses.values()) / DAYS_PER_MONTH
        for column, (arm, course) in enumerate(courses.items()):
            for row, draw in enumerate(panels):
                axis = axes[row, column]
                draw(axis, course, palette)
                ranges[row].append(axis.get_ylim())
                _frame(axis, course, end, banded=row > 0)
                if column:
                    axis.set_ylabel("")
            heading = figure_text(wrapped(arm, 48))
            axes[0, column].set_title(heading, loc="left", fontsize=9, fontweight="bold")
            axes[-1, column].set_xlabel("Months since enrolment", fontsize=8)
        for row, own in zip(axes, ranges, strict=True):  # the arms of a row share their axis
            row[0].set_ylim(min(low for low, _ in own), max(high for _, high in own))
        if titled:
            figure.suptitle(f"Patient {patient}", x=0.01, ha="left", fontsize=12, fontweight="bold")
        _legend(figure, courses, palette, names)
    return whole(figure)


def course_of(results: Results, patient: int, arm: str) -> Course:
    """Return what the tables of a run tell of one patient in one arm; drug concentrations they do not."""

    def own(table: str, *columns: str) -> pl.DataFrame:
        if table not in results.tables:
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64))
        rows = results.scan(table).filter(pl.col("patient") == patient, pl.col("arm").cast(pl.String) == arm)
        found = rows.select(*columns).collect()
        return found.with_columns(pl.col(pl.Categorical).cast(pl.String))

    return Course(
        states=own("trajectory", "day", "line", "cells", "volume_cm3", "sld_mm", "neutrophils"),
        clones=own("clones", "day", "genotype", "alterations", "cells"),
        concentrations=pl.DataFrame(schema={"day": pl.Int64, "drug": pl.String, "relative": pl.Float64}),
        assessments=own("assessments", "day", "sld_mm", "sld_change", "new_lesions", "response"),
        liquid_biopsies=own("liquid_biopsies", "day", "gene", "vaf"),
        lines=own("outcomes", "line", "regimen", "start_day", "end_day", "end_reason"),
        events=own("events", "day", "line", "event", "detail"),
    )


def _last_day(course: Course) -> float:
    days = [course.states["day"].max(), course.lines["end_day"].max(), course.events["day"].max()]
    return max(float(day) for day in days if isinstance(day, int | float))


def _panels(courses: dict[str, Course]) -> list[Draw]:
    panels: list[Draw] = [_draw_lines, draw_diameters, _draw_cells]
    if any(course.liquid_biopsies.height for course in courses.values()):
        panels.append(draw_ctdna)
    if any(course.states["neutrophils"].drop_nulls().len() for course in courses.values()):
        panels.append(draw_neutrophils)
    return [*panels, _draw_moments]


def _heights(panels: list[Draw]) -> list[float]:
    return [0.6 if draw is _draw_lines else 1.0 for draw in panels]


def _frame(axes: Axes, course: Course, end: float, *, banded: bool) -> None:
    axes.set_xlim(0, end)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.tick_params(labelsize=7.5, length=2.5, pad=2)
    axes.yaxis.label.set_fontsize(8)
    if banded:
        for line, start, stop in course.lines.select("line", "start_day", "end_day").iter_rows():
            colour = colour_of_line(line)
            axes.axvspan(start / DAYS_PER_MONTH, stop / DAYS_PER_MONTH, color=colour, alpha=0.09, linewidth=0)


def _draw_lines(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the lines as a strip with their drugs above and what happened on it."""
    for row in course.lines.iter_rows(named=True):
        start, stop = row["start_day"] / DAYS_PER_MONTH, row["end_day"] / DAYS_PER_MONTH
        axes.barh(0, stop - start, left=start, height=0.5, color=colour_of_line(row["line"]), alpha=0.55)
    for event, (marker, colour, size) in _MARKS.items():
        days = course.events.filter(pl.col("event") == event)["day"].to_numpy() / DAYS_PER_MONTH
        if days.size:
            axes.plot(days, np.zeros(days.size), marker, color=colour, markersize=size, zorder=3)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _draw_cells(axes: Axes, course: Course, palette: Palette) -> None:
    axes.set_title("Living cells", loc="left", fontsize=8, fontweight="bold", pad=3)
    cells = course.states["cells"].to_numpy().astype(float)
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.plot(
        course.states["day"].to_numpy() / DAYS_PER_MONTH,
        np.where(cells >= 1, cells, np.nan),
        color=INK,
        linewidth=1.4,
    )
    axes.set_ylabel("cells")
    axes.set_ylim(1, max(10.0, 3 * cells.max(initial=1.0)))
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _draw_moments(axes: Axes, course: Course, palette: Palette) -> None:
    """Draw the shares of genotypes at enrolment and at the end of each line."""
    axes.set_title(
        "Genotypes at enrolment and when lines end", loc="left", fontsize=8, fontweight="bold", pad=3
    )
    axes.set_ylabel("% of cells")
    axes.set_ylim(0, 100)
    width = max(0.6, 0.018 * _last_day(course) / DAYS_PER_MONTH)
    for (day,), rows in course.clones.group_by("day", maintain_order=True):
        rows = rows.sort("cells", descending=True).with_columns(
            share=100 * pl.col("cells") / pl.col("cells").sum()
        )
        rows = rows.filter(pl.col("share") >= 100 * LEAST_SHARE)
        month = float(str(day)) / DAYS_PER_MONTH
        axes.bar(
            [month + (width / 2 if month < width else -width / 2)] * rows.height,
            rows["share"],
            bottom=rows["share"].cum_sum() - rows["share"],
            width=width,
            color=[palette[tuple(alterations)] for alterations in rows["alterations"].to_list()],
        )
    axes.spines["bottom"].set_visible(True)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _palette(courses: dict[str, Course]) -> tuple[Palette, dict[Genotype, str]]:
    """Give colours to the genotypes that ever had a good share, the founder first; return their names."""
    clones = pl.concat([course.clones for course in courses.values()], how="vertical_relaxed")
    if clones.is_empty():
        return Palette(), {}
    share = pl.col("cells") / pl.col("cells").sum().over("day").cast(pl.Float64)
    most = clones.with_columns(share=share).group_by("genotype").agg(pl.col("share").max())
    ranked = most.filter(pl.col("share") >= LEAST_SHARE).sort("share", descending=True)["genotype"].to_list()
    genotypes = genotypes_of(clones)
    first = clones.filter(pl.col("day") == clones["day"].min()).sort("cells", descending=True)
    founder = genotypes[first["genotype"][0]]
    kept = list(dict.fromkeys([founder, *(genotypes[name] for name in ranked)]))[:_SHOWN_GENOTYPES]
    palette = Palette()
    for genotype in kept:
        palette.give(genotype)
    return palette, {genotype: short(genotype, founder) for genotype in kept}


def _legend(
    figure: Figure | SubFigure,
    courses: dict[str, Course],
    palette: Palette,
    names: dict[Genotype, str],
) -> None:
    events = {event for course in courses.values() for event in course.events["event"].unique()}
    regimens = {
        f"line {line}: {wrapped(regimen, _LINE_LETTERS)}": colour_of_line(line)
        for course in courses.values()
        for line, regimen in course.lines.select("line", "regimen").iter_rows()
    }
    handles: list[Patch | Line2D] = [
        Patch(color=colour, alpha=0.55, label=figure_text(name)) for name, colour in sorted(regimens.items())
    ]
    handles += [
        Line2D([], [], color=colour, marker=marker, markersize=size, linestyle="", label=event)
        for event, (marker, colour, size) in _MARKS.items()
        if event in events
    ]
    handles += [Patch(color=palette[genotype], label=figure_text(name)) for genotype, name in names.items()]
    if names:
        handles.append(Patch(color=OTHERS, label="other genotypes"))
    figure.legend(
        handles=handles,
        loc="outside lower left",
        alignment="left",
        ncols=max(2, 2 * len(courses) - 1),
        fontsize=7,
        handlelength=1.2,
    )
