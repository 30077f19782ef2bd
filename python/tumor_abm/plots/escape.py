"""What tumours consist of when one line after the other fails: flows between the genotypes that rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from tumor_abm._base.arguments import must_be
from tumor_abm._base.genotype import named
from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.portions import some_patients_at_a_time
from tumor_abm.errors import InputError
from tumor_abm.plots.hues import distinct
from tumor_abm.plots.style import INK, MUTED, canvas, style, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "Which genotype has most cells at each progression"
SHOWN_GENOTYPES = 9
_BESIDE = 2
_WILD, _OTHERS, _GONE = "#C9D3DC", "#8A8A8A", "#F1F1F1"
_OTHER, _NOT = "other genotypes", "no progression (yet)"
_WIDTH = 0.34
_HALO = [withStroke(linewidth=2, foreground="white")]

State = str


@dataclass(frozen=True)
class _Ruled:
    """Of each tumour the genotype with most cells, at enrolment and at each progression.

    Attributes
    ----------
    states
        ``arm, patient, step, state``; step 0 is enrolment, then come the lines.
    shown
        Colours of the states that have one of their own, in order from below.
    """

    states: pl.DataFrame
    shown: Mapping[State, str]


def plot_escape(results: Results, *, titled: bool = True, ax: Axes | None = None) -> Figure:
    """Draw which genotype has most cells at enrolment and at each progression, and who went where.

    A column is a moment, a panel an arm. Heights are shares of the patients of the arm; who did not progress
    on a line is in the pale top. Ribbons join the states of the same patients.

    Parameters
    ----------
    results
        Of an experiment, with the table ``clones``.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.
    """
    must_be("results", results, Results)
    ruled = _ruled(results)
    arms = results.arms
    columns = min(_BESIDE, len(arms))
    rows = -(-len(arms) // columns)
    with style():
        figure = canvas(max(5.0, 4.2 * columns), 2.9 * rows + 1.4, ax)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(arms):
                panel.set_axis_off()
                continue
            _draw(panel, ruled.states.filter(arm=arms[place]), ruled.shown)
            panel.set_title(figure_text(wrapped(arms[place], 52)), loc="left", fontsize=9, fontweight="bold")
            if place % columns == 0:
                panel.set_ylabel("Patients (%)")
        if titled:
            figure.suptitle(TITLE, x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.legend(
            handles=[
                Patch(facecolor=colour, edgecolor=MUTED, linewidth=0.4, label=figure_text(state))
                for state, colour in ruled.shown.items()
            ],
            title="Genotype with most cells",
            loc="outside lower left",
            alignment="left",
            ncols=min(3, columns + 1),
            fontsize=8,
            title_fontsize=8,
        )
    return whole(figure)


def _ruled(results: Results) -> _Ruled:
    clones = results.scan("clones")
    if "alterations" not in clones.collect_schema():
        problem = "found a table without alterations, as older versions wrote it"
        raise InputError(f"clones: {problem}; run the experiment into a new directory")
    moment = pl.col("moment").cast(pl.String)
    step = pl.when(moment == "baseline").then(0).otherwise(pl.col("line").cast(pl.Int64))
    seen = clones.filter(moment.is_in(["baseline", "progression"])).select(
        "patient", pl.col("arm").cast(pl.String), "alterations", "fraction", step=step
    )
    rulers = pl.concat([_rulers(some) for some in some_patients_at_a_time(seen)])
    frequent = rulers.group_by("state").len().sort("len", "state", descending=[True, False])["state"]
    own = [name for name in frequent if name != named(())][:SHOWN_GENOTYPES]
    kept = pl.col("state").is_in([named(()), *own])
    states = rulers.with_columns(state=pl.when(kept).then("state").otherwise(pl.lit(_OTHER)))
    strong = distinct(len(own), apart_from=[_WILD, _OTHERS, INK])
    shown = {named(()): _WILD, **dict(zip(own, strong, strict=True)), _OTHER: _OTHERS, _NOT: _GONE}
    found = {*states["state"], _NOT}
    return _Ruled(_completed(results, states), {state: hue for state, hue in shown.items() if state in found})


def _rulers(clones: pl.DataFrame) -> pl.DataFrame:
    """Return ``arm, patient, step, state``: of each tumour the genotype with most cells."""
    most = clones.sort("fraction", descending=True, maintain_order=True).unique(
        ["arm", "patient", "step"], keep="first", maintain_order=True
    )
    state = pl.Series([named(tuple(genotype)) for genotype in most["alterations"].to_list()], dtype=pl.String)
    return most.select("arm", "patient", "step", state=state)


def _completed(results: Results, states: pl.DataFrame) -> pl.DataFrame:
    """Give every patient a state at every moment."""
    everybody = results.scan("overall").select(pl.col("arm").cast(pl.String), "patient").collect()
    last = states["step"].max()
    steps = pl.DataFrame({"step": range(1 + (last if isinstance(last, int) else 0))})
    return (
        everybody.join(steps, how="cross")
        .with_columns(pl.col("step").cast(pl.Int64))
        .join(states.with_columns(pl.col("step").cast(pl.Int64)), on=["arm", "patient", "step"], how="left")
        .with_columns(pl.col("state").fill_null(_NOT))
    )


def _draw(axes: Axes, states: pl.DataFrame, shown: Mapping[State, str]) -> None:
    steps = states["step"].unique().sort().to_list()
    if not steps:
        axes.text(0.5, 0.5, "no patients", ha="center", va="center", transform=axes.transAxes)
        axes.set_xticks([])
        return
    order = list(shown)
    patients = max(states["patient"].n_unique(), 1)
    wide = states.pivot("step", index="patient", values="state")
    for step in steps:
        counts = [states.filter(step=step, state=state).height for state in order]
        shares = 100 * np.array(counts) / patients
        below = np.concatenate([[0.0], np.cumsum(shares)[:-1]])
        axes.bar(
            [step] * len(order),
            shares,
            bottom=below,
            width=_WIDTH,
            color=list(shown.values()),
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
        )
        for start, share in zip(below, shares, strict=True):
            if share >= 6:
                axes.text(
                    step,
                    start + share / 2,
                    f"{share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    path_effects=_HALO,
                    zorder=4,
                )
        if step + 1 in steps:
            _ribbons(axes, wide.select(before=str(step), after=str(step + 1)), step, order, shown)
    axes.set_xlim(-0.3, max(steps) + 0.3)
    axes.set_ylim(0, 100)
    ticks = ["enrolment", *(f"progression\non line {step}" for step in steps[1:])]
    axes.set_xticks(steps, ticks, fontsize=8)
    axes.tick_params(axis="x", length=0)


def _ribbons(
    axes: Axes, moved: pl.DataFrame, step: int, order: Sequence[State], shown: Mapping[State, str]
) -> None:
    """Join the states of patients between two moments; a ribbon has the colour of where it leads to."""
    counts = {(before, after): n for before, after, n in moved.group_by("before", "after").len().iter_rows()}
    percent = 100 / max(moved.height, 1)
    starts = _stacked(counts, order, percent, by_first=True)
    ends = _stacked(counts, order, percent, by_first=False)
    t = np.linspace(0, 1, 30)
    across = step + _WIDTH / 2 + t * (1 - _WIDTH)
    ease = t * t * (3 - 2 * t)
    outlines = []
    for pair, n in counts.items():
        low = starts[pair] + (ends[pair] - starts[pair]) * ease
        there, back = np.stack([across, low]), np.stack([across, low + percent * n])[:, ::-1]
        outlines.append(np.concatenate([there, back], axis=1).T)
    colours = [shown[after] for _, after in counts]
    axes.add_collection(PolyCollection(outlines, facecolors=colours, alpha=0.45, linewidth=0, zorder=1))


def _stacked(
    counts: Mapping[tuple[State, State], int], order: Sequence[State], percent: float, *, by_first: bool
) -> dict[tuple[State, State], float]:
    """Return where each ribbon begins in the column on one side of it."""
    height = 0.0
    found = {}
    for own in order:
        for other in order:
            pair = (own, other) if by_first else (other, own)
            found[pair] = height
            height += percent * counts.get(pair, 0)
    return found
