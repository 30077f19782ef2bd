"""Survival of the arms over time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Transform

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.endpoints import Endpoint, endpoint
from tumor_abm.analysis.estimates_in_words import hazard_ratio_text, median_text, p_equation
from tumor_abm.analysis.paired import Twins, hazard_ratio
from tumor_abm.analysis.survival import KaplanMeier, kaplan_meier
from tumor_abm.plots.style import FAINT, MUTED, colours, panel, shortened, style, title, whole, wrapped
from tumor_abm.run.results import Results

_CURVES_IN = 3.6
_FEW_ARMS = 4
"""With more arms their medians and hazard ratios stand below the curves, where there is room."""
_NAME_LETTERS, _LABEL_LETTERS = 34, 24
_OF_RATIOS = "Hazard ratio against control (95% CI of a trial of this size; paired), log-rank p"
_DASHED = "dashed: the same patients in the control arm"
_LINE_PT = 12
_TABLE_PT = 42
"""From the curves down to the table of patients at risk; the label of the time axis is between them."""

Estimates = Mapping[str, KaplanMeier]
Colours = Mapping[str, str]


def plot_kaplan_meier(
    results: Results, timed: Endpoint | str, *, titled: bool = True, ax: Axes | None = None
) -> Figure:
    """Draw the survival curves of all arms with 95% bands, medians and numbers at risk.

    The time axis ends where no curve rests on enough patients any more. Hazard ratios are of the patients
    whom an arm shares with the control; where these are not all, their curve in the control arm is drawn,
    too, dashed. Arms in which the endpoint has no meaning are left out.

    Parameters
    ----------
    results
        Of an experiment.
    timed
        The endpoint, or its name.
    titled
        Whether the figure names the endpoint and the experiment.
    ax
        Axes to draw in; those of a new figure when ``None``. Numbers at risk stand below them.

    Raises
    ------
    InputError
        `results` do not hold that endpoint.
    """
    must_be("results", results, Results)
    must_be("timed", timed, Endpoint, str)
    timed = endpoint(results, timed) if isinstance(timed, str) else timed
    observed = timed.observations(results)
    told = [arm for arm in results.arms if timed.undefined(results.experiment, arm) is None]
    estimates = {arm: _estimate(observed.filter(arm=arm)) for arm in told}
    colour = colours(results)
    rows_in = _LINE_PT * (2 * len(estimates) + 2) / 72
    with style():
        axes = panel(7.6, _CURVES_IN + rows_in + 1.0, ax)
        _frame(axes, timed, _months_shown(estimates.values()))
        for arm, estimate in estimates.items():
            _curve(axes, estimate, colour[arm])
        ratios: list[_Ratio] = []
        if timed.randomised and results.control in estimates:
            ratios = list(_ratios(axes, observed, results.control, estimates, colour))
        crowded = len(estimates) > _FEW_ARMS
        _numbers_at_risk(axes, estimates, colour, ratios if crowded else None)
        if ratios and not crowded:
            lines = [line for ratio in ratios for line in ratio.lines]
            _write(axes, [(_OF_RATIOS, MUTED), *lines], estimates)
        if titled:
            title(axes, timed.title, str(results.experiment.get("title", "")))
        _label_curves(axes, estimates, colour, with_medians=not crowded)
    return whole(axes)


def _estimate(observed: pl.DataFrame) -> KaplanMeier:
    return kaplan_meier(observed["months"], observed["event"])


def _months_shown(estimates: Iterable[KaplanMeier]) -> float:
    return max((estimate.told_until for estimate in estimates), default=0.0) or 1.0


def _tick_step(months: float) -> int:
    return next((step for step in (1, 3, 6, 12, 24, 60) if months / step <= 10), 120)


def _frame(axes: Axes, timed: Endpoint, months: float) -> None:
    axes.set_xlim(0, months)
    axes.set_xticks(np.arange(0, months + 1e-9, _tick_step(months)))
    axes.set_ylim(0, 101)
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylabel(f"{timed.without} (%)")
    axes.set_xlabel(f"Months from {timed.start}")
    axes.axhline(50, color=FAINT, linewidth=0.8, zorder=0)


def _curve(axes: Axes, estimate: KaplanMeier, colour: str) -> None:
    if not estimate.n:
        return
    curve = estimate.curve.with_columns(pl.col("survival", "lo", "hi") * 100)
    line, ticks = _visible(axes, curve, 800), _visible(axes, curve.filter(pl.col("censored") > 0), 150)
    axes.fill_between(
        line["time"], line["lo"], line["hi"], step="post", color=colour, alpha=0.12, linewidth=0
    )
    axes.step(line["time"], line["survival"], where="post", color=colour, linewidth=1.6)
    axes.plot(
        ticks["time"], ticks["survival"], "|", color=colour, markersize=4, markeredgewidth=0.7, alpha=0.7
    )
    if estimate.median is not None:
        axes.plot([estimate.median] * 2, [0, 50], color=colour, linewidth=0.9, linestyle=(0, (2, 2)))


def _visible(axes: Axes, curve: pl.DataFrame, places: int) -> pl.DataFrame:
    """Of the points that would share one of so many places along the axis, the last."""
    place = pl.col("time") * places // axes.get_xlim()[1]
    return curve.filter(place != place.shift(-1, fill_value=-1))


def _numbers_at_risk(
    axes: Axes, estimates: Estimates, colour: Colours, ratios: Sequence[_Ratio] | None
) -> None:
    """Write the patients at risk below the curves, and, with `ratios`, what is estimated of each arm."""
    below = partial(
        axes.annotate,
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=8,
        va="center",
        annotation_clip=False,
    )
    ticks = list(axes.get_xticks())
    heading = (
        "Patients at risk"
        if ratios is None
        else "Patients at risk; median (95% CI); hazard ratio (95% CI of a trial; paired)"
    )
    below(heading, (0, 0), (-9, -_TABLE_PT), fontweight="bold")
    for row, (arm, estimate) in enumerate(estimates.items()):
        name_pt = -_TABLE_PT - _LINE_PT * (2 * row + 1)
        said = shortened(arm) if ratios is None else _facts(arm, estimate, ratios)
        below(figure_text(said), (0, 0), (-9, name_pt), color=colour[arm])
        for month, at_risk in zip(ticks, estimate.at_risk(ticks), strict=True):
            below(f"{at_risk}", (month, 0), (0, name_pt - _LINE_PT), ha="center")
    if ratios and any(ratio.dashed for ratio in ratios):
        below(_DASHED, (0, 0), (-9, -_TABLE_PT - _LINE_PT * (2 * len(estimates) + 1)), color=MUTED)


def _facts(arm: str, estimate: KaplanMeier, ratios: Sequence[_Ratio]) -> str:
    median = median_text(estimate.median, estimate.median_lo, estimate.median_hi)
    name = textwrap.shorten(arm, _NAME_LETTERS, placeholder=" …")
    return "; ".join([name, median, *(ratio.text for ratio in ratios if ratio.arm == arm)])


@dataclass(frozen=True, kw_only=True)
class _Ratio:
    """A hazard ratio of an arm against the control arm, in the colour of the arm."""

    arm: str
    text: str
    of_whom: str
    dashed: bool
    colour: str

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What is told of it, where there is room, and in which colour."""
        told = [", ".join([self.text, self.of_whom]), *([_DASHED] if self.dashed else [])]
        return [(line, self.colour) for line in told]


