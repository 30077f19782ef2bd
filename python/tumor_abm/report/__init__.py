"""The HTML report of an experiment."""

from tumor_abm.report.page import write_report

__all__ = ["write_report"]
