"""Figures of results, drawn without any global state of matplotlib.

Every ``plot_`` function returns the figure, and takes `ax` to draw into one of yours: what is one panel is
drawn in these axes, several panels take their place. Make that figure with ``layout="constrained"``.
"""

from tumor_abm.plots.acceptability import plot_acceptability
from tumor_abm.plots.batch import plot_along_axis, plot_heat_map, plot_small_multiples
from tumor_abm.plots.burden import plot_burden
from tumor_abm.plots.clones import plot_resistance
from tumor_abm.plots.course import plot_course
from tumor_abm.plots.escape import plot_escape
from tumor_abm.plots.evidence import plot_against_published
from tumor_abm.plots.evolution import plot_neutrality, plot_spectra
from tumor_abm.plots.fit import plot_fit
from tumor_abm.plots.forest import plot_forest
from tumor_abm.plots.gains import plot_who_gains
from tumor_abm.plots.indices import plot_indices
from tumor_abm.plots.kaplan_meier import plot_kaplan_meier
from tumor_abm.plots.lineages import plot_maps, plot_muller
from tumor_abm.plots.pathway import plot_pathway
from tumor_abm.plots.patient import plot_patient
from tumor_abm.plots.response import plot_responses
from tumor_abm.plots.spider import plot_spider
from tumor_abm.plots.style import save_figure, svg
from tumor_abm.plots.swimmer import plot_swimmer
from tumor_abm.plots.waterfall import plot_waterfall

__all__ = [
    "plot_acceptability",
    "plot_against_published",
    "plot_along_axis",
    "plot_burden",
    "plot_course",
    "plot_escape",
    "plot_fit",
    "plot_forest",
    "plot_heat_map",
    "plot_indices",
    "plot_kaplan_meier",
    "plot_maps",
    "plot_muller",
    "plot_neutrality",
    "plot_pathway",
    "plot_patient",
    "plot_resistance",
    "plot_responses",
    "plot_small_multiples",
    "plot_spectra",
    "plot_spider",
    "plot_swimmer",
    "plot_waterfall",
    "plot_who_gains",
    "save_figure",
    "svg",
]
