"""Indices of a batch: answers that are known, and what has none."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm.batch import BatchStudy, run_batch
from tumor_abm.batch.cube import LEVELS, cube, levels_of
from tumor_abm.batch.indices import indices_of
from tumor_abm.batch.summary import SCHEMA
from tumor_abm.cli import main
from tumor_abm.errors import InputError

ERRORS = 5
"""Standard errors that an estimate may be away: beyond them lies a normal one in a million."""
NORMAL_95 = 1.96
DAYS, DT = 20, 0.25
RATES = {"birth": (0.04, 0.08), "death": (0.0, 0.02)}


def sampled(name: str, path: str, low: float, high: float) -> dict[str, Any]:
    return {"name": name, "path": path, "sample": {"law": "uniform", "low": low, "high": high}}


def written(design: str, points: int, **more: Any) -> dict[str, Any]:
    """A population of a million cells: its size is the expected one, but for one part in a thousand."""
    return {
        "title": "t",
        "question": "q",
        "seed": 1,
        "design": design,
        "points": points,
        "population": {
            "replicates": 1,
            "division": [0.05],
            "death": [0.02],
            "initial": [1_000_000],
            "dt": DT,
            "until": {"day": DAYS},
        },
        "axis": [
            sampled("birth", "population.division[0]", *RATES["birth"]),
            sampled("death", "population.death[0]", *RATES["death"]),
        ],
    } | more


def of_function(
    axes: list[dict[str, Any]], design: str, points: int, f: Callable[..., float]
) -> pl.DataFrame:
    """Indices of a function of the axes, as if a batch had told it."""
    study = BatchStudy.from_dict(written(design, points, axis=axes))
    values = [f(*row) for row in study.table.drop("point").rows()]
    told = {"group": None, "measure": "f", "statistic": "mean", "value": values, "se": 0.1, "n": 1}
    summary = study.table.with_columns(
        **{
            name: value if name == "value" else pl.lit(value)
            for name, value in told.items()
            if name != "value"
        },
        value=pl.Series(values),
    ).cast(SCHEMA)
    return indices_of(study, summary, "f", None, None)


def is_within(rows: pl.DataFrame, name: str, expected: list[float]) -> bool:
    """Whether numbers are as expected, as far as their intervals tell."""
    error = (rows[f"{name}_hi"] - rows[name]).to_numpy() / NORMAL_95
    return bool((np.abs(rows[name].to_numpy() - expected) <= ERRORS * error + 1e-12).all())


def test_sobol_indices_of_the_function_of_ishigami_are_known() -> None:
    axes = [sampled(f"x{i}", f"population.death[{i}]", -math.pi, math.pi) for i in range(3)]
    rows = of_function(
        axes, "saltelli", 1024, lambda a, b, c: math.sin(a) + 7 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)
    )
    assert rows["axis"].to_list() == ["x0", "x1", "x2"]
    assert is_within(rows, "first_order", [0.3139, 0.4424, 0.0])
    assert is_within(rows, "total", [0.5576, 0.4424, 0.2437])
    assert (rows["total_hi"] - rows["total"]).max() < 0.1
    # The variance of this function is 13.845.
    assert rows["chance"].to_list() == pytest.approx([0.01 / 13.845] * 3, rel=0.05)


def test_elementary_effects_of_a_sum_are_its_slopes() -> None:
    axes = [sampled("x", "population.death[0]", 0, 8), sampled("y", "population.death[1]", 1, 5)]
    rows = of_function(axes, "morris", 5, lambda x, y: 2 * x - 3 * y)
    # From one eighth to seven eighths of the range.
    assert rows["mu"].to_list() == pytest.approx([2 * 6, -3 * 3])
    assert rows["mu_star"].to_list() == pytest.approx([2 * 6, 3 * 3])
    assert rows["sigma"].to_list() == pytest.approx([0, 0], abs=1e-9)


def test_effects_that_depend_on_another_axis_spread() -> None:
    axes = [sampled("x", "population.death[0]", 0, 8), sampled("y", "population.death[1]", 0, 8)]
    rows = of_function(axes, "morris", 2000, lambda x, y: x * y)
    assert (rows["mu_hi"] - rows["mu"]).to_list() == pytest.approx(
        (NORMAL_95 * rows["sigma"] / math.sqrt(2000)).to_list(), rel=1e-2
    )
    # An effect is 6 y with y at 1, 3, 5 or 7, each as often.
    assert rows["mu"].to_list() == pytest.approx([24, 24], abs=ERRORS * 6 * math.sqrt(5 / 2000))
    assert rows["sigma"].to_list() == pytest.approx([6 * math.sqrt(5)] * 2, rel=0.1)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> ta.Batch:
    study = BatchStudy.from_dict(written("saltelli", 64))
    study.check()
    return run_batch(study, tmp_path_factory.mktemp("grown") / "out", jobs=1)


def test_indices_of_a_batch_are_those_of_the_expected_size(grown: ta.Batch) -> None:
    middles = (np.arange(400) + 0.5) / 400
    birth, death = (low + (high - low) * middles for low, high in RATES.values())
    sizes = (1 + (birth[:, None] - death[None, :]) * DT) ** (DAYS / DT)  # the mean, in steps of dt
    whole = sizes.var()
    first = [sizes.mean(axis=1).var() / whole, sizes.mean(axis=0).var() / whole]
    rows = grown.indices("n_0")
    assert rows.columns[:2] == ["group", "axis"]
    assert rows["axis"].to_list() == ["birth", "death"]
    assert is_within(rows, "first_order", first)
    assert is_within(rows, "total", [1 - first[1], 1 - first[0]])
    assert rows["chance"].null_count() == 2  # one population a point has no error
    assert set(grown.runs["seed"]) == {grown.runs["seed"][0]}  # common random numbers


def test_the_figure_has_the_numbers_of_the_table_the_strongest_axis_above(grown: ta.Batch) -> None:
    axes = ta.plots.plot_indices(grown, "n_0").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["death", "birth"]
    total, first = (line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_marker() in "oD")
    rows = grown.indices("n_0").sort("total")
    assert list(total.get_xdata()) == rows["total"].to_list()
    assert list(first.get_xdata()) == rows["first_order"].to_list()
    with pytest.raises(InputError, match=r'group: found "A"; allowed: "phase 0"'):
        ta.plots.plot_indices(grown, "n_0", group="A")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"measure": "n_9"}, r'^measure: found "n_9"; allowed: .*"n_0"'),
        ({"measure": "n_0", "statistic": "median"}, r'^statistic: found "median"; allowed: "mean"'),
        ({"measure": "day"}, r"^day, mean: is the same at all points, so that no axis moves it$"),
        (
            {"measure": "n_0", "where": {"birth": 0.05}},
            r'^where: found "birth"; allowed: nothing, since every',
        ),
    ],
)
def test_what_has_no_indices_is_an_error(grown: ta.Batch, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        grown.indices(**asked)


@pytest.mark.parametrize(
    ("design", "points"), [("latin_hypercube", 4), ("sobol", 4), ("random", 4), ("grid", 2)]
)
def test_a_batch_of_another_design_says_which_would_do(design: str, points: int, tmp_path: Path) -> None:
    batch = run_batch(BatchStudy.from_dict(written(design, points)), tmp_path / "out", jobs=1)
    said = rf'^design: found "{design}"; allowed: "saltelli" \(Sobol indices\) or "morris"'
    with pytest.raises(InputError, match=said):
        batch.indices("n_0")
    with pytest.raises(InputError, match=said):
        ta.plots.plot_indices(batch, "n_0")


def test_other_axes_are_fixed_and_a_point_that_failed_is_said(tmp_path: Path) -> None:
    cells = {"name": "cells", "path": "population.initial[0]", "values": [1_000, 2_000]}
    tables = written("morris", 2)
    study = BatchStudy.from_dict(tables | {"axis": [cells, *tables["axis"]]})
    batch = run_batch(study, tmp_path / "out", jobs=1)
    assert batch.points.height == 2 * 2 * 3
    with pytest.raises(InputError, match=r"^where: several points share a place .*\{cells=\.\.\.\}"):
        batch.indices("n_0")
    rows = batch.indices("n_0", where={"cells": 2_000})
    assert rows["mu"][0] > 0 > rows["mu"][1]
    summary = batch.summary().filter(~((pl.col("point") == 7) & (pl.col("measure") == "n_0")))
    with pytest.raises(InputError, match=r"^n_0, mean: known at 5 of 6 points; indices need a statistic"):
        indices_of(study, summary, "n_0", None, {"cells": 2_000})


@pytest.mark.parametrize(
    ("design", "points", "said"),
    [
        ("saltelli", 12, r'points: found 12; allowed: a power of two with design = "saltelli"'),
        ("saltelli", 1, r'points: found 1; allowed: at least 2 with design = "saltelli"'),
        ("morris", 1, r'points: found 1; allowed: at least 2 with design = "morris"'),
        ("morris", 9_000_000, r'points: found "27000000 in all"; allowed: at most 10000000'),
        ("saltely", 4, r'design: found "saltely"; allowed: .*"saltelli"'),
    ],
)
def test_a_design_that_does_not_fit_is_an_error(design: str, points: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        BatchStudy.from_dict(written(design, points))


def test_trajectories_move_every_axis_once_over_half_of_its_levels() -> None:
    levels = levels_of(3, 50, seed=2).reshape(50, 4, 3)
    steps = np.diff(levels, axis=1)
    assert set(np.abs(steps[steps != 0])) == {LEVELS // 2}
    assert ((steps != 0).sum(axis=2) == 1).all()
    assert ((steps != 0).sum(axis=1) == 1).all()
    orders = {tuple(np.argmax(one != 0, axis=1)) for one in steps}
    assert orders == set(itertools.permutations(range(3)))
    assert set(cube("morris", 3, 50, 2).ravel()) == {0.125, 0.375, 0.625, 0.875}


def test_without_salib_it_is_said_what_to_install(grown: ta.Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    with pytest.raises(ImportError, match=r"indices need SALib: pip install '\.\[indices\]'"):
        grown.indices("n_0")


def test_the_command_draws_them(tmp_path: Path) -> None:
    import tomli_w

    file = tmp_path / "study.toml"
    file.write_text(tomli_w.dumps(written("saltelli", 4)))
    assert main(["batch", str(file), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert sorted(path.stem for path in (tmp_path / "out" / "figures").glob("*.png")) == [
        "divisions_phase_0",
        "n_0_phase_0",
    ]
    assert main(["report", str(tmp_path / "out")]) == 0
    assert "How much of the variance" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_sobol_indices_of_an_experiment_tell_what_a_drug_of_the_second_line_cannot_move(
    tmp_path: Path,
) -> None:
    """Patients are the same at all points: a parameter without a part has an index of 0 to the last bit."""
    base = Path(__file__).parents[1] / "experiments" / "cdk46_first_or_second_line.toml"
    study = BatchStudy.from_dict(
        {
            "title": "t",
            "question": "q",
            "seed": 1,
            "base": str(base),
            "set": {"patients": 16, "end_with_last_line": True, "horizon_months": 36, "accrual_months": 0},
            "design": "saltelli",
            "points": 4,
            "axis": [
                sampled("dependence", "population.covariate.er_dependence.median", 0.5, 0.9),
                sampled("fulvestrant", "drug.fulvestrant.effects.er.ic50", 0.5, 10.0),
            ],
        }
    )
    batch = run_batch(study, tmp_path / "out")
    assert batch.points.height == 4 * (2 + 2)
    first = batch.indices("PFS1", "rmst_24")
    assert first["group"].n_unique() == 2
    idle = first.filter(axis="fulvestrant")
    assert idle["first_order"].to_list() == idle["total"].to_list() == [0.0, 0.0]
    assert (first.filter(axis="dependence")["total"] > 0).all()
    both = batch.indices("PFS2", "rmst_24").filter(axis="fulvestrant")
    assert (both["total"] > 0).all()
