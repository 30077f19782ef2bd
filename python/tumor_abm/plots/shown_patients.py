"""Which patients a figure of single patients shows, when there are more than can be told apart."""

from __future__ import annotations

import polars as pl

from tumor_abm.plots.thinning import evenly


def spread_out(ranked: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return rows evenly from the first to the last: no row is chosen for what it shows."""
    return ranked[evenly(ranked.height, most)] if ranked.height else ranked
