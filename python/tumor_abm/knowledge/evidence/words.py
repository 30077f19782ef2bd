"""What the literature says of alterations, and where it was read."""

from __future__ import annotations

from functools import cache

import polars as pl

from tumor_abm.knowledge.evidence.table import read


@cache
def alterations() -> pl.DataFrame:
    """Return alterations, what they do and how common they are, in words."""
    return read("alterations.csv")


@cache
def claims() -> pl.DataFrame:
    """Return what ``alterations.csv`` says of treatments: the words, where they stand, and what they mean.

    ``treatment`` is a drug, a class of drugs, ``endocrine therapy`` or ``chemotherapy``; ``expected`` is
    ``resistant``, ``partial``, ``less`` (either of these: the words give no degree), ``active`` (as much as
    in the wild type, or more), ``sensitised``, or ``open`` (contested, or a hypothesis).
    """
    return read("claims.csv")


@cache
def sources() -> pl.DataFrame:
    """Return keys of sources, where they are and what they say."""
    return read("sources.csv")
