"""Effects in subgroups under each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.comparison import Comparison
from tumor_abm.analysis.estimates_in_words import hazard_ratio_text, p_text
from tumor_abm.errors import InputError
from tumor_abm.plots.style import FAINT, INK, MUTED, panel, shortened, style, whole, wrapped

_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_NARROWEST, _WIDEST = 2.0, 11.0
"""By what the axis reaches from 1 at least and at most, on both sides."""
_ROW_IN = 0.2
_COLUMN_LETTERS = 38
_NAMES, _COUNTS, _RATIOS, _TESTS = (0.0, -225.0), (0.0, -12.0), (1.0, 10.0), (1.0, 108.0)
_TRIAL = "#0B4F80"
_PAIRED = "#9CC7E4"


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A line of the figure: a covariate with its test, or a subgroup with its effect."""

    name: str
    effect: dict[str, Any] | None = None
    test: dict[str, Any] | None = None
    bold: bool = False


def plot_forest(
    comparison: Comparison,
    timed: str = "PFS1",
    arm: str | None = None,
    *,
    titled: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Draw the hazard ratio of an arm against the control arm in each subgroup, and whether they differ.

    The line is the 95% interval that a trial of this size would see, the band what the simulation knows of
    the same patients. The square is as large as the subgroup. Intervals are cut at the ends of the axis.

    Parameters
    ----------
    comparison
        What ``compare(results, by=[...])`` returns.
    timed
        Name of the endpoint.
    arm
        Which arm; the first beside the control when ``None``.
    titled
        Whether the figure has a title.
    ax
        Axes to draw in; those of a new figure when ``None``.

    Raises
    ------
    InputError
        `comparison` has no subgroups, or not that endpoint or arm.
    """
    must_be("comparison", comparison, Comparison)
    if comparison.interactions.is_empty():
        raise InputError(key="comparison", found="no subgroups", allowed="compare(results, by=[...])")
    arms = comparison.interactions["arm"].unique(maintain_order=True).to_list()
    arm = arms[0] if arm is None else arm
    for key, found, column in (("arm", arm, "arm"), ("timed", timed, "endpoint")):
        known = comparison.interactions[column].unique(maintain_order=True).to_list()
        if found not in known:
            raise InputError(key=key, found=found, allowed=known)
    rows = list(_rows(comparison, timed, arm))
    with style():
        axes = panel(8.2, _ROW_IN * len(rows) + 1.45 + 0.4 * titled, ax)
        _frame(axes, rows)
        for place, row in enumerate(rows):
            _draw(axes, place, row, rows[0])
        axes.set_xlabel(figure_text(wrapped(f"Hazard ratio; below 1: {arm} better", 34)))
        _key(axes)
        if titled:
            pair = figure_text(shortened(f"{timed}: {arm} against {comparison.control}"))
            _above(axes, _NAMES, 56, "Effect in subgroups", size=12)
            _above(axes, _NAMES, 40, pair, size=9, weight="normal")
    return whole(axes)


def _rows(comparison: Comparison, timed: str, arm: str) -> Iterator[_Row]:
    whole_trial = comparison.table.filter(arm=arm, endpoint=timed).row(0, named=True)
    yield _Row(name="All patients", effect=whole_trial | {"n": whole_trial["n_shared"]}, bold=True)
    chosen = comparison.interactions.filter(arm=arm, endpoint=timed)
    for test in chosen.iter_rows(named=True):
        yield _Row(name=test["label"], test=test, bold=True)
        levels = comparison.subgroups.filter(arm=arm, endpoint=timed, covariate=test["covariate"])
        for level in levels.iter_rows(named=True):
            yield _Row(name=level["level"], effect=level)


def _frame(axes: Axes, rows: Sequence[_Row]) -> None:
    told = [row.effect for row in rows if row.effect is not None and row.effect["hr_hi"] is not None]
    reach = max((abs(math.log(effect[end])) for effect in told for end in ("hr_lo", "hr_hi")), default=0.0)
    reach = min(max(1.05 * reach, math.log(_NARROWEST)), math.log(_WIDEST))
    axes.set_xscale("log")
    axes.set_xlim(math.exp(-reach), math.exp(reach))
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1.0, color=MUTED, linewidth=0.9, zorder=0)
    _above(axes, _NAMES, 6, "Subgroup")
    _above(axes, _COUNTS, 6, "patients", side="right")
    _above(axes, _RATIOS, 6, "HR (95% CI\nof a trial)")
    _above(axes, _TESTS, 6, "p of interaction,\ntrial / paired")


def _draw(axes: Axes, place: int, row: _Row, of_all: _Row) -> None:
    indent = 0.0 if row.bold else 8.0
    weight = "bold" if row.bold else "normal"
    name = _in_two_lines(row.name)
    points = 7 if "\n" in name else 8
    _text(axes, (_NAMES[0], _NAMES[1] + indent), place, name, weight=weight, size=points)
    if row.test is not None:
        said = f"{p_text(row.test['p'])} / {p_text(row.test['paired_p'])}"
        _text(axes, _TESTS, place, said)
        axes.axhline(place - 0.5, color=FAINT, linewidth=0.6, zorder=0)
    if row.effect is None:
        return
    effect = row.effect
    _text(axes, _COUNTS, place, str(effect["n"]), side="right")
    if effect["hr"] is None or effect["hr_lo"] is None:
        _text(axes, _RATIOS, place, "not estimable", colour=MUTED)
        return
    _text(axes, _RATIOS, place, hazard_ratio_text(effect["hr"], effect["hr_lo"], effect["hr_hi"]))
    if effect["paired_hr_lo"] is not None:
        limits = [effect["paired_hr_lo"], effect["paired_hr_hi"]]
        axes.plot(limits, [place] * 2, color=_PAIRED, linewidth=6, solid_capstyle="butt", zorder=2)
    limits = [effect["hr_lo"], effect["hr_hi"]]
    axes.plot(limits, [place] * 2, "|-", color=_TRIAL, linewidth=1.1, markersize=5, zorder=3)
    size = 2.5 + 3.5 * math.sqrt(effect["n"] / max(of_all.effect["n"], 1)) if of_all.effect else 4.0
    axes.plot(effect["hr"], place, "D" if row.bold else "s", color=_TRIAL, markersize=size, zorder=4)


def _key(axes: Axes) -> None:
    """Say what the two intervals are."""
    axes.legend(
        handles=[
            Line2D([], [], color=_TRIAL, marker="|", linewidth=1.1, label="95% CI of a trial of this size"),
            Line2D(
                [], [], color=_PAIRED, linewidth=6, solid_capstyle="butt", label="paired: the same patients"
            ),
        ],
        loc="upper right",
        bbox_to_anchor=(-0.02, -0.02),
        fontsize=8,
        borderaxespad=0.2,
    )


def _in_two_lines(name: str) -> str:
    lines = wrapped(name, _COLUMN_LETTERS).split("\n")
    return figure_text("\n".join(lines[:2]) + (" …" if len(lines) > 2 else ""))


def _text(
    axes: Axes,
    column: tuple[float, float],
    y: float,
    text: str,
    *,
    weight: str = "normal",
    side: str = "left",
    colour: str = INK,
    size: float = 8,
) -> None:
    """Write in a row of a column: an edge of the axes, 0 or 1, and points from there."""
    edge, points = column
    axes.annotate(
        text,
        (edge, y),
        (points, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=size,
        linespacing=1.0,
        fontweight=weight,
        ha=side,
        va="center",
        color=colour,
        annotation_clip=False,
    )


def _above(
    axes: Axes,
    column: tuple[float, float],
    points_up: float,
    text: str,
    *,
    weight: str = "bold",
    side: str = "left",
    size: float = 8,
) -> None:
    """Write above a column, so many points from the axes."""
    edge, points = column
    axes.annotate(
        text,
        (edge, 1),
        (points, points_up),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=size,
        fontweight=weight,
        ha=side,
        va="bottom",
        color=INK if weight == "bold" else MUTED,
        annotation_clip=False,
    )
