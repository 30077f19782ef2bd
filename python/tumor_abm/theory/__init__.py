"""Closed forms that the engines must reproduce, from the published theory of growing tumours.

Rates are per day, times in days, concentrations in any one unit. In the formulas ``b`` and ``d``
are the division and death rate, ``r = b - d``, ``s = 1 - d/b``, ``M`` is the number of cells at
detection and ``u`` the probability per division that one daughter mutates (at most one does:
convention A of Bozic et al. 2013). Results for continuous time say so; the engines step by `dt`,
and approach them linearly as `dt` falls.
"""

from tumor_abm.theory.birth_death import (
    birth_death_pmf,
    detection_time_mean,
    detection_time_sd,
    extinction_by,
    extinction_time_median,
    linear_fractional,
    mean_cells,
    reach_before_extinction,
    ultimate_extinction,
    variance_cells,
)
from tumor_abm.theory.growth import (
    Response,
    gompertz,
    log_kill,
    logistic,
    norton_simon,
    relapse_time,
    response_nadir,
)
from tumor_abm.theory.kinetics import (
    accumulation_ratio,
    oral_steady_state,
    time_to_steady_state,
)
from tumor_abm.theory.luria_delbruck import (
    clone_sizes_with_death,
    clone_sizes_with_fitness,
    compound_poisson_pmf,
    lea_coulson_pmf,
    luria_delbruck_mean,
    luria_delbruck_pmf,
    mean_divisions,
    mean_resistant_clones,
    mutant_free,
    plated_none,
    resistance_factor,
    resistance_present,
)
from tumor_abm.theory.steps import (
    galton_watson_mean,
    galton_watson_pmf,
    galton_watson_variance,
    mean_counts,
    step_growth_rate,
)
from tumor_abm.theory.treatment import (
    bozic_dual_failure,
    bozic_mono_failure,
    expected_doubly_resistant,
    expected_resistant,
    pulsed_failure,
    two_step_failure,
)

__all__ = [
    "Response",
    "accumulation_ratio",
    "birth_death_pmf",
    "bozic_dual_failure",
    "bozic_mono_failure",
    "clone_sizes_with_death",
    "clone_sizes_with_fitness",
    "compound_poisson_pmf",
    "detection_time_mean",
    "detection_time_sd",
    "expected_doubly_resistant",
    "expected_resistant",
    "extinction_by",
    "extinction_time_median",
    "galton_watson_mean",
    "galton_watson_pmf",
    "galton_watson_variance",
    "gompertz",
    "lea_coulson_pmf",
    "linear_fractional",
    "log_kill",
    "logistic",
    "luria_delbruck_mean",
    "luria_delbruck_pmf",
    "mean_cells",
    "mean_counts",
    "mean_divisions",
    "mean_resistant_clones",
    "mutant_free",
    "norton_simon",
    "oral_steady_state",
    "plated_none",
    "pulsed_failure",
    "reach_before_extinction",
    "relapse_time",
    "resistance_factor",
    "resistance_present",
    "response_nadir",
    "step_growth_rate",
    "time_to_steady_state",
    "two_step_failure",
    "ultimate_extinction",
    "variance_cells",
]