def _ratios(
    axes: Axes, observed: pl.DataFrame, control: str, estimates: Estimates, colour: Colours
) -> Iterator[_Ratio]:
    """Tell hazard ratios, and draw the control of the same patients where an arm is about some of them."""
    for arm in estimates:
        if arm == control:
            continue
        twins = Twins.of(observed, arm, control)
        of_some = 0 < len(twins) < estimates[control].n
        if of_some:
            _dashed(axes, twins.curves[1], colour[arm])
        of_whom = f"{len(twins)} patients in both arms" if len(twins) else "no patient in both arms"
        yield _Ratio(arm=arm, text=_ratio_text(twins), of_whom=of_whom, dashed=of_some, colour=colour[arm])


def _ratio_text(twins: Twins) -> str:
    ratio = hazard_ratio(twins)
    paired = "" if ratio.paired_lo is None else f"; {ratio.paired_lo:.2f}–{ratio.paired_hi:.2f}"
    text = hazard_ratio_text(ratio.value, ratio.lo, ratio.hi)
    text = f"{text.removesuffix(')')}{paired})" if paired else text
    return ", ".join(part for part in (text, p_equation(ratio.p)) if part)


def _dashed(axes: Axes, estimate: KaplanMeier, colour: str) -> None:
    line = _visible(axes, estimate.curve, 800)
    axes.step(
        line["time"], 100 * line["survival"], where="post", color=colour, linewidth=1, linestyle=(0, (4, 2))
    )


