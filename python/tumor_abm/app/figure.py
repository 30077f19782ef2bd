"""A figure to be printed: one patient, or both twins on the same axes, with strategies, drugs and seed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumor_abm._base.sinks import figure_text
from tumor_abm.app.setup import Choices
from tumor_abm.app.twin import Twin
from tumor_abm.plots.course import Course, panels_of, plot_course
from tumor_abm.plots.style import MUTED, new_figure, style, wrapped

WIDTH_IN = 7.4
"""Width of the figure of one patient."""

_TWIN_IN = 5.2
_PANEL_IN = 1.5
_HEAD_IN = 1.9
_LETTERS_PER_INCH = 14


def figure_of(twins: Sequence[Twin], choices: Choices) -> Figure:
    """Draw what was seen of one patient, or of twins side by side on the same axes.

    Parameters
    ----------
    twins
        One, or two.
    choices
        With what the patient was begun.
    """
    courses = [twin.course() for twin in twins]
    each_in = WIDTH_IN if len(twins) == 1 else _TWIN_IN
    rows = max(len(panels_of(course)) for course in courses)
    with style():
        figure = new_figure(each_in * len(twins), _PANEL_IN * rows + _HEAD_IN)
        places = figure.subplots(1, len(twins), squeeze=False)[0]
        for twin, course, place in zip(twins, courses, places, strict=True):
            plot_course(course, twin.palette, ax=place)
        letters = int(_LETTERS_PER_INCH * each_in)
        headings = [
            "\n".join(wrapped(text, letters) for text in (twin.name, *_lines(course)))
            for twin, course in zip(twins, courses, strict=True)
        ]
        tallest = max(heading.count("\n") for heading in headings)
        for part, heading in zip(figure.subfigs, headings, strict=True):
            level = heading + "\n" * (tallest - heading.count("\n"))  # panels stand at one height
            part.suptitle(figure_text(level), x=0.02, ha="left", fontsize=8)
        figure.suptitle(
            figure_text(
                f"Patient {choices.patient} of {choices.population}, seed {choices.seed.strip()}, "
                f"{choices.engine}"
            ),
            x=0.01,
            ha="left",
            fontsize=8,
            color=MUTED,
        )
        _share_axes(figure)
    return figure


def _lines(course: Course) -> list[str]:
    """Say which drugs the bands of the figure stand for."""
    rows = course.lines.unique("line", keep="first", maintain_order=True)
    return [f"line {line}: {regimen}" for line, regimen in rows["line", "regimen"].iter_rows()]


def _share_axes(figure: Figure) -> None:
    """Give the same panel of both twins the same limits."""
    panels: dict[str, list[Axes]] = {}
    for part in figure.subfigs:
        for axes in part.axes:
            panels.setdefault(axes.get_title(loc="left"), []).append(axes)
    for same in panels.values():
        across, up = [axes.get_xlim() for axes in same], [axes.get_ylim() for axes in same]
        for axes in same:
            axes.set_xlim(min(low for low, _ in across), max(high for _, high in across))
            axes.set_ylim(min(low for low, _ in up), max(high for _, high in up))
