"""Predict trials: simulate their patients, and say what a trial of that size would report."""

from tumor_abm.prediction.parts import Parts
from tumor_abm.prediction.predict import Prediction, predict, workload

__all__ = ["Parts", "Prediction", "predict", "workload"]
