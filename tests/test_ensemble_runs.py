"""Runs with an ensemble: who lives by which set, the same bytes however they are computed, what is told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tumor_abm.analysis.between_sets import between_sets
from tumor_abm.analysis.sets_wording import told
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.run.allotment import Allotment
from tumor_abm.run.experiment import Interrupted, run_experiment

WRITTEN: dict[str, Any] = {
    "title": "two potencies",
    "question": "Does the potency decide?",
    "patients": 60,
    "seed": 5,
    "horizon_months": 36,
    "end_with_last_line": True,
    "population": "first_line_postmenopausal",
    "arm": [
        {"name": "letrozole", "line": [{"regimen": ["letrozole"]}]},
        {"name": "with palbociclib", "line": [{"regimen": ["letrozole", "palbociclib"]}]},
    ],
}
IC50 = "drug.palbociclib.effects.cdk46.ic50"


def potencies(*values: float) -> Ensemble:
    return Ensemble(members=[Member(overrides={IC50: value}) for value in values])


@given(st.integers(1, 500), st.lists(st.floats(0.1, 10.0), min_size=1, max_size=9), st.integers(1, 60))
def test_everybody_has_one_set_and_chunks_keep_within_it(
    patients: int, weights: list[float], size: int
) -> None:
    allotment = Allotment.by_weight(patients, weights)
    assert sum(allotment.sizes) == patients
    total = sum(weights)
    assert all(abs(n - patients * w / total) <= 1 for n, w in zip(allotment.sizes, weights, strict=True))
    chunks = allotment.chunks(size)
    assert all(a.first + a.patients == b.first for a, b in pairwise(chunks))
    assert chunks[0].first == 0
    assert sum(chunk.patients for chunk in chunks) == patients
    bounds = [0, *allotment.ends]
    for chunk in chunks:
        number = allotment.set_of(chunk)
        assert bounds[number] <= chunk.first < chunk.first + chunk.patients <= bounds[number + 1]


def test_patients_live_by_their_set_whatever_computes_them(tmp_path: Path) -> None:
    found = run_experiment(WRITTEN, jobs=1, ensemble=potencies(6.0, 25.0, 12.0))
    assert found.patients.group_by("set").len().sort("set").rows() == [(1, 20), (2, 20), (3, 20)]
    alone = run_experiment(
        {**WRITTEN, "drug": {"palbociclib": {"effects": {"cdk46": {"ic50": 25.0}}}}}, jobs=1
    )
    theirs = found.outcomes.filter(set=2).drop("set")
    assert theirs.equals(alone.outcomes.filter(pl.col("patient").is_between(20, 39)))

    def stop(done: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run_experiment(WRITTEN, tmp_path / "run", jobs=2, ensemble=potencies(6.0, 25.0, 12.0), progress=stop)
    again = run_experiment(WRITTEN, tmp_path / "run", jobs=2, ensemble=potencies(6.0, 25.0, 12.0))
    assert all(again[name].equals(found[name]) for name in found.tables)
    assert [one["numbers"] for one in again.provenance["ensemble"]] == [{IC50: v} for v in (6.0, 25.0, 12.0)]
    with pytest.raises(InputError, match="holds the result of another experiment"):
        run_experiment(WRITTEN, tmp_path / "run", ensemble=potencies(6.0, 25.0, 13.0))


def test_what_parameters_decide_is_told_from_chance() -> None:
    many = {**WRITTEN, "patients": 240, "stride_days": 7}
    differ = between_sets(run_experiment(many, ensemble=potencies(5.0, 10.0, 15.0, 20.0, 25.0, 29.0)))
    first = differ.summary.filter(endpoint="PFS1").row(0, named=True)
    assert first["sets"] == 6
    assert first["difference_months"] > 0
    assert differ.deciding["number"].unique().to_list() == [IC50]
    assert (differ.deciding["rank_correlation"] < 0).all()  # more of it is needed: it gains less
    alike = between_sets(run_experiment(many, ensemble=potencies(*[10.0] * 6)))
    same = alike.summary.filter(endpoint="PFS1").row(0, named=True)
    # Between equal sets the variance over that within is chi-square of 5 over 5, below 38.6 / 5 at 1e-6.
    of_a_set = same["chance_sd"] * 6**0.5
    assert same["parameters_sd"] < (38.6 / 5 - 1) ** 0.5 * of_a_set
    assert alike.deciding.is_empty()
    assert [sentence.split(":")[0] for sentence in told(differ)] == ["with palbociclib, PFS1", "PFS1"]
    assert told(differ)[1] == "PFS1: all sets rank the arms alike, with palbociclib before letrozole"


def test_an_ensemble_asks_for_patients_and_an_experiment_that_leaves_numbers_open() -> None:
    with pytest.raises(InputError, match="patients: found 2; allowed: at least 3, one for every set"):
        run_experiment(WRITTEN, patients=2, ensemble=potencies(6.0, 25.0, 12.0))
    resolved = Experiment.from_dict(WRITTEN).resolved()
    with pytest.raises(InputError, match="self_contained"):
        run_experiment(resolved, ensemble=potencies(6.0, 25.0, 12.0))
    with pytest.raises(InputError, match='found "0 sets"; allowed: a run with 3 or more'):
        between_sets(run_experiment(WRITTEN, patients=4))


def test_crossed_sets_have_the_same_patients(tmp_path: Path) -> None:
    few = {**WRITTEN, "patients": 20}
    crossed = run_experiment(few, jobs=1, ensemble=potencies(6.0, 25.0, 12.0), crossed=True)
    assert crossed.patients.group_by("set").len().sort("set").rows() == [(1, 20), (2, 20), (3, 20)]
    alone = run_experiment({**few, "drug": {"palbociclib": {"effects": {"cdk46": {"ic50": 25.0}}}}}, jobs=1)
    for table in ("patients", "outcomes", "trajectory"):
        theirs = crossed[table].filter(set=2).drop("set").with_columns(pl.col("patient") - 20)
        assert theirs.equals(alone[table])

    def stop(done: int) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    sets = potencies(6.0, 25.0, 12.0)
    with pytest.raises(Interrupted, match="of 60 patients"):
        run_experiment(few, tmp_path / "run", jobs=2, ensemble=sets, crossed=True, progress=stop)
    again = run_experiment(few, tmp_path / "run", jobs=2, ensemble=sets, crossed=True)
    assert all(again[name].equals(crossed[name]) for name in crossed.tables)
    assert again.experiment == crossed.experiment
    assert again.provenance["crossed"] is True
    with pytest.raises(InputError, match="holds the result of another experiment"):
        run_experiment(few, tmp_path / "run", ensemble=sets)
    with pytest.raises(InputError, match="crossed: found True; allowed: with an ensemble"):
        run_experiment(few, crossed=True)


def test_equal_sets_with_the_same_patients_differ_in_nothing_and_know_no_more_than_one() -> None:
    few = {**WRITTEN, "patients": 40, "stride_days": 7}
    found = between_sets(run_experiment(few, ensemble=potencies(10.0, 10.0, 10.0), crossed=True))
    row = found.summary.filter(endpoint="PFS1").row(0, named=True)
    assert row["parameters_sd"] == pytest.approx(0.0, abs=1e-9)
    assert row["chance_sd"] == pytest.approx(found.by_set["se"][0])
    assert found.intervals["parameters_sd"].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert {"median", "rate_12", "orr", "hr", "difference_months"} <= set(found.intervals["statistic"])


def test_crossing_takes_the_chance_out_of_what_parameters_do() -> None:
    """The distance of a set from the mean owes less to chance where the sets have the same patients."""
    few = {**WRITTEN, "patients": 60, "stride_days": 7}
    sets = potencies(5.0, 12.0, 29.0)
    crossed = between_sets(run_experiment(few, ensemble=sets, crossed=True))
    differences = crossed.by_set.sort("set")["difference_months"].to_list()
    assert differences == sorted(differences, reverse=True)  # more of it is needed: it gains less
    assert crossed.rankings.filter(endpoint="PFS1").rows() == [("PFS1", ["with palbociclib", "letrozole"], 3)]
