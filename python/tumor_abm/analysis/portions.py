"""Rows of some patients at a time, where those of all together would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

PATIENTS_AT_A_TIME = 500
"""Patients whose rows are in memory together."""


def some_patients_at_a_time(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of some patients after those of others, in the order of the patients' numbers.

    Parameters
    ----------
    rows
        With the column ``patient``.
    """
    patient = pl.col("patient")
    first, last = rows.select(first=patient.min(), last=patient.max()).collect().row(0)
    for part in range(first or 0, (last or 0) + 1, PATIENTS_AT_A_TIME):
        yield rows.filter(patient.is_between(part, part + PATIENTS_AT_A_TIME - 1)).collect()
