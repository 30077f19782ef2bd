"""Which treatment works in a cell with which alteration, as a field of colours."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tumor_abm._base.sinks import figure_text
from tumor_abm.plots.style import INK, MUTED, panel, style, title, whole

COLOURS: Mapping[str, str] = {
    "resistant": "#D55E00",
    "partial": "#F6C39B",
    "none": "#F3F3F3",
    "sensitised": "#56A5D8",
    "no effect": "#FFFFFF",
}
_LABELS = {
    "resistant": "resistant",
    "partial": "partly resistant",
    "none": "no difference",
    "sensitised": "sensitised",
    "no effect": "no effect in the wild type",
}
_MARKS: Mapping[str, tuple[str, float]] = {"agree": (".", 3), "too weak": ("o", 4), "disagree": ("x", 5)}
_CELL_IN, _LETTER_IN, _LEGEND_IN, _TITLE_IN = 0.17, 0.06, 1.6, 3.0


def plot_responses(
    matrix: pl.DataFrame, judged: pl.DataFrame | None = None, *, ax: Axes | None = None
) -> Figure:
    """Draw a response matrix: a row per treatment, a column per alteration.

    Parameters
    ----------
    matrix
        As `tumor_abm.knowledge.response.response_matrix` returns it.
    judged
        As `tumor_abm.knowledge.claims.judged` returns it: marks where the literature says something, and
        whether it says the same.
    ax
        Axes to draw into; a new figure when ``None``.
    """
    treatments = matrix["treatment"].unique(maintain_order=True).to_list()
    alterations = matrix["alteration"].unique(maintain_order=True).to_list()
    order = list(COLOURS)
    found = {(row["treatment"], row["alteration"]): row["response"] for row in matrix.iter_rows(named=True)}
    field = [[order.index(found[treatment, name]) for name in alterations] for treatment in treatments]
    rows, columns = ([*map(figure_text, names)] for names in (treatments, alterations))
    beside, below = (_LETTER_IN * max(map(len, names), default=0) for names in (rows, columns))
    wide, high = _CELL_IN * len(columns) + beside, _CELL_IN * len(rows) + below
    with style():
        axes = panel(max(wide, _TITLE_IN) + _LEGEND_IN, max(high, _LEGEND_IN) + 0.9, ax)
        axes.pcolormesh(
            field,
            cmap=ListedColormap(list(COLOURS.values())),
            vmin=-0.5,
            vmax=len(order) - 0.5,
            edgecolors="white",
            linewidth=0.8,
        )
        axes.invert_yaxis()
        axes.set_yticks([at + 0.5 for at in range(len(rows))], rows, fontsize=7)
        axes.set_xticks([at + 0.5 for at in range(len(columns))], columns, fontsize=7, rotation=90)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        handles: list[Patch | Line2D] = [
            Patch(facecolor=colour, edgecolor=MUTED, linewidth=0.4, label=_LABELS[response])
            for response, colour in COLOURS.items()
        ]
        if judged is not None:
            handles += _mark(axes, judged, treatments, alterations)
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, handlelength=1.2
        )
        title(axes, "Which treatment works in which cell", "Net growth of the median patient's cells")
    return whole(axes)


def _mark(axes: Axes, judged: pl.DataFrame, treatments: list[str], alterations: list[str]) -> list[Line2D]:
    """Mark what the literature says; return what the legend says of it."""
    handles = []
    for verdict, (marker, size) in _MARKS.items():
        rows = judged.filter(verdict=verdict).select("treatment", "alteration").rows()
        (mark,) = axes.plot(
            [alterations.index(alteration) + 0.5 for _, alteration in rows],
            [treatments.index(treatment) + 0.5 for treatment, _ in rows],
            color=INK,
            linestyle="none",
            marker=marker,
            markersize=size,
            markerfacecolor="none",
            label=f"literature: {verdict}",
        )
        handles.append(mark)
    return handles
