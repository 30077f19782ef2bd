"""What a comparison says in sentences: which arms can be told apart, and how many patients would do."""

from __future__ import annotations

import math

import polars as pl
import pytest
from tumor_abm.analysis.answers import Verdict, answers
from tumor_abm.analysis.comparison import Comparison, compare
from tumor_abm.run.results import Results


@pytest.fixture(scope="module")
def comparison(results: Results) -> Comparison:
    return compare(results)


def changed(comparison: Comparison, **values: float | None) -> Comparison:
    """The same with other numbers of PFS1 in the arm that is no control."""
    here = (pl.col("endpoint") == "PFS1") & (pl.col("arm") != comparison.control)
    table = comparison.table.with_columns(
        pl.when(here).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )
    return Comparison(**vars(comparison) | {"table": table})


def of_pfs1(comparison: Comparison):
    return next(answer for answer in answers(comparison) if answer.endpoint == "PFS1")


def test_every_arm_but_the_control_has_an_answer_by_every_endpoint_of_all_patients(results, comparison):
    told = [(answer.arm, answer.endpoint) for answer in answers(comparison)]
    assert told == [(results.arms[1], name) for name in ("PFS1", "PFS2", "OS")]


@pytest.mark.parametrize(
    ("hr", "lo", "hi", "verdict"),
    [
        (0.5, 0.4, 0.6, Verdict.BETTER),
        (2.0, 1.5, 2.5, Verdict.WORSE),
        (0.9, 0.7, 1.2, Verdict.OPEN),
        (1.0, 1.0, 1.0, Verdict.SAME),
        (None, None, None, Verdict.UNKNOWN),
    ],
)
def test_verdict_is_whether_the_paired_interval_leaves_out_one(comparison, hr, lo, hi, verdict):
    answer = of_pfs1(changed(comparison, hr=hr, paired_hr_lo=lo, paired_hr_hi=hi, hr_lo=lo, hr_hi=hi))
    assert answer.verdict is verdict
    assert answer.in_a_trial is (verdict in (Verdict.BETTER, Verdict.WORSE))
    assert (answer.patients_needed is not None) is (verdict is Verdict.OPEN)


def test_half_the_effect_takes_four_times_the_patients(comparison):
    def needed(log_hr: float) -> int:
        limits = {"paired_hr_lo": math.exp(log_hr - 0.4), "paired_hr_hi": math.exp(log_hr + 0.4)}
        answer = of_pfs1(changed(comparison, hr=math.exp(log_hr), hr_lo=0.5, hr_hi=2.0, **limits))
        return answer.patients_needed or 0

    assert needed(-0.1) == pytest.approx(4 * needed(-0.2), abs=4)


def test_trial_that_would_show_it_follows_schoenfeld(comparison):
    answer = of_pfs1(
        changed(comparison, hr=0.7, hr_lo=0.4, hr_hi=1.2, paired_hr_lo=0.6, paired_hr_hi=0.8, n=60, events=60)
    )
    control = comparison.table.filter(arm=comparison.control, endpoint="PFS1").row(0, named=True)
    events = 4 * (1.959964 + 0.841621) ** 2 / math.log(0.7) ** 2
    share = (60 + control["events"]) / (60 + control["n"])
    assert answer.trial_needed == pytest.approx(events / share, abs=1.5)
    assert f"about {answer.trial_needed} patients" in answer.sentence


def test_an_effect_too_small_to_be_counted_is_said_to_be(comparison):
    limits = {"paired_hr_lo": 0.7, "paired_hr_hi": 1.4, "hr_lo": 0.5, "hr_hi": 2.0}
    answer = of_pfs1(changed(comparison, hr=1.0000001, **limits))
    assert answer.patients_needed is None
    assert "more than 1,000,000 patients" in answer.sentence


def test_months_lost_are_told_with_their_interval_the_right_way_round(comparison):
    months = {"rmst_difference": -2.0, "paired_rmst_difference_lo": -3.0, "paired_rmst_difference_hi": -1.0}
    assert "2.0 months shorter on average (paired 95% interval 1.0 to 3.0)" in (
        of_pfs1(changed(comparison, rmst_until=20.0, **months)).sentence
    )
    months |= {"paired_rmst_difference_hi": 0.5}
    assert "2.0 months shorter on average (paired 95% interval −0.5 to 3.0)" in (
        of_pfs1(changed(comparison, rmst_until=20.0, **months)).sentence
    )


def test_one_arm_has_no_answer(make_results):
    assert answers(compare(make_results(10, ("only",)))) == []
