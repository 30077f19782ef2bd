"""Write `docs/biology.md`: the network, its nodes, and which treatment works in which cell.

``python -m tools.biology docs/biology.md`` writes the page and its figures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure
from tumor_abm._base.files import write_whole
from tumor_abm._base.genotype import WILD_TYPE
from tumor_abm._base.sinks import markdown_text
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.claims import VERDICTS, judged
from tumor_abm.knowledge.explained import Explained
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.quantity import ASSUMED
from tumor_abm.knowledge.response import (
    LEAST_EFFECT,
    NONE_FROM,
    RESISTANT_BELOW,
    SENSITISED_ABOVE,
    response_matrix,
)
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.plots.pathway import plot_pathway
from tumor_abm.plots.response import plot_responses
from tumor_abm.plots.style import svg
from tumor_abm.trials.usual import usual_pairs

from tools.markdown import items, paragraph, table, table_and_list
from tools.reasons import told

_EXAMPLE = (["RB1 loss"], ["palbociclib", "fulvestrant"])
_COLUMNS = 6
_LETTERS = {"resistant": " r", "partial": " p", "sensitised": " s"}


def write_biology(page: Path) -> list[Path]:
    """Write the page and its figures; return all files."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    matrix = whole_matrix()
    drawn = {
        "pathway": (plot_pathway(), "From genotype and drugs to division and death"),
        "response_matrix": (plot_responses(matrix, judged(matrix)), "Which treatment works in which cell"),
    }
    files = [page]
    write_whole(page, partial(Path.write_text, data=biology(matrix), encoding="utf-8"))
    for stem, (figure, label) in drawn.items():
        files.append(images / f"{stem}.svg")
        write_whole(files[-1], partial(Path.write_text, data=_small(figure, label), encoding="utf-8"))
    return files


def whole_matrix() -> pl.DataFrame:
    """Return the response matrix of every drug and usual pair."""
    return response_matrix(treatments=[*([drug] for drug in Knowledge.shipped().drugs), *usual_pairs()])


def biology(matrix: pl.DataFrame) -> str:
    """Return the page: the template with its placeholders filled."""
    known, said = Knowledge.shipped(), judged(matrix)
    none = matrix.filter(response="no effect")["treatment"].unique(maintain_order=True)
    slight = matrix.filter(pl.col("drugs").list.len() == 1, pl.col("wild_type_treated") > 0)
    grows = [drug for drug in slight["treatment"].unique(maintain_order=True) if drug not in none]
    alterations, drugs = _EXAMPLE
    explanation = Explanation(known)
    explained = Explained(
        explanation=explanation,
        patient=explanation.median_patient(DEFAULT_POPULATION),
        treatment=dict.fromkeys(drugs, 1.0),
        alterations=alterations,
    )
    filled = {
        "population": DEFAULT_POPULATION,
        "example": items(explained.sentences()),
        "nodes": _nodes(known),
        "size": _size(matrix),
        "resistant": f"{RESISTANT_BELOW:g}",
        "none": f"{NONE_FROM:g}",
        "sensitised": f"{SENSITISED_ABOVE:g}",
        "least": f"{LEAST_EFFECT:.0%}",
        "no_effect": ", ".join(none),
        "slight": ", ".join(grows),
        "counts": _counts(said),
        "disagree": _claims(said.filter(verdict="disagree")),
        "too_weak": _claims(said.filter(verdict="too weak")),
        "why": items(told(said)),
        "open": _claims(said.filter(expected="open")),
        "numbers": "\n".join(_numbers(matrix)),
    }
    template = Path(__file__).with_name("biology.md.in").read_text(encoding="utf-8")
    text = re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)
    return "\n".join(line if len(line) <= 140 else paragraph(line) for line in text.split("\n"))


def _size(matrix: pl.DataFrame) -> str:
    treatments = matrix["drugs"].unique(maintain_order=True)
    pairs = treatments.list.len().eq(2).sum()
    alterations = matrix["alteration"].n_unique()
    return (
        f"{treatments.len() - pairs} drugs and the {pairs} pairs that are a regimen of a shipped trial,"
        f" in cells with each of {alterations} alterations."
    )


