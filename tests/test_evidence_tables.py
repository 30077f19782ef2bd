"""The tables of evidence: what they hold can be read, counted, and traced to where it was read."""

from __future__ import annotations

import re

import polars as pl
import pytest
from tumor_abm.knowledge import evidence

MEASURED = {
    "prevalence": evidence.prevalence(),
    "ki67": evidence.ki67(),
    "dynamics": evidence.dynamics(),
    "exposure": evidence.exposure(),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_was_measured_lies_in_its_interval_and_names_its_source(name):
    table = MEASURED[name]
    assert table.height > 20
    assert (table["src"] != "").all()
    assert set(table["confidence"]) == {"high", "medium", "low"}
    if "lo" in table.columns:
        value = next(key for key in ("pct", "geometric_mean_change_pct", "value") if key in table.columns)
        told = table.drop_nulls([value, "lo", "hi"])
        assert told.height > 2
        assert ((told["lo"] <= told[value]) & (told[value] <= told["hi"])).all()


def test_shares_of_patients_are_their_counts():
    counted = evidence.prevalence().drop_nulls(["n_patients", "n_with"])
    assert counted.height > 60
    share = 100 * counted["n_with"] / counted["n_patients"]
    assert (share - counted["pct"]).abs().max() < 1


def test_every_key_of_a_source_is_known():
    known = set(evidence.sources()["key"])
    tables = {"trials": evidence.trials(), "alterations": evidence.alterations(), **MEASURED}
    cited = {
        (name, key)
        for name, table in tables.items()
        for key in re.findall(r"\bP\d+[a-z]?\b", " ".join(table["src"]))
    }
    assert {(name, key) for name, key in cited if key not in known} == set()


def test_patients_outside_of_trials_are_told_by_their_role():
    of_practice = evidence.trials().filter(pl.col("trial").str.contains("real-world"))
    assert set(of_practice["role"]) == {evidence.IN_PRACTICE}
