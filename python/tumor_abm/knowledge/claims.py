"""The response matrix against what the literature says in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from tumor_abm.knowledge.evidence import claims
from tumor_abm.knowledge.library import Knowledge

AGREE, TOO_WEAK, DISAGREE, NOT_TESTED = "agree", "too weak", "disagree", "not tested"
VERDICTS = (AGREE, TOO_WEAK, DISAGREE, NOT_TESTED)

_THERAPY = " therapy"
# What agrees with each expectation, and what has only its direction.
_AGREES: Mapping[str, Collection[str]] = {
    "resistant": {"resistant"},
    "less": {"resistant", "partial"},
    "partial": {"partial"},
    "active": {"none", "sensitised"},
    "sensitised": {"sensitised"},
}
_TOO_WEAK: Mapping[str, Collection[str]] = {
    "resistant": {"partial", "none"},
    "less": {"none"},
    "partial": {"none"},
    "active": set(),
    "sensitised": {"none"},
}


def verdict(expected: str, found: str) -> str:
    """Return whether a response agrees with what is expected of it.

    It is too weak where the alteration does less than it should, or nothing; it disagrees where the
    alteration does the opposite, more than it should, or something where it should do nothing. What is open,
    and what has no effect in the wild type, is not tested.

    Examples
    --------
    >>> verdict("resistant", "partial"), verdict("active", "partial"), verdict("open", "partial")
    ('too weak', 'disagree', 'not tested')
    """
    if expected not in _AGREES or found == "no effect":
        return NOT_TESTED
    if found in _AGREES[expected]:
        return AGREE
    return TOO_WEAK if found in _TOO_WEAK[expected] else DISAGREE


def judged(matrix: pl.DataFrame, knowledge: Knowledge | None = None) -> pl.DataFrame:
    """Return the rows of a response matrix of which there are words, with words and verdict.

    Words are of drugs and classes of drugs, so those rows are judged that have one drug.

    Parameters
    ----------
    matrix
        As `response_matrix` returns it.
    knowledge
        Of the matrix; the package's when ``None``.

    Returns
    -------
    polars.DataFrame
        The columns of the matrix and ``expected``, ``row``, ``column``, ``words`` (where they stand in
        ``alterations.csv``, and what they are) and ``verdict``: see `verdict`.
    """
    known = knowledge or Knowledge.shipped()
    said = claims().with_columns(
        treatment=pl.col("treatment").map_elements(
            lambda treatment: drugs_of(treatment, known), return_dtype=pl.List(pl.String)
        )
    )
    rows = matrix.join(
        said.explode("treatment", empty_as_null=False), on=["alteration", "treatment"], maintain_order="left"
    )
    return rows.with_columns(
        verdict=pl.struct("expected", "response").map_elements(
            lambda row: verdict(row["expected"], row["response"]), return_dtype=pl.String
        )
    )


def drugs_of(treatment: str, knowledge: Knowledge) -> list[str]:
    """Return the drugs that words mean: one, those of a class, or all of a kind of therapy."""
    if treatment in knowledge.drugs:
        return [treatment]
    kind = treatment.removesuffix(_THERAPY)
    targets = knowledge.pathway.targets
    return [
        name
        for name, drug in knowledge.drugs.items()
        if drug.class_ == treatment or (drug.effects and drug.is_therapy(kind, targets))
    ]
