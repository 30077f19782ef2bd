"""Predict trials: simulate their patients, and say what a trial of that size would report."""

from tumor_abm.prediction.predict import Prediction, predict, workload

__all__ = ["Prediction", "predict", "workload"]
