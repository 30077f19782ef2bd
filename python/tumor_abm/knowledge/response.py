"""Which treatment works in a cell with which alteration: the pathway's answer, for the median patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from tumor_abm._base.genotype import JOINT
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.library import Knowledge
from tumor_abm.knowledge.usual import DEFAULT_POPULATION

RESISTANT_BELOW = 0.25
NONE_FROM = 0.8
SENSITISED_ABOVE = 1.25
LEAST_EFFECT = 0.01
"""Share of the wild type's division rate; a treatment that takes less has no effect to be kept or lost."""

RESPONSES = ("resistant", "partial", "none", "sensitised")
"""What an alteration does to a treatment, from the most resistant."""


def response(left: float | None) -> str:
    """Return what it means that so much of a treatment's effect is left in an altered cell.

    Below a quarter: ``resistant``; up to 0.8: ``partial``; up to 1.25, which is 1 / 0.8: ``none``, for the
    alteration changes little; above: ``sensitised``. Without an effect, ``no effect``.

    Examples
    --------
    >>> [response(left) for left in (0.1, 0.5, 1.0, 2.0, None)]
    ['resistant', 'partial', 'none', 'sensitised', 'no effect']
    """
    if left is None:
        return "no effect"
    if left < RESISTANT_BELOW:
        return "resistant"
    if left < NONE_FROM:
        return "partial"
    return "none" if left <= SENSITISED_ABOVE else "sensitised"


def effect_left(
    untreated: float, treated: float, *, wild_type_untreated: float, wild_type_treated: float, division: float
) -> float | None:
    """Return how much of a treatment's effect on the wild type is left in another cell.

    An effect is what the treatment takes from net growth.

    Parameters
    ----------
    untreated, treated, wild_type_untreated, wild_type_treated
        Net growth per day.
    division
        Of the untreated wild type, per day: what takes less than a hundredth of it has no effect, and so
        nothing is left (``None``).
    """
    whole = wild_type_untreated - wild_type_treated
    return (untreated - treated) / whole if whole >= LEAST_EFFECT * division else None


def response_matrix(
    knowledge: Knowledge | None = None,
    *,
    treatments: Iterable[Iterable[str]] | None = None,
    population: str = DEFAULT_POPULATION,
) -> pl.DataFrame:
    """Return the net growth of every alteration under every treatment, beside that of the wild type.

    Parameters
    ----------
    knowledge
        Pathway, alterations and drugs; the package's when ``None``.
    treatments
        Of each: its drugs, all at their usual steady state. Every drug alone when ``None``; the pairs that
        trials give are `tumor_abm.trials.usual_pairs`.
    population
        Whose median patient.

    Returns
    -------
    polars.DataFrame
        ``treatment`` (drugs joined by plus signs), ``drugs``, ``alteration``, ``untreated`` and ``treated``
        (net growth per day), ``wild_type_untreated``, ``wild_type_treated``, ``left`` (share of the
        treatment's effect on the wild type) and ``response``: see `response`.

    Raises
    ------
    InputError
        A drug or a population that is not known.
    """
    explanation = Explanation(knowledge or Knowledge.shipped())
    chosen = (
        [[drug] for drug in explanation.drugs] if treatments is None else [[*drugs] for drugs in treatments]
    )
    rates = explanation.numbers(
        explanation.median_patient(population),
        treatments=[{}, *(dict.fromkeys(drugs, 1.0) for drugs in chosen)],
        genotypes=[[], *([alteration] for alteration in explanation.alterations)],
    )
    net = (rates[..., 0] - rates[..., 1]).tolist()
    division = float(rates[0, 0, 0])
    rows = []
    for drugs, treated in zip(chosen, net[1:], strict=True):
        for at, alteration in enumerate(explanation.alterations, 1):
            of_wild_type = {"wild_type_untreated": net[0][0], "wild_type_treated": treated[0]}
            left = effect_left(net[0][at], treated[at], division=division, **of_wild_type)
            rows.append(
                {
                    "treatment": JOINT.join(drugs),
                    "drugs": drugs,
                    "alteration": alteration,
                    "untreated": net[0][at],
                    "treated": treated[at],
                    **of_wild_type,
                    "left": left,
                    "response": response(left),
                }
            )
    numbers = ("untreated", "treated", "wild_type_untreated", "wild_type_treated", "left")
    schema: dict[str, Any] = {
        "treatment": pl.String,
        "drugs": pl.List(pl.String),
        "alteration": pl.String,
        **dict.fromkeys(numbers, pl.Float64),
        "response": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)
