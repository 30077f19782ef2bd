"""The HTML report of an experiment, a study, a batch or predictions of trials."""

from tumor_abm.report.other import write_any_report, write_prediction
from tumor_abm.report.page import number_of_figures, write_report
from tumor_abm.report.two_runs import write_two_runs

__all__ = ["number_of_figures", "write_any_report", "write_prediction", "write_report", "write_two_runs"]
