"""Classes of trials that are left out: a fit to the others does not know them, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from tumor_abm.calibration import posterior
from tumor_abm.calibration.cohorts import HALFWAY
from tumor_abm.calibration.left_out import _discrepancy, _interval, left_out, scores, without
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import tried_of

CONJUGATE = "DESTINY-Breast04 HR+"
POTENCY = "trastuzumab_deruxtecan_potency"
CLASSES = {"conjugate": [CONJUGATE], "taxanes": ["ROSE/TRIO-012", "NorBreast-231"]}
SEED = 20_261_130


class Planted(Problem):
    """A problem whose arms have constant hazards: the conjugate's falls with its potency, no other moves."""

    def simulate(
        self, values: Mapping[str, float], *, patients: int, seed: int, jobs: int
    ) -> list[float] | None:
        potency = next(one.share(values[POTENCY]) for one in self.parameters if one.name == POTENCY)
        medians = [20.0 * potency if arm[1] == "T-DXd" else 6.0 for arm in self.arms]
        survival = [0.5 ** (HALFWAY / median) for median in medians]
        return [*map(float, np.concatenate(survival)), *(0.3 for _ in self._responses)]


@pytest.fixture(scope="module")
def problem() -> Problem:
    shipped = Problem.shipped("chemotherapy")
    return Planted(**{field.name: getattr(shipped, field.name) for field in fields(shipped)})


@pytest.fixture(scope="module")
def table(problem: Problem) -> pl.DataFrame:
    rng = np.random.default_rng(SEED)
    sets = np.clip(0.3 + 0.1 * rng.standard_normal((60, len(problem.parameters))), 0.02, 0.98)
    tried = list(tried_of(problem, sets, range(60), wave=0, patients=50, jobs=1))
    middle = np.full(len(problem.parameters), 0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "_STEPS", 200)
        return left_out(problem, tried, [middle, middle + 0.01], CLASSES, patients=50, seed=SEED, jobs=1)


def of(table: pl.DataFrame, name: str) -> pl.DataFrame:
    return table.filter(pl.col("class") == name)


def test_rows_of_a_class_that_is_left_out_count_for_nothing(problem: Problem) -> None:
    sets = np.full((1, len(problem.parameters)), 0.9)
    outputs = np.array([one.outputs for one in tried_of(problem, sets, [1], wave=0, patients=9, jobs=1)])
    others = {row.trial for row in problem.targets} - {CONJUGATE}
    whole, left, rest = (
        float(one.misfits(outputs)[0])
        for one in (problem, without(problem, [CONJUGATE]), without(problem, sorted(others)))
    )
    assert rest > 0
    assert left + rest == pytest.approx(whole)


def test_a_fit_to_other_trials_does_not_know_what_only_the_class_tells(table: pl.DataFrame) -> None:
    median = of(table, "conjugate").filter(pl.col("quantity") == "median", pl.col("arm") == "T-DXd")
    published, fitted, left = (median[name][0] for name in ("published", "fitted", "left_out"))
    # Where the search began nothing but the prior moves it: a third of the way to 20 months.
    assert abs(np.log(fitted / published)) < 0.2 < abs(np.log(left / published))
    score = scores(table).filter(pl.col("class") == "conjugate")
    assert score["error_fitted"][0] < score["error_left_out"][0]


def test_what_no_parameter_moves_is_the_same_left_out_or_fitted(table: pl.DataFrame) -> None:
    rows = of(table, "taxanes")
    assert set(rows["trial"]) == set(CLASSES["taxanes"])
    assert rows["left_out"].to_list() == pytest.approx(rows["fitted"].to_list(), rel=0.02)


def test_the_interval_is_no_narrower_than_the_error_of_the_publication(
    table: pl.DataFrame, problem: Problem
) -> None:
    sigma = {row.name: row.sigma for row in problem.targets if row.quantity == "median"}
    for row in table.filter(pl.col("quantity") == "median").iter_rows(named=True):
        name = ", ".join(part for part in (row["trial"], row["arm"], row["subset"], "median") if part)
        width = np.log(row["predicted_high"] / row["predicted_low"])
        assert width > 0.95 * 2 * 1.2816 * sigma[name]
        assert row["covered"] == (row["predicted_low"] <= row["published"] <= row["predicted_high"])


def test_the_interval_knows_by_how_much_rows_are_missed_that_were_not_left_out(problem: Problem) -> None:
    sets = np.full((1, len(problem.parameters)), 0.3)
    outputs = np.array([one.outputs for one in tried_of(problem, sets, [1], wave=0, patients=9, jobs=1)])
    quantities = problem.quantities(outputs)[0]
    others = without(problem, CLASSES["conjugate"])
    rows = [(row, x) for row, x in zip(others.targets, quantities, strict=False) if row.quantity == "median"]
    squares = [(x - np.log(row.published)) ** 2 - row.sigma**2 for row, x in rows if row.weight > 0]
    assert 0 < len(squares) < len(rows)
    found = _discrepancy(others, quantities)
    assert found["median"] == pytest.approx(np.sqrt(max(np.mean(squares), 0)))
    sigma = {row.name: row.sigma for row, _ in rows}
    narrow, wide = (
        _interval(others, quantities[None], {**found, "median": missed}, 1) for missed in (0.0, 0.3)
    )
    place = next(i for i, row in enumerate(others.targets) if row.quantity == "median")
    widths = [np.log(high[place] / low[place]) / (2 * 1.2816) for low, high in (narrow, wide)]
    own = sigma[others.targets[place].name]
    assert widths == pytest.approx([own, np.hypot(own, 0.3)], rel=0.25)


def test_scores_count_what_has_an_interval() -> None:
    rows = [
        ("a", "median", 10.0, 8.0, 12.0, 9.0, 11.0, True, True),
        ("a", "median", 10.0, -np.inf, np.inf, 10.0, 20.0, True, False),
        ("a", "hazard ratio", 0.5, 0.4, 0.6, 0.5, 0.7, False, True),
        ("a", "response", 0.3, 0.2, 0.4, 0.3, 0.9, False, False),
    ]
    names = ("class", "quantity", "published", "low", "high", "fitted", "left_out", "inside", "covered")
    score = scores(pl.DataFrame(rows, schema=names, orient="row")).row(0, named=True)
    assert [score[key] for key in ("medians", "medians_inside", "ratios", "ratios_inside")] == [1, 1, 1, 0]
    expected = np.sqrt(np.mean(np.log([1.1, 2.0, 1.4]) ** 2))
    assert score["error_left_out"] == pytest.approx(expected)
    assert score["covered"] == pytest.approx(2 / 3)


def test_every_class_of_the_plan_names_trials_that_are_fitted() -> None:
    fitted = {row.trial for row in Problem.shipped("all").targets}
    classes = PlanFile.shipped("all").left_out
    assert len(classes) >= 6
    for name, trials in classes.items():
        assert set(trials) <= fitted, name
