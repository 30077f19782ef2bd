"""Trials as experiments: all of them run, and their populations are what their designs say."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from scipy.stats import binomtest, mannwhitneyu
from tumor_abm import trials
from tumor_abm.analysis.comparison import CLINICAL_BENEFIT_MONTHS
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results

ALPHA = 1e-6
SEED = 20_260_417


def simulated(population: dict, *, arms: list | None = None, patients: int = 200, **keys: object) -> Results:
    tables = {
        "title": "a test",
        "question": "is it so?",
        "seed": SEED,
        "patients": patients,
        "horizon_months": 1.0,
        "trajectory_every_days": 0,
        "population": {"base": "first_line_postmenopausal", **population},
        "arm": arms or [{"name": "F", "line": [{"regimen": ["fulvestrant"]}]}],
        **keys,
    }
    return run_experiment(tables, jobs=2)


def test_every_row_of_the_tables_is_an_arm_or_left_out_with_a_reason_and_every_arm_a_row():
    labels = ["trial", "arm", "subset"]
    assert (evidence.left_out()["reason"].str.len_chars() > 0).all()
    reasons = evidence.left_out().select(labels)
    assert reasons.join(evidence.designs(), on=labels, how="anti").is_empty()
    simulated = evidence.designs().join(reasons, on=labels, how="anti")
    rows = Counter(simulated.select([*labels, "prior_cdk46i"]).iter_rows())
    found = Counter(
        (row.trial, row.arm, row.subset, row.prior_cdk46i)
        for trial in trials.files()
        for row in trials.rows(trials.load(trial))
    )
    assert found == rows


def test_scans_are_made_as_often_as_the_tables_say():
    weeks = evidence.designs().with_columns(
        weeks=pl.col("assess_weeks").str.extract(r"^(\d+)").cast(pl.Int64)
    )
    told = {row["trial"]: row["weeks"] for row in weeks.drop_nulls("weeks").iter_rows(named=True)}
    assert len(told) > 50
    for file, labels in trials.names().items():
        first = trials.tables(file)["assessment"]["calendar"][0]
        assert {told[label] for label in labels if label in told} <= {first["every_weeks"]}, file


def test_the_tables_to_predict_hold_designs_alone():
    assert set(evidence.trials_to_predict().columns) == {
        *(
            "trial",
            "arm",
            "role",
            "population",
            "line",
            "prior_cdk46i",
            "subset",
            "regimen",
            "n",
            "assess_weeks",
        )
    }


def test_an_unknown_trial_is_answered_with_all_there_are():
    with pytest.raises(InputError, match=r'"PALOMA-9" is no trial; allowed: .*paloma_2 \(PALOMA-2'):
        trials.find(["PALOMA-9"])
    assert trials.find(["paloma-2", "PALOMA_2"]) == ["paloma_2"]


def test_an_endpoint_that_the_arm_does_not_have_is_named():
    written = trials.tables("paloma_2")
    written["arm"][1]["labels"]["endpoint"] = "PFS line 2"
    with pytest.raises(InputError, match=r'labels.endpoint: found "PFS line 2"; allowed: "PFS1", "PFS2"'):
        trials.rows(Experiment.from_dict(written))


def test_histories_have_their_shares():
    histories = [{"name": "untreated", "share": 3.0}, {"name": "treated", "share": 1.0, "prior": [LETROZOLE]}]
    patients = simulated({"history": histories}, patients=400).patients
    treated = patients.filter(pl.col("history") == "treated")
    assert binomtest(treated.height, 400, 0.25).pvalue > ALPHA
    assert set(treated["prior_regimens"]) == {"letrozole"}
    assert set(patients.filter(pl.col("history") == "untreated")["prior_lines"]) == {0}


LETROZOLE = {"regimen": ["letrozole"]}


def test_a_choice_is_drawn_by_share_and_alike_in_twins():
    choice = [
        {"share": 0.7, "regimen": ["fulvestrant"]},
        {"if": {"taken": "letrozole"}, "share": 1e6, "regimen": ["tamoxifen"]},
        {"share": 0.3, "regimen": ["exemestane"]},
    ]
    arms = [
        {"name": "one", "line": [{"choose": choice}]},
        {"name": "other", "line": [{"choose": choice}, {"regimen": ["capecitabine"]}]},
    ]
    outcomes = simulated({}, arms=arms, patients=400).outcomes.filter(pl.col("line") == 1)
    by_arm = outcomes.select("patient", "arm", pl.col("regimen").cast(pl.String)).pivot(
        "arm", index="patient", values="regimen"
    )
    assert (by_arm["one"] == by_arm["other"]).all()
    fulvestrant = int((by_arm["one"] == "fulvestrant").sum())
    assert binomtest(fulvestrant, 400, 0.7).pvalue > ALPHA
    assert set(by_arm["one"]) == {"fulvestrant", "exemestane"}


def test_relapse_comes_in_its_window_and_selects_what_the_adjuvant_drug_spares():
    def relapsed(drug: str) -> pl.DataFrame:
        adjuvant = {"regimen": [drug], "relapse_from_month": 24.0, "relapse_before_month": 72.0}
        # From so few cells only those that grow well under the drug come back in time.
        few = {"median": 1e5, "sigma": 0.5}
        history = [{"name": "relapse", "adjuvant": adjuvant}]
        return simulated({"history": history, "residual_cells": few}, patients=2_000).patients

    letrozole, tamoxifen = relapsed("letrozole"), relapsed("tamoxifen")
    for patients in (letrozole, tamoxifen):
        assert patients["relapse_months"].is_between(24, 72).all()
        assert (patients["prior_lines"] == 0).all()
    # Those who relapse depend less on ER than those who are untreated.
    untreated = simulated({}, patients=2_000).patients
    assert (
        mannwhitneyu(letrozole["er_dependence"], untreated["er_dependence"], alternative="less").pvalue
        < ALPHA
    )


def test_adjuvant_therapy_that_is_no_longer_taken_selects_nothing():
    adjuvant = {"regimen": ["letrozole"], "relapse_before_month": 72.0}
    history = [{"name": "relapse", "adjuvant": adjuvant}]

    def relapsed(per_year: float) -> pl.DataFrame:
        stops = {"history": history, "adjuvant_discontinuation_per_year": per_year}
        return simulated(stops).patients

    taken, untaken, some = relapsed(0.0), relapsed(100.0), relapsed(0.15)
    assert taken["stopped_months"].is_null().all()
    assert untaken["stopped_months"].max() < 3
    stopped = some.drop_nulls("stopped_months")
    assert 0.2 < len(stopped) / len(some) < 0.9
    assert (stopped["stopped_months"] <= stopped["relapse_months"]).all()
    assert stopped["stopped_months"].max() < 60  # afterwards there is nothing to stop
    # Without the drug everybody relapses as they would untreated, and no resistance is selected.
    assert untaken["er_dependence"].median() > taken["er_dependence"].median() + 0.05
    esr1 = [patients["altered"].str.contains("ESR1").mean() for patients in (taken, untaken)]
    assert esr1[0] > 0.1
    assert esr1[1] < 0.02
    # The record says that it was taken: trials count them as relapsed on it.
    on_letrozole = [{**history[0], "eligibility": {"taken": ["letrozole"]}}]
    stops = {"history": on_letrozole, "adjuvant_discontinuation_per_year": 100.0}
    assert simulated(stops, patients=10).patients["stopped_months"].is_not_null().all()


def test_who_relapses_under_adjuvant_therapy_was_not_seen_before():
    adjuvant = {"regimen": ["letrozole"], "relapse_before_month": 24.0}
    early = simulated({"history": [{"name": "relapse", "adjuvant": adjuvant}]}, patients=50).patients
    assert early["relapse_months"].is_between(0, 24).all()
    assert (early["volume_cm3"] >= 1.0).all()  # the least volume at diagnosis


def test_turnover_is_cut_where_cells_would_divide_too_often():
    fast = {"net_growth_per_day": {"median": 0.02, "sigma": 0.8}, "turnover": {"median": 0.85, "sigma": 0.4}}
    patients = simulated(fast).patients
    often, growth = patients["division_per_day"], patients["net_growth_per_day"]
    assert (often <= 0.22 * (1 + 1e-9)).all()
    assert ((often - 0.22).abs() < 1e-4).any()
    assert (growth / (1 - 0.85) > 0.22).any()  # of some, even at the median
    # growth is that of the law
    assert (often - patients["death_per_day"] - growth).abs().max() < 1e-12


def test_surgery_leaves_the_residue_of_the_law():
    law = {"median": 1e6, "sigma": 0.0, "low": 1.0, "high": 1e9}
    patients = simulated({"history": [{"name": "x", "operated": True}], "residual_cells": law}).patients
    # A binomial of about 1e6 cells: within six standard deviations.
    assert patients["cells"].is_between(1_000_000 - 6_000, 1_000_000 + 6_000).all()


def test_arms_among_some_are_lived_by_those_alone_and_equal_arms_are_equal():
    line = [{"regimen": ["fulvestrant"]}]
    arms = [
        {"name": "all", "line": line},
        {"name": "visceral", "line": line, "among": {"visceral": True}},
        {"name": "PIK3CA", "line": line, "among": {"altered": ["PIK3CA"]}},
    ]
    results = simulated({}, arms=arms, horizon_months=12.0)
    patients = results.patients
    of = {
        arm: results.outcomes.filter(pl.col("arm") == arm).drop("arm")
        for arm in ("all", "visceral", "PIK3CA")
    }
    visceral = patients.filter("visceral")["patient"]
    mutant = patients.filter(pl.col("altered").cast(pl.String).str.contains("PIK3CA"))["patient"]
    for arm, who in (("visceral", visceral), ("PIK3CA", mutant)):
        assert 0 < who.len() < patients.height
        assert of[arm].equals(of["all"].filter(pl.col("patient").is_in(who.implode())))


def test_eligibility_asks_what_is_known_on_the_day_of_enrolment():
    population = {
        "history": [{"name": "after", "prior": [{"regimen": ["letrozole", "palbociclib"]}]}],
        "eligibility": {
            "detected": ["ESR1"],
            "exposure": {"drugs": ["palbociclib", "ribociclib"], "months_at_least": 12.0},
            "endocrine_sensitive": True,
        },
    }
    patients = simulated(population, patients=30, liquid_biopsy={"genes": ["ESR1"]}).patients
    assert patients["detected"].cast(pl.String).str.contains("ESR1").all()
    assert (patients["prior_months"] > 10).all()
    assert (patients["screened"] > 1).any()


def test_one_endocrine_line_that_helped_makes_the_disease_sensitive():
    def last_line_months(*regimens: str, sensitive: bool) -> pl.Series:
        history = {"name": "before", "prior": [{"regimen": [drug]} for drug in regimens]}
        population = {"history": [history], "eligibility": {"endocrine_sensitive": sensitive}}
        return simulated(population, patients=60).patients["prior_months"]

    assert (last_line_months("letrozole", sensitive=True) >= CLINICAL_BENEFIT_MONTHS).all()
    assert (last_line_months("letrozole", sensitive=False) < CLINICAL_BENEFIT_MONTHS).all()
    # Some who had benefit from letrozole had none from exemestane.
    assert (last_line_months("letrozole", "exemestane", sensitive=True) < CLINICAL_BENEFIT_MONTHS).any()
    assert (last_line_months("letrozole", "exemestane", sensitive=False) < CLINICAL_BENEFIT_MONTHS).all()
    # Benefit from chemotherapy says nothing.
    assert (last_line_months("letrozole", "paclitaxel", sensitive=False) >= CLINICAL_BENEFIT_MONTHS).any()


def test_enrolment_at_a_rising_mutation_comes_before_progression():
    tables = trials.tables("pada_1")
    results = run_experiment({**tables, "patients": 12, "afterwards": [], "end_with_last_line": True}, jobs=2)
    assert results.patients["detected"].cast(pl.String).str.contains("ESR1").all()
    assert set(results.patients["prior_regimens"]) == {"letrozole + palbociclib"}
    # They have not progressed: letrozole with palbociclib goes on for some time in most.
    stay = results.outcomes.filter((pl.col("arm") == "stay AI+P") & (pl.col("line") == 1))
    assert stay.height == 12
    assert (stay["pfs_months"] > 1.5).all()


def test_lines_afterwards_follow_on_every_arm():
    arms = [{"name": arm, "line": [{"regimen": [arm]}]} for arm in ("fulvestrant", "exemestane")]
    results = simulated(
        {}, arms=arms, patients=30, horizon_months=120.0, afterwards=[{"regimen": ["capecitabine"]}]
    )
    second = results.outcomes.filter(pl.col("line") == 2)
    assert set(second["regimen"]) == {"capecitabine"}
    assert set(second["arm"]) == {"fulvestrant", "exemestane"}


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ({"history": [{"name": "a"}, {"name": "a"}]}, 'history "a" is named twice'),
        ({"history": [{"name": "a"}], "prior": [LETROZOLE]}, "name either prior or history"),
        ({"eligibility": {"detected": ["ESR1"]}}, "nobody measures"),
        ({"eligibility": {"taken": ["letrozol"]}}, "did you mean"),
        (
            {"history": [{"name": "a", "operated": True, "prior": [LETROZOLE]}]},
            "neither adjuvant therapy nor",
        ),
        ({"history": [{"name": "a", "eligibility": {"altered": ["RB2"]}}]}, "history"),
    ],
)
def test_mistakes_in_histories_are_named(population, said):
    with pytest.raises(InputError, match=said):
        simulated(population)


def test_numbers_can_be_replaced_by_name():
    name = "population.first_line_postmenopausal.turnover.median"
    changed = Knowledge.shipped().with_numbers({name: 0.6, "pathway.e2f_hill": 3.0})
    assert changed.pathway["e2f_hill"] == 3.0
    # A population takes over what it is based on.
    assert changed.populations["after_cdk46_inhibitor"].turnover.median.value == 0.6
    assert Knowledge.shipped().pathway["e2f_hill"] != 3.0
    experiment = trials.load("paloma_2", knowledge=changed)
    assert isinstance(experiment, Experiment)
    assert experiment.to_core()["population"]["turnover"]["median"] == 0.6
    with pytest.raises(InputError, match="did you mean"):
        Knowledge.shipped().with_numbers({"pathway.e2f_hil": 3.0})
    with pytest.raises(InputError, match="outside its range"):
        Knowledge.shipped().with_numbers({"pathway.e2f_hill": 300.0})
