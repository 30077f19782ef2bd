"""What tumours carry: alterations in a good part of their cells."""

from __future__ import annotations

import polars as pl

from tumor_abm.analysis.portions import some_patients_at_a_time
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

CARRIED_FROM = 0.2
"""Share of a tumour's cells from which on an alteration counts as carried."""

NONE = "none of them"
_TUMOUR = ("arm", "line", "patient")


def carried_at(results: Results, moment: str) -> pl.DataFrame:
    """How often alterations are carried by tumours at a moment of each line.

    Parameters
    ----------
    results
        Of an experiment.
    moment
        ``baseline``, ``progression`` or ``end``.

    Returns
    -------
    polars.DataFrame
        ``arm, line, alteration, tumours, carried_pct``: the share of the tumours seen at that
        moment in which at least a fifth of the cells carry the alteration; ``none of them``
        stands for tumours in which no alteration reaches that.

    Raises
    ------
    InputError
        An older version of tumor_abm wrote the results.
    """
    seen = results.scan("clones").filter(pl.col("moment") == moment)
    if "alterations" not in seen.collect_schema():
        problem = "found a table without alterations, as older versions wrote it"
        raise InputError(f"clones: {problem}; run the experiment into a new directory")
    rows = seen.select(*_TUMOUR, "alterations", "fraction")
    counted = (
        pl.concat([_carriers(clones) for clones in some_patients_at_a_time(rows)])
        .group_by("arm", "line", "alteration")
        .agg(pl.col("carriers").sum())
    )
    everybody = counted.filter(pl.col("alteration").is_null()).select("arm", "line", tumours="carriers")
    return (
        counted.drop_nulls("alteration")
        .join(everybody, on=["arm", "line"])
        .select(
            "arm", "line", "alteration", "tumours", carried_pct=100 * pl.col("carriers") / pl.col("tumours")
        )
        .sort("arm", "line", "alteration")
    )


def _carriers(clones: pl.DataFrame) -> pl.DataFrame:
    """Count the tumours that carry an alteration, and, under null, all of them."""
    tumours = clones.unique(_TUMOUR).select(*_TUMOUR, alteration=pl.lit(None, pl.String))
    carried = (
        clones.select(*_TUMOUR, "fraction", alteration="alterations")
        .explode("alteration")
        .drop_nulls("alteration")
        .group_by(*_TUMOUR, "alteration")
        .agg(pl.col("fraction").sum())
        .filter(pl.col("fraction") >= CARRIED_FROM)
        .select(*_TUMOUR, "alteration")
    )
    bare = tumours.join(carried, on=_TUMOUR, how="anti").with_columns(alteration=pl.lit(NONE))
    return pl.concat([tumours, carried, bare]).group_by("arm", "line", "alteration").agg(carriers=pl.len())