def _write(axes: Axes, lines: Sequence[tuple[str, str]], estimates: Estimates) -> None:
    """Put lines of text where the curves leave room: above them if they fall early, else below."""
    late = axes.get_xlim()[1] * 0.6
    falls = all(not estimate.at(late) > 0.5 for estimate in estimates.values())
    x, side, y = (0.99, "right", 0.98) if falls else (0.015, "left", 0.03 + 0.055 * (len(lines) - 1))
    for row, (text, shade) in enumerate(lines):
        axes.text(
            x,
            y - 0.055 * row,
            text,
            color=shade,
            fontsize=8,
            ha=side,
            va="top" if falls else "bottom",
            transform=axes.transAxes,
        )


def _label_curves(axes: Axes, estimates: Estimates, colour: Colours, *, with_medians: bool) -> None:
    """Name each curve beside its end, one label below the other."""
    end = axes.get_xlim()[1]
    labels, heights = [], []
    for arm, estimate in estimates.items():
        if not estimate.n:
            continue
        last = min(end, float(estimate.curve["time"][-1]))
        height = 100 * float(estimate.at(last))
        label = axes.annotate(
            _label(arm, estimate, with_median=with_medians),
            (last, height),
            (1.03, 0),
            textcoords=axes.get_yaxis_transform(),
            color=colour[arm],
            fontsize=8,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour[arm],
                "linewidth": 0.6,
                "alpha": 0.6,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            },
        )
        labels.append(label)
        heights.append(height)
    whole(axes).draw_without_rendering()
    _spread(axes, labels, heights)


def _label(arm: str, estimate: KaplanMeier, *, with_median: bool) -> str:
    if not with_median:
        return figure_text(textwrap.shorten(arm, _LABEL_LETTERS, placeholder=" …"))
    median = median_text(estimate.median, estimate.median_lo, estimate.median_hi)
    name = figure_text(wrapped(shortened(arm), _LABEL_LETTERS))
    return f"{name}\nmedian {median}{' mo' if estimate.median else ''}"


def _spread(axes: Axes, labels: list[Annotation], wanted: list[float]) -> None:
    """Move labels apart, from the top down and, where the axis ends, up again."""
    to_data = axes.transData.inverted()
    order = sorted(range(len(labels)), key=lambda i: -wanted[i])
    sizes = [_height(labels[i], to_data) + 3 for i in order]
    at = [wanted[i] for i in order]
    for i in range(1, len(at)):
        at[i] = min(at[i], at[i - 1] - (sizes[i - 1] + sizes[i]) / 2)
    if at:
        at[-1] = max(at[-1], sizes[-1] / 2)
    for i in range(len(at) - 2, -1, -1):
        at[i] = max(at[i], at[i + 1] + (sizes[i + 1] + sizes[i]) / 2)
    for i, height in zip(order, at, strict=True):
        labels[i].xyann = (1.03, height)


def _height(label: Annotation, to_data: Transform) -> float:
    box = Text.get_window_extent(label).transformed(to_data)
    return float(box.height)
