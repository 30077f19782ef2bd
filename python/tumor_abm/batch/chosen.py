"""Rows of the summary of a batch: one statistic, at some of the points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tumor_abm.errors import InputError


def chosen(
    summary: pl.DataFrame,
    measure: str,
    statistic: str | None = None,
    where: Mapping[str, Any] | None = None,
    group: str | None = None,
) -> pl.DataFrame:
    """Return the rows of a statistic; the first of the measure, and all groups, when ``None``.

    Parameters
    ----------
    where
        Axis to value: only these points.

    Raises
    ------
    InputError
        There is no such measure, statistic, group or value.
    """
    rows = summary
    for key, value in (("measure", measure), ("statistic", statistic), ("group", group)):
        if value is None and key == "statistic":
            value = rows["statistic"][0]
        if value is not None:
            known = rows[key].drop_nulls().unique(maintain_order=True).to_list()
            rows = rows.filter(pl.col(key) == value)
            if rows.is_empty():
                raise InputError(key=key, found=value, allowed=known)
    for name, value in (where or {}).items():
        known = rows[name].unique(maintain_order=True).to_list()
        rows = rows.filter(pl.col(name) == value)
        if rows.is_empty():
            raise InputError(f"no point has {name} = {value}", key="where", allowed=list(map(str, known)))
    return rows
