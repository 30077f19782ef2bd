"""Batches: one base moved along axes, run by run into one store, and what is read from it."""

from tumor_abm.batch.batch import Batch
from tumor_abm.batch.batch_study import BatchStudy, load_batch
from tumor_abm.batch.merge import merge_batch
from tumor_abm.batch.part import PartOfRuns
from tumor_abm.batch.probe import Forecast, forecast
from tumor_abm.batch.run import Tally, run_batch, run_part

__all__ = [
    "Batch",
    "BatchStudy",
    "Forecast",
    "PartOfRuns",
    "Tally",
    "forecast",
    "load_batch",
    "merge_batch",
    "run_batch",
    "run_part",
]
