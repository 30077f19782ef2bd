"""Published trials: a file each, what their arms stand for, and what the simulator predicts for them."""

from tumor_abm.config.named import experiment_file, files, find, names, tables
from tumor_abm.trials.parts import Parts
from tumor_abm.trials.prediction import Prediction, predict, workload
from tumor_abm.trials.rows import Row, load, rows
from tumor_abm.trials.usual import usual_pairs

__all__ = [
    "Parts",
    "Prediction",
    "Row",
    "experiment_file",
    "files",
    "find",
    "load",
    "names",
    "predict",
    "rows",
    "tables",
    "usual_pairs",
    "workload",
]
