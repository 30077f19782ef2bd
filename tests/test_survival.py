from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from pandas import DataFrame
from scipy.stats import chi2
from tumor_abm.analysis.survival import (
    HazardRatio,
    cox_hazard_ratio,
    kaplan_meier,
    log_rank,
    median_follow_up,
    median_of,
)

REFERENCE = Path(__file__).parent / "verification" / "reference.json"
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

# The estimates pass through exp(sum(log)), so they are exact to rounding.
ROUNDING = 1e-12


@pytest.fixture
def freireich():
    cases = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
    return next(case for case in cases if case["id"] == "KM-FREIREICH")


@pytest.fixture
def leukaemia(freireich):
    """Weeks in remission of both arms of Freireich 1963: durations, events, treated."""
    treated = freireich["params"]["data"]
    durations = [weeks for weeks, _ in treated] + PLACEBO
    events = [event for _, event in treated] + [1] * len(PLACEBO)
    return durations, events, [True] * len(treated) + [False] * len(PLACEBO)


@pytest.fixture
def tied():
    """300 patients seen on scheduled days only, a third of them censored."""
    rng = np.random.default_rng(11)
    treated = rng.random(300) < 0.5
    time = 1.84 * np.ceil(rng.exponential(np.where(treated, 20, 12)) / 1.84)
    followed = rng.uniform(0, 40, 300)
    return np.minimum(time, followed), time <= followed, treated


def test_survival_in_freireichs_trial_is_the_published_one(freireich):
    weeks, relapsed = zip(*freireich["params"]["data"], strict=True)
    estimate = kaplan_meier(weeks, relapsed)
    assert estimate.at([6, 7, 10, 13, 16, 22, 23]) == pytest.approx(freireich["expected"], abs=1e-9)
    assert (estimate.n, estimate.events, estimate.median) == (21, 9, 23)
    assert (estimate.median_lo, estimate.median_hi) == (13, None)  # R: survfit(conf.type = "log-log")
    assert list(estimate.at_risk([0, 6, 6.5, 10, 23, 35, 36])) == [21, 21, 17, 15, 6, 1, 0]


def test_survival_is_the_product_over_events_of_the_share_that_survives():
    estimate = kaplan_meier([1, 2, 3, 4], [True, False, True, True])
    assert estimate.at([0, 0.9, 1, 2, 3, 4, 9]) == pytest.approx(
        [1, 1, 3 / 4, 3 / 4, 3 / 8, 0, 0], abs=ROUNDING
    )


def test_survival_is_unknown_once_the_last_patient_is_censored():
    estimate = kaplan_meier([1, 2], [True, False])
    assert estimate.at([1, 2]) == pytest.approx([0.5, 0.5], abs=ROUNDING)
    assert math.isnan(estimate.at(2.01))


def test_curve_is_that_of_lifelines(tied):
    durations, events, _ = tied
    curve = kaplan_meier(durations, events).curve
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = KaplanMeierFitter().fit(durations, events)
    assert np.array_equal(curve["time"], fit.timeline)
    assert curve["survival"].to_numpy() == pytest.approx(fit.survival_function_.iloc[:, 0], rel=ROUNDING)
    limits = curve.select("lo", "hi").to_numpy()
    assert limits == pytest.approx(fit.confidence_interval_.to_numpy(), rel=ROUNDING)


def test_limits_at_a_time_are_those_of_lifelines(tied):
    durations, events, _ = tied
    fit = KaplanMeierFitter()
    with np.errstate(divide="ignore", invalid="ignore"):
        fit.fit(durations, events)
    times = np.quantile(np.asarray(durations)[np.asarray(events, dtype=bool)], [0.3, 0.6])
    low, high = kaplan_meier(durations, events).limits_at(times)
    theirs = [fit.confidence_interval_.loc[:time].iloc[-1].to_numpy() for time in times]
    assert np.column_stack([low, high]) == pytest.approx(np.array(theirs), rel=1e-9)


def test_limits_before_the_first_event_and_after_the_last_are_no_points():
    estimate = kaplan_meier([1.0] * 3 + [5.0] * 7, [True] * 10)
    (early, late), (above_early, above_late) = estimate.limits_at([0.5, 9.0])
    assert (early, above_early) == (pytest.approx(10 / (10 + 1.959964**2), rel=1e-6), 1.0)
    assert late == 0.0
    assert above_late == estimate.limits_at([4.0])[1][0] < 1.0
    assert np.isnan(kaplan_meier([1.0, 2.0], [True, False]).limits_at([3.0])).all()


