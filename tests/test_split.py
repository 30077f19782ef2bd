"""Errors split into chance and parameters: influences are derivatives, what was put in is found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from tumor_abm.analysis.between_sets import BetweenSets, rivals_of
from tumor_abm.analysis.sets_wording import told
from tumor_abm.analysis.split import SetEstimate, influence_on_survival, of_median, of_share, split
from tumor_abm.analysis.survival import NORMAL_95, kaplan_meier, product_limit


@pytest.mark.parametrize("at", [0.5, 2.0, 3.7, 6.0])
def test_an_influence_on_survival_is_its_derivative_by_the_weight_of_a_patient(at: float) -> None:
    months = np.array([1.0, 2.0, 2.0, 3.0, 3.5, 4.0, 5.0, 7.0])
    event = np.array([True, True, False, True, False, True, True, False])
    found = influence_on_survival(months, event, at)

    def survival(weights: np.ndarray) -> float:
        steps = product_limit(months, event, weights)
        return float(np.append(1.0, steps.survival[steps.times <= at])[-1])

    step = 1e-6
    for patient in range(months.size):
        heavier, lighter = np.ones(months.size), np.ones(months.size)
        heavier[patient] += step
        lighter[patient] -= step
        derivative = (survival(heavier) - survival(lighter)) / (2 * step)
        assert found[patient] == pytest.approx(derivative, abs=1e-8)


def test_a_median_has_the_error_of_its_limits() -> None:
    months = np.arange(1.0, 41.0)
    event = np.ones(40, dtype=bool)
    found = of_median(months, event, np.arange(40))
    known = kaplan_meier(months, event)
    assert found is not None
    assert known.median_hi is not None
    assert known.median_lo is not None
    assert found.value == 20.5
    spread = float(np.sqrt((found.influence**2).sum()))
    assert spread == pytest.approx((known.median_hi - known.median_lo) / (2 * NORMAL_95))
    assert of_median(months, np.zeros(40, dtype=bool), np.arange(40)) is None


@pytest.mark.parametrize("crossed", [False, True])
def test_the_split_finds_what_was_put_in(crossed: bool) -> None:
    """Sets of sd 3 around 50%, patients of luck they share or not: means over repeats are the truth."""
    rng = np.random.default_rng(1)
    sets, patients, repeats = 6, 100, 400
    variances, chances, means = [], [], []
    for _ in range(repeats):
        centres = rng.normal(0.0, 3.0, sets)
        shared = rng.normal(0.0, 20.0, patients)
        estimates = []
        for k, centre in enumerate(centres):
            own = shared + rng.normal(0.0, 10.0, patients) if crossed else rng.normal(0.0, 22.4, patients)
            values = centre + own
            luck = np.arange(patients) + (0 if crossed else k * patients)
            mean = float(values.mean())
            estimates.append(SetEstimate(value=mean, influence=(values - mean) / patients, luck=luck))
        found = split(estimates)
        raw = np.var([one.value for one in estimates], ddof=1)
        variances.append(found.parameters_sd**2 if found.parameters_sd else min(raw - 1.0, 0.0))
        chances.append(found.chance_sd**2)
        means.append(found.value - centres.mean())
    # The variance of 6 centres, with some chance, has a standard error of 14 sqrt(2/5) / 20: five of them.
    assert np.mean(variances) == pytest.approx(9.0, abs=5 * (9.0 + 5.0) * (2 / 5) ** 0.5 / repeats**0.5)
    # chi-square of 400: 5 standard errors
    assert np.mean(chances) == pytest.approx(np.var(means), rel=5 * (2 / repeats) ** 0.5)


def test_a_share_of_everybody_is_known_without_error() -> None:
    found = of_share(np.ones(30, dtype=bool), np.arange(30))
    assert (found.value, found.se) == (100.0, 0.0)


def test_sets_that_disagree_are_told_with_the_rivals_and_what_decides() -> None:
    rankings = [("A", "B", "C")] * 3 + [("B", "A", "C")] * 2
    assert rivals_of(Counter(rankings)) == ("A", "B")
    assert rivals_of(Counter([("A", "B", "C"), ("A", "C", "B")])) is None
    summary = {
        "arm": ["A"],
        "endpoint": ["OS"],
        "sets": [5],
        "difference_months": [1.0],
        "chance_sd": [0.3],
        "parameters_sd": [0.4],
        "better": [1.0],
        "agree": [True],
    }
    deciding = {
        "arm": ["A"],
        "against": ["B"],
        "endpoint": ["OS"],
        "number": ["drug.x.ic50"],
        "rank_correlation": [-0.9],
        "p": [0.04],
    }
    found = BetweenSets(
        by_set=pl.DataFrame(),
        summary=pl.DataFrame(summary),
        intervals=pl.DataFrame(),
        rankings=pl.DataFrame(
            {"endpoint": ["OS", "OS"], "ranking": [["A", "B", "C"], ["B", "A", "C"]], "sets": [3, 2]}
        ),
        deciding=pl.DataFrame(deciding),
    )
    assert told(found) == [
        "A, OS: +1.0 months against the control on average over 5 sets of parameters (standard deviation "
        "0.5: 0.4 by parameters, 0.3 by chance); all sets agree on the sign",
        "OS: sets disagree on the ranking of the arms; 3 of 5 rank them A before B before C; B comes first "
        "in others. A against B; it goes most with drug.x.ic50 (-0.90)",
    ]
