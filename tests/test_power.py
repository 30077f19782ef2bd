"""Power: that of Schoenfeld's formula where hazards are proportional, the level where arms are alike."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest
import tomli_w
from arms import arm, experiment
from lifelines.statistics import logrank_test
from scipy.stats import binom
from tumor_abm.analysis.interim import boundaries, spent
from tumor_abm.analysis.power import (
    TrialDesign,
    hazard_ratio_over_time,
    log_rank_score,
    power,
    schoenfeld,
    simulate_trials,
)
from tumor_abm.cli.main import main
from tumor_abm.errors import InputError

ALPHA = 1e-6
TRIALS = 2000
DESIGN = TrialDesign(accrual_months=24.0, follow_up_months=12.0)
COHORT = 50_000


def cohort(ratio: float, seed: int = 5) -> pl.DataFrame:
    """Exponential times of two arms with proportional hazards."""
    rng = np.random.default_rng(seed)
    months = [rng.exponential(12.0 / hazard, COHORT) for hazard in (1.0, ratio)]
    return pl.DataFrame(
        {
            "patient": [*range(COHORT)] * 2,
            "arm": ["control"] * COHORT + ["new"] * COHORT,
            "months": np.concatenate(months),
            "event": [True] * (2 * COHORT),
        }
    )


def test_score_is_that_of_lifelines():
    rng = np.random.default_rng(2)
    months, event, treated = rng.integers(1, 20, 80).astype(float), rng.random(80) < 0.7, rng.random(80) < 0.5
    difference, variance = log_rank_score(months, event, treated)
    theirs = logrank_test(months[treated], months[~treated], event[treated], event[~treated])
    assert difference**2 / variance == pytest.approx(theirs.test_statistic, rel=1e-9)


@pytest.mark.parametrize("n", [150, 300])
def test_power_is_that_of_schoenfeld_where_hazards_are_proportional(n):
    found = power(cohort(0.7), "new", "control", n, DESIGN, trials=TRIALS)
    exact = schoenfeld(0.7, found["events"])
    lo, hi = binom.ppf(ALPHA / 2, TRIALS, exact), binom.isf(ALPHA / 2, TRIALS, exact)
    assert lo <= TRIALS * found["power"] <= hi


def test_arms_that_are_alike_are_told_apart_at_the_level():
    found = power(cohort(1.0), "new", "control", 200, DESIGN, trials=TRIALS)
    for share in (found["power"], found["against"]):
        lo, hi = binom.ppf(ALPHA / 2, TRIALS, 0.025), binom.isf(ALPHA / 2, TRIALS, 0.025)
        assert lo <= TRIALS * share <= hi


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        ([], [1.960]),
        ([0.5], [2.963, 1.969]),
        ([0.2, 0.4, 0.6, 0.8], [4.877, 3.357, 2.680, 2.290, 2.031]),
    ],
)
def test_bounds_are_those_that_are_published(looks, published):
    """Lan and DeMets 1983; the five looks also in Jennison and Turnbull 2000 and in R's gsDesign."""
    assert boundaries(looks) == pytest.approx(published, abs=6e-4)


def test_a_brownian_motion_crosses_the_bounds_as_often_as_is_spent():
    looks, paths = (0.3, 0.6, 0.8), 200_000
    shares = np.array([*looks, 1.0])
    steps = np.random.default_rng(4).normal(size=(paths, 4)) * np.sqrt(np.diff(shares, prepend=0.0))
    crossed = np.abs(steps.cumsum(axis=1) / np.sqrt(shares)) > boundaries(looks)
    for share, gone in zip(shares, np.maximum.accumulate(crossed, axis=1).sum(axis=0), strict=True):
        expected = spent(share, 0.05)
        assert binom.ppf(ALPHA / 2, paths, expected) <= gone <= binom.isf(ALPHA / 2, paths, expected)


def test_arms_that_are_alike_are_told_apart_at_the_level_with_looks():
    design = TrialDesign(accrual_months=24.0, follow_up_months=12.0, looks=(0.5, 0.75))
    found = power(cohort(1.0), "new", "control", 200, design, trials=TRIALS)
    wrong = TRIALS * (found["power"] + found["against"])
    assert binom.ppf(ALPHA / 2, TRIALS, 0.05) <= wrong <= binom.isf(ALPHA / 2, TRIALS, 0.05)


def test_looks_end_trials_of_a_large_difference_early_at_little_cost():
    with_looks = TrialDesign(accrual_months=24.0, follow_up_months=12.0, looks=(0.5,))
    drawn = simulate_trials(cohort(0.5), "new", "control", 300, with_looks, trials=500)
    early, last = drawn.looks()
    whole, at_once = drawn.row(), power(cohort(0.5), "new", "control", 300, DESIGN, trials=500)
    assert early["stopped_for"] > 0.5
    assert early["stopped_for"] + last["stopped_for"] == pytest.approx(whole["power"])
    assert early["events"] == pytest.approx(last["events"] / 2, abs=1)
    assert early["months"] < whole["months"] < last["months"] == 36.0
    assert whole["power"] > at_once["power"] - 0.03


