"""Runs that end when a number is known well enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.endpoints import OS, PFS1, Endpoint, Kind
from tumor_abm.analysis.precision import Precision
from tumor_abm.cli import main
from tumor_abm.errors import InputError
from tumor_abm.run.experiment import Interrupted, run_experiment
from tumor_abm.run.results import Results

EXPERIMENT: dict[str, Any] = {
    "title": "t",
    "question": "q",
    "seed": 5,
    "patients": 200,
    "horizon_months": 24,
    "arm": [{"name": "one", "line": [{"regimen": ["fulvestrant"]}]}],
}


def tables_in(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.glob("*.parquet")}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("median PFS1 +- 0.5", Precision(measure="median", endpoint=PFS1, half_width=0.5)),
        ("median PFS ± .5", Precision(measure="median", endpoint=PFS1, half_width=0.5)),
        ("hazard ratio OS +/- 0.05", Precision(measure="hazard ratio", endpoint=OS, half_width=0.05)),
        (
            "rate 24 PFS line 2 +- 3",
            Precision(measure="rate", endpoint=Endpoint(Kind.PFS, 2), half_width=3.0, month=24),
        ),
    ],
)
def test_what_is_asked_for_is_read(text: str, asked: Precision) -> None:
    assert Precision.parse(text) == asked
    assert Precision.parse(asked.in_words()) == asked


@pytest.mark.parametrize(
    "text",
    ["", "median PFS1", "median PFS1 +- 0", "median PFS3 +- 1", "mean OS +- 1", "rate OS +- 1", "PFS1 +- 1"],
)
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(InputError, match=r'until-precise: found .* allowed: "median PFS1 \+- 0\.5"'):
        Precision.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("median PFS2 +- 1", "PFS2 is not defined: the arm has one line"),
        ("hazard ratio PFS1 +- 0.1", "of two arms"),
        ("median PFS line 3 +- 1", "no arm has so many lines"),
    ],
)
def test_what_an_experiment_cannot_tell_is_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Precision.parse(text).check(EXPERIMENT)


def test_widths_are_those_of_the_comparison(make_results: Callable[..., Results]) -> None:
    results = make_results(120)
    table = compare(results).with_limits
    other = next(arm for arm in results.arms if arm != results.control)
    for text, low, high in (
        ("median PFS1 +- 1", "lo", "hi"),
        ("rate 12 PFS1 +- 1", "rate_12_lo", "rate_12_hi"),
        ("hazard ratio PFS1 +- 1", "paired_hr_lo", "paired_hr_hi"),
    ):
        widths = Precision.parse(text).half_widths(results)
        assert set(widths) == ({other} if "hazard" in text else set(results.arms))
        for arm, half in widths.items():
            row = table.filter(arm=arm, endpoint="PFS1").row(0, named=True)
            assert half == pytest.approx((row[high] - row[low]) / 2)
            assert half is not None
            assert Precision.parse(
                text.replace("+- 1", f"+- {1.01 * max(w or 0 for w in widths.values())}")
            ).reached(results)
            assert not Precision.parse(text.replace("+- 1", f"+- {0.99 * half}")).reached(results)


def test_few_patients_are_never_enough(make_results: Callable[..., Results]) -> None:
    assert not Precision.parse("median PFS1 +- 1000").reached(make_results(99))
    assert Precision.parse("median PFS1 +- 1000").reached(make_results(100))


def test_a_run_that_ends_early_is_that_of_as_many_patients(tmp_path: Path) -> None:
    asked: list[int] = []

    def enough(results: Results) -> bool:
        asked.append(results.enrolled)
        return results.enrolled >= 100

    grown = run_experiment(EXPERIMENT, tmp_path / "grown", enough=enough, jobs=1)
    whole = run_experiment(EXPERIMENT, tmp_path / "whole", patients=100, jobs=1)
    assert asked == [50, 100]
    assert tables_in(tmp_path / "grown") == tables_in(tmp_path / "whole")
    assert (tmp_path / "grown/experiment.toml").read_bytes() == (
        tmp_path / "whole/experiment.toml"
    ).read_bytes()
    same = ("sha256", "seed", "patients", "tables")
    assert [grown.provenance[key] for key in same] == [whole.provenance[key] for key in same]
    assert not (tmp_path / "grown/chunks").exists()
    # Again: nothing is computed, and it still is enough. Asked for more, it cannot grow any longer.
    assert run_experiment(EXPERIMENT, tmp_path / "grown", enough=enough, jobs=1).enrolled == 100
    with pytest.raises(InputError, match="finished before with 100 patients, who are not enough"):
        run_experiment(EXPERIMENT, tmp_path / "grown", enough=lambda results: False, jobs=1)


def test_an_interrupted_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    def stopped(results: Results) -> bool:
        if results.enrolled == 100:
            raise KeyboardInterrupt
        return False

    def enough(results: Results) -> bool:
        return results.enrolled >= 100

    with pytest.raises(Interrupted, match="interrupted after 100 of 200 patients"):
        run_experiment(EXPERIMENT, tmp_path, enough=stopped, jobs=1)
    done: list[int] = []
    assert run_experiment(EXPERIMENT, tmp_path, enough=enough, jobs=1, progress=done.append).enrolled == 100
    assert done == []  # the chunks that are there are not computed again
    in_memory = run_experiment(EXPERIMENT, enough=enough, jobs=1)
    assert pl.read_parquet(tmp_path / "overall.parquet").equals(in_memory.overall)


def test_the_command_says_how_many_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tomli_w

    file = tmp_path / "e.toml"
    file.write_text(tomli_w.dumps(EXPERIMENT))
    command = ["run", str(file), "--out", str(tmp_path / "out"), "--no-figures", "--jobs", "1"]
    for wrong, said in (
        (["--until-precise", "median PFS3 +- 1"], "found"),
        (["--until-precise", "median PFS2 +- 1"], "PFS2 is not defined"),
        (["--until-precise", "median PFS1 +- 1", "--patients", "50"], "--at-most bounds it"),
        (
            ["--until-precise", "median PFS1 +- 1", "--ensemble", "shipped"],
            "does not go with --until-precise",
        ),
        (["--at-most", "50"], "stands beside --until-precise only"),
    ):
        assert main([*command, *wrong]) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
    assert main([*command, "--until-precise", "rate 6 PFS1 +- 10", "--at-most", "200"]) == 0
    said = capsys.readouterr().out
    assert "rate 6 PFS1 +- 10: reached with 100 patients (one: +- " in said
