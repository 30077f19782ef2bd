from __future__ import annotations

import io
import math

import numpy as np
import polars as pl
import pytest
from lifelines import KaplanMeierFitter
from polars.testing import assert_frame_equal
from rich.console import Console
from tumor_abm.analysis.comparison import CLINICAL_BENEFIT_MONTHS, compare, who_gains
from tumor_abm.analysis.endpoints import endpoint, endpoints
from tumor_abm.analysis.survival import cox_hazard_ratio, log_rank
from tumor_abm.errors import InputError
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results

OUTCOMES = {
    **{"patient": pl.Int64, "arm": pl.String, "line": pl.Int64, "pfs_months": pl.Float64},
    **{"pfs_event": pl.Boolean, "response": pl.String, "end_reason": pl.String, "start_day": pl.Int64},
}
OVERALL = {
    **{"patient": pl.Int64, "arm": pl.String, "os_months": pl.Float64, "os_event": pl.Boolean},
    **{"pfs2_months": pl.Float64, "pfs2_event": pl.Boolean},
}
TWO_LINES = [{"regimen": ["letrozole"]}, {"regimen": ["fulvestrant"]}]


def trial(outcomes, overall, arms=("control", "new"), **experiment):
    """Results with only what a comparison reads."""
    outcomes = [(*row, "progression", 0) for row in outcomes]
    tables = {
        "outcomes": pl.DataFrame(outcomes, schema=OUTCOMES, orient="row"),
        "overall": pl.DataFrame(overall, schema=OVERALL, orient="row"),
    }
    run = {"control": "control", "arm": [{"name": arm, "line": TWO_LINES} for arm in arms]}
    return Results(tables, run | experiment, {})


@pytest.fixture(scope="module")
def comparison(results):
    return compare(results)


def row(comparison, arm, name):
    return comparison.table.filter(arm=arm, endpoint=name).row(0, named=True)


def printed(comparison, columns, *, terminal=True):
    text = io.StringIO()
    comparison.print(Console(file=text, width=columns, force_terminal=terminal, color_system=None))
    return text.getvalue()


def test_there_is_a_row_for_each_arm_and_endpoint(results, comparison):
    names = ["PFS1", "PFS line 2", "PFS2", "OS"]
    expected = [(arm, name) for name in names for arm in results.arms]
    assert comparison.table.select("arm", "endpoint").rows() == expected


def test_numbers_are_those_of_lifelines(results, comparison):
    arm = results.arms[1]
    observed = endpoint(results, "OS").observations(results)
    mine = observed.filter(arm=arm)
    fit = KaplanMeierFitter()
    with np.errstate(divide="ignore", invalid="ignore"):
        fit.fit(mine["months"], mine["event"])
    found = row(comparison, arm, "OS")
    assert (found["n"], found["events"]) == (60, mine["event"].sum())
    assert found["median_months"] == fit.median_survival_time_
    assert found["rate_24"] == pytest.approx(100 * fit.predict(24), rel=1e-12)
    data = observed["months"], observed["event"], observed["arm"] == arm
    ratio = cox_hazard_ratio(*data)
    assert [found[name] for name in ("hr", "hr_lo", "hr_hi", "p")] == pytest.approx(
        [ratio.hr, ratio.lo, ratio.hi, log_rank(*data)], rel=1e-12
    )


def test_control_arm_has_no_ratio_to_itself(results, comparison):
    found = row(comparison, results.control, "OS")
    assert [found[name] for name in ("hr", "hr_lo", "hr_hi", "p")] == [None] * 4


def test_later_lines_count_only_who_reached_them(results, comparison):
    started = results.outcomes.filter(line=2, arm=results.control).height
    assert row(comparison, results.control, "PFS line 2")["n"] == started < 60