def test_hazard_ratio_over_time_shows_crossing_curves():
    rng = np.random.default_rng(8)
    early = rng.exponential(6.0, COHORT)  # twice the hazard for six months, then half of it
    months = np.where(early < 6.0, early, 6.0 + rng.exponential(24.0, COHORT))
    made = cohort(1.0).with_columns(
        months=pl.when(pl.col("arm") == "new").then(np.tile(months, 2)).otherwise("months")
    )
    told = hazard_ratio_over_time(made, "new", "control")
    first, later = told["hr"][0], told["hr"][1]
    assert told["hr_lo"][0] <= first <= told["hr_hi"][0]
    assert first == pytest.approx(
        2.0, rel=5 * math.sqrt(1 / told["events"][0] + 1 / told["control_events"][0])
    )
    assert later == pytest.approx(
        0.5, rel=5 * math.sqrt(1 / told["events"][1] + 1 / told["control_events"][1])
    )


def test_follow_up_that_ends_sooner_sees_fewer_events():
    short = TrialDesign(accrual_months=24.0, follow_up_months=1.0)
    few, many = (power(cohort(0.7), "new", "control", 200, each, trials=50) for each in (short, DESIGN))
    assert few["events"] < many["events"]


def test_the_same_seed_gives_the_same_power():
    first, second = (power(cohort(0.8), "new", "control", 100, DESIGN, trials=50, seed=3) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"n": 0}, "n: found 0"),
        ({"n": 1}, "n: found 1; allowed: at least 2"),
        ({"arm": "nobody"}, "of arms with patients"),
        ({"trials": 0}, "trials: found 0"),
    ],
)
def test_what_is_no_trial_is_refused(asked, problem):
    whole = {"arm": "new", "control": "control", "n": 10, "design": DESIGN} | asked
    with pytest.raises(InputError, match=problem):
        power(cohort(1.0), **whole)


def test_a_design_without_time_is_refused():
    with pytest.raises(InputError, match="follow_up_months"):
        TrialDesign(accrual_months=0.0, follow_up_months=0.0)


@pytest.mark.parametrize("looks", [(0.0,), (1.0,), (0.5, 0.5), (0.8, 0.5), ("half",)])
def test_looks_that_do_not_rise_between_0_and_1_are_refused(looks):
    with pytest.raises(InputError, match="looks: found"):
        TrialDesign(accrual_months=1.0, follow_up_months=1.0, looks=looks)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("power") / "e.toml"
    arms = [arm("A", ["letrozole", "palbociclib"]), arm("B", ["letrozole"])]
    path.write_text(tomli_w.dumps(experiment(*arms, horizon_months=60.0)), encoding="utf-8")
    return path


def command(file, *more):
    return main(["power", str(file), "--patients", "20", "--trials", "20", "--n", "20,40", *more])


def test_command_tells_the_power_of_every_size(file, capsys):
    asked = ("--arms", "A", "B", "--accrual", "12", "--follow-up", "12")
    assert command(file, *asked) == 0
    assert "chance that a trial shows A to be better than B" in capsys.readouterr().out
    assert command(file, *asked, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["n"] for row in told["power"]] == [20, 40]
    assert [row["look"] for row in told["looks"]] == [1, 1]
    assert all(row["power_lo"] == row["power"] == row["power_hi"] for row in told["power"])


def test_command_tells_the_looks(file, capsys):
    asked = ("--arms", "A", "B", "--accrual", "12", "--follow-up", "12", "--looks", "0.5,0.75")
    assert command(file, *asked) == 0
    shown = capsys.readouterr().out
    assert "Looks: when they are" in shown
    assert all(f"{share}%" in shown for share in (50, 75, 100))


@pytest.mark.parametrize("looks", ["0.5,0.2", "1", "half", ""])
def test_command_refuses_looks_that_are_none(file, capsys, looks):
    asked = ("--arms", "A", "B", "--accrual", "12", "--follow-up", "12", "--looks", looks)
    with pytest.raises(SystemExit) as stopped:
        command(file, *asked)
    assert stopped.value.code == 2
    assert "rising shares between 0 and 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("--arms", "A", "C", "--accrual", "1", "--follow-up", "1"), 'arms: found "C"; allowed: "A", "B"'),
        (("--arms", "A", "A", "--accrual", "1", "--follow-up", "1"), "two different arms"),
        (("--arms", "A", "B", "--accrual", "48", "--follow-up", "24"), "at most 60 months together"),
        (("--arms", "A", "B", "--accrual", "1", "--follow-up", "1", "--endpoint", "PFS9"), 'found "PFS9"'),
    ],
)
def test_command_says_what_is_no_trial(file, capsys, asked, problem):
    assert command(file, *asked) == 2
    assert problem in capsys.readouterr().err
