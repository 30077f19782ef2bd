"""``tumor-abm compare``: the arms of a finished run against each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumor_abm.cli import sets
from tumor_abm.cli.printing import as_written, print_json, records, writing
from tumor_abm.cli.values import path, print_as_json, target

if TYPE_CHECKING:
    from rich.console import Console

    from tumor_abm.analysis.between_sets import BetweenSets
    from tumor_abm.analysis.comparison import Comparison
    from tumor_abm.run.results import Results

EXAMPLES = """\
--by divides the patients by covariates, markers and responses: a column of the table patients, or of a gene
or an alteration NAME_at_baseline, NAME_share (percent of the cells at enrolment), NAME_in_blood, or
response_in_control. A number is cut at its median, or where it is said.

examples:
  tumor-abm compare results/order
  tumor-abm compare results/order --by visceral,esr1_at_baseline,prior_months:6:12
  tumor-abm compare results/order --observed trial.csv --endpoint PFS1 --figure fit.svg
"""


def describe(compare: argparse.ArgumentParser) -> None:
    """Describe what can be written behind ``compare``."""
    compare.add_argument("directory", metavar="DIR", type=target, help="directory of a finished run")
    compare.add_argument(
        "--by",
        metavar="COVARIATES",
        action="append",
        default=[],
        help="tell effects in subgroups by these, with commas between them, and test whether they differ",
    )
    compare.add_argument(
        "--csv",
        metavar="FILE",
        type=target,
        help="write the comparison as CSV, too, and beside it subgroups and interactions",
    )
    compare.add_argument(
        "--observed",
        metavar="FILE.csv",
        type=path,
        help="real patients (time in months, event 1 or 0, arm), to test whether the simulated ones fit them",
    )
    compare.add_argument(
        "--endpoint", metavar="NAME", default="PFS1", help="of --observed: what they report (default: PFS1)"
    )
    compare.add_argument(
        "--figure", metavar="FILE", type=target, help="of --observed: draw both (.svg, .pdf or .png)"
    )
    print_as_json(compare)


def compare(arguments: argparse.Namespace) -> None:
    """Print the comparison of the arms of a finished run."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.analysis.answers import answers
    from tumor_abm.analysis.comparison import compare as compared
    from tumor_abm.cli.consoles import output
    from tumor_abm.errors import InputError
    from tumor_abm.run.directory import finished_in

    results = finished_in(arguments.directory)
    if arguments.observed is not None:
        _tell_fit(results, arguments)
        return
    if arguments.figure is not None:
        raise InputError("--figure draws what --observed reads; name that, too")
    with as_written(arguments.directory):
        comparison = compared(results, listed(arguments.by, results))
        by_set = sets.of_run(results)
    if arguments.csv:
        with writing(arguments.csv):
            write_whole(arguments.csv, comparison.with_limits.write_csv)
            if comparison.interactions.height:
                write_whole(_beside(arguments.csv, "subgroups"), comparison.subgroups.write_csv)
                write_whole(_beside(arguments.csv, "interactions"), comparison.interactions.write_csv)
    if arguments.json:
        print_json(
            {
                "control": comparison.control,
                "comparison": records(comparison.with_limits),
                "who_gains": records(comparison.gains),
                "neutropenia": records(comparison.neutropenia),
                "subgroups": records(comparison.subgroups),
                "interactions": records(comparison.interactions),
                "time_on_regimens": records(comparison.on_regimens),
                "time_to_next": records(comparison.to_next),
                "dose_intensity": records(comparison.intensity),
                "dose_changes": records(comparison.dose_changes),
                "worth": records(comparison.worth),
                "answers": [
                    vars(answer) | {"verdict": answer.verdict.value} for answer in answers(comparison)
                ],
                "sets": {} if by_set is None else {k: records(v) for k, v in sets.tables(by_set).items()},
                "missing": records(comparison.missing),
                "without_meaning": {each.name: why for each, why in comparison.without_meaning.items()},
            }
        )
        return
    with as_written(arguments.directory):
        tell(comparison, by_set, output())


def _tell_fit(results: Results, arguments: argparse.Namespace) -> None:
    """Print how simulated patients fit observed ones, and draw both if that is asked for."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.analysis.fit_wording import fit_section
    from tumor_abm.analysis.observed import fit, read_observed
    from tumor_abm.cli.consoles import output

    observed = read_observed(arguments.observed)
    with as_written(arguments.directory):
        found = fit(results, observed, arguments.endpoint)
    if arguments.csv:
        with writing(arguments.csv):
            write_whole(arguments.csv, found.write_csv)
    if arguments.figure:
        from tumor_abm.plots import plot_fit
        from tumor_abm.plots.style import write_figure

        figure = plot_fit(results, observed, arguments.endpoint)
        with writing(arguments.figure):
            write_figure(figure, arguments.figure)
    if arguments.json:
        print_json({"fit": records(found)})
        return
    output().print(fit_section(found).as_text())


def tell(comparison: Comparison, by_set: BetweenSets | None, out: Console) -> None:
    """Print a comparison, its answers, and what sets of parameters say of them."""
    from tumor_abm._base.sinks import rich_text
    from tumor_abm.analysis.answers import answers

    comparison.print(out)
    for answer in answers(comparison):
        out.print(rich_text(answer.sentence), soft_wrap=True)
    sets.tell(by_set, out)


def listed(texts: Sequence[str], results: Results) -> list[str]:
    """Return the covariates of lists with commas; a known name may have commas itself."""
    if not texts:
        return []
    from tumor_abm.analysis.covariate import known_covariates

    known = known_covariates(results)
    found: list[str] = []
    for text in texts:
        found += [text] if text in known else [part.strip() for part in text.split(",")]
    return found


def _beside(file: Path, name: str) -> Path:
    return file.with_name(f"{file.stem}_{name}{file.suffix}")