def _nodes(known: Knowledge) -> str:
    rows, told = [], []
    for name in known.pathway.order:
        node = known.pathway.nodes[name]
        sources = ", ".join(node.source)
        rows.append([f"`{name}`", node.label, node.unit, sources])
        note = f" ({node.note})" if node.note else ""
        told.append(f"`{name}` = `{node.formula}`{note}")
    keys = sorted({key for node in known.pathway.nodes.values() for key in node.source if key != ASSUMED})
    sources = items(f"{key}: {known.sources[key].what}" for key in keys)
    return f"{table_and_list(['node', 'what it is', 'unit', 'source'], rows)}\n{items(told)}\n{sources}"


def _counts(said: pl.DataFrame) -> str:
    counts = dict(said["verdict"].value_counts().rows())
    by_response = [
        [f"**{expected}**", *(str(rows.filter(verdict=verdict).height) for verdict in VERDICTS)]
        for (expected,), rows in said.group_by("expected", maintain_order=True)
    ]
    total = ["all", *(str(counts.get(verdict, 0)) for verdict in VERDICTS)]
    tested = said.height - counts.get("not tested", 0)
    first = paragraph(
        f"Of {said.height} pairs of a drug and an alteration of which there are words, {tested} are tested:"
        f" {counts.get('agree', 0)} agree, {counts.get('too weak', 0)} are too weak,"
        f" {counts.get('disagree', 0)} disagree."
    )
    return f"{first}\n\n{table(['words say', *VERDICTS], [*by_response, total])}"


def _claims(said: pl.DataFrame) -> str:
    """Return a row per claim: the drugs it is about, what is expected, and what is left of their effects."""
    if said.is_empty():
        return "Nowhere."
    rows = []
    for _, claim in said.group_by("alteration", "row", "column", "words", "expected", maintain_order=True):
        first = claim.row(0, named=True)
        left = claim["left"].drop_nulls()
        shown = sorted({f"{value:.2f}" for value in (left.to_list() and [left.min(), left.max()])})
        rows.append(
            [
                first["alteration"],
                first["expected"],
                "-".join(shown),
                ", ".join(claim["treatment"]),
                _quoted(first["words"]),
            ]
        )
    return table_and_list(["alteration", "expected", "left", "drugs", "words"], _fitting(rows), named=3)


def _quoted(words: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{markdown_text(words)}\N{RIGHT DOUBLE QUOTATION MARK}"


def _fitting(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Name the first and the last of drugs whose list is too long for a table."""
    return [[*row[:3], row[3] if len(row[3]) <= 60 else _ends(row[3]), row[4]] for row in rows]


def _ends(drugs: str) -> str:
    names = drugs.split(", ")
    return f"{names[0]}, {names[1]} ... {names[-1]} ({len(names)})"


def _numbers(matrix: pl.DataFrame) -> Iterator[str]:
    alterations = matrix["alteration"].unique(maintain_order=True).to_list()
    found = {(row["treatment"], row["alteration"]): row for row in matrix.iter_rows(named=True)}
    treatments = matrix["treatment"].unique(maintain_order=True).to_list()
    for first in range(0, len(alterations), _COLUMNS):
        columns = alterations[first : first + _COLUMNS]
        any_row = [found[treatments[0], name] for name in columns]
        untreated = [any_row[0]["wild_type_untreated"], *(row["untreated"] for row in any_row)]
        rows = [["untreated", *(_thousandths(net) for net in untreated)]]
        for treatment in treatments:
            cells = [found[treatment, name] for name in columns]
            told = [f"{_thousandths(cell['treated'])}{_LETTERS.get(cell['response'], '')}" for cell in cells]
            rows.append([treatment, _thousandths(cells[0]["wild_type_treated"]), *told])
        yield table(["", WILD_TYPE, *columns], rows)


def _thousandths(net: float) -> str:
    return f"{1000 * net + 0.0:.1f}".replace("-0.0", "0.0")


def _small(figure: Figure, label: str) -> str:
    """Return an SVG file with as many digits as can be seen."""
    drawn = svg(figure, label)
    element = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\d\.\d\d)\d+", r"\1", path[0]), drawn)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{element}'


def main(arguments: Sequence[str]) -> None:
    """Write the page; the argument is its file."""
    (page,) = arguments
    for file in write_biology(Path(page)):
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
