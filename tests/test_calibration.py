"""Calibration: what it holds against what, and that a search can stop at any point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
from tumor_abm.calibration.posterior import drawn
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.sample import Curves, Sample
from tumor_abm.calibration.search import DAMPINGS, Wave, centre_of, journalled
from tumor_abm.calibration.store import Calibration, calibrate
from tumor_abm.cli.main import BAD_INPUT, main
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble, Member

from tools.adopt import KNOWLEDGE, adopt
from tools.calibration import write_calibration
from tools.markdown import WIDTH

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


# --- emulator and search ------------------------------------------------------------------------


def small_calibration(path: Path, progress: Callable[[int], None] = lambda done: None) -> Calibration:
    return calibrate(
        path,
        seed=1,
        jobs=2,
        plan="chemotherapy",
        waves=(Wave(sets=6, patients=2, width=0.05, named=2),),
        candidates=4,
        patients=3,
        progress=progress,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    return small_calibration(tmp_path_factory.mktemp("calibration"))


@pytest.mark.dear
def test_the_ensemble_is_drawn_again_once_its_first_draws_were_learnt_from(
    finished: Calibration, tmp_path: Path
) -> None:
    lines = (finished.path / "again.jsonl").read_text().splitlines(keepends=True)
    first, second = np.split(np.array([json.loads(line)["shares"] for line in lines[1:]]), 2)
    assert not np.isclose(first[:, None], second).all(axis=2).any()
    parameters = finished.problem.parameters
    kept = np.array(
        [[one.share(member.values[one.name]) for one in parameters] for member in finished.members]
    )
    of_second = np.isclose(kept[:, None], second, atol=1e-4).all(axis=2)
    assert (of_second.sum(axis=1) == 1).all()

    shutil.copytree(finished.path, tmp_path / "broken")
    (tmp_path / "broken" / "again.jsonl").write_text("".join(lines[:7]))  # interrupted in the second round
    done: list[int] = []
    small_calibration(tmp_path / "broken", done.append)
    assert (tmp_path / "broken" / "again.jsonl").read_text() == "".join(lines)
    assert done[-1] == 6 + 1 + len(DAMPINGS) + 2 * 4


@pytest.mark.dear
def test_an_ensemble_is_drawn_from_what_other_calibrations_simulated(
    finished: Calibration, tmp_path: Path
) -> None:
    found = calibrate(
        tmp_path,
        seed=2,
        jobs=2,
        plan="chemotherapy",
        known=[finished.path],
        rounds=1,
        candidates=4,
        patients=3,
    )
    assert len((tmp_path / "simulated.jsonl").read_text().splitlines()) == 1  # nothing was searched
    problem = Problem.shipped("chemotherapy")
    tried = [
        *journalled(finished.path / "simulated.jsonl", problem.simulated_sha256),
        *(
            replace(one, outputs=one.outputs and problem.of_larger(found.problem, one.outputs))
            for one in journalled(finished.path / "again.jsonl", found.problem.simulated_sha256)
        ),
    ]
    assert len(tried) == 6 + 1 + len(DAMPINGS) + 2 * 4
    middle = centre_of(problem, journalled(finished.path / "simulated.jsonl", problem.simulated_sha256))
    sets = drawn(problem, tried, middle, sets=4, seed=2)
    again = journalled(tmp_path / "again.jsonl", found.problem.simulated_sha256)
    np.testing.assert_array_equal(sets, [one.shares for one in again])
    page, _ = write_calibration(tmp_path, tmp_path / "docs" / "calibration.md")
    assert "learnt from the sets of 1 searches; then, 1 times, 4 sets" in " ".join(page.read_text().split())


def test_fingerprints_do_not_hang_on_the_order_of_sets() -> None:
    code = "from tumor_abm.calibration.problem import Problem; print(Problem.shipped().sha256)"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(said) == 1


def test_what_an_outcome_can_depend_on_is_what_its_patients_are_given() -> None:
    problem = Problem.shipped()
    names, arms = problem.parameters.names, [key[:2] for key in problem.arms for _ in HALFWAY]

    def depend_on(parameter: str) -> set[tuple[str, ...]]:
        of_curves = problem.relevant[: len(arms), names.index(parameter)]
        return {arm for arm, depends in zip(arms, of_curves, strict=True) if depends}

    assert depend_on("growth") == set(arms)
    assert depend_on("alpelisib_potency") == {arm for arm in set(arms) if "alp" in arm[1]} != set()
    assert ("paloma_2", "P+L") in depend_on("cdk6_potency")
    assert ("paloma_2", "L") not in depend_on("cdk6_potency")
    with_history = {arm for arm in set(arms) if arm[0] == "veritac_2"}
    assert with_history <= depend_on("cdk46_potency")  # all had a CDK4/6 inhibitor before
    other = Free(label="none", numbers=["pathway.e2f_half"], scale="log", given=["aspirin"])
    with pytest.raises(InputError, match="'aspirin' is no drug, class of drugs or kind of therapy"):
        Parameters.of({"none": other}, Knowledge.shipped())


def test_what_simulations_mean_does_not_hang_on_the_defaults() -> None:
    before, other = Problem.shipped(), Problem.shipped("chemotherapy")
    free = {number for one in before.parameters for number in one.numbers}
    for member in Ensemble.shipped().members:
        numbers = {name: value for name, value in member.overrides.items() if name in free}
        adopted = Problem.shipped(knowledge=Knowledge.shipped().with_numbers(numbers))
        assert adopted.simulated_sha256 == before.simulated_sha256 != other.simulated_sha256
        assert adopted.sha256 != before.sha256
    fixed = Knowledge.shipped().with_numbers({"drug.exemestane.effects.aromatase.ic50": 0.02})
    assert Problem.shipped(knowledge=fixed).simulated_sha256 != before.simulated_sha256


def test_what_is_known_of_other_trials_is_refused(
    finished: Calibration, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "simulated.jsonl").write_text('{}\n{"wave": 0}\n')
    for known, problem in [
        (finished.path, "other parameters, ranges, fixed numbers or trials"),
        (tmp_path / "absent", "cannot be read"),
        (broken, "no journal of a calibration"),
    ]:
        out = tmp_path / "out"
        assert main(["calibrate", "--out", str(out), "--known", str(known)]) == BAD_INPUT
        said = capsys.readouterr().err.replace("\n", "")
        assert "simulated.jsonl" in said
        assert problem in said
        assert not out.exists()


def test_a_calibration_is_written_up(finished: Calibration, tmp_path: Path) -> None:
    assert finished.targets.height == 36  # 30 that are fitted, six beside them
    both = Ensemble.load(finished.path / "ensemble.json").members[0].overrides
    assert {"alteration.MCL1 amplification.fitness_cost", "pathway.e2f_hill"} <= set(both)
    page, figure = write_calibration(finished.path, tmp_path / "docs" / "calibration.md")
    text = page.read_text()
    assert "6 of 2 patients; then, 2 times, 4 sets" in " ".join(text.split())
    assert "| DESTINY-Breast06 | TPC, HER2-low | median PFS, months | 8.1 (7.0 to 9.0) |" in text
    assert "| clones resistant to all chemotherapy | per division |" in text
    assert "{{" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert figure.read_bytes()[:4] == b"\x89PNG"


def test_a_calibration_becomes_the_package_s_own(tmp_path: Path) -> None:
    knowledge = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, knowledge)
    number = "drug.letrozole.effects.aromatase.ic50"
    fulvestrant = "drug.fulvestrant.effects.er.ic50"
    found = tmp_path / "calibration"
    found.mkdir()
    with pytest.raises(InputError, match=r"ensemble\.json"):
        adopt(found, knowledge)
    Ensemble(members=[Member(overrides={number: 0.0125, fulvestrant: 4.5})]).save(found / "ensemble.json")
    with pytest.raises(InputError, match="is the calibration finished"):
        adopt(found, knowledge)
    (found / "values.json").write_text(json.dumps({"centre": {number: 0.0125, fulvestrant: 4.5}}))
    assert adopt(found, knowledge) == [number, fulvestrant]

    def changed(name: str) -> list[str]:
        before, after = ((folder / name).read_text().splitlines() for folder in (KNOWLEDGE, knowledge))
        return [new for old, new in zip(before, after, strict=True) if old != new]

    assert changed("pathway.toml") == changed("populations.toml") == changed("alterations.toml") == []
    first, second = sorted(changed("drugs.toml"))
    assert first.startswith("ic50 = { value = 0.0125, low = ")
    assert 'source = ["Calibration", "assumed"]' in first
    assert second.startswith("ic50 = { value = 4.5, low = ")
    assert Ensemble.load(knowledge / "ensemble.json").members[0].overrides[number] == 0.0125
    (found / "values.json").write_text(json.dumps({"centre": {"pathway.no_such_number": 1.0, number: 0.02}}))
    with pytest.raises(InputError, match="no file has the number"):
        adopt(found, knowledge)
    assert "0.0125" in (knowledge / "drugs.toml").read_text()
