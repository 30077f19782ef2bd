"""A table of the package as it is written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import resources
from typing import Any

import polars as pl


def read(name: str, types: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Return a table: columns are text, empty where nothing stands, but for those whose types are given."""
    data = resources.files("tumor_abm.knowledge.evidence").joinpath(name).read_bytes()
    table = pl.read_csv(io.BytesIO(data), schema_overrides=dict(types or {}), infer_schema_length=0)
    return table.with_columns(pl.col(pl.String).fill_null(""))
