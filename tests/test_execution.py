"""Chunks: computed anywhere, kept whole, joined in the order of the patients."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from tumor_abm import InputError, _core
from tumor_abm._base.files import sha256_of, write_sums
from tumor_abm.run.chunk import Chunk, chunk_size, chunks_of
from tumor_abm.run.directory import RunDirectory, RunPlan
from tumor_abm.run.local import run_here
from tumor_abm.run.lock import exclusive
from tumor_abm.run.results import Results
from tumor_abm.run.tables import ROWS_PER_GROUP, Tables, from_bytes, to_bytes, write_parquet

PATIENTS = 120
PLAN = RunPlan(sha256="abc", seed=1, patients=PATIENTS, patients_per_chunk=50, version="1", started="then")
SPEC = '{"of": "test_execution"}'
EXPERIMENT = 'title = "Two arms"\n'


def stream(table: pl.DataFrame) -> bytes:
    """A table as the core hands it over."""
    buffer = io.BytesIO()
    table.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()


class Simulated:
    """Does what an experiment of the core does, in shape."""

    def __init__(self, spec: str) -> None:
        assert spec == SPEC

    def simulate(self, first: int, patients: int, threads: int, progress: Any = None) -> dict[str, bytes]:
        numbers = pl.Series(range(first, first + patients), dtype=pl.UInt64)
        twice = numbers.repeat_by(2).explode()
        arms = ["letrozole", "letrozole + ribociclib"] * patients
        months = pl.DataFrame({"n": twice}).select(pl.when(pl.col("n") % 7 > 0).then(pl.col("n") / 3))
        tables = {
            "patients": pl.DataFrame({"patient": numbers, "visceral": [False] * patients}),
            "outcomes": pl.DataFrame({"patient": twice, "arm": arms, "pfs_months": months.to_series()}),
            "events": pl.DataFrame(schema={"patient": pl.UInt64, "event": pl.String}),
        }
        return {name: stream(table) for name, table in tables.items()}


@pytest.fixture(autouse=True)
def core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, "Experiment", Simulated)


def computed(chunks: list[Chunk]) -> Iterator[tuple[Chunk, Tables]]:
    return run_here(SPEC, chunks, 1, lambda done: None)


def run(path: Path, plan: RunPlan = PLAN, most_chunks: int | None = None, backwards: bool = False) -> None:
    directory = RunDirectory(path, plan.sha256)
    with directory.claimed():
        directory.begin(plan, EXPERIMENT)
        chunks = directory.missing()
        for chunk, tables in computed(chunks[::-1] if backwards else chunks[:most_chunks]):
            directory.keep(chunk, tables)
        if not directory.missing():
            directory.finish({"sha256": plan.sha256})


def digests(path: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.glob("*.parquet")}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole"
    run(path)
    return path


def test_chunks_hold_every_patient_once_and_in_order() -> None:
    for patients, size in ((1, 50), (50, 50), (51, 50), (999, 7)):
        chunks = chunks_of(patients, size)
        numbers = [n for chunk in chunks for n in range(chunk.first, chunk.first + chunk.patients)]
        assert numbers == list(range(patients))
        assert [chunk.name for chunk in chunks] == sorted(chunk.name for chunk in chunks)


def test_chunks_are_large_enough_to_keep_all_threads_busy() -> None:
    assert chunk_size(1) == chunk_size(4) == 50
    assert chunk_size(64) >= 4 * 64


def test_a_finished_run_is_a_result(whole: Path) -> None:
    results = Results.load(whole)
    assert results.outcomes.height == 2 * PATIENTS
    assert results.patients["patient"].to_list() == list(range(PATIENTS))
    assert results.events.is_empty()
    assert sorted(file.name for file in whole.iterdir()) == [
        "SHA256SUMS",
        "events.parquet",
        "experiment.toml",
        "outcomes.parquet",
        "patients.parquet",
        "provenance.json",
    ]


def test_missing_values_are_null_in_the_tables(whole: Path) -> None:
    outcomes = Results.load(whole).outcomes
    assert outcomes.filter(pl.col("pfs_months").is_null())["patient"].unique().to_list() == list(
        range(0, PATIENTS, 7)
    )


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_the_bytes_do_not_depend_on_the_chunks(whole: Path, tmp_path: Path, size: int) -> None:
    other = tmp_path / "other"
    plan = RunPlan(
        sha256="abc", seed=1, patients=PATIENTS, patients_per_chunk=size, version="1", started="now"
    )
    run(other, plan, backwards=True)
    assert digests(other) == digests(whole)


def test_row_groups_are_cut_without_regard_to_the_parts(tmp_path: Path) -> None:
    rows = 2 * ROWS_PER_GROUP + 5
    table = pa.table({"n": pa.array(range(rows)), "text": pa.array([str(n % 3) for n in range(rows)])})
    written = []
    for size in (1000, ROWS_PER_GROUP, rows):
        path = tmp_path / f"{size}.parquet"
        assert write_parquet(path, (table.slice(at, size) for at in range(0, rows, size))) == rows
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
    assert pl.read_parquet(path)["n"].to_list() == list(range(rows))


def test_tables_survive_the_way_between_processes() -> None:
    ((_, tables),) = computed([Chunk(7, 3)])
    back = from_bytes(to_bytes(tables))
    assert back == tables


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_an_interrupted_run_goes_on_where_it_stopped(whole: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "stopped"
    directory = RunDirectory(path, "abc")
    with directory.claimed():
        directory.begin(PLAN, EXPERIMENT)
        for chunk, tables in computed(directory.missing()[:kept]):
            directory.keep(chunk, tables)
    assert RunDirectory(path, "abc").look() == "unfinished"
    assert directory.missing() == PLAN.chunks[kept:]
    assert directory.done() == min(PATIENTS, 50 * kept)
    run(path)
    assert digests(path) == digests(whole)
    assert (path / "experiment.toml").read_bytes() == (whole / "experiment.toml").read_bytes()


def test_a_chunk_that_was_being_written_does_not_count(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "killed"
    run(path, most_chunks=1)
    chunks = path / "chunks"
    shutil.copytree(chunks / "000000000", chunks / "000000050.tmp")
    (chunks / "000000050.tmp" / "outcomes.parquet").write_bytes(b"PAR1 and no more")
    assert RunDirectory(path, "abc").missing() == PLAN.chunks[1:]
    run(path)
    assert digests(path) == digests(whole)


def test_a_chunk_that_lost_its_bytes_is_computed_again(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "power_cut"
    run(path, most_chunks=2)
    (path / "chunks" / "000000000" / "outcomes.parquet").write_bytes(b"")
    run(path)
    assert digests(path) == digests(whole)


def flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("chunk", [0, 50])
@pytest.mark.parametrize("name", ["patients.parquet", "outcomes.parquet", "events.parquet", "SHA256SUMS"])
def test_a_chunk_with_a_flipped_byte_is_computed_again_and_this_is_said(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, chunk: int, name: str
) -> None:
    for share in (0.02, 0.3, 0.6, 0.98):
        path = tmp_path / f"{share}"
        run(path, most_chunks=2)
        stored = path / "chunks" / f"{chunk:09d}"
        flipped(stored / name, int(share * (stored / name).stat().st_size))
        assert RunDirectory(path, "abc").missing() == [PLAN.chunks[chunk // 50], PLAN.chunks[2]]
        assert str(stored) in caplog.text
        assert "computed again" in caplog.text
        caplog.clear()
        run(path)
        assert digests(path) == digests(whole)


@pytest.mark.parametrize("chunk", [0, 50])
@pytest.mark.parametrize("cut_the_list", [False, True])
def test_a_table_lost_from_a_chunk_is_computed_again(
    whole: Path, tmp_path: Path, chunk: int, cut_the_list: bool
) -> None:
    path = tmp_path / "run"
    run(path, most_chunks=2)
    stored = path / "chunks" / f"{chunk:09d}"
    if cut_the_list:
        lines = (stored / "SHA256SUMS").read_text().splitlines(keepends=True)
        (stored / "SHA256SUMS").write_text("".join(lines[:-1]))
    else:
        (stored / "patients.parquet").unlink()
    run(path)
    assert digests(path) == digests(whole)


def test_a_chunk_in_the_place_of_another_is_computed_again(whole: Path, tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run(path, most_chunks=2)
    one, other = (path / "chunks" / name for name in ("000000000", "000000050"))
    one.rename(path / "aside")
    other.rename(one)
    (path / "aside").rename(other)
    assert RunDirectory(path, "abc").missing() == PLAN.chunks
    run(path, most_chunks=2)
    of_another_run = RunPlan(**{**vars(PLAN), "sha256": "def"})
    run(elsewhere, of_another_run, most_chunks=1)
    shutil.rmtree(one)
    shutil.copytree(elsewhere / "chunks" / one.name, one)
    assert RunDirectory(path, "abc").missing() == [PLAN.chunks[0], PLAN.chunks[2]]
    run(path)
    assert digests(path) == digests(whole)


@pytest.mark.parametrize("what", ["file", "pipe", "link"])
def test_what_is_no_chunk_at_all_is_computed_again(whole: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "run"
    run(path, most_chunks=1)
    chunk = path / "chunks" / "000000000"
    shutil.rmtree(chunk)
    if what == "file":
        chunk.write_text("here was a chunk")
    elif what == "link":
        chunk.symlink_to("nowhere")
    else:
        run(path, most_chunks=1)
        (chunk / "outcomes.parquet").unlink()
        os.mkfifo(chunk / "outcomes.parquet")
    run(path)
    assert digests(path) == digests(whole)


@pytest.mark.parametrize("size", ["0", "-1", '"x"'])
def test_a_plan_of_chunks_without_patients_is_said(tmp_path: Path, size: str) -> None:
    run(tmp_path, most_chunks=1)
    plan = tmp_path / "chunks" / "plan.json"
    plan.write_text(plan.read_text().replace('"patients_per_chunk": 50', f'"patients_per_chunk": {size}'))
    write_sums(plan.parent, {plan.name: sha256_of(plan)})
    with pytest.raises(InputError, match=r"plan\.json: not a plan of this version"):
        run(tmp_path)


@pytest.mark.parametrize("change", [("50", "40"), ("120", "20"), ('"seed": 1', '"seed": 2')])
def test_a_run_does_not_go_on_with_a_damaged_plan(tmp_path: Path, change: tuple[str, str]) -> None:
    run(tmp_path / "run", most_chunks=1)
    plan = tmp_path / "run" / "chunks" / "plan.json"
    plan.write_text(plan.read_text().replace(*change))
    with pytest.raises(InputError, match=r"plan\.json: damaged or changed .*; remove .* to begin anew"):
        RunDirectory(tmp_path / "run", "abc").look()


def test_the_sums_of_a_finished_run_are_those_of_its_files(whole: Path) -> None:
    lines = [line.split("  ") for line in (whole / "SHA256SUMS").read_text().splitlines()]
    assert {name: digest for digest, name in lines} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in whole.iterdir()
        if file.name != "SHA256SUMS"
    }


def test_a_finished_run_with_a_damaged_provenance_is_refused_as_such(whole: Path) -> None:
    text = (whole / "provenance.json").read_text()
    (whole / "provenance.json").write_text(text.replace("abc", "abd"))
    with pytest.raises(InputError, match=r"provenance\.json: damaged or changed .*; remove .* to begin anew"):
        RunDirectory(whole, "abc").look()


def test_a_run_that_was_killed_while_joining_joins_again(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "killed"
    run(path, most_chunks=1)
    (path / "events.parquet").write_bytes((whole / "events.parquet").read_bytes())
    (path / "outcomes.parquet.tmp").write_bytes(b"half of it")
    run(path)
    assert digests(path) == digests(whole)
    assert not list(path.glob("*.tmp"))


def test_a_start_that_was_killed_before_its_plan_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "killed"
    (path / "chunks").mkdir(parents=True)
    (path / "chunks" / "lock").touch()
    (path / "chunks" / "plan.json.tmp").touch()
    assert RunDirectory(path, "abc").look() == "new"


@pytest.mark.parametrize("most_chunks", [None, 1])
def test_the_directory_of_another_experiment_is_left_alone(tmp_path: Path, most_chunks: int | None) -> None:
    run(tmp_path / "one", most_chunks=most_chunks)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    with pytest.raises(InputError, match="another experiment"):
        RunDirectory(tmp_path / "one", "def").look()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"thesis\.tex"):
        RunDirectory(tmp_path, "abc").look()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_directory_of_other_chunks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "chunks").mkdir()
    (tmp_path / "chunks" / "of_cheese").touch()
    with pytest.raises(InputError, match="other files"):
        RunDirectory(tmp_path, "abc").look()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: .*[Nn]ot a directory"):
        RunDirectory(tmp_path / "file", "abc").look()


def test_a_run_that_left_nothing_leaves_no_directory(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "a" / "b", "abc")
    with directory.claimed():
        directory.begin(PLAN, EXPERIMENT)
        directory.leave()
    assert not (tmp_path / "a" / "b").exists()


def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, parts: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("tumor_abm.run.shard.write_parquet", fail)
    with pytest.raises(InputError, match="cannot write here: No space left on device"):
        run(tmp_path / "run")


def test_what_the_caller_does_wrong_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run", "abc")
    with pytest.raises(BrokenPipeError), directory.claimed():
        raise BrokenPipeError


def test_a_plan_of_another_version_is_said(tmp_path: Path) -> None:
    run(tmp_path, most_chunks=1)
    plan = tmp_path / "chunks" / "plan.json"
    plan.write_text(plan.read_text().replace("patients_per_chunk", "patients_per_piece"))
    write_sums(plan.parent, {plan.name: sha256_of(plan)})
    with pytest.raises(InputError, match=r"plan\.json: not a plan of this version"):
        run(tmp_path)


def test_two_processes_do_not_write_into_one_directory(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run", "abc")
    with directory.claimed():
        directory.begin(PLAN, EXPERIMENT)
        with pytest.raises(InputError, match=f"process {os.getpid()} on .* is writing here"):
            directory.claimed().__enter__()


def test_the_lock_of_a_dead_process_holds_nobody_back(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from tumor_abm.run.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == -9
    assert (tmp_path / "lock").exists()
    with exclusive(tmp_path):
        pass
    assert not (tmp_path / "lock").exists()


def test_the_package_needs_nothing_that_windows_lacks() -> None:
    program = (
        "import sys; sys.modules |= dict.fromkeys(('fcntl', 'pwd', 'grp', 'resource', 'termios'))\n"
        "import tumor_abm, tumor_abm.cli, tumor_abm.run.experiment, tumor_abm.study, tumor_abm.trials\n"
        "import tumor_abm.calibration"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
