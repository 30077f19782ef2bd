"""What each patient lived through: lines of therapy, progressions, death."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tumor_abm._base.arguments import must_be, positive
from tumor_abm._base.sinks import figure_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.plots.shown_patients import spread_out
from tumor_abm.plots.style import FAINT, INK, MUTED, canvas, style, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "What patients live through"
LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LATER = "#8A8A8A"
_OFF_TREATMENT = "#D9D9D9"
_PATIENT_IN = 0.1
_BESIDE = 3


def plot_swimmer(
    results: Results, *, patients: int = 40, titled: bool = True, ax: Axes | None = None
) -> Figure:
    """Draw patients as bars over time, a colour per line of therapy, a panel per arm.

    The same patients stand in every panel at the same height, so a row across is one patient's twins. Of more
    patients than can be told apart those are drawn who lie evenly by survival in the control arm.

    Parameters
    ----------
    results
        Of an experiment.
    patients
        Patients drawn at most.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    must_be("results", results, Results)
    patients = positive("patients", patients)
    overall = results.scan("overall").with_columns(pl.col("arm").cast(pl.String)).collect()
    shown = _shown(overall, results.arms, results.control, patients)
    bars = _bars(results, shown)
    arms = results.arms
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    end = 1.02 * max([*overall.filter(pl.col("patient").is_in(shown))["os_months"].drop_nulls(), 1.0])
    with style():
        figure = canvas(max(4.6, 3.6 * columns), (_PATIENT_IN * max(len(shown), 8) + 0.9) * rows + 0.9, ax)
        panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(arms):
                panel.set_axis_off()
                continue
            arm = arms[place]
            _draw(panel, bars.filter(arm=arm), overall.filter(arm=arm), shown)
            panel.set_xlim(0, end)
            panel.set_title(figure_text(wrapped(arm, 46)), loc="left", fontsize=9, fontweight="bold")
            panel.set_xlabel("Months from the start of the first line")
            panel.tick_params(labelbottom=True)
        _ylabel(panels[:, 0], len(shown), overall["patient"].n_unique())
        if titled:
            figure.suptitle(TITLE, x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.legend(
            handles=_legend(bars),
            loc="outside lower left",
            alignment="left",
            ncols=5 if columns > 1 else 2,
            fontsize=8,
            handlelength=1.2,
        )
    return whole(figure)


def _ylabel(panels: Iterable[Axes], shown: int, enrolled: int) -> None:
    for panel in panels:
        panel.set_ylabel(f"{shown} of {enrolled} patients")


def _shown(overall: pl.DataFrame, arms: list[str], control: str, most: int) -> list[int]:
    """Return the patients drawn, who lived longest in the control arm first, then those not in it."""
    order = [control, *(arm for arm in arms if arm != control)]
    ranked = (
        overall.with_columns(place=pl.col("arm").replace_strict(order, range(len(order)), default=len(order)))
        .sort("place", "os_months", "patient", descending=[False, True, False], nulls_last=True)
        .unique("patient", keep="first", maintain_order=True)
    )
    return spread_out(ranked, most)["patient"].to_list()


def _bars(results: Results, shown: list[int]) -> pl.DataFrame:
    """Return ``patient, arm, line, start, end, end_reason``, in months."""
    return (
        results.scan("outcomes")
        .filter(pl.col("patient").is_in(shown))
        .select(
            "patient",
            "line",
            pl.col("arm", "end_reason").cast(pl.String),
            start=pl.col("start_day") / DAYS_PER_MONTH,
            end=pl.col("end_day") / DAYS_PER_MONTH,
        )
        .sort("arm", "patient", "line")
        .collect()
    )


def colour_of_line(line: int) -> str:
    """Colour of a line of therapy, from 1."""
    return LINES[line - 1] if line <= len(LINES) else LATER


def _draw(axes: Axes, bars: pl.DataFrame, overall: pl.DataFrame, shown: list[int]) -> None:
    height = {patient: place for place, patient in enumerate(shown)}
    lived = overall.filter(pl.col("patient").is_in(shown)).drop_nulls("os_months")
    at = [height[patient] for patient in lived["patient"]]
    axes.barh(at, lived["os_months"], height=0.3, color=_OFF_TREATMENT, zorder=1)
    for (line,), rows in bars.group_by("line", maintain_order=True):
        axes.barh(
            [height[patient] for patient in rows["patient"]],
            rows["end"] - rows["start"],
            left=rows["start"],
            height=0.78,
            color=colour_of_line(int(str(line))),
            zorder=2,
        )
    worse = bars.filter(end_reason="progression")
    axes.plot(
        worse["end"],
        [height[patient] for patient in worse["patient"]],
        "|",
        color=INK,
        markersize=5,
        zorder=3,
    )
    for died, marker in ((True, "X"), (False, ">")):
        rows = lived.filter(pl.col("os_event") == died)
        if rows.is_empty():
            continue
        axes.plot(
            rows["os_months"],
            [height[patient] for patient in rows["patient"]],
            marker,
            color=INK if died else MUTED,
            markersize=4,
            markeredgewidth=0,
            clip_on=False,
            zorder=4,
        )
    axes.set_ylim(len(shown) - 0.3, -0.7)
    axes.set_yticks([])
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _legend(bars: pl.DataFrame) -> list[Patch | Line2D]:
    lines = bars["line"].unique().sort().to_list()
    named = [Patch(color=colour_of_line(line), label=f"line {line}") for line in lines if line <= len(LINES)]
    later = [Patch(color=LATER, label="later lines")] if any(line > len(LINES) for line in lines) else []
    return [
        *named,
        *later,
        Patch(color=_OFF_TREATMENT, label="after the last line"),
        Line2D([], [], color=INK, marker="|", linestyle="", label="progression"),
        Line2D([], [], color=INK, marker="X", linestyle="", markeredgewidth=0, label="death"),
        Line2D([], [], color=MUTED, marker=">", linestyle="", markeredgewidth=0, label="censored"),
    ]
