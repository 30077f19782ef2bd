"""An axis over sets of parameters: what a set moves, and a batch that can be run again from its own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm.batch import BatchStudy, run_batch
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble, Member

IC50 = "drug.palbociclib.effects.cdk46.ic50"
TURNOVER = "population.first_line_postmenopausal.turnover.median"
EXPERIMENT: dict[str, Any] = {
    "title": "two potencies",
    "question": "Does the potency decide?",
    "patients": 6,
    "horizon_months": 12,
    "end_with_last_line": True,
    "stride_days": 7,
    "population": "first_line_postmenopausal",
    "arm": [{"name": "both", "line": [{"regimen": ["letrozole", "palbociclib"]}]}],
}
SETS = [{IC50: 6.0, TURNOVER: 0.7}, {IC50: 25.0, TURNOVER: 0.8}]


def batch(folder: Path, **more: Any) -> dict[str, Any]:
    Ensemble(members=[Member(overrides=one) for one in SETS]).save(folder / "sets.json")
    axis = {"name": "set", "ensemble": "sets.json"}
    return {"title": "t", "question": "q", "seed": 3, "experiment": EXPERIMENT, "axis": [axis]} | more


def study(folder: Path, **more: Any) -> BatchStudy:
    found = BatchStudy.from_dict(batch(folder, **more), file=folder / "batch.toml")
    found.check()
    return found


def test_every_set_is_a_point_that_moves_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    found = study(tmp_path)
    assert found.table.rows() == [(0, 1), (1, 2)]
    assert found.table.columns == ["point", "set"]
    for point, one in enumerate(SETS):
        tables = found.tables_at(point)
        assert tables["drug"]["palbociclib"]["effects"]["cdk46"]["ic50"] == one[IC50]
        assert tables["population"]["turnover"]["median"] == one[TURNOVER]
        knowledge = Member(overrides=one).knowledge()
        assert Experiment.from_dict(EXPERIMENT, knowledge=knowledge, seed=0).resolved() == tables


def test_sets_are_crossed_with_other_axes_and_are_the_runs_of_a_batch(tmp_path: Path) -> None:
    dose = {"name": "dose", "path": "arm[0].line[0].regimen[1].dose", "values": [0.5, 1.0]}
    axes = [*batch(tmp_path)["axis"], dose]
    found = study(tmp_path, axis=axes)
    assert found.table.drop("point").rows() == [(1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]
    done = run_batch(found, tmp_path / "out", jobs=1)
    outcomes = done.scan("outcomes").collect()
    assert outcomes.group_by("set", "dose").len()["len"].to_list() == [6] * 4
    of_second = outcomes.filter((pl.col("set") == 2) & (pl.col("dose") == 1.0))
    knowledge = Member(overrides=SETS[1]).knowledge()
    alone = Experiment.from_dict(EXPERIMENT, knowledge=knowledge, seed=found.run(3).seed)
    theirs = ta.run_experiment(alone, jobs=1).outcomes
    assert of_second.select(theirs.columns).equals(theirs)


def test_what_a_batch_says_itself_is_no_part_of_a_set(tmp_path: Path) -> None:
    fixed = study(tmp_path, set={"drug.palbociclib.effects.cdk46.ic50": 10.0})
    for point in (0, 1):
        assert fixed.tables_at(point)["drug"]["palbociclib"]["effects"]["cdk46"]["ic50"] == 10.0
        assert fixed.tables_at(point)["population"]["turnover"]["median"] == SETS[point][TURNOVER]


def test_a_batch_can_be_run_again_from_what_it_wrote_down(tmp_path: Path) -> None:
    found = study(tmp_path)
    again = BatchStudy.from_dict(found.resolved())
    again.check()
    assert again.sha256 == found.sha256
    assert [again.tables_at(point) for point in (0, 1)] == [found.tables_at(point) for point in (0, 1)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"axis": [{"name": "set", "ensemble": "absent.json"}]}, r"axis\[0\]\.ensemble: .*absent\.json"),
        (
            {"axis": [{"name": "set", "ensemble": "sets.json", "path": "patients"}]},
            "path: found one; allowed: none",
        ),
        ({"axis": [{"name": "set", "values": [1]}]}, "path: found none; allowed: "),
        ({"experiment": Experiment.from_dict(EXPERIMENT).resolved()}, "self_contained"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        study(tmp_path, **more)


def test_a_population_has_no_sets(tmp_path: Path) -> None:
    population = {"replicates": 2, "until": {"total": 10}, "division": [0.3], "death": [0.1], "initial": [1]}
    tables = {key: value for key, value in batch(tmp_path).items() if key != "experiment"}
    with pytest.raises(
        InputError, match=r"axis\[0\]\.ensemble: found with a population; allowed: with an experiment"
    ):
        BatchStudy.from_dict(tables | {"population": population}, file=tmp_path / "b.toml")