def test_response_is_of_all_who_began_the_line():
    benefit, short = CLINICAL_BENEFIT_MONTHS, CLINICAL_BENEFIT_MONTHS - 0.01
    seen = [
        ("CR", 1.0),
        ("PR", 1.0),
        ("SD", benefit),
        ("SD", short),
        ("PD", 9.0),
        ("NE", 9.0),
        (None, 9.0),
        ("PR", 9.0),
    ]
    outcomes = [(i, "control", 1, months, True, response) for i, (response, months) in enumerate(seen)]
    found = row(compare(trial(outcomes, [], ["control"])), "control", "PFS1")
    assert found["orr_pct"] == pytest.approx(100 * 3 / 8)
    assert found["cbr_pct"] == pytest.approx(100 * 4 / 8)


def test_response_belongs_to_lines_only(comparison):
    assert comparison.table.filter(pl.col("endpoint").is_in(["PFS2", "OS"]))["orr_pct"].null_count() == 4


def test_unknown_endpoint_is_named_with_those_there_are(results):
    with pytest.raises(InputError, match=r'endpoint: found "PFS3"; allowed: "PFS1", .*; did you mean'):
        endpoint(results, "PFS3")


def test_endpoints_are_the_lines_there_are(results):
    one_line = Results(results.tables | {"outcomes": results.outcomes.filter(line=1)}, results.experiment, {})
    assert [each.name for each in endpoints(one_line)] == ["PFS1", "PFS2", "OS"]  # second lines were planned


@pytest.mark.parametrize(
    ("control", "new", "outcome", "difference"),
    [
        pytest.param((10, True), (11, True), "gain", 1, id="a month longer is a gain"),
        pytest.param((10, True), (10.9, True), "same", 0.9, id="less than a month is none"),
        pytest.param((10, True), (9, True), "lose", -1, id="a month shorter is a loss"),
        pytest.param((10, True), (12, False), "gain", 2, id="still without the event is a gain"),
        pytest.param(
            (10, False), (12, True), "same", 0, id="after the control twin is lost, nothing is seen"
        ),
        pytest.param((10, True), (8, False), "same", 0, id="lost before the control twin's event: not seen"),
        pytest.param((8, False), (8, False), "same", 0, id="neither had the event"),
    ],
)
def test_twins_are_compared_as_long_as_both_are_followed(control, new, outcome, difference):
    gains = who_gains(trial([], [(0, "control", *control, *control), (0, "new", *new, *new)]))
    for found in gains.iter_rows(named=True):
        shares = {name: found[f"{name}_pct"] for name in ("gain", "same", "lose")}
        assert shares == {"gain": 0, "same": 0, "lose": 0} | {outcome: 100}
        assert found["mean_difference_months"] == pytest.approx(difference)


def test_shares_of_twins_add_up(comparison):
    total = comparison.gains.select(pl.sum_horizontal("gain_pct", "same_pct", "lose_pct")).to_series()
    assert total.to_list() == pytest.approx([100] * 2)


def test_arm_without_patients_has_no_numbers():
    comparison = compare(trial([(0, "control", 1, 5.0, True, "PR")], [(0, "control", 9.0, True, 8.0, True)]))
    found = row(comparison, "new", "OS")
    assert (found["n"], found["median_months"], found["rate_6"], found["hr"]) == (0, None, None, None)
    assert row(comparison, "new", "PFS1")["orr_pct"] is None
    assert comparison.gains.is_empty()
    assert "control" in printed(comparison, 110)


def test_saved_comparison_is_the_comparison(comparison, tmp_path):
    comparison.save(tmp_path)
    assert_frame_equal(pl.read_parquet(tmp_path / "comparison.parquet"), comparison.with_limits)
    assert_frame_equal(pl.read_csv(tmp_path / "who_gains.csv"), comparison.gains)


