"""``tumor-abm run --until-precise``: what is asked for, and what it took."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tumor_abm.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from tumor_abm.analysis.precision import Precision
    from tumor_abm.run.results import Results

AT_MOST = 10_000
"""Patients, unless another number is given."""


def goal_of(arguments: argparse.Namespace) -> Precision | None:
    """Return the precision that is asked for, if any."""
    from tumor_abm.analysis.precision import Precision

    if arguments.until_precise is None:
        if arguments.at_most is not None:
            raise InputError("stands beside --until-precise only", key="at-most")
        return None
    if arguments.patients is not None:
        problem = "is the number that --until-precise finds; --at-most bounds it"
        raise InputError(problem, key="patients")
    for key in ("ensemble", "scheduler"):
        if getattr(arguments, key) is not None:
            raise InputError("does not go with --until-precise", key=key)
    return Precision.parse(arguments.until_precise)


def tell(goal: Precision, results: Results, out: Console) -> None:
    """Say how many patients it took, and how well the number is known."""
    from tumor_abm._base.sinks import rich_text

    widths = goal.half_widths(results)
    told = "; ".join(
        f"{arm}: {'no end' if half is None else f'+- {half:.3g}'}" for arm, half in widths.items()
    )
    verdict = "reached" if goal.reached(results) else "not reached"
    words = f"{goal.in_words()}: {verdict} with {results.enrolled} patients ({told})."
    out.print(rich_text(words), soft_wrap=True)
