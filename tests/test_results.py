from __future__ import annotations

import json
import pickle

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tumor_abm.errors import InputError
from tumor_abm.results import Results


@pytest.fixture
def saved(results, tmp_path):
    results.save(tmp_path)
    return tmp_path


def test_what_is_saved_is_loaded(results, saved):
    loaded = Results.load(saved)
    assert set(loaded.tables) == set(results.tables)
    for name in results.tables:
        assert_frame_equal(loaded[name], results[name])
    assert loaded.experiment == results.experiment
    assert loaded.provenance == results.provenance | {
        "tables": {n: t.height for n, t in results.tables.items()}
    }


def test_loaded_results_are_saved_again(saved, tmp_path):
    Results.load(saved).save(tmp_path / "again")
    assert_frame_equal(Results.load(tmp_path / "again").outcomes, Results.load(saved).outcomes)


def test_table_is_an_attribute_and_an_item(results):
    assert results.outcomes is results["outcomes"]
    assert "outcomes" in dir(results)


def test_unknown_table_is_named_with_the_nearest(results):
    with pytest.raises(InputError, match=r'found "outcome"; allowed: .*; did you mean "outcomes"'):
        results["outcome"]
    with pytest.raises(AttributeError, match=r"no table 'outcome'; did you mean 'outcomes'"):
        results.outcome  # noqa: B018


def test_control_is_the_experiments_or_the_first_arm(results):
    assert results.control == results.arms[0]
    without = Results(results.tables, {"arm": [{"name": "a"}, {"name": "b"}]}, {})
    assert (without.arms, without.control) == (["a", "b"], "a")


def test_results_cross_processes(saved):
    loaded = Results.load(saved)
    assert_frame_equal(pickle.loads(pickle.dumps(loaded)).overall, loaded.overall)


def test_what_is_none_is_left_out_of_the_toml(results, tmp_path):
    experiment = results.experiment | {"until": {"months": None, "progression": True}, "note": None}
    Results(results.tables, experiment, {}).save(tmp_path)
    assert Results.load(tmp_path).experiment == results.experiment | {"until": {"progression": True}}


def test_nothing_but_whole_files_is_left(saved, results):
    names = {f"{table}.parquet" for table in results.tables} | {"experiment.toml", "provenance.json"}
    assert {path.name for path in saved.iterdir()} == names


def test_interrupted_save_is_no_result(results, saved, monkeypatch):
    def interrupted(self, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", interrupted)
    with pytest.raises(KeyboardInterrupt):
        results.save(saved)
    with pytest.raises(InputError, match=r"not a finished result: there is no provenance\.json"):
        Results.load(saved)
    assert not list(saved.glob("*.tmp"))


def test_missing_directory_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: there is no such directory"):
        Results.load(tmp_path / "nowhere")


def test_directory_of_something_else_is_named(tmp_path):
    with pytest.raises(InputError, match=r"not a finished result: there is no provenance\.json"):
        Results.load(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]"])
def test_provenance_of_something_else_is_named(saved, text):
    (saved / "provenance.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"provenance\.json: not a result's"):
        Results.load(saved)


@pytest.mark.parametrize("name", ["provenance.json", "experiment.toml"])
def test_half_written_text_is_named(saved, name):
    path = saved / name
    path.write_text(path.read_text(encoding="utf-8")[:20], encoding="utf-8")
    with pytest.raises(InputError, match=f"{name}: half-written or damaged"):
        Results.load(saved)


def test_missing_table_is_named(saved):
    (saved / "outcomes.parquet").unlink()
    with pytest.raises(InputError, match=r"outcomes\.parquet: this table of the result is missing"):
        Results.load(saved)


def test_half_written_table_is_named(saved):
    path = saved / "outcomes.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"outcomes\.parquet: half-written or damaged"):
        Results.load(saved)


def test_table_of_another_run_is_named(saved, results):
    results.outcomes.head(3).write_parquet(saved / "outcomes.parquet")
    with pytest.raises(InputError, match=r"outcomes\.parquet: .*found 3; allowed: \d+ rows"):
        Results.load(saved)


def test_provenance_lists_the_rows_of_each_table(saved, results):
    provenance = json.loads((saved / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["tables"]["overall"] == results.overall.height == 120