def test_every_rate_and_median_has_limits_that_hold_it(comparison):
    table = comparison.with_limits
    assert [name for name in table.columns if name in comparison.table.columns] == comparison.table.columns
    for name in (
        "rate_6",
        "rate_12",
        "rate_18",
        "rate_24",
        "rate_36",
        "orr_pct",
        "cbr_pct",
        "follow_up_months",
    ):
        stem = name.removesuffix("_pct").removesuffix("_months")
        low, value, high = table[f"{stem}_lo"], table[name], table[f"{stem}_hi"]
        assert value.is_not_null().any()
        assert name == "follow_up_months" or low.is_null().to_list() == value.is_null().to_list()
        assert ((low <= value) & (value <= high)).drop_nulls().all()
        assert (low < value).any()
    gains = comparison.gains
    for fate in ("gain", "same", "lose"):
        assert (gains[f"{fate}_lo"] < gains[f"{fate}_hi"]).all()
        assert gains[f"{fate}_pct"].is_between(gains[f"{fate}_lo"], gains[f"{fate}_hi"]).all()
    assert (gains["mean_difference_se"] > 0).all()


def test_a_rate_is_printed_with_half_its_interval(results, comparison):
    told = comparison.with_limits.filter(arm=results.arms[1], endpoint="OS").row(0, named=True)
    half = (told["rate_24_hi"] - told["rate_24_lo"]) / 2
    assert half > 1
    assert f"{told['rate_24']:.0f}±{half:.0f}" in printed(comparison, 140)


def test_printed_comparison_has_every_number(results, comparison):
    text = printed(comparison, 140)
    found = row(comparison, results.arms[1], "OS")
    assert f"{found['events']}/60" in text
    assert f"{found['median_months']:.1f} ({found['lo']:.1f}–" in text
    assert f"{found['hr']:.2f} ({found['hr_lo']:.2f}–{found['hr_hi']:.2f})" in text
    assert text.count("1 (control)") == 3
    for title in (
        "first line (PFS1)",
        "second line (PFS line 2)",
        "(PFS2)",
        "Overall survival (OS)",
        "Who gains",
    ):
        assert title in text


@pytest.mark.parametrize("columns", [80, 110])
def test_printed_comparison_fits_the_terminal(comparison, columns):
    text = printed(comparison, columns)
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text
    assert "0.001" in text or " 0." in text


def test_file_is_as_wide_as_the_tables_want(comparison):
    assert "24 mo  36 mo" in printed(comparison, 80, terminal=False)
    assert "24 mo  36 mo" not in printed(comparison, 80)


def test_median_that_is_not_reached_is_said():
    overall = [(i, arm, 9.0 + i, False, 8.0, True) for i in range(3) for arm in ("control", "new")]
    outcomes = [(i, arm, 1, 5.0 + i, True, "SD") for i in range(3) for arm in ("control", "new")]
    comparison = compare(trial(outcomes, overall))
    assert row(comparison, "new", "OS")["median_months"] is None
    assert "not reached" in printed(comparison, 110)
    assert "not estimable" in printed(comparison, 110)


def test_rate_is_unknown_after_the_last_patient():
    overall = [(i, "control", 9.0, False, 8.0, True) for i in range(3)]
    found = row(compare(trial([], overall, ["control"])), "control", "OS")
    assert (found["rate_6"], found["rate_12"]) == (100, None)
    assert not any(isinstance(value, float) and math.isnan(value) for value in found.values())


def unlike(times, **experiment):
    """Ten patients in the control arm; those with an even number in the other, with the same times."""
    overall = [(i, "control", t, True, t, True) for i, t in enumerate(times)]
    overall += [(i, "new", t, True, t, True) for i, t in enumerate(times) if i % 2 == 0]
    outcomes = [(i, arm, 1, t, True, "SD") for i, arm, t, *_ in overall]
    return trial(outcomes, overall, **experiment)


VISCERAL = {"name": "new", "line": TWO_LINES, "among": {"visceral": True}}
UNLIKE = [3.0, 30.0, 5.0, 40.0, 6.0, 50.0, 8.0, 60.0, 9.0, 70.0]


