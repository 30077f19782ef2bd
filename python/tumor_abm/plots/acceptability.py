"""How probably an arm is worth its cost, by what a quality-adjusted year may cost."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.worth import acceptability
from tumor_abm.plots.style import FAINT, MUTED, colours, panel, shortened, style, title, whole, wrapped
from tumor_abm.run.results import Results

TITLE = "Acceptability"
_LETTERS = 28


def plot_acceptability(
    results: Results,
    thresholds: Sequence[float] | None = None,
    *,
    titled: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Draw how probably each arm is worth more than the control, over the price of a quality-adjusted year.

    Parameters
    ----------
    results
        Of an experiment with utilities and prices.
    thresholds
        As `tumor_abm.analysis.worth.acceptability` takes them.
    titled
        Whether the figure has a title.
    ax
        Axes to draw in; a new figure when ``None``.

    Raises
    ------
    InputError
        The experiment lacks utilities or prices.
    """
    must_be("results", results, Results)
    found, hues = acceptability(results, thresholds), colours(results)
    currency = str(results.experiment["price"].get("currency", "")).strip()
    with style():
        axes = panel(6.4, 3.4, ax)
        axes.axhline(50, color=MUTED, linewidth=0.7, linestyle=(0, (3, 2)))
        for (arm,), own in found.group_by("arm", maintain_order=True):
            label = figure_text(wrapped(shortened(str(arm)), _LETTERS))
            axes.plot(own["threshold"], 100 * own["probability"], color=hues[str(arm)], label=label)
        axes.set_ylim(-2, 102)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.set_xlabel(
            figure_text(f"Price of a quality-adjusted year{f' ({currency})' if currency else ''}")
        )
        axes.set_ylabel(figure_text(wrapped(shortened(f"Worth more than {results.control} (%)"), 34)))
        if found.height:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8)
        if titled:
            title(axes, TITLE, "Chance that an arm gains more than it costs, against the control arm")
    return whole(axes)
