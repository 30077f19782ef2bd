"""Experiments as TOML: read, checked, resolved, and turned into what the core reads."""

from tumor_abm.config.experiment import Experiment, load_experiment
from tumor_abm.config.written import Written

__all__ = ["Experiment", "Written", "load_experiment"]
