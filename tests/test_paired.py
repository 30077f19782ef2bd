"""Twins: two intervals, and whether each holds what it says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lifelines import CoxPHFitter
from scipy.stats import norm
from scipy.stats import t as student
from tumor_abm.analysis.paired import Contrast, Twins, hazard_ratio, mean_difference
from tumor_abm.analysis.survival import kaplan_meier

SEED = 20_260_417
RATIO = 0.6
COHORTS = 200
MANY_COHORTS = 2000  # means are quick
PATIENTS = 100
SCANS = 1.84
ALIKE = 0.8
UNTIL = 20.0


def twins(rng, patients=PATIENTS, ratio=RATIO, *, scans=SCANS):
    """Patients with exponential times that go together (a normal copula): the marginal ratio is `ratio`."""
    luck, followed = rng.standard_normal(patients), rng.uniform(12, 48, patients)
    times = []
    for hazard in (ratio / 12, 1 / 12):
        own = math.sqrt(ALIKE) * luck + math.sqrt(1 - ALIKE) * rng.standard_normal(patients)
        time = -norm.logsf(own) / hazard
        times.append(np.ceil(time / scans) * scans if scans else time)
    return Twins(
        months=np.minimum(times[0], followed),
        event=times[0] <= followed,
        control_months=np.minimum(times[1], followed),
        control_event=times[1] <= followed,
    )


def strangers(rng):
    """Two arms of different patients."""
    one, other = twins(rng), twins(rng)
    return Twins(
        months=one.months,
        event=one.event,
        control_months=other.control_months,
        control_event=other.control_event,
    )


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(SEED)
    return [hazard_ratio(twins(rng)) for _ in range(COHORTS)]


def covered(intervals, truth):
    return np.mean([low <= truth <= high for low, high in intervals])


@pytest.mark.slow
def test_paired_interval_holds_the_ratio_in_19_of_20_cohorts_of_twins(pairs):
    assert 0.93 <= covered([(ratio.paired_lo, ratio.paired_hi) for ratio in pairs], RATIO) <= 0.97


@pytest.mark.slow
def test_independent_interval_holds_the_ratio_in_19_of_20_pairs_of_cohorts():
    rng = np.random.default_rng(SEED)
    found = [hazard_ratio(strangers(rng)) for _ in range(COHORTS)]
    assert 0.93 <= covered([(ratio.lo, ratio.hi) for ratio in found], RATIO) <= 0.97


@pytest.mark.slow
def test_twins_vary_as_their_paired_interval_says(pairs):
    spread = np.std([math.log(ratio.value) for ratio in pairs])
    paired, independent = (
        np.mean([math.log(getattr(r, f"{kind}hi") / getattr(r, f"{kind}lo")) for r in pairs]) / (2 * 1.96)
        for kind in ("paired_", "")
    )
    assert paired == pytest.approx(spread, rel=4 / math.sqrt(2 * COHORTS))
    assert independent > 1.4 * spread


def test_paired_interval_of_the_mean_difference_holds_it_in_19_of_20_cohorts():
    rng = np.random.default_rng(SEED)
    hazards = np.array([RATIO, 1.0]) / 12
    truth = -np.diff(-np.expm1(-hazards * UNTIL) / hazards)[0]
    found = [mean_difference(twins(rng, scans=None), UNTIL) for _ in range(MANY_COHORTS)]
    assert 0.93 <= covered([(each.paired_lo, each.paired_hi) for each in found], truth) <= 0.97


def test_robust_error_is_that_of_lifelines_where_nobody_shares_a_time():
    # lifelines takes tied patients in the order of the table, so only distinct times can be compared.
    some = twins(np.random.default_rng(SEED), scans=None)
    some = Twins(
        months=some.months,
        event=some.event,
        control_months=some.control_months + 1e-9,
        control_event=some.control_event,
    )
    months, event, treated = some.pooled
    table = {"t": months, "e": event, "x": treated.astype(float), "who": np.tile(np.arange(PATIENTS), 2)}
    fit = CoxPHFitter().fit(pd.DataFrame(table), "t", "e", cluster_col="who")
    ratio = hazard_ratio(some)
    width = math.log(ratio.paired_hi / ratio.paired_lo) / 2
    few = student.ppf(0.975, PATIENTS - 1) * math.sqrt(PATIENTS / (PATIENTS - 1))
    assert width / few == pytest.approx(fit.standard_errors_["x"], rel=1e-6)


def test_intervals_do_not_depend_on_the_order_of_patients():
    some = twins(np.random.default_rng(SEED))
    order = np.random.default_rng(SEED).permutation(PATIENTS)
    turned = Twins(**{name: getattr(some, name)[order] for name in Twins.__dataclass_fields__})
    one, other = hazard_ratio(some), hazard_ratio(turned)
    for name in Contrast.__dataclass_fields__:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_identical_twins_leave_no_doubt():
    some = twins(np.random.default_rng(SEED))
    same = Twins(months=some.months, event=some.event, control_months=some.months, control_event=some.event)
    ratio, difference = hazard_ratio(same), mean_difference(same, UNTIL)
    assert (ratio.value, ratio.paired_lo, ratio.paired_hi, ratio.paired_p) == (1, 1, 1, 1)
    assert ratio.lo < 0.8 < 1.2 < ratio.hi
    assert ratio.p == pytest.approx(1)
    assert (difference.value, difference.paired_lo, difference.paired_hi) == (0, 0, 0)
    assert difference.lo < -1 < 1 < difference.hi


@pytest.mark.parametrize("patients", [0, 1])
def test_too_few_twins_tell_nothing(patients):
    none = np.ones(patients), np.ones(patients, dtype=bool)
    few = Twins(months=none[0], event=none[1], control_months=2 * none[0], control_event=none[1])
    assert hazard_ratio(few) == Contrast(p=hazard_ratio(few).p)
    assert mean_difference(few, 1.0).paired_lo is None


def test_only_patients_of_both_arms_are_twins():
    rows = [(0, "a", 1.0, True), (1, "a", 2.0, True), (1, "b", 3.0, False), (2, "b", 4.0, True)]
    observed = pl.DataFrame(rows, schema=["patient", "arm", "months", "event"], orient="row")
    both = Twins.of(observed, "a", "b")
    assert (both.months.tolist(), both.control_months.tolist()) == ([2.0], [3.0])


def test_mean_difference_is_that_of_the_areas_under_the_curves():
    some = twins(np.random.default_rng(SEED))
    own, other = (curve.restricted_mean(UNTIL) for curve in some.curves)
    difference = mean_difference(some, UNTIL)
    assert difference.value == pytest.approx(own.mean - other.mean)
    width = 1.959964 * math.hypot(own.se, other.se)
    assert (difference.hi - difference.lo) / 2 == pytest.approx(width, rel=1e-6)


def test_mean_difference_is_not_told_beyond_what_was_seen():
    short = Twins(
        months=np.array([5.0, 6.0]),
        event=np.array([True, False]),
        control_months=np.array([5.0, 9.0]),
        control_event=np.array([True, True]),
    )
    assert kaplan_meier(short.months, short.event).restricted_mean(8.0) is None
    assert mean_difference(short, 8.0) == Contrast()
