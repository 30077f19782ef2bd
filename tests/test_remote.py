"""Batches on an object store: published whole, and read by their address."""

from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pytest
import tomli_w
from test_batch import SMALL
from tumor_abm.batch import Batch
from tumor_abm.cli import main
from tumor_abm.cli.main import BAD_INPUT, DONE
from tumor_abm.errors import InputError
from tumor_abm.run.remote import publish

ADDRESS = "memory://bucket/doses"


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    (folder / "batch.toml").write_text(tomli_w.dumps(SMALL))
    command = [
        "batch",
        str(folder / "batch.toml"),
        "--out",
        str(folder / "out"),
        "--no-figures",
        "--jobs",
        "1",
    ]
    assert main([*command, "--publish", ADDRESS]) == DONE
    return folder / "out"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stored() -> fsspec.AbstractFileSystem:
    return fsspec.filesystem("memory")


def test_a_published_batch_is_the_same_one(batch: Path) -> None:
    here, there = Batch.open(batch), Batch.open(ADDRESS)
    assert there.points.equals(here.points)
    assert there.tables == here.tables
    for name in here.tables:
        assert there.scan(name).collect().equals(here.scan(name).collect())
    assert there.summary().equals(here.summary())
    sql = "SELECT point, count(*) AS n FROM outcomes GROUP BY point ORDER BY point"
    assert there.query(sql).equals(here.query(sql))


def test_a_batch_on_a_store_crosses_processes(batch: Path) -> None:
    assert pickle.loads(pickle.dumps(Batch.open(ADDRESS))).runs.equals(Batch.open(batch).runs)


def test_only_what_is_asked_for_is_copied(batch: Path, cache: Path) -> None:
    there = Batch.open(ADDRESS)
    tables = {f"{name}.parquet" for name in Batch.open(batch).tables}
    copied = {file.name for file in there.directory.iterdir()}
    assert not copied & tables
    assert there.points.height == 3
    assert there.query("SELECT count(*) AS n FROM points")["n"].to_list() == [3]
    assert {file.name for file in there.directory.iterdir()} & tables == {"runs.parquet"}
    assert there.directory.is_relative_to(cache)


def test_a_copy_that_was_damaged_is_fetched_again(batch: Path) -> None:
    first = Batch.open(ADDRESS)
    runs = first.runs
    (first.directory / "runs.parquet").write_bytes(b"nothing")
    assert Batch.open(ADDRESS).runs.equals(runs)


def test_what_is_damaged_on_the_store_is_refused(batch: Path) -> None:
    publish(batch, "memory://bucket/damaged")
    stored().pipe_file("/bucket/damaged/runs.parquet", b"nothing")
    with pytest.raises(InputError, match=r"runs\.parquet: damaged or changed"):
        _ = Batch.open("memory://bucket/damaged").runs


def test_publishing_goes_on_and_never_replaces_another_result(batch: Path) -> None:
    assert publish(batch, ADDRESS)  # the same is there
    stored().pipe_file("/bucket/half/runs.parquet", b"an upload that was cut off")
    publish(batch, "memory://bucket/half")
    assert Batch.open("memory://bucket/half").points.height == 3
    stored().pipe_file("/bucket/other/SHA256SUMS", f"{'0' * 64}  runs.parquet\n".encode())
    stored().pipe_file("/bucket/other/provenance.json", b"{}")
    with pytest.raises(InputError, match="another result is there"):
        publish(batch, "memory://bucket/other")


def test_the_command_asks_an_address_and_says_what_is_wrong(
    batch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", ADDRESS, "SELECT count(*) AS n FROM points", "--json"]) == DONE
    assert '"n": 3' in capsys.readouterr().out
    for address, told in (
        ("memory://bucket/nothing", "memory://bucket/nothing: not a finished result"),
        ("nowhere://bucket/doses", "nowhere://bucket/doses: cannot be reached"),
    ):
        assert main(["query", address, "SELECT 1"]) == BAD_INPUT
        assert told in capsys.readouterr().err
    study = str(batch.parent / "batch.toml")
    assert main(["batch", study, "--out", str(batch), "--dry-run", "--publish", ADDRESS]) == BAD_INPUT
    assert "publish: found" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["batch", study, "--out", str(batch), "--publish", "somewhere"])
    assert ended.value.code == BAD_INPUT