def test_the_same_drug_for_some_of_the_patients_has_a_hazard_ratio_of_one():
    comparison = compare(unlike(UNLIKE, arm=[{"name": "control", "line": TWO_LINES}, VISCERAL]))
    for name in ("PFS1", "PFS2", "OS"):
        found = row(comparison, "new", name)
        assert [found[column] for column in ("n", "n_control", "n_shared")] == [5, 10, 5]
        assert [found[column] for column in ("hr", "paired_hr_lo", "paired_hr_hi", "paired_p")] == [1] * 4
        assert found["p"] == pytest.approx(1)
        assert found["control_median_months"] == found["median_months"] == 6
        assert (found["rmst_difference"], found["paired_rmst_difference_hi"]) == (0, 0)


def test_who_is_in_one_arm_only_is_told_with_the_reason():
    comparison = compare(unlike(UNLIKE, arm=[{"name": "control", "line": TWO_LINES}, VISCERAL]))
    assert comparison.missing.filter(endpoint="OS").rows() == [("new", "OS", "new", "among", 5)]
    said = " ".join(printed(comparison, 110).split())
    assert "new: compared on the 5 patients in both arms (it has 5, the control arm 10)." in said
    assert "5 are not in new, which is about patients with visceral disease." in said


def test_who_tolerates_no_drug_of_the_first_line_is_left_out_of_both_arms():
    results = unlike(UNLIKE)
    overall = results.overall.filter(arm="control")
    results = Results(
        results.tables | {"overall": pl.concat([overall, overall.with_columns(arm=pl.lit("new"))])},
        results.experiment,
        {},
    )
    comparison = compare(results)
    assert row(comparison, "new", "PFS1")["n_shared"] == 5
    assert row(comparison, "new", "PFS1")["hr"] == 1
    assert row(comparison, "new", "OS")["n_shared"] == 10
    assert comparison.missing.rows() == [("new", "PFS1", "new", "not begun", 5)]
    assert "of which they tolerate no drug" in " ".join(printed(comparison, 110).split())


def test_arms_that_share_nobody_are_not_compared():
    overall = [(0, "control", 9.0, True, 8.0, True), (1, "new", 9.0, True, 8.0, True)]
    found = row(compare(trial([], overall)), "new", "OS")
    assert (found["n_shared"], found["hr"], found["p"], found["paired_p"]) == (0, None, None, None)


def test_later_lines_are_not_randomised_and_have_no_hazard_ratio(results, comparison):
    found = row(comparison, results.arms[1], "PFS line 2")
    assert [found[name] for name in ("hr", "hr_lo", "hr_hi", "p", "n_shared", "paired_p")] == [None] * 6
    later = printed(comparison, 140).split("PFS line 2)")[1].split("PFS2)")[0]
    assert "not a randomised comparison" in later
    assert "HR" not in later


def test_the_same_drug_simulated_for_the_visceral_patients_only_has_a_hazard_ratio_of_one():
    line = [{"regimen": ["letrozole"]}]
    results = run_experiment(
        {
            "title": "The same drug for a part of the same patients",
            "question": "Is the hazard ratio of the visceral patients against themselves 1?",
            "patients": 40,
            "seed": 4,
            "trajectory_every_days": 0,
            "control": "all",
            "arm": [
                {"name": "all", "line": line},
                {"name": "same, visceral only", "among": {"visceral": True}, "line": line},
            ],
        }
    )
    comparison = compare(results)
    visceral = results.patients["visceral"].sum()
    assert 0 < visceral < 40
    for name in ("PFS1", "OS"):
        found = row(comparison, "same, visceral only", name)
        assert (found["n_shared"], found["n_control"]) == (visceral, 40)
        assert [found[column] for column in ("hr", "paired_hr_lo", "paired_hr_hi", "paired_p")] == [1] * 4
    assert set(comparison.gains["same_pct"]) == {100}
