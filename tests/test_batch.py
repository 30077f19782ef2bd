"""Batches: what an axis may say, what a design places, and a store that nothing breaks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tomli_w
import tumor_abm as ta
from tumor_abm.batch import BatchStudy, PartOfRuns, forecast, load_batch, merge_batch, run_batch, run_part
from tumor_abm.cli import main
from tumor_abm.errors import InputError
from tumor_abm.run.experiment import Interrupted

ROOT = Path(__file__).parents[1]
EXPERIMENT = str(ROOT / "experiments" / "cdk46_first_or_second_line.toml")
POPULATION = {
    "replicates": 20,
    "until": {"total": 300},
    "restart_on_extinction": True,
    "division": [0.3, 0.3],
    "death": [0.1, 0.1],
    "mutation": [[0, 1e-3], [0, 0]],
    "initial": [1, 0],
}
DEATH = {"name": "death", "path": "population.death[0]", "values": [0.05, 0.1, 0.15]}
TWO_TYPES = [
    {"name": f"its {key}", "path": f"population.{key}", "values": [one, two], "zip": "types"}
    for key, one, two in (
        ("division", [0.3], [0.3, 0.3]),
        ("death", [0.1], [0.1, 0.1]),
        ("initial", [1], [1, 0]),
        ("mutation", [[0]], [[0, 0], [0, 0]]),
    )
]
SMALL: dict[str, Any] = {
    "title": "t",
    "question": "q",
    "seed": 3,
    "replicates": 4,
    "population": POPULATION,
    "axis": [DEATH],
}


def of_experiment(*axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {key: value for key, value in SMALL.items() if key != "population"}
    return base | {"base": EXPERIMENT, "set": {"patients": 4}, "axis": list(axes)} | more


def axis(path: str, *values: Any) -> dict[str, Any]:
    return {"name": "a", "path": path, "values": list(values)}


def checked(tables: dict[str, Any], file: Path | None = None) -> BatchStudy:
    study = BatchStudy.from_dict(tables, file=file)
    study.check()
    return study


def written(folder: Path, tables: dict[str, Any]) -> Path:
    file = folder / "study.toml"
    file.write_text(tomli_w.dumps(tables))
    return file


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.parquet")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ta.Batch:
    return run_batch(checked(SMALL), tmp_path_factory.mktemp("whole") / "out", jobs=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (axis("arm[7].line", 1), r"^axis\[0\]\.path: arm\[7\]\.line leads nowhere: arm is a list of 2"),
        (axis("alteration.RB2 loss.fitness_cost", 0.1), r'found "RB2 loss".*did you mean "RB1 loss"\?'),
        (axis("arm[0]..x", 1), r'^axis\[0\]\.path: found "arm\[0\]\.\.x"; allowed: a path'),
        (axis("seed", 1), r"^axis\[0\]\.path: seeds are those of the replicates"),
        (
            axis("arm[0].line[0].regimen[1].dose", 1.0, 20.0),
            r'^axis "a", point 1 \(a = 20\.0\): arm\[0\]\.line\[0\]\.regimen\[1\]\.dose: found 20\.0;'
            r" allowed: at most 10$",
        ),
        (axis("arm[0].line[0].regimen[1].dosee", 1.0), r'point 0 .*"dosee" is not a known key; did you mean'),
        (axis("pathway.nothing", 1.0), r'pathway\.nothing: "nothing" is not a known key'),
        ({"name": "run", "path": "patients", "values": [1]}, r'axis\[0\]\.name: found "run"'),
        ({"name": "a", "path": "patients"}, r"axis\[0\]: found none of them; allowed: exactly one of"),
        (
            {"name": "a", "path": "patients", "sample": {"law": "uniform", "low": 1, "high": 2}},
            r"^points: missing; axes are sampled",
        ),
    ],
)
def test_what_is_wrong_with_an_axis_is_said_before_anything_runs(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(of_experiment(wrong))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"axis": [axis("population.death[0]", 0.1, 5.0)]}, r'axis "a", point 1 .*dt = 1 day is too long'),
        ({"axis": [axis("population.until.totl", 5.0)]}, r'did you mean "total"'),
        ({"axis": [axis("population.division[2]", 0.1)]}, r"population\.division is a list of 2"),
        (
            {"axis": TWO_TYPES},
            r'^point 1 \(its division = a list.*found "2 types"; allowed: as many as at point 0, 1',
        ),
        ({"tables": ["outcome"]}, r'^tables: found "outcome"; allowed: "outcomes"'),
        ({"base": "x.toml"}, r"base: found base and population; allowed: exactly one"),
        ({"set": {"population.deaths": 3}}, r"^set: population\.deaths: .*did you mean"),
        ({"points": 3}, r"^points: found one, but no axis is sampled"),
        (
            {"axis": [axis("population.dt", 0.5) | {"zip": "z"}, DEATH | {"zip": "z"}]},
            r'"a" has 1, "death" has 3',
        ),
    ],
)
def test_what_is_wrong_with_a_batch_is_said_before_anything_runs(more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(SMALL | more)


def test_an_axis_reaches_every_kind_of_key_of_the_resolved_experiment() -> None:
    axes = [
        {"name": "dose", "path": "arm[0].line[0].regimen[1].dose", "values": [0.5, 1.0]},
        {"name": "turnover", "path": "population.turnover.median", "values": [0.7, 0.8], "zip": "z"},
        {"name": "cost", "path": 'alteration."RB1 loss".fitness_cost', "values": [0.1, 0.2], "zip": "z"},
        {"name": "ic50", "path": "drug.palbociclib.effects.cdk46.ic50", "values": [9.0]},
    ]
    study = checked(of_experiment(*axes))
    both = [(0.5, 0.7, 0.1, 9.0), (0.5, 0.8, 0.2, 9.0), (1.0, 0.7, 0.1, 9.0), (1.0, 0.8, 0.2, 9.0)]
    assert study.points == both
    tables = study.tables_at(3)
    assert tables["arm"][0]["line"][0]["regimen"][1]["dose"] == 1.0
    assert tables["population"]["turnover"]["median"] == 0.8
    assert tables["alteration"]["RB1 loss"]["fitness_cost"] == 0.2
    assert BatchStudy.from_dict(study.resolved()).sha256 == study.sha256


def sampled(**more: Any) -> BatchStudy:
    laws = [
        {"law": "log_uniform", "low": 1e-6, "high": 1e-2},
        {"law": "normal", "mean": 0.1, "sd": 0.01},
    ]
    paths = ("population.mutation[0][1]", "population.death[0]")
    axes = [{"name": path, "path": path, "sample": law} for path, law in zip(paths, laws, strict=True)]
    return checked(SMALL | {"axis": axes, "points": 16} | more)


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol"])
def test_a_stratified_design_has_one_point_in_every_stratum(design: str) -> None:
    rate = np.log10(sampled(design=design).table["population.mutation[0][1]"].to_numpy())
    assert sorted(np.floor((rate + 6) / 4 * 16).astype(int)) == list(range(16))


def test_designs_keep_to_their_seed_and_a_grid_crosses_quantiles() -> None:
    assert sampled(design="random").points == sampled(design="random").points
    assert sampled(design="random").points != sampled(design="random", seed=4).points
    grid = sampled(design="grid", points=4)
    assert len(grid.points) == 16
    assert len({point[1] for point in grid.points}) == 4
    with pytest.raises(InputError, match=r"^points: found 15; allowed: a power of two"):
        sampled(design="sobol", points=15)


def test_points_of_a_csv_move_together(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("death,b\n0.05,0.3\n0.1,0.25\n")
    axes = [
        {"name": "death", "path": "population.death[0]", "csv": "points.csv"},
        {"name": "birth", "path": "population.division[0]", "csv": "points.csv", "column": "b"},
    ]
    study = checked(SMALL | {"axis": axes}, tmp_path / "study.toml")
    assert study.points == [(0.05, 0.3), (0.1, 0.25)]
    with pytest.raises(InputError, match=r'points\.csv: column: found "c"; allowed: "death", "b"'):
        checked(SMALL | {"axis": [axes[1] | {"column": "c"}]}, tmp_path / "study.toml")


def test_points_share_their_random_numbers_unless_told_otherwise(tmp_path: Path) -> None:
    same = SMALL | {"replicates": 1, "axis": [axis("population.death[0]", 0.1, 0.1)]}
    for common in (True, False):
        batch = run_batch(checked(same | {"common_random_numbers": common}), tmp_path / str(common))
        first, second = (batch.results(point)["outcomes"] for point in (0, 1))
        assert first.equals(second) is common


def test_a_population_of_a_batch_is_what_replicate_gives(tmp_path: Path) -> None:
    off = {"until": {"day": 7.0}}
    on = {"death": [0.19, 0.1], "until": {"day": 7.0}}
    treated = POPULATION | {
        "phases": "all",
        "treatment": [on, {"phases": [off, on], "until": {"counts": {"1": 50}, "day": 70.0}}],
    }
    study = checked(SMALL | {"population": treated, "axis": [], "replicates": 1})
    found = run_batch(study, tmp_path / "out").results(0)["outcomes"].rename({"population": "replicate"})
    day = ta.Until(day=7.0)
    stop = ta.Phase(death=[0.19, 0.1], until=day)
    rates = {key: POPULATION[key] for key in ("division", "death", "mutation", "initial", "replicates")}
    expected = ta.replicate(
        **rates,
        until=ta.Until(total=300),
        restart_on_extinction=True,
        treatment=[
            stop,
            ta.Cycle(phases=[ta.Phase(until=day), stop], until=ta.Until(counts={1: 50}, day=70)),
        ],
        phases="all",
        seed=study.run(0).seed,
    )
    assert found.equals(expected)


def test_a_batch_is_read_with_its_axes_as_columns(whole: ta.Batch) -> None:
    assert whole.points.rows() == [(0, 0.05), (1, 0.1), (2, 0.15)]
    assert (whole.axes, whole.tables) == (["death"], ["outcomes", "runs"])
    rows = whole.scan("outcomes").collect()
    assert rows.height == 3 * 4 * 20
    assert rows.group_by("death").len()["len"].unique().to_list() == [80]
    numbered = whole.results(1)["outcomes"]["population"].to_list()
    assert numbered == list(range(80))


def test_a_summary_has_the_mean_of_every_point_with_its_error(whole: ta.Batch) -> None:
    told = whole.summary().filter(measure="divisions").select("death", "value", "se", "n")
    days = pl.col("divisions")
    expected = (
        whole.scan("outcomes")
        .group_by("death")
        .agg(days.mean().alias("value"), days.std() / 80**0.5, n=pl.len())
        .sort("death")
        .collect()
    )
    for mine, theirs in zip(told.rows(), expected.rows(), strict=True):
        assert mine == pytest.approx(theirs)


def test_a_summary_of_an_experiment_agrees_with_its_comparison(tmp_path: Path) -> None:
    dose = {"name": "dose", "path": "arm[0].line[0].regimen[1].dose", "values": [0.25, 1.0]}
    tables = of_experiment(dose, tables=["outcomes", "overall", "clones"], replicates=2)
    batch = run_batch(checked(tables | {"set": {"patients": 15, "horizon_months": 36.0}}), tmp_path / "out")
    told = batch.summary()
    for point in (0, 1):
        compared = ta.compare(batch.results(point)).table
        assert compared["n"][0] == 30
        mine = told.filter(point=point, statistic="median_months").select("group", "measure", "value")
        theirs = compared.select("arm", "endpoint", "median_months")
        assert sorted(mine.rows(), key=str) == sorted(theirs.rows(), key=str)
    carried = told.filter(statistic="carried_pct", measure="RB1 loss, line 1")
    assert carried["n"].min() > 10


def test_a_question_in_sql_is_answered(
    whole: ta.Batch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT death, avg(divisions) AS mean FROM outcomes GROUP BY death ORDER BY death"
    answer = whole.query(sql)
    assert answer["death"].to_list() == [0.05, 0.1, 0.15]
    command = ["query", str(whole.directory), sql, "--json", "--csv", str(tmp_path / "a.csv")]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == answer.to_dicts()
    assert pl.read_csv(tmp_path / "a.csv").equals(answer)
    for wrong in ("SELECT nothing FROM outcomes", "SELECT * FROM nowhere", "SELEC", ""):
        assert main(["query", str(whole.directory), wrong]) == 2
        assert capsys.readouterr().err.startswith("tumor-abm: SQL: ")


def test_figures_show_what_the_summary_says(whole: ta.Batch, tmp_path: Path) -> None:
    told = whole.summary().filter(measure="n_1")
    (line,) = ta.plots.plot_along_axis(whole, "death", "n_1").axes[0].lines
    assert line.get_xydata().tolist() == [list(row) for row in told.select("death", "value").rows()]
    other = {"name": "birth", "path": "population.division[0]", "values": [0.25, 0.3]}
    batch = run_batch(checked(SMALL | {"axis": [DEATH, other], "replicates": 1}), tmp_path / "out")
    field = ta.plots.plot_heat_map(batch, "death", "birth", "n_1").axes[0].collections[0].get_array()
    shown = batch.summary().filter(measure="n_1").sort("birth", "death")["value"]
    assert field.ravel().tolist() == shown.to_list()
    with pytest.raises(InputError, match=r"where: several points share a value; fix the other axes: {birth="):
        ta.plots.plot_along_axis(batch, "death", "n_1")
    with pytest.raises(InputError, match=r'measure: found "n_2"; allowed: "day", "divisions"'):
        ta.plots.plot_along_axis(batch, "death", "n_2")


def test_a_study_is_the_same_in_one_process_and_in_several(tmp_path: Path) -> None:
    scenario = {"name": "s", "types": ["a"], "division": [0.5], "death": [0.1], "mutation": [[0.01]]}
    study = {"title": "t", "question": "q", "replicates": 2, "cells": 300, "whole_tumour_cells": 100}
    tables = {key: value for key, value in SMALL.items() if key != "population"} | {
        "study": study | {"scenario": [scenario]},
        "axis": [axis("scenario[0].death[0]", 0.1, 0.2)],
    }
    one, two = (run_batch(checked(tables), tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    assert one.runs.height == 8
    assert contents(one.directory) == contents(two.directory)
    assert two.summary().filter(measure="cells")["n"].to_list() == [8, 8]


def test_a_run_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    tables = SMALL | {
        "population": POPULATION | {"death": [0.19, 0.1], "replicates": 1},
        "axis": [axis("population.max_attempts", 1, 100_000)],
    }
    batch = run_batch(checked(tables), tmp_path / "out")
    assert 0 < batch.failed.height <= 4
    assert batch.failed["a"].unique().to_list() == [1]
    assert batch.failed["error"].str.contains("extinct").all()
    kept = batch.scan("outcomes").select("run").collect()["run"]
    assert set(kept) | set(batch.failed["run"]) == set(range(8))
    assert not set(kept) & set(batch.failed["run"])


def test_a_point_at_which_nobody_is_eligible_fails_and_the_others_go_on(tmp_path: Path) -> None:
    measurable = {"bone_only": 0.5, "eligibility": {"measurable": True}}
    arm = {"name": "a", "line": [{"regimen": ["fulvestrant"]}]}
    made = {"title": "t", "question": "q", "patients": 2, "horizon_months": 6.0, "arm": [arm]}
    tables = {key: value for key, value in SMALL.items() if key != "population"} | {
        "experiment": made | {"population": measurable},
        "axis": [axis("population.bone_only", 0.1, 1.0)],
        "replicates": 1,
    }
    study = checked(tables)
    assert study.sha256 == checked(tables).sha256  # though the base names no seed
    batch = run_batch(study, tmp_path / "out")
    assert batch.failed["a"].to_list() == [1.0]
    assert "none of 300 candidates" in batch.failed["error"][0]
    assert batch.scan("overall").collect().height == 2


def interrupted(study: BatchStudy, out: Path, after: int) -> None:
    """Run until so many runs are done."""

    def stop(tally: Any) -> None:
        if tally.done == after:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"interrupted after \d+ of 12 runs"):
        run_batch(study, out, jobs=2, progress=stop)


def test_a_damaged_shard_is_found_and_run_again(
    whole: ta.Batch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study, out = checked(SMALL), tmp_path / "out"
    interrupted(study, out, 9)
    with pytest.raises(InputError, match=r"holds an unfinished batch, \d of 12 runs are done"):
        ta.Batch.open(out)
    shard = sorted((out / "chunks").glob("*/outcomes.parquet"))[2]
    shard.write_bytes(shard.read_bytes()[:-7])
    run_batch(study, out)
    assert "damaged or changed" in caplog.text
    assert contents(out) == contents(whole.directory)


@pytest.fixture
def slow(tmp_path: Path) -> dict[str, Any]:
    population = POPULATION | {"until": {"total": 100_000}, "replicates": 30}
    return SMALL | {"population": population, "replicates": 20}


def started(file: Path, out: Path, shards: int) -> subprocess.Popen[str]:
    """Begin a batch in a process of its own, and wait until so many shards are there."""
    command = [sys.executable, "-m", "tumor_abm", "batch", str(file), "--out", str(out), "--no-figures"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline, chunks = time.monotonic() + 60, out / "chunks"
    while not (chunks / "plan.json").exists() or len(list(chunks.glob("0*[0-9]"))) < shards:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_a_batch_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path, slow: dict[str, Any]) -> None:
    file, out = written(tmp_path, slow), tmp_path / "out"
    process = started(file, out, shards=3)
    with pytest.raises(InputError, match=f"process {process.pid} on .* is writing here"):
        run_batch(load_batch(file), out)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finished = run_batch(load_batch(file), out)
    again = run_batch(load_batch(file), tmp_path / "again", jobs=1)
    assert finished.runs.height == 60
    assert contents(out) == contents(again.directory)


def test_ctrl_c_ends_a_batch_amid_a_long_run(tmp_path: Path) -> None:
    long = SMALL | {"population": POPULATION | {"replicates": 2_000_000, "until": {"total": 1e6}}}
    process = started(written(tmp_path, long), tmp_path / "out", shards=0)
    time.sleep(1)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - asked < 10  # half a second on an idle machine; a run takes minutes
    assert process.returncode == 130
    assert "interrupted after 0 of 12 runs; run the same command again to go on" in said
    assert "Traceback" not in said


def test_parts_that_are_merged_are_the_whole(whole: ta.Batch, tmp_path: Path) -> None:
    study, out = checked(SMALL), tmp_path / "out"
    for part in (1, 3):
        run_part(study, out, PartOfRuns(part, 3))
    with pytest.raises(InputError, match=r"1 of 3 parts are not done \(2/3\); run them first"):
        merge_batch(study, out)
    with pytest.raises(InputError, match="holds parts of a batch; --merge joins them"):
        run_batch(study, out)
    run_part(study, out, PartOfRuns.parse("2/3"))
    merged = merge_batch(study, out)
    assert contents(out) == contents(whole.directory)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in whole.directory.iterdir()
    )
    assert merged.runs.equals(whole.runs)
    unseeded = {key: value for key, value in SMALL.items() if key != "seed"}
    with pytest.raises(InputError, match="seed: missing; parts must agree on it"):
        run_part(checked(unseeded), tmp_path / "other", PartOfRuns(1, 3))


@pytest.mark.parametrize("wrong", ["0/3", "4/3", "x", "1/", "-1/3"])
def test_a_part_that_is_none_is_refused(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, SMALL)
    assert main(["batch", str(file), "--out", str(tmp_path / "out"), f"--part={wrong}"]) == 2
    assert f'part: found "{wrong}"; allowed: K/N' in capsys.readouterr().err


def test_another_batch_is_not_mixed_in(whole: ta.Batch) -> None:
    with pytest.raises(InputError, match="holds the result of another experiment"):
        run_batch(checked(SMALL | {"replicates": 5}), whole.directory)


def test_a_dry_run_forecasts_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = forecast(checked(SMALL))
    assert (told.runs, told.size, told.probed) == (12, 20, 3)
    assert 0 < told.shortest <= told.seconds <= told.longest
    file = written(tmp_path, SMALL)
    assert main(["batch", str(file), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "12 (3 points, 4 replicates), each of 20" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
