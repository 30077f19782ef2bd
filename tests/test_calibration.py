"""Calibration: what it holds against what, and that a search can stop at any point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tumor_abm import trials
from tumor_abm.calibration.cohorts import (
    HALFWAY,
    ArmKey,
    HistoryCohort,
    Spared,
    cohorts_of,
    delay_months,
    live,
    samples,
)
from tumor_abm.calibration.emulator import Emulator
from tumor_abm.calibration.parameters import Free, Parameters
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.sample import Curves, Sample
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble, Member

SEED = 20_260_417


def sample(months: np.ndarray, event: np.ndarray | None = None) -> Sample:
    ones = np.ones(len(months))
    event = ones if event is None else event
    return Sample(months=months, event=event, response=0 * ones, measurable=ones, weight=ones)


def exponential(rate: float, patients: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).exponential(1 / rate, patients)


# --- what a publication would say ---------------------------------------------------------------


def curves(*arms: Sample, months: np.ndarray) -> Curves:
    return Curves.through(months, np.stack([arm.survival(months) for arm in arms]))


@pytest.mark.parametrize("gap", [1.0, 2.0, 3.0])
def test_median_on_scans_is_late_by_half_a_gap_on_average(gap: float) -> None:
    rate, patients = 0.06, 40_000
    seen = np.ceil(exponential(rate, patients, SEED) / gap) * gap
    found = curves(sample(seen), months=np.arange(gap / 2, 44, gap))
    truth = np.log(2) / rate + gap / 2
    # Standard error of a median: 1 / (2 f sqrt(n)), f = rate / 2. Between the steps the line is straight.
    tolerance = 4.9 / (rate * np.sqrt(patients)) + rate * gap**2 / 8
    assert found.median() == pytest.approx([truth], abs=tolerance)


def test_censored_patients_count_while_they_are_followed() -> None:
    rate, patients = 0.05, 40_000
    event, end = exponential(rate, patients, SEED), exponential(0.04, patients, SEED + 1)
    found = curves(sample(np.minimum(event, end), (event <= end).astype(float)), months=HALFWAY)
    between = rate * (HALFWAY[1] - HALFWAY[0])
    tolerance = 4.9 * 0.5 / np.sqrt(patients) * 1.3 + between**2 / 8
    assert found.at(12.0) == pytest.approx([np.exp(-12 * rate)], abs=tolerance)


def test_median_beyond_follow_up_goes_on_with_the_last_hazard() -> None:
    months = np.minimum(exponential(0.01, 20_000, SEED), 30.0)
    times = np.arange(1.0, 30.0, 2.0)
    found = curves(sample(months, (months < 30).astype(float)), months=times)
    assert found.median() == pytest.approx([np.log(2) / 0.01], rel=0.1)
    assert found.at(99.0) == found.at(29.0)
    assert curves(sample(np.array([50.0, 60.0]), np.zeros(2)), months=times).median() == [np.inf]


@pytest.mark.parametrize("ratio", [0.4, 0.57, 1.0, 1.6])
def test_hazard_ratio_of_exponential_arms(ratio: float) -> None:
    patients = 20_000
    arm, control = exponential(0.05 * ratio, patients, SEED), exponential(0.05, patients, SEED + 1)
    times = np.arange(1.0, 100.0, 2.0)
    found = curves(sample(arm), months=times).hazard_ratio(curves(sample(control), months=times))
    assert np.log(found) == pytest.approx([np.log(ratio)], abs=4.9 * np.sqrt(2 / patients))


def test_curves_of_few_patients_average_to_that_of_many_where_their_medians_do_not() -> None:
    # A third progresses at the first scans, the others are slow: the middle of few patients is a lottery.
    rng = np.random.default_rng(SEED)
    slow = rng.random(24_000) < 0.65
    months = np.where(slow, rng.exponential(40.0, 24_000), rng.exponential(2.0, 24_000))
    few = curves(*(sample(part) for part in np.split(months, 2_000)), months=HALFWAY)
    many = curves(sample(months), months=HALFWAY)
    np.testing.assert_allclose(few.survival.mean(axis=0), many.survival[0], atol=1e-12)
    mean = Curves.through(HALFWAY, few.survival[:, 1:].mean(axis=0, keepdims=True))
    assert mean.median() == pytest.approx(many.median())
    assert abs(np.log(few.median().clip(max=120)).mean() - np.log(many.median()[0])) > 0.1


def test_curves_of_an_emulator_are_made_to_fall() -> None:
    found = Curves.through(np.array([2.0, 4.0, 6.0]), np.array([[1.1, 0.4, 0.45], [0.9, 0.8, np.nan]]))
    np.testing.assert_array_equal(found.survival[0], [1.0, 1.0, 0.4, 0.4])
    np.testing.assert_allclose(found.median(), [2 + 2 * 0.5 / 0.6, np.nan])


def test_a_subset_that_nobody_belongs_to_says_nothing() -> None:
    problem = Problem.shipped()
    values = problem.parameters.values(problem.parameters.start())
    outputs = problem.simulate(values, patients=2, seed=SEED, jobs=2)
    assert outputs is not None
    silent = np.isnan(outputs)
    assert silent.any()
    assert not silent.all()
    table = np.array([outputs])
    quantities, deviations = problem.quantities(table)[0], problem.deviations(table)[0]
    assert np.isnan(quantities).any()
    assert (deviations[np.isnan(quantities)[: len(deviations)]] == 0).all()
    assert np.isfinite(problem.losses(problem.parameters.start()[None, :], table)).all()
    known = np.random.default_rng(SEED).uniform(size=(30, 1))
    many, middle = np.full(30, 1000), np.array([0.5])
    one_silent = np.where(np.arange(30)[:, None] == 7, np.nan, 0.8 * known)
    learnt = Emulator(known, one_silent, middle=middle, patients=many)
    assert learnt.predict(np.array([[0.5]]))[0, 0] == pytest.approx(0.4, abs=0.05)
    silent = Emulator(known, np.full((30, 1), np.nan), middle=middle)
    assert silent.predict(known[:2]).tolist() == [[0.0], [0.0]]


def test_a_smaller_problem_takes_its_part_of_what_a_larger_one_gives() -> None:
    problem, larger = Problem.shipped(), Problem.shipped(near=True)
    assert len(larger.arms) > len(problem.arms)
    values = problem.parameters.values(problem.parameters.start())
    outputs = larger.simulate(values, patients=3, seed=SEED, jobs=2)
    assert outputs is not None
    found = np.array(problem.of_larger(larger, outputs))
    np.testing.assert_array_equal(found, np.array(problem.simulate(values, patients=3, seed=SEED, jobs=2)))


def test_chemotherapy_is_judged_given_one_set_of_the_ensemble_at_a_time() -> None:
    problem = Problem.shipped("chemotherapy")
    assert problem.given == Ensemble.shipped()
    growth = "population.first_line_postmenopausal.net_growth_per_day.median"
    slow, fast = (Member(overrides={growth: rate}) for rate in (0.01, 0.018))
    both = Ensemble(members=(slow, fast))
    values = problem.parameters.values(problem.parameters.start())

    def outputs(given: Ensemble, seed: int) -> list[float]:
        found = replace(problem, given=given).simulate(values, patients=2, seed=seed, jobs=2)
        assert found is not None
        return found

    drawn_slow = next(seed for seed in range(100) if both.drawn(seed) == slow)
    drawn_fast = next(seed for seed in range(100) if both.drawn(seed) == fast)
    for seed, member in ((drawn_slow, slow), (drawn_fast, fast)):
        np.testing.assert_array_equal(outputs(both, seed), outputs(Ensemble(members=(member,)), seed))


# --- parameters ---------------------------------------------------------------------------------


def test_tied_numbers_keep_their_proportion_and_their_ranges() -> None:
    knowledge = Knowledge.shipped()
    drugs = ["drug.palbociclib.effects.cdk46.ic50", "drug.ribociclib.effects.cdk46.ic50"]
    free = {"potency": Free(label="potency", numbers=drugs, scale="log")}
    parameters = Parameters.of(free, knowledge)
    numbers = {".".join(map(str, path)): number for path, number in knowledge.numbers().items()}
    for share in (0.0, 0.3, 1.0):
        overrides = parameters.overrides(parameters.values([share]))
        for drug in drugs:
            low, high = numbers[drug].low, numbers[drug].high
            assert low is not None
            assert high is not None
            assert low * (1 - 1e-4) <= overrides[drug] <= high * (1 + 1e-4)
        shipped = numbers[drugs[1]].value / numbers[drugs[0]].value
        assert overrides[drugs[1]] / overrides[drugs[0]] == pytest.approx(shipped, rel=1e-3)


@pytest.mark.parametrize("name", ["er_survival", "ccne1_rate", "turnover"])  # linear, log, logit
def test_the_edge_of_a_range_is_its_outer_tenths_on_its_own_scale(name: str) -> None:
    one = {one.name: one for one in Problem.shipped().parameters}[name]
    assert [one.at_edge(one.value(share)) for share in (0.05, 0.11, 0.5, 0.89, 0.95)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_a_parameter_without_a_range_is_refused() -> None:
    free = {"dose": Free(label="dose", numbers=["pathway.no_such_number"], scale="log")}
    with pytest.raises(InputError, match="names no number"):
        Parameters.of(free, Knowledge.shipped())


def test_every_free_parameter_of_the_package_starts_inside_its_range() -> None:
    start = Problem.shipped().parameters.start()
    assert len(start) > 20
    assert ((start >= 0) & (start <= 1)).all()


# --- cohorts ------------------------------------------------------------------------------------


def test_only_rows_for_calibration_enter_the_loss() -> None:
    problem = Problem.shipped(near=True)
    assert all(target.split.startswith("calib-") for target in problem.targets)
    assert {target.split for target in problem.shown} == {"validate-near"}
    practice = evidence.trials().filter(role=evidence.IN_PRACTICE)
    every_split = PlanFile.shipped("chemotherapy").model_copy(update={"splits": list(set(practice["split"]))})
    assert every_split.rows(practice).is_empty()
    assert every_split.rows(evidence.trials()).filter(trial="DESTINY-Breast04 HR+", subset="HR+").height == 1
    assert every_split.rows(evidence.trials()).filter(subset="investigator", arm="TPC").is_empty()
    assert not {"mpfs_mo", "hr", "orr_pct"} & set(evidence.trials_to_predict().columns)


def test_trials_of_the_same_patients_share_a_cohort_and_give_what_the_trial_alone_gives() -> None:
    tables = {name: trials.tables(name) for name in ("paloma_1", "monaleesa_2")}
    wanted = {("paloma_1", "P+L"), ("monaleesa_2", "L"), ("monaleesa_2", "R+L")}
    (shared,) = cohorts_of(tables, wanted=wanted)
    assert len(shared.arms) == 3
    (alone,) = cohorts_of({"paloma_1": tables["paloma_1"]}, wanted=wanted)
    knowledge = Knowledge.shipped()
    of_shared = samples([shared], [live(shared, knowledge, patients=12, seed=SEED, jobs=2)])
    of_alone = samples([alone], [live(alone, knowledge, patients=12, seed=SEED, jobs=2)])
    key = ("paloma_1", "P+L")
    assert of_shared[key].months.tolist() == of_alone[key].months.tolist()
    assert of_shared[key].weight.sum() == pytest.approx(1.0)


def test_patients_are_chosen_by_what_is_seen_in_blood_and_live_as_without_looking() -> None:
    tables = {name: trials.tables(name) for name in ("serena_2", "bolero_6")}
    mutated = "cami 75, ESR1m (36.7%)"
    wanted = {("serena_2", "cami 75"), ("serena_2", mutated), ("bolero_6", "cape")}
    with_blood = cohorts_of(tables, wanted=wanted)
    assert all("liquid_biopsy" in cohort.tables for cohort in with_blood)
    without = cohorts_of({"bolero_6": tables["bolero_6"]}, wanted=wanted)
    assert not any("liquid_biopsy" in cohort.tables for cohort in without)
    knowledge = Knowledge.shipped()

    def lived(cohorts: list[HistoryCohort]) -> dict[ArmKey, Sample]:
        return samples(cohorts, [live(one, knowledge, patients=12, seed=SEED, jobs=2) for one in cohorts])

    looked, unlooked = lived(with_blood), lived(without)
    cape = ("bolero_6", "cape")
    assert all(map(np.array_equal, vars(looked[cape]).values(), vars(unlooked[cape]).values()))
    assert 0 < len(looked["serena_2", mutated].months) < len(looked["serena_2", "cami 75"].months)


def test_an_arm_among_some_patients_is_compared_with_the_same_patients() -> None:
    problem = Problem.shipped()
    mutated = "solar_1", "alp+F, PIK3CAm"
    (target,) = [one for one in problem.targets if one.key == mutated and one.quantity == "hazard ratio"]
    assert target.versus == ("solar_1", "F", "alp+F, PIK3CAm")
    cohorts = [cohort for cohort in problem.cohorts if mutated in cohort.members]
    knowledge = Knowledge.shipped()
    lives = [live(cohort, knowledge, patients=40, seed=SEED, jobs=2) for cohort in cohorts]
    found = samples(cohorts, lives, [mutated, target.versus, target.versus[:2]])
    assert 0 < found[mutated].months.size == found[target.versus].months.size
    assert found[target.versus].months.size < found[target.versus[:2]].months.size


def test_patients_of_a_cohort_are_followed_as_long_as_those_of_first_line_trials() -> None:
    tables = {name: trials.tables(name) for name in ("paloma_2", "monaleesa_2", "monarch_3", "falcon")}
    wanted = {(name, arm["name"]) for name, of_trial in tables.items() for arm in of_trial["arm"]}
    least = min(of_trial["horizon_months"] - of_trial["accrual_months"] for of_trial in tables.values())
    assert {cohort.tables["horizon_months"] for cohort in cohorts_of(tables, wanted=wanted)} == {least}


def test_a_mixture_of_histories_is_put_together_by_share() -> None:
    tables = {"monaleesa_3": trials.tables("monaleesa_3")}
    wanted = {("monaleesa_3", "F"), ("monaleesa_3", "F 1L")}
    cohorts = cohorts_of(tables, wanted=wanted)
    shares = [cohort.members["monaleesa_3", "F"][1] for cohort in cohorts]
    assert sum(shares) == pytest.approx(1.0)
    assert len(cohorts) == 4
    assert sum(("monaleesa_3", "F 1L") in cohort.members for cohort in cohorts) == 1
    fewer = cohorts_of(tables, wanted=wanted, spared=Spared(least_share=0.2))
    assert sum(cohort.members["monaleesa_3", "F"][1] for cohort in fewer) == pytest.approx(1.0)
    assert len(fewer) == 2


def test_rarer_scans_see_progression_later() -> None:
    assert delay_months({}) == 0.0
    twelve = {"assessment": {"calendar": [{"every_weeks": 12}]}}
    assert delay_months(twelve) == pytest.approx(14 / 30.4375)
