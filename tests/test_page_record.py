"""What the page keeps of a patient, day by day."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tumor_abm._base.genotype import named
from tumor_abm.app.living import Living

GENOTYPES = ((), ("A",), ("A", "B"))

DAYS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(GENOTYPES), st.integers(0, 10**13), st.floats(-1, 1)),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)
"""What lived on day 0, 1, and so on."""


def kept(days: list[list[tuple[tuple[str, ...], int, float]]]) -> Living:
    living = Living()
    for day, rows in enumerate(days):
        living.note(day, rows)
    return living


@given(DAYS)
def test_the_table_of_genotypes_has_a_row_for_all_that_was_noted(days: list) -> None:
    rows = [
        (float(day), named(genotype), list(genotype), float(cells))
        for day, noted in enumerate(days)
        for genotype, cells, _ in noted
    ]
    schema = {
        "day": pl.Float64,
        "genotype": pl.String,
        "alterations": pl.List(pl.String),
        "cells": pl.Float64,
    }
    assert kept(days).table().equals(pl.DataFrame(rows, schema=schema, orient="row"))
    assert kept(days).table().schema == schema


@given(DAYS, st.data())
def test_a_day_is_found_as_it_was_noted_and_a_copy_goes_its_own_way(days: list, data: st.DataObject) -> None:
    living, day = kept(days), data.draw(st.integers(0, len(days) - 1))
    earlier = living.until(day)
    assert earlier.table().equals(kept(days[: day + 1]).table())
    earlier.note(day + 1, [(("C",), 7, 0.5)])
    assert earlier.on(day + 1) == [(("C",), 7, 0.5)]
    for at, noted in enumerate(days):
        assert living.on(at) == noted
    assert living.on(len(days)) == []
