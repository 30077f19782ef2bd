"""How a genotype is called, and what its name says: the one place that knows."""

from __future__ import annotations

import polars as pl

WILD_TYPE = "wild type"
"""Name of the genotype without alterations."""
JOINT = " + "
"""What stands between the alterations of a genotype, and between the drugs of a regimen."""


def alterations_of(genotype: str) -> tuple[str, ...]:
    """Return the alterations that a genotype's name joins.

    Examples
    --------
    >>> alterations_of("ESR1 Y537S + CDK6-high")
    ('ESR1 Y537S', 'CDK6-high')
    """
    return () if genotype == WILD_TYPE else tuple(genotype.split(JOINT))


def alterations_in(genotypes: pl.Expr) -> pl.Expr:
    """Return the lists of alterations that names of genotypes join."""
    none = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(genotypes == WILD_TYPE).then(none).otherwise(genotypes.str.split(JOINT))


def is_separable(name: str) -> bool:
    """Tell whether an alteration of this name can be told from its neighbours in the name of a genotype.

    Examples
    --------
    >>> is_separable("HER2+"), is_separable("A + B"), is_separable("wild type")
    (True, False, False)
    """
    return name != WILD_TYPE and "+" not in name.split(" ")
