"""Experiments as TOML: read, checked, resolved, and turned into what the core reads."""

from tumor_abm.config.experiment import DAYS_PER_MONTH, Experiment, load_experiment
from tumor_abm.config.written import Written

__all__ = ["DAYS_PER_MONTH", "Experiment", "Written", "load_experiment"]
