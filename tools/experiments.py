"""Write `docs/experiments.md`: what the shipped experiments answer.

``python -m tools.experiments RESULTS PAGE`` reads the directories in RESULTS that
``tumor-abm run`` wrote, one for each experiment, called as its file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import markdown_text
from tumor_abm.analysis.comparison import Comparison, compare
from tumor_abm.analysis.estimates_in_words import median_text
from tumor_abm.run.results import Results

from tools.markdown import limits, paragraph, table

_PLACE = re.compile(r"\{\{ (\w+) \}\}")


def write_experiments(results: Path, page: Path) -> None:
    """Write the page from the results of the shipped experiments."""
    template = Path(__file__).with_name("experiments.md.in").read_text(encoding="utf-8")
    text = _PLACE.sub(lambda place: _answer(Results.load(results / place[1])), template)
    write_whole(page, lambda draft: draft.write_text(text, encoding="utf-8"))


def _answer(results: Results) -> str:
    """Return question and numbers of an experiment."""
    compared = compare(results)
    rows = {(row["arm"], row["endpoint"]): row for row in compared.table.iter_rows(named=True)}
    told = [
        ["" if place else endpoint.name, markdown_text(arm), *_told(compared, rows[arm, endpoint.name])]
        for endpoint in compared.endpoints
        if endpoint.randomised
        for place, arm in enumerate(results.arms)
    ]
    header = ["endpoint", "arm", "median, months (95% CI)", "HR (paired 95% CI)"]
    question = paragraph(f"*{markdown_text(results.experiment['question'])}*")
    made = f"{results.enrolled:,} patients, seed {results.experiment['seed']}:"
    return f"{question}\n\n{made}\n\n{table(header, told)}"


def _told(compared: Comparison, row: Mapping[str, Any]) -> Iterator[str]:
    if row["not_defined"] is not None:
        yield from ("not defined", "")
        return
    yield median_text(row["median_months"], row["lo"], row["hi"])
    control = row["arm"] == compared.control
    yield "control" if control else limits(row["hr"], row["paired_hr_lo"], row["paired_hr_hi"], 2)


def main(arguments: Sequence[str]) -> None:
    """Write the page; `arguments` are the directory of results and the page."""
    results, page = map(Path, arguments)
    write_experiments(results, page)
    print(page)


if __name__ == "__main__":
    main(sys.argv[1:])
