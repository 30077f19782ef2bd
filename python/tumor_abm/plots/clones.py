"""What the tumours carry when a line of therapy fails."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.carried import CARRIED_FROM, NONE, carried_at
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, colours, style, whole
from tumor_abm.run.results import Results

SHOWN_ALTERATIONS = 12
SHOWN_LINES = 4
TITLE = "What tumours carry when a line fails"

_BAR_IN = 0.13
_HALO = [withStroke(linewidth=2.5, foreground="white")]


def plot_resistance(results: Results, *, titled: bool = True, ax: Axes | None = None) -> Figure:
    """Draw which alterations tumours carry at progression, per arm and line.

    A bar is the share of progressing tumours in which at least a fifth of the cells carry the
    alteration; the mark is that share at enrolment. Arms in which nobody progressed on a line have no bar.

    Parameters
    ----------
    results
        Of an experiment.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels, one a line, take; a new figure when ``None``.
    """
    late, early = carried_at(results, "progression"), carried_at(results, "baseline")
    alterations = _most_frequent(late)
    lines = late["line"].unique().sort().to_list()[:SHOWN_LINES]
    arms = results.arms
    with style():
        rows_in = _BAR_IN * (len(arms) + 1) * max(3, len(alterations))
        figure = canvas(2.4 + 2.0 * max(2, len(lines)), 1.7 + rows_in + 0.2 * len(arms), ax)
        panels = figure.subplots(1, max(1, len(lines)), sharex=True, sharey=True, squeeze=False)[0]
        for panel, line in zip(panels, lines, strict=False):
            _frame(panel, line, alterations, late)
            for place, arm in enumerate(arms):
                where = [
                    row + (place - (len(arms) - 1) / 2) / (len(arms) + 1) for row in range(len(alterations))
                ]
                failed = late.filter(arm=arm, line=line)
                if failed.is_empty():
                    continue  # nobody of this arm progressed on this line: no share, not one of zero
                share = _shares(failed, alterations)
                before = _shares(early.filter(arm=arm), alterations)
                panel.barh(where, share, height=0.9 / (len(arms) + 1), color=colours(results)[arm])
                panel.plot(before, where, "|", color=INK, markersize=6, path_effects=_HALO)
                _numbers(panel, where, share)
        panels[0].set_xlim(
            0, 1.18 * max(late["carried_pct"].to_list() + early["carried_pct"].to_list() + [1])
        )
        if not lines:
            panels[0].set_axis_off()
            panels[0].text(0.5, 0.5, "No tumour progressed.", ha="center", transform=panels[0].transAxes)
        if titled:
            figure.suptitle(TITLE, x=0.01, ha="left", fontsize=12, fontweight="bold")
        _legend(figure, results)
    return whole(figure)


def _most_frequent(carried: pl.DataFrame) -> list[str]:
    """Alterations from the most to the least frequent, and last the tumours with none."""
    ranked = (
        carried.filter(pl.col("alteration") != NONE)
        .group_by("alteration")
        .agg(pl.col("carried_pct").sum())
        .sort(pl.col("carried_pct"), "alteration", descending=[True, False])
    )
    return [*ranked["alteration"].head(SHOWN_ALTERATIONS), NONE] if carried.height else []


def _shares(carried: pl.DataFrame, alterations: list[str]) -> list[float]:
    share = dict(carried.select("alteration", "carried_pct").iter_rows())
    return [share.get(alteration, 0.0) for alteration in alterations]


def _frame(panel: Axes, line: int, alterations: list[str], carried: pl.DataFrame) -> None:
    tumours = carried.filter(line=line).unique("arm", maintain_order=True)["tumours"]
    panel.set_title(f"Line {line}", loc="left", fontsize=9, fontweight="bold")
    panel.set_title(f"n = {_range(tumours)}", loc="right", fontsize=8, color=MUTED)
    panel.set_yticks(range(len(alterations)), [figure_text(name) for name in alterations])
    panel.set_ylim(len(alterations) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", color=FAINT, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.set_xlabel("% of tumours")


def _range(tumours: pl.Series) -> str:
    counts = sorted(set(tumours))
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} per arm"


def _numbers(panel: Axes, where: list[float], share: list[float]) -> None:
    """Write the shares at progression in a column of their own, where no mark is beside them."""
    for y, value in zip(where, share, strict=True):
        panel.text(
            0.99,
            y,
            f"{value:.0f}",
            transform=panel.get_yaxis_transform(),
            fontsize=6.5,
            color=MUTED,
            ha="right",
            va="center",
        )


def _legend(figure: Figure | SubFigure, results: Results) -> None:
    arms = [Patch(color=colour, label=figure_text(arm)) for arm, colour in colours(results).items()]
    start = Line2D([], [], color=INK, marker="|", linestyle="", path_effects=_HALO, label="at enrolment")
    figure.legend(
        handles=[*arms, start],
        title=f"Tumours with the alteration in at least {CARRIED_FROM:.0%} of their cells at progression",
        loc="outside lower left",
        alignment="left",
        fontsize=8,
        title_fontsize=8,
    )
