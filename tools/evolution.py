"""Write `docs/evolution.md`: clonal evolution, and what the shipped study of it found.

``python -m tools.evolution RESULTS PAGE`` reads what ``tumor-abm evolve`` wrote.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tumor_abm._base.files import write_whole
from tumor_abm.evolution.neutrality import NEUTRAL_FROM
from tumor_abm.run.results import Results
from tumor_abm.study import summarise

from tools import spectra
from tools.markdown import paragraph, table

_COLUMNS: Mapping[str, tuple[str, str]] = {
    "drivers": ("fittest_fraction", ".0%"),
    "diversity": ("diversity", ".1f"),
    "R²": ("neutral_r_squared", ".3f"),
    "neutral": ("called_neutral", ""),
    "area": ("neutral_area", ".3f"),
    "Kolmogorov": ("neutral_kolmogorov_distance", ".3f"),
    "mean": ("neutral_mean_distance", ".3f"),
    "rate": ("mutation_rate", ".0f"),
    "in all": ("in_all_biopsies", ".0f"),
    "shared": ("shared", ".0f"),
    "private": ("private", ".0f"),
}

Rows = Mapping[str, Mapping[str, Any]]


def write_evolution(results: Results, page: Path) -> None:
    """Write the page from the results of the shipped study."""
    written = results.experiment
    rows = {row["scenario"]: row for row in summarise(results).iter_rows(named=True)}
    filled = {
        "made": _made(written),
        "table": table(["scenario", *_COLUMNS], [_cells(name, row) for name, row in rows.items()]),
        "told": _told(rows, written),
        "spectra": spectra.table_of(results),
        "fit_from": f"{written['sequencing']['fit_from']:g}",
        "fit_to": f"{written['sequencing']['fit_to']:g}",
        "neutral_from": f"{NEUTRAL_FROM:g}",
    }
    template = Path(__file__).with_name("evolution.md.in").read_text(encoding="utf-8")
    text = re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)
    write_whole(page, lambda draft: draft.write_text(text, encoding="utf-8"))


def _made(written: Mapping[str, Any]) -> str:
    tumours = written["replicates"] * len(written["scenario"])
    biopsies = written["biopsy"]
    return paragraph(
        f"The shipped study ({tumours} tumours of {written['cells']:,} cells, {len(biopsies)} biopsies of "
        f"{biopsies[0]['cells']} cells, seed {written['seed']}; under a minute) gives medians of:"
    )


def _cells(name: str, row: Mapping[str, Any]) -> list[str]:
    neutral = _passed(row)
    return [
        name,
        *(
            neutral if column == "called_neutral" else _number(row[column], form)
            for column, form in _COLUMNS.values()
        ),
    ]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _passed(row: Mapping[str, Any]) -> str:
    return f"{row['called_neutral']}/{row['fitted']}"


def _told(rows: Rows, written: Mapping[str, Any]) -> str:
    """Say in words what the table shows; every number is read from it."""
    first = written["scenario"][0]
    expected = (
        written["genome"]["mutations_per_division"] / 2 / (1 - first["death"][0] / first["division"][0])
    )
    mixed, selected, plane = (
        rows[name] for name in ("Neutral, well mixed", "Selected, well mixed", "Neutral, 2-D")
    )
    said = (
        f"Where the law holds (neutral, well mixed) it infers a rate of {mixed['mutation_rate']:.0f}, "
        f"{expected:.0f} expected. But R² does not tell selection from drift in a single tumour: of the "
        f"neutral ones {_passed(mixed)} reach {NEUTRAL_FROM:g}, since few branchings near the root "
        f"decide, and of the selected ones {_passed(selected)}, since many drivers rise together. Space "
        f"misleads, too: a neutral tumour that grows at its surface in 2-D has other numbers of rare "
        f"mutations than the law expects ({_passed(plane)} reach {NEUTRAL_FROM:g}, rate "
        f"{plane['mutation_rate']:.0f}), and of the mutations of its biopsies {plane['private']:.0f} are "
        f"private, {plane['shared']:.0f} shared and {plane['in_all_biopsies']:.0f} in all, of which "
        f"{written['genome']['truncal']} are the trunk. {written['replicates']} tumours a scenario are "
        "few: read tendencies, not digits. The range that is fitted is wider than that of Williams et "
        "al., and sequencing deeper: their threshold was not made for it."
    )
    return paragraph(said)


def main(arguments: Sequence[str]) -> None:
    """Write the page; `arguments` are the directory of results and the page."""
    results, page = arguments
    write_evolution(Results.load(results), Path(page))
    print(page)


if __name__ == "__main__":
    main(sys.argv[1:])
