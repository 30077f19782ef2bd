"""``tumor-abm report``: the page of a finished run anew, or of two runs side by side."""

from __future__ import annotations

import argparse

from tumor_abm.cli.compare import listed
from tumor_abm.cli.printing import as_written, print_pairs, writing
from tumor_abm.cli.values import target

EXAMPLES = """\
Of two runs the page tells what either says, in what their experiments differ, and how arms of the same name
compare.

examples:
  tumor-abm report results/order
  tumor-abm report results/order --by visceral,er_dependence --out pages
  tumor-abm report results/evolution
  tumor-abm report results/doses
  tumor-abm report results/predicted
  tumor-abm report results/order results/order_at_lower_dose --out pages
"""


def describe(report: argparse.ArgumentParser) -> None:
    """Describe what can be written behind ``report``."""
    report.add_argument(
        "directory",
        metavar="DIR",
        type=target,
        help="directory of a finished run, study, batch or `predict --keep`",
    )
    report.add_argument(
        "other", metavar="DIR2", type=target, nargs="?", help="another run, to lay beside the first"
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
    """Write ``report.html`` of what a directory holds, or ``side_by_side.html`` of two runs."""
    from tumor_abm.errors import InputError
    from tumor_abm.report import write_any_report, write_prediction, write_two_runs
    from tumor_abm.run.directory import finished_in
    from tumor_abm.trials import Prediction

    directory, out = arguments.directory, arguments.out or arguments.directory
    if arguments.other is None and Prediction.is_in(directory):
        if arguments.by:
            raise InputError(key="by", found=arguments.by, allowed="subgroups of a run, not of predictions")
        prediction = Prediction.load(directory)
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            page = write_prediction(prediction, out)
        print_pairs(f"In {out}:", {"report": page.name})
        return
    results = finished_in(directory)
    if arguments.other is not None:
        if arguments.by:
            raise InputError(key="by", found=arguments.by, allowed="subgroups of one run alone")
        second, names = (
            finished_in(arguments.other),
            (directory.resolve().name, arguments.other.resolve().name),
        )
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            page = write_two_runs(results, second, names, out)
        print_pairs(f"In {out}:", {"side by side": page.name})
        return
    with as_written(directory):
        by = listed(arguments.by, results)
    with writing(out), as_written(directory):
        out.mkdir(parents=True, exist_ok=True)
        page = write_any_report(results, directory, out, by=by)
    print_pairs(f"In {out}:", {"report": page.name})
