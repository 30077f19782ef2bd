"""Quality-adjusted time and cost: by hand for two patients, and through an experiment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import Results, compare, run_experiment
from tumor_abm.analysis.value import lives_valued
from tumor_abm.analysis.worth import acceptability, worth
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.plots import plot_acceptability
from tumor_abm.report import write_report

YEAR, MONTH = 365.25, 30.4375
UTILITY = {"without_progression": [0.8, 0.6], "after_progression": 0.5}
PRICE = {"drug": {"letrozole": 30.4375, "palbociclib": 3000.0, "fulvestrant": 0.0}, "scan": 100.0}
WORTH = {"utility": UTILITY, "price": PRICE}


def by_hand(died: bool = True, **more: Any) -> Results:
    """A patient: a year on line 1 until progression, line 2 of 200 days that leaves 100 after progression."""
    who = {"patient": 0, "arm": "a"}
    outcomes = [
        who | {"line": 1, "start_day": 0, "end_day": 365, "pfs_months": 365 / MONTH, "pfs_event": True},
        who | {"line": 2, "start_day": 365, "end_day": 565, "pfs_months": 100 / MONTH, "pfs_event": True},
    ]
    doses = [
        who | {"line": 1, "drug": "letrozole", "start_day": 0, "days": 365, "planned": 365.0, "given": 300.0},
        who
        | {"line": 2, "drug": "letrozole", "start_day": 365, "days": 200, "planned": 200.0, "given": 200.0},
    ]
    tables = {
        "overall": pl.DataFrame([who | {"os_months": 600 / MONTH, "os_event": died}]),
        "outcomes": pl.DataFrame([row | {"lowest_neutrophils": 0.9} for row in outcomes]),
        "doses": pl.DataFrame(doses),
        "assessments": pl.DataFrame([who | {"line": 1, "day": day} for day in (56, 112)]),
        "events": pl.DataFrame([who | {"line": 1, "day": 100, "event": "drug stopped", "detail": ""}]),
    }
    drug = {"letrozole": {"schedule": {"days": "1", "cycle_days": 1}}}
    written = {"arm": [{"name": "a"}], "horizon_months": 60.0, "drug": drug, **WORTH, **more}
    return Results(tables, written, {})


def test_a_life_is_worth_its_stretches() -> None:
    row = lives_valued(by_hand()).row(0, named=True)
    assert row["years"] == pytest.approx(600 / YEAR)
    assert row["qalys"] == pytest.approx((365 * 0.8 + 100 * 0.6 + 100 * 0.5 + 35 * 0.5) / YEAR)


def test_doses_that_were_given_are_paid() -> None:
    assert lives_valued(by_hand())["cost"].item() == pytest.approx(500 * 1.0 + 2 * 100.0)


def test_toxicity_takes_what_is_said() -> None:
    harmed = UTILITY | {"neutropenia_grade_3_4": 0.01, "drug_stopped": 0.02}
    lost = lives_valued(by_hand())["qalys"].item() - lives_valued(by_hand(utility=harmed))["qalys"].item()
    assert lost == pytest.approx(2 * 0.01 + 0.02)


def test_the_future_counts_less() -> None:
    late = {"scan": 0.0, "month": 1.0, "discount_per_year": 0.05}
    cost = lives_valued(by_hand(price=late))["cost"].item()
    days = np.arange(0, 600) + 0.5
    assert cost == pytest.approx((1.05 ** (-days / YEAR)).sum() / MONTH, rel=1e-6)
    scans = lives_valued(by_hand(price={"scan": 100.0, "discount_per_year": 0.05}))["cost"].item()
    assert scans == pytest.approx(100 * (1.05 ** (-56 / YEAR) + 1.05 ** (-112 / YEAR)))


def test_nothing_counts_beyond_the_time_of_which_all_are_followed() -> None:
    row = lives_valued(by_hand(horizon_months=12.0, accrual_months=6.0)).row(0, named=True)
    assert row["years"] == pytest.approx(0.5)
    assert row["qalys"] == pytest.approx(0.4)
    assert row["whole"]


def test_those_who_are_lost_are_stood_for_by_others() -> None:
    """Exponential lives, a third of them lost at random: the mean is that of lives of which none is lost."""
    rng = np.random.default_rng(3)
    n, end = 20_000, 60.0
    life, lost = rng.exponential(24.0, n), rng.exponential(48.0, n)
    months = np.minimum(np.minimum(life, lost), end)
    overall = pl.DataFrame(
        {
            "patient": range(n),
            "arm": ["a"] * n,
            "os_months": months,
            "os_event": (life <= lost) & (life <= end),
        }
    )
    outcomes = overall.head(0).select(
        "patient", "arm", line="patient", start_day="os_months", end_day="os_months"
    )
    outcomes = outcomes.with_columns(pfs_months="start_day", pfs_event=pl.lit(True))
    written = {"arm": [{"name": "a"}], "horizon_months": end, "utility": UTILITY}
    found = worth(Results({"overall": overall, "outcomes": outcomes}, written, {})).row(0, named=True)
    expected = 2 * (1 - math.exp(-end / 24.0))
    assert abs(found["years"] - expected) < 5 * found["years_se"]
    assert found["qalys"] == pytest.approx(0.5 * found["years"])
    assert found["lost"] > n / 4


@pytest.fixture(scope="module")
def ran() -> Results:
    arms = [
        arm("first", ["letrozole", "palbociclib"], ["fulvestrant"]),
        arm("second", ["letrozole"], ["fulvestrant"]),
    ]
    return run_experiment(experiment(*arms, control="second", **WORTH))


def test_arms_are_compared_patient_by_patient(ran: Results) -> None:
    first, second = worth(ran).rows(named=True)
    assert first["qalys_gained"] == pytest.approx(first["qalys"] - second["qalys"])
    assert first["cost_gained_lo"] < first["cost_gained"] < first["cost_gained_hi"]
    assert first["cost_per_qaly"] == pytest.approx(first["cost_gained"] / first["qalys_gained"])
    assert first["verdict"] == "more for more"
    apart = math.hypot(first["qalys_se"], second["qalys_se"])
    assert (first["qalys_gained_hi"] - first["qalys_gained_lo"]) / 3.92 < apart
    assert second["verdict"] is None


def test_the_cost_per_year_is_where_the_curve_passes_a_half(ran: Results) -> None:
    ratio = worth(ran)["cost_per_qaly"][0]
    chance = acceptability(ran, [0.0, ratio, 100 * ratio])["probability"].to_list()
    assert chance[0] < 0.01
    assert chance[1] == pytest.approx(0.5)
    assert chance[2] > 0.5


def test_with_an_ensemble_sets_are_counted() -> None:
    written = experiment(arm("a", ["letrozole"]), arm("b", ["letrozole", "palbociclib"]), **WORTH)
    results = run_experiment(written, patients=40)
    sets = results.overall.with_columns(set=1 + pl.col("patient") % 4)
    told = acceptability(
        Results({**results.tables, "overall": sets}, results.experiment, {}), [0.0, 1e5, 1e6]
    )
    assert (told["probability"] * 4 % 1 == 0).all()


def test_report_and_comparison_tell_it(ran: Results, tmp_path: Any) -> None:
    comparison = compare(ran)
    assert comparison.worth.height == 2
    page = write_report(ran, tmp_path, comparison).read_text(encoding="utf-8")
    assert "Quality-adjusted time and cost" in page
    assert "How probably an arm is worth its cost" in page
    comparison.save(tmp_path)
    assert pl.read_csv(tmp_path / "worth.csv").height == 2


def test_without_utilities_and_prices_nothing_is_told() -> None:
    results = run_experiment(experiment(arm("a", ["letrozole"]), patients=3))
    assert worth(results).is_empty()
    with pytest.raises(InputError, match=r"needs \[utility\] and \[price\]"):
        plot_acceptability(results)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"price": {"drug": {"letrozole": 1.0}}}, "price.drug: no price of palbociclib, which arms give"),
        ({"price": {"drug": {"letrozol": 1.0}}}, 'did you mean "letrozole"'),
        ({"price": {"currency": "EUR"}}, "no price; name at least one of"),
        ({"price": {"scan": -1.0}}, "price.scan"),
        ({"utility": {"after_progression": 0.5}}, "utility.without_progression"),
        ({"utility": UTILITY | {"after_progression": 2.0}}, "utility.after_progression"),
        ({"utility": UTILITY, "end_with_last_line": True}, "utility: needs follow-up to death"),
    ],
)
def test_mistakes_are_told(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        Experiment.from_dict(experiment(arm("a", ["letrozole", "palbociclib"]), **tables))
    assert said in str(error.value)