def test_median_is_not_reached_when_half_survive():
    estimate = kaplan_meier([5, 6, 7, 8], [True, False, False, False])
    # Survival is 3/4 from 5 on; its lower limit, 0.13, is below a half there, the upper one never.
    assert (estimate.median, estimate.median_lo, estimate.median_hi) == (None, 5, None)


def test_without_events_everybody_survives():
    estimate = kaplan_meier([3, 5], [False, False])
    assert list(estimate.at([0, 4, 5])) == [1, 1, 1]
    assert (estimate.median, estimate.median_lo, estimate.median_hi) == (None, None, None)


def test_nothing_is_known_of_nobody():
    estimate = kaplan_meier([], [])
    assert (estimate.n, estimate.median) == (0, None)
    assert math.isnan(estimate.at(0))
    assert list(estimate.at_risk([0, 1])) == [0, 0]


def test_hazard_ratio_in_freireichs_trial_is_the_published_one(leukaemia):
    ratio = cox_hazard_ratio(*leukaemia)
    # R: coxph(ties = "efron"), coefficient -1.5721, standard error 0.4124
    assert math.log(ratio.hr) == pytest.approx(-1.5721, abs=5e-5)
    assert math.log(ratio.hi / ratio.lo) / (2 * 1.959964) == pytest.approx(0.4124, abs=5e-5)
    # R: survdiff, chi-square 16.8 on 1 degree of freedom
    assert chi2.isf(log_rank(*leukaemia), 1) == pytest.approx(16.79, abs=5e-3)


def convergence(ratio):
    """How far lifelines may be from the maximum: it stops at a Newton decrement of 1e-7."""
    standard_error = math.log(ratio.hi / ratio.lo) / (2 * 1.959964)
    return math.sqrt(2e-7) * standard_error


def test_hazard_ratio_maximises_the_partial_likelihood():
    # The treated fail at 1 and 3, the others at 2 and 4: the likelihood of a ratio x is
    # x^2 / ((2x + 2)(x + 2)(x + 1)), largest at (1 + sqrt(17)) / 2.
    ratio = cox_hazard_ratio([1, 2, 3, 4], [1, 1, 1, 1], [1, 0, 1, 0])
    assert math.log(ratio.hr) == pytest.approx(math.log((1 + math.sqrt(17)) / 2), abs=convergence(ratio))


def test_log_rank_compares_observed_with_expected_events():
    # One of each at risk when the treated fails: observed 1, expected 1/2, variance 1/4.
    assert log_rank([1, 2], [True, True], [True, False]) == pytest.approx(chi2.sf(1, 1), rel=ROUNDING)


def test_hazard_ratio_and_log_rank_are_those_of_lifelines(tied):
    durations, events, treated = tied
    fit = CoxPHFitter().fit(DataFrame({"t": durations, "e": events, "x": treated.astype(float)}), "t", "e")
    ratio = cox_hazard_ratio(*tied)
    assert ratio.hr == pytest.approx(fit.hazard_ratios_["x"], rel=ROUNDING)
    assert [ratio.lo, ratio.hi] == pytest.approx(np.exp(fit.confidence_intervals_.loc["x"]), rel=ROUNDING)
    test = logrank_test(durations[treated], durations[~treated], events[treated], events[~treated])
    assert log_rank(*tied) == pytest.approx(test.p_value, rel=ROUNDING)


def test_hazard_ratio_turns_round_with_the_arms(tied):
    durations, events, treated = tied
    one, other = cox_hazard_ratio(durations, events, treated), cox_hazard_ratio(durations, events, ~treated)
    assert math.log(one.hr * other.hr) == pytest.approx(0, abs=2 * convergence(one))
    assert math.log(one.lo * other.hi) == pytest.approx(0, abs=2 * convergence(one))


