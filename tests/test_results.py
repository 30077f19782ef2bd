from __future__ import annotations

import json
import pickle

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tumor_abm._base.files import read_sums, sha256_of, write_sums
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results


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


def test_a_table_is_scanned_without_being_kept(results, saved):
    loaded = Results.load(saved)
    assert_frame_equal(loaded.scan("outcomes").collect(), results.outcomes)
    assert loaded.tables._read == {}
    assert_frame_equal(results.scan("outcomes").collect(), results.outcomes)
    with pytest.raises(InputError, match=r'found "outcome"; allowed: .*; did you mean "outcomes"'):
        loaded.scan("outcome")
    (saved / "outcomes.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match=r"outcomes\.parquet: cannot be read"):
        loaded.scan("outcomes")


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
    names = {f"{table}.parquet" for table in results.tables} | {
        *("experiment.toml", "provenance.json", "SHA256SUMS")
    }
    assert {path.name for path in saved.iterdir()} == names


def test_interrupted_save_is_no_result(results, saved, monkeypatch):
    def interrupted(self, path, **_):
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
    path = saved / "provenance.json"
    path.write_text(text, encoding="utf-8")
    write_sums(saved, read_sums(saved) | {path.name: sha256_of(path)})
    with pytest.raises(InputError, match=r"provenance\.json: not a result's"):
        Results.load(saved)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8, 0.99])
def test_a_flipped_byte_anywhere_in_a_result_is_found_and_named(saved, share):
    for path in sorted(saved.iterdir()):
        whole = path.read_bytes()
        damaged = bytearray(whole)
        damaged[int(share * len(whole))] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged|missing|cannot be read") as refused:
            Results.load(saved)
        assert path.name in str(refused.value)
        path.write_bytes(whole)
    Results.load(saved)


def test_missing_files_are_named(saved):
    for path in sorted(saved.iterdir()):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(InputError, match=rf"{path.name}.* is missing|there is no {path.name}"):
            Results.load(saved)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["outcomes.parquet", "provenance.json", "experiment.toml", "SHA256SUMS"])
def test_a_half_written_file_is_named(saved, name):
    path = saved / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{name}: damaged.*; run the experiment again"):
        Results.load(saved)


def test_table_of_another_run_is_named(saved, results):
    results.outcomes.head(3).write_parquet(saved / "outcomes.parquet")
    with pytest.raises(InputError, match=r"outcomes\.parquet: damaged or changed"):
        Results.load(saved)


def test_provenance_lists_the_rows_of_each_table(saved, results):
    provenance = json.loads((saved / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["tables"]["overall"] == results.overall.height == 120
