"""Who of the virtual twins gains: each patient's gain against what was known before treatment."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import t as student

from tumor_abm._base.arguments import must_be
from tumor_abm._base.sinks import figure_text
from tumor_abm.analysis.covariate import CovariateOfPatients, covariate_of
from tumor_abm.analysis.division import division
from tumor_abm.analysis.endpoints import Endpoint, endpoint
from tumor_abm.analysis.paired import gains, shared_end
from tumor_abm.errors import InputError
from tumor_abm.plots.shown_patients import spread_out
from tumor_abm.plots.style import FAINT, MUTED, canvas, colours, shortened, style, whole, width_in, wrapped
from tumor_abm.run.results import Results

_BESIDE = 3
_LETTER_IN = 0.1
_FIFTHS = (0.2, 0.4, 0.6, 0.8)
_MOST_DOTS = 400
_DISTINCT = 8
"""Values of a number from which on it is drawn by fifths of the patients."""


def plot_who_gains(
    results: Results,
    by: Sequence[str],
    timed: Endpoint | str = "PFS1",
    arm: str | None = None,
    *,
    titled: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Draw each patient's gain against the control arm over covariates, a panel per covariate.

    A dot is a patient: the time without the event under the treatment less that of the same patient in the
    control arm, up to the month that both curves can tell. The large points are means with their paired 95%
    interval: of levels, or of fifths of the patients where the covariate is a number.

    Parameters
    ----------
    results
        Of an experiment.
    by
        Names of covariates, see `tumor_abm.analysis.covariate.known_covariates`.
    timed
        The endpoint, or its name.
    arm
        Which arm; the first beside the control when ``None``.
    titled
        Whether the figure has a title.
    ax
        Axes in a grid, whose place the panels take; a new figure when ``None``.

    Raises
    ------
    InputError
        `results` do not hold that endpoint, arm or covariate.
    """
    must_be("results", results, Results)
    must_be("by", by, list, tuple)
    others = [each for each in results.arms if each != results.control]
    arm = others[0] if arm is None and others else arm
    if arm not in others:
        raise InputError(key="arm", found=arm, allowed=others)
    if not by:
        raise InputError(key="by", found=list(by), allowed="at least one covariate")
    timed = endpoint(results, timed) if isinstance(timed, str) else timed
    covariates = [covariate_of(results, name) for name in by]
    observed = timed.observations(results)
    until = shared_end(observed, arm, results.control)
    own = gains(observed, arm, results.control, until)
    columns = min(_BESIDE, len(covariates))
    rows = -(-len(covariates) // columns)
    with style():
        figure = canvas(max(4.6, 2.9 * columns), 2.5 * rows + 0.8 * titled, ax)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(covariates):
                panel.set_axis_off()
                continue
            _draw(panel, own, covariates[place], colours(results)[arm])
            if place % columns == 0:
                panel.set_ylabel("Months gained")
        if titled:
            letters = int(width_in(figure) / _LETTER_IN)
            pair = f"{timed.name} up to month {until:.0f}: {arm} against {results.control}"
            said = wrapped(figure_text(shortened(pair)), letters)
            figure.suptitle(f"Who gains\n{said}", x=0.01, ha="left", fontsize=10, fontweight="bold")
    return whole(figure)


def _draw(axes: Axes, own: pl.DataFrame, covariate: CovariateOfPatients, colour: str) -> None:
    both = own.join(covariate.values.drop_nulls("value"), on="patient").sort("value", "patient")
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel(figure_text(wrapped(covariate.label, 34)), fontsize=8)
    axes.tick_params(labelsize=8)
    if both.is_empty():
        axes.text(
            0.5, 0.5, "no patient of whom it is known", ha="center", transform=axes.transAxes, fontsize=8
        )
        return
    is_number = both["value"].dtype.is_numeric() and both["value"].n_unique() > _DISTINCT
    if is_number:
        _over_a_number(axes, both, colour)
    else:
        _over_levels(axes, both, covariate, colour)


def _over_a_number(axes: Axes, both: pl.DataFrame, colour: str) -> None:
    both = both.with_columns(pl.col("value").cast(pl.Float64))
    dots = spread_out(both, _MOST_DOTS)
    axes.plot(dots["value"], dots["gain_months"], ".", color=colour, markersize=2.5, alpha=0.35)
    values = both["value"].to_numpy()
    if values.min() > 0 and values.max() > 50 * np.median(values):
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    fifth = np.searchsorted(np.unique(np.quantile(values, _FIFTHS)), values, side="right")
    for (_,), group in both.with_columns(fifth=pl.Series(fifth)).group_by("fifth", maintain_order=True):
        _mean(axes, float(np.median(group["value"].to_numpy())), group["gain_months"], colour)


def _over_levels(axes: Axes, both: pl.DataFrame, covariate: CovariateOfPatients, colour: str) -> None:
    divided = division(covariate)
    whole_numbers = both["value"].dtype.is_numeric()
    levels = (
        [str(value) for value in both["value"].unique().sort()] if whole_numbers else list(divided.levels)
    )
    members = (
        both.select("patient", level=pl.col("value").cast(pl.String)) if whole_numbers else divided.members
    )
    level_of = both.join(members, on="patient")
    for place, level in enumerate(levels):
        group = level_of.filter(level=level)
        dots = spread_out(group.sort("gain_months"), _MOST_DOTS // len(levels))
        across = place + np.linspace(-0.25, 0.25, max(dots.height, 1))[: dots.height]
        axes.plot(across, dots["gain_months"], ".", color=colour, markersize=2.5, alpha=0.35)
        _mean(axes, place, group["gain_months"], colour)
    axes.set_xlim(-0.6, len(levels) - 0.4)
    axes.set_xticks(range(len(levels)), [figure_text(wrapped(level, 14)) for level in levels])


def _mean(axes: Axes, x: float, gained: pl.Series, colour: str) -> None:
    """Draw the mean of some patients' gains with its interval, which two patients at least have."""
    n, mean = gained.len(), float(gained.to_numpy().mean()) if gained.len() else math.nan
    if n >= 2:
        width = float(student.ppf(0.975, n - 1)) * float(gained.to_numpy().std(ddof=1)) / math.sqrt(n)
        axes.errorbar(x, mean, yerr=width, color="white", linewidth=4, zorder=3)
        axes.errorbar(x, mean, yerr=width, color=colour, linewidth=2, capsize=3, zorder=4)
    axes.plot(x, mean, "o", color=colour, markeredgecolor="white", markersize=7, zorder=5)
