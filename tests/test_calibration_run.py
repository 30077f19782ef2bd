"""A calibration on disk: its ensemble, its fingerprints, how it is written up and adopted."""

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
from tumor_abm.calibration.cohorts import (
    HALFWAY,
)
from tumor_abm.calibration.parameters import Free, Parameters
from tumor_abm.calibration.posterior import drawn
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import DAMPINGS, Wave, centre_of, journalled
from tumor_abm.calibration.store import Calibration, calibrate
from tumor_abm.cli.main import BAD_INPUT, main
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.ensemble import Ensemble, Member

from tools.adopt import KNOWLEDGE, adopt
from tools.calibration import write_calibration
from tools.markdown import WIDTH

SEED = 20_260_417


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
