"""The search: an emulator that learns from noisy simulations, and waves that can stop at any point."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tumor_abm.calibration.cohorts import HALFWAY
from tumor_abm.calibration.emulator import Emulator
from tumor_abm.calibration.parameters import Free, Parameters
from tumor_abm.calibration.posterior import compared, drawn, fits, members_of
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import DAMPINGS, Journal, Tried, Wave, centre_of, journalled, search
from tumor_abm.calibration.sensitivity import draw_sensitivity, sensitivity
from tumor_abm.cli.main import BAD_INPUT, main
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.run.lock import exclusive

SEED = 20_260_417


def shares_of(rng: np.random.Generator, expected: np.ndarray, patients: np.ndarray | int) -> np.ndarray:
    """Draw the shares of patients in which something happens that happens in an expected share."""
    counts = np.broadcast_to(np.asarray(patients).reshape(-1, 1), expected.shape)
    found: np.ndarray = rng.binomial(counts, np.clip(expected, 0, 1)) / counts
    return found


def test_the_emulator_finds_lines_and_squares_under_the_noise_of_few_patients() -> None:
    rng = np.random.default_rng(SEED)
    points, fresh = rng.uniform(0.2, 0.8, (400, 8)), rng.uniform(0.3, 0.7, (100, 8))

    def truth(x: np.ndarray) -> np.ndarray:
        return np.stack([0.5 + 0.6 * (x[:, 0] - x[:, 1]), 0.2 + (x[:, 3] - 0.5) ** 2 + 0.5 * x[:, 4]], axis=1)

    learnt = Emulator(points, shares_of(rng, truth(points), 20), middle=np.full(8, 0.5))
    error = np.sqrt(((learnt.predict(fresh) - truth(fresh)) ** 2).mean(axis=0))
    of_one_set = np.sqrt(0.25 / 20)
    assert (error < of_one_set / 3).all()


def test_an_output_does_not_learn_from_what_it_cannot_depend_on() -> None:
    rng = np.random.default_rng(SEED)
    points, fresh = rng.uniform(0.2, 0.8, (120, 40)), rng.uniform(0.3, 0.7, (100, 40))
    slopes = rng.uniform(-0.3, 0.3, (40, 60))
    slopes[1:, 30:] = 0.0  # half of the outputs depend on the first parameter alone
    expected, truth = (0.5 + (x - 0.5) @ slopes for x in (points, fresh))
    values = shares_of(rng, expected, 16)
    middle = np.full(40, 0.5)
    knowing = Emulator(points, values, middle=middle, relevant=slopes.T != 0)
    unknowing = Emulator(points, values, middle=middle)
    moved = fresh.copy()
    moved[:, 1:] = 0.9
    assert knowing.predict(moved)[:, 30:] == pytest.approx(knowing.predict(fresh)[:, 30:])
    errors = [np.abs((one.predict(fresh) - truth)[:, 30:]).mean() for one in (knowing, unknowing)]
    assert errors[0] < 0.9 * errors[1]


def test_the_emulator_learns_which_parameters_move_everything() -> None:
    rng = np.random.default_rng(SEED)
    points, fresh = rng.uniform(0.3, 0.7, (80, 30)), rng.uniform(0.3, 0.7, (100, 30))
    slopes = np.zeros((30, 200))
    slopes[7] = rng.uniform(-1, 1, 200)
    expected, truth = (0.5 + (x - 0.5) @ slopes for x in (points, fresh))
    learnt = Emulator(points, shares_of(rng, expected, 16), middle=np.full(30, 0.5))
    error = np.sqrt(((learnt.predict(fresh) - truth) ** 2).mean())
    of_all_parameters = np.sqrt(0.25 / 16 * 30 / 80)  # what least squares would leave
    assert error < 0.8 * of_all_parameters


def test_the_emulator_knows_that_sets_of_the_same_patients_err_together() -> None:
    rng = np.random.default_rng(SEED)
    steps = 0.1 * rng.standard_normal((60, 10))
    points = 0.5 + np.stack([steps, -steps], axis=1).reshape(120, 10)
    slopes = rng.uniform(-0.3, 0.3, (10, 50))
    seeds = np.repeat(np.arange(60), 2)
    noise = np.sqrt(0.85) * rng.standard_normal((60, 50))[seeds] + np.sqrt(0.15) * rng.standard_normal(
        (120, 50)
    )
    values = 0.5 + (points - 0.5) @ slopes + 0.1 * noise
    fresh = 0.5 + 0.1 * rng.standard_normal((100, 10))
    patients, middle = np.full(120, 25), np.full(10, 0.5)
    aware = Emulator(points, values, middle=middle, patients=patients, seeds=seeds)
    unaware = Emulator(points, values, middle=middle, patients=patients)
    truth = (fresh - 0.5) @ slopes
    errors = []
    for one in (aware, unaware):
        moved = one.predict(fresh) - one.predict(middle[None])
        errors.append(np.sqrt(((moved - truth) ** 2).mean()))
    assert errors[0] < 0.9 * errors[1]


def test_the_emulator_trusts_simulations_of_many_patients_more() -> None:
    rng = np.random.default_rng(SEED)
    points = rng.uniform(0.3, 0.7, (100, 5))
    patients = np.where(np.arange(100) < 20, 1600, 16)
    expected = 0.5 + (points - 0.5) @ rng.uniform(-0.5, 0.5, (5, 50))
    values = shares_of(rng, expected, patients)
    weighted = Emulator(points, values, middle=np.full(5, 0.5), patients=patients)
    alike = Emulator(points, values, middle=np.full(5, 0.5))
    errors = [np.abs(one.predict(points) - expected).mean() for one in (weighted, alike)]
    assert errors[0] < 0.7 * errors[1]


def test_the_emulator_is_made_for_its_middle() -> None:
    points = np.linspace(0, 1, 201)[:, None]
    wavy = 0.5 + 0.4 * np.sin(5 * points)
    near, many = points[np.abs(points[:, 0] - 0.2) < 0.1], np.full(201, 10_000)
    errors = [
        np.abs(
            Emulator(points, wavy, middle=np.array([middle]), patients=many).predict(near)
            - 0.5
            - 0.4 * np.sin(5 * near)
        ).mean()
        for middle in (0.2, 0.8)
    ]
    assert errors[0] < errors[1] / 2


@dataclass
class Quadratic:
    """A problem whose simulation is a formula."""

    parameters: Parameters
    calls: int = 0
    stop_after: int | None = None

    def simulate(
        self, values: Mapping[str, float], *, patients: int, seed: int, jobs: int
    ) -> list[float] | None:
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        shares = np.array([one.share(values[one.name]) for one in self.parameters])
        noise = np.random.default_rng(seed).standard_normal(2) / patients
        return [float(shares[0] + noise[0]), float(shares[1] - shares[2] + noise[1])]

    @property
    def relevant(self) -> np.ndarray:
        return np.ones((2, len(self.parameters)), dtype=bool)

    def misfits(self, outputs: np.ndarray) -> np.ndarray:
        total: np.ndarray = (((outputs - [0.3, 0.1]) / 0.05) ** 2).sum(axis=1)
        return total

    def losses(self, shares: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        total: np.ndarray = self.misfits(outputs) + 0.1 * ((shares - 0.5) ** 2).sum(axis=1)
        return total


def quadratic(stop_after: int | None = None) -> Quadratic:
    names = ["pathway.e2f_half", "pathway.e2f_hill", "pathway.cdk2_basal"]
    free = {name: Free(label=name, numbers=[name], scale="log") for name in names}
    return Quadratic(Parameters.of(free, Knowledge.shipped()), stop_after=stop_after)


MIDDLE = np.full(3, 0.5)
WAVES = (
    Wave(sets=25, patients=20, width=0.2, named=50),
    Wave(sets=20, patients=20, width=0.1, named=50),
    Wave(sets=15, patients=40, width=0.05, named=50),
)


def test_the_search_finds_what_meets_the_targets_and_its_posterior_stays_there(tmp_path: Path) -> None:
    problem = quadratic()
    journal = Journal(tmp_path / "journal", {"seed": 1})
    search(problem, journal, seed=1, jobs=1, waves=WAVES)  # type: ignore[arg-type]
    middle = centre_of(problem, list(journal))  # type: ignore[arg-type]
    sets = drawn(problem, list(journal), middle, sets=30, seed=1)  # type: ignore[arg-type]
    assert sets[0][0] == pytest.approx(0.3, abs=0.05)
    assert sets[0][1] - sets[0][2] == pytest.approx(0.1, abs=0.05)
    assert np.abs(np.median(sets[:, 0]) - 0.3) < 0.1


def test_the_ensemble_is_the_better_half_and_its_members_count_alike() -> None:
    problem = quadratic()
    outputs = [({"number": float(i)}, [0.3 + 0.01 * i, 0.1]) for i in reversed(range(24))]
    kept = members_of(fits(problem, outputs, [0] * 24))  # type: ignore[arg-type]
    assert [member.values["number"] for member in kept] == list(range(12))
    assert kept[5].misfit == pytest.approx(1.0)


def test_each_search_has_as_many_members_and_is_told_where_it_ended_alone() -> None:
    problem = quadratic()
    parameters = problem.parameters
    outputs, searches = [], []
    for place in range(24):
        search_of = place % 3
        shares = [0.2 + 0.3 * search_of, 0.5 + 0.01 * place, 0.5 + 0.01 * place]
        outputs.append((parameters.values(shares), [0.3 + 0.1 * search_of, 0.1 + 1e-3 * place]))
        searches.append(search_of)
    found = fits(problem, outputs, searches)  # type: ignore[arg-type]
    kept = members_of(found)
    assert sorted(fit.search for fit in kept) == [0] * 4 + [1] * 4 + [2] * 4
    assert [fit.misfit for fit in kept] == sorted(fit.misfit for fit in kept)
    for number in range(3):
        best = sorted(fit.misfit for fit in found if fit.search == number)[:4]
        assert sorted(fit.misfit for fit in kept if fit.search == number) == best
    table = compared(parameters, found)
    assert table["sets"].to_list() == [8, 8, 8]
    assert table["apart"].to_list() == [1, 1, 1]
    assert table["best"].is_sorted()
    assert compared(parameters, [fit for fit in found if fit.search == 0])["apart"].to_list() == [0]


def test_a_search_from_scratch_finds_it_without_the_shipped_values(tmp_path: Path) -> None:
    problem = quadratic()
    journal = Journal(tmp_path / "journal", {"seed": 1})
    search(problem, journal, seed=1, jobs=1, waves=WAVES, begin=MIDDLE)  # type: ignore[arg-type]
    begun, went = (np.mean([tried.shares for tried in journal.of_wave(i)[:2]], axis=0) for i in (0, 1))
    assert begun == pytest.approx([0.5, 0.5, 0.5])
    assert abs(went[0] - 0.3) < 0.1 < abs(problem.parameters.start()[0] - 0.3)
    middle = centre_of(problem, list(journal))  # type: ignore[arg-type]
    sets = drawn(problem, list(journal), middle, sets=30, seed=1)  # type: ignore[arg-type]
    assert sets[0][0] == pytest.approx(0.3, abs=0.05)


def test_the_middle_of_an_ensemble_is_on_the_scales_of_the_parameters() -> None:
    parameters = quadratic().parameters
    first, *others = parameters
    sets = [{first.numbers[0]: first.value(0.2)}, {first.numbers[0]: first.value(0.6)}]
    middle = parameters.middle(sets)
    assert middle[0] == pytest.approx(0.4, abs=1e-4)
    # What sets do not say is what the package says.
    assert middle[1:] == pytest.approx([one.share(one.start) for one in others])


def test_a_search_begins_around_ensembles_of_what_is_calibrated_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    another = tmp_path / "another.json"
    Ensemble(members=(Member(overrides={"drug.lasofoxifene.effects.er.ic50": 0.1}),)).save(another)
    for file, problem in [
        (another, "none of the numbers"),
        (tmp_path / "absent.json", "cannot be read"),
    ]:
        out = tmp_path / "out"
        assert main(["calibrate", "--out", str(out), "--around", str(file)]) == BAD_INPUT
        said = capsys.readouterr().err.replace("\n", "")
        assert file.name in said
        assert problem in said
        assert not out.exists()


def test_sets_come_in_mirrored_pairs_that_share_their_patients(tmp_path: Path) -> None:
    problem = quadratic()
    journal = Journal(tmp_path / "journal", {"seed": 1})
    search(problem, journal, seed=1, jobs=1, waves=WAVES[:1], begin=MIDDLE)  # type: ignore[arg-type]
    tried = journal.of_wave(0)[: -1 - len(DAMPINGS)]
    assert len(tried) == 25
    shares = np.array([one.shares for one in tried])
    inside = ((shares > 0.02) & (shares < 0.98)).all(axis=1)
    luck = np.array([one.outputs for one in tried])[:, 0] - shares[:, 0]
    for first in range(0, 24, 2):
        assert luck[first] == pytest.approx(luck[first + 1], abs=1e-3)  # values are rounded
        if inside[first : first + 2].all():
            assert shares[first] + shares[first + 1] == pytest.approx([1.0, 1.0, 1.0])
    assert inside.sum() > 10
    assert len(np.unique(np.round(luck[::2], 3))) > 5


def test_the_search_goes_on_from_the_best_of_the_centre_and_what_the_emulator_names(tmp_path: Path) -> None:
    problem = quadratic()
    journal = Journal(tmp_path / "journal", {"seed": 1})
    search(problem, journal, seed=1, jobs=1, waves=WAVES[:2], begin=MIDDLE)  # type: ignore[arg-type]
    named = journal.of_wave(0)[-1 - len(DAMPINGS) :]
    assert {one.patients for one in named} == {50}
    shares, outputs = (np.array([getattr(one, name) for one in named]) for name in ("shares", "outputs"))
    went = np.mean([one.shares for one in journal.of_wave(1)[:2]], axis=0)
    assert shares[0] == pytest.approx([0.5, 0.5, 0.5])
    away = np.sqrt(((shares - shares[0]) ** 2).sum(axis=1))
    assert (np.diff(away) > -1e-3).all()  # the more it is trusted the farther it goes
    luck = outputs[:, 0] - shares[:, 0]
    assert np.ptp(luck) < 1e-3  # the same patients for all
    (place,) = np.flatnonzero(np.isclose(shares, went).all(axis=1))
    losses = problem.losses(shares, outputs)
    assert losses[place] == losses.min() < losses[0]
    assert centre_of(problem, journal.of_wave(0)) == pytest.approx(went)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "stop_after", [7, *(pytest.param(after, marks=pytest.mark.dear) for after in (0, 25, 28, 33, 60))]
)
def test_an_interrupted_search_goes_on_to_the_same_bytes(tmp_path: Path, stop_after: int) -> None:
    whole = Journal(tmp_path / "whole", {"seed": 1})
    search(quadratic(), whole, seed=1, jobs=1, waves=WAVES)  # type: ignore[arg-type]
    broken = Journal(tmp_path / "broken", {"seed": 1})
    with pytest.raises(KeyboardInterrupt):
        search(quadratic(stop_after), broken, seed=1, jobs=1, waves=WAVES)  # type: ignore[arg-type]
    with broken.path.open("a") as file:
        file.write('{"wave": 0, "sha')  # what a power cut leaves
    again = Journal(tmp_path / "broken", {"seed": 1})
    assert len(again) == stop_after
    search(quadratic(), again, seed=1, jobs=1, waves=WAVES)  # type: ignore[arg-type]
    assert again.path.read_bytes() == whole.path.read_bytes()


def test_a_journal_of_another_calibration_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", {"seed": 1})
    with pytest.raises(InputError, match="another problem"):
        Journal(tmp_path / "journal", {"seed": 2})
    (tmp_path / "journal").write_text("no json\n")
    with pytest.raises(InputError, match="another problem"):
        Journal(tmp_path / "journal", {"seed": 1})


def test_a_journal_with_a_line_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(json.dumps({"seed": 1}) + '\n{"wave": 0}\n')
    with pytest.raises(InputError, match="no journal of a calibration"):
        Journal(path, {"seed": 1})
    assert path.read_text().endswith('{"wave": 0}\n')


def test_a_journal_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(json.dumps({"seed": 1}).encode() + b"\n\xff\xfe\n")
    with pytest.raises(InputError, match="no journal of a calibration"):
        Journal(path, {"seed": 1})
    with pytest.raises(InputError, match="no journal of a calibration"):
        journalled(path, "")


def test_two_calibrations_do_not_write_to_one_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with exclusive(tmp_path):
        assert main(["calibrate", "--out", str(tmp_path)]) == BAD_INPUT
    assert "is writing here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.dear
def test_sensitivity_names_what_an_endpoint_depends_on(tmp_path: Path) -> None:
    problem = Problem.shipped()
    rng = np.random.default_rng(SEED)
    names = problem.parameters.names
    leading = names.index("growth")
    responses = sum(target.quantity == "response" for target in problem.targets)
    sets = []
    for _ in range(120):
        shares = np.clip(0.5 + 0.1 * rng.standard_normal(len(names)), 0.05, 0.95)
        moved = 3 * (shares[leading] - 0.5) + 0.3 * (shares[0 if leading else 1] - 0.5)
        rates = 0.05 * np.exp(moved * np.linspace(1, 2, len(problem.arms)))
        survival = np.exp(-np.outer(rates, HALFWAY)).ravel()
        others = 0.5 + 0.1 * moved * np.ones(len(problem.prevalences) + len(problem.ki67) + responses)
        outputs = np.concatenate([survival, others])
        outputs += 0.01 * rng.standard_normal(len(outputs))
        sets.append(
            Tried(wave=0, shares=shares.tolist(), patients=9, seed=len(sets), outputs=outputs.tolist())
        )
    table = sensitivity(problem, sets, seed=1)
    best = table.sort("total", descending=True).group_by("endpoint", maintain_order=True).first()
    assert set(best["parameter"]) == {"growth"}
    assert best.height > 8
    draw_sensitivity(table, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_what_is_no_journal_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("link")
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "link", "pipe"):
        with pytest.raises(InputError, match=f"{name}: cannot be read"):
            Journal(tmp_path / name, {"seed": 1})
