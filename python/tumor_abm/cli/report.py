"""``tumor-abm report``: the page of a finished run, anew."""

from __future__ import annotations

import argparse

from tumor_abm.cli.compare import listed
from tumor_abm.cli.printing import as_written, print_pairs, writing
from tumor_abm.cli.values import target

EXAMPLES = """\
examples:
  tumor-abm report results/order
  tumor-abm report results/order --by visceral,er_dependence --out pages
  tumor-abm report results/evolution
  tumor-abm report results/doses
"""


def describe(report: argparse.ArgumentParser) -> None:
    """Describe what can be written behind ``report``."""
    report.add_argument(
        "directory", metavar="DIR", type=target, help="directory of a finished run, study or batch"
    )
    report.add_argument(
        "--by",
        metavar="COVARIATES",
        action="append",
        default=[],
        help="of a run: tell effects in subgroups by these, with commas between them, as compare does",
    )
    report.add_argument("--out", metavar="DIR", type=target, help="where to (default: into DIR itself)")


def report(arguments: argparse.Namespace) -> None:
    """Write ``report.html`` of a finished run, study or batch."""
    from tumor_abm.report import write_any_report
    from tumor_abm.run.directory import finished_in

    directory, out = arguments.directory, arguments.out or arguments.directory
    results = finished_in(directory)
    with as_written(directory):
        by = listed(arguments.by, results)
    with writing(out), as_written(directory):
        out.mkdir(parents=True, exist_ok=True)
        page = write_any_report(results, directory, out, by=by)
    print_pairs(f"In {out}:", {"report": page.name})
