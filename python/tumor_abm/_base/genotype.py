"""What a genotype is, and how it is called. Nothing reads a name again."""

from __future__ import annotations

Genotype = tuple[str, ...]
"""The alterations in force."""

WILD_TYPE = "wild type"
"""Name of the genotype without alterations."""
JOINT = " + "
"""What stands between the alterations of a genotype, and between the drugs of a regimen."""


def named(genotype: Genotype) -> str:
    """Return how a genotype is called.

    Examples
    --------
    >>> named(("ESR1 Y537S", "CDK6-high")), named(())
    ('ESR1 Y537S + CDK6-high', 'wild type')
    """
    return JOINT.join(genotype) or WILD_TYPE


def is_separable(name: str) -> bool:
    """Tell whether a reader can tell this alteration from its neighbours in the name of a genotype.

    Examples
    --------
    >>> is_separable("HER2+"), is_separable("A + B"), is_separable("wild type")
    (True, False, False)
    """
    return name != WILD_TYPE and "+" not in name.split(" ")