@pytest.mark.parametrize(
    ("durations", "events", "treated"),
    [
        pytest.param([], [], [], id="nobody"),
        pytest.param([1, 2], [1, 1], [1, 1], id="one arm is empty"),
        pytest.param([1, 2, 3, 4], [0, 0, 0, 0], [1, 0, 1, 0], id="no events"),
        pytest.param([1, 2, 3, 4], [1, 0, 1, 0], [1, 0, 1, 0], id="events in one arm only"),
        pytest.param([1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 0, 0], id="one arm fails before the other"),
        pytest.param(range(1, 100), [1] * 99, [1] * 50 + [0] * 49, id="the same in a large trial"),
    ],
)
def test_no_hazard_ratio_where_the_data_determine_none(durations, events, treated):
    assert cox_hazard_ratio(durations, events, treated) == HazardRatio()


@pytest.mark.parametrize("events", [[0, 0, 0, 0], [0, 0, 1, 1]])
def test_no_log_rank_without_an_event_while_both_arms_are_at_risk(events):
    assert log_rank([1, 2, 3, 4], events, [1, 1, 0, 0]) is None


def test_nearly_separated_arms_have_a_hazard_ratio():
    # lifelines suspects separation here; but the first patient is a control, so there is a maximum.
    ratio = cox_hazard_ratio(range(1, 101), [1] * 100, [0] + [1] * 50 + [0] * 49)
    assert ratio.lo > 10


@pytest.mark.parametrize(
    ("durations", "events", "message"),
    [
        ([-1.0], [True], "durations"),
        ([math.nan], [True], "durations"),
        ([[1.0]], [True], "durations"),
        ([1.0], [True, False], "events"),
        ([1.0], [2], "events"),
    ],
)
def test_wrong_data_are_named(durations, events, message):
    with pytest.raises(ValueError, match=f"^{message}: allowed"):
        kaplan_meier(durations, events)


@pytest.mark.parametrize(
    ("durations", "events", "median"),
    [
        pytest.param([1, 2, 3, 40, 41, 42], [1] * 6, 21.5, id="flat at one half: the middle"),
        pytest.param([1, 2, 3, 4, 5], [1] * 5, 3, id="never at one half"),
        pytest.param([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 1, 1], 4, id="censored while flat: to the next event"),
        pytest.param([1, 2, 3, 4], [1, 1, 0, 0], 2, id="no event follows: where a half was reached"),
    ],
)
def test_median_is_that_of_survfit(durations, events, median):
    assert kaplan_meier(durations, events).median == median


def test_median_of_uncensored_times_is_the_median_of_the_numbers():
    for n in range(2, 1001):
        assert kaplan_meier(np.arange(1, n + 1), np.ones(n)).median == (n + 1) / 2


def test_limits_of_the_median_follow_the_same_rule():
    times = np.array([0.0, 1.0, 4.0, 9.0])
    assert median_of(times, np.array([1.0, 0.5 + 1e-12, 0.5 - 1e-12, 0.1])) == 5.0
    assert median_of(times, np.array([1.0, 0.9, math.nan, math.nan])) is None


def test_restricted_mean_is_the_area_under_the_curve():
    # Survival is 1 up to 1, then 2/3, 1/3 from 3 on: 1 + 2 x 2/3 + 1 x 1/3 up to 4.
    found = kaplan_meier([1, 3, 6], [1, 1, 1]).restricted_mean(4.0)
    assert found.mean == pytest.approx(1 + 4 / 3 + 1 / 3)
    # Greenwood: (area beyond 1)^2 x 1 / (3 x 2) + (area beyond 3)^2 x 1 / (2 x 1)
    assert found.se == pytest.approx(math.sqrt((5 / 3) ** 2 / 6 + (1 / 3) ** 2 / 2))


def test_restricted_mean_of_all_times_is_their_mean():
    times = np.random.default_rng(11).exponential(10, 50)
    found = kaplan_meier(times, np.ones(50)).restricted_mean(1e3)
    assert found.mean == pytest.approx(times.mean())
    assert found.se == pytest.approx(times.std() / math.sqrt(50))


def test_follow_up_is_the_median_time_to_censoring_had_nobody_had_the_event():
    assert median_follow_up([1, 2, 10, 20, 30], [1, 1, 0, 0, 0]) == 20
    assert median_follow_up([1, 2], [1, 1]) is None


def test_curve_is_told_while_a_tenth_and_ten_are_at_risk():
    assert kaplan_meier(np.arange(1, 501), np.ones(500)).told_until == 451
    assert kaplan_meier(np.arange(1, 41), np.ones(40)).told_until == 31
    assert kaplan_meier(np.arange(1, 9), np.ones(8)).told_until == 5
    assert kaplan_meier([], []).told_until == 0
