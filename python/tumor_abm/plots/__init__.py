"""Figures of results, drawn without any global state of matplotlib."""

from tumor_abm.plots.clones import plot_resistance
from tumor_abm.plots.kaplan_meier import plot_kaplan_meier
from tumor_abm.plots.style import save_figure, svg

__all__ = ["plot_kaplan_meier", "plot_resistance", "save_figure", "svg"]
