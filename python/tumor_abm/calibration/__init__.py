"""Fit of the model to published trials: free parameters, targets, search, ensemble, sensitivity."""

from tumor_abm.calibration.parameters import Plan
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Wave
from tumor_abm.calibration.store import Calibration, calibrate, simulations, waves_of

__all__ = ["Calibration", "Plan", "Problem", "Wave", "calibrate", "simulations", "waves_of"]
