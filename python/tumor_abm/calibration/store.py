"""A calibration on disk: from the search to the ensemble, resumable at any point."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import tumor_abm._core as _core
from tumor_abm.calibration.emulator import Numbers
from tumor_abm.calibration.parameters import Parameters, Plan
from tumor_abm.calibration.posterior import (
    CANDIDATES,
    PATIENTS,
    ROUNDS,
    Fit,
    centre,
    compared,
    drawn,
    fits,
    identified,
    members_of,
)
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import (
    APPROACH,
    DAMPINGS,
    IMPOSSIBLE,
    JOURNAL,
    WAVES,
    Journal,
    Tried,
    Wave,
    centre_of,
    journalled,
    patients_seed,
    search,
    tried_of,
)
from tumor_abm.calibration.sensitivity import draw_sensitivity, sensitivity
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.run.lock import exclusive
from tumor_abm.run.provenance import now

AGAIN = "again.jsonl"
ENSEMBLE = "ensemble.json"
VALUES = "values.json"
SEARCHES = "searches.csv"

Say = Callable[[str], None]
Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A finished calibration.

    Attributes
    ----------
    problem
        What was calibrated, with the rows that are predicted.
    members
        The ensemble, the best first.
    path
        Its directory.
    """

    problem: Problem
    members: list[Fit]
    path: Path

    @property
    def parameters(self) -> pl.DataFrame:
        """What was learnt of each parameter."""
        return identified(self.problem.parameters, self.members)

    @property
    def targets(self) -> pl.DataFrame:
        """Published and simulated: the median of the ensemble, its range, and the best set of it."""
        tables = [self.problem.table(member.outputs) for member in self.members]
        simulated = pl.DataFrame({str(i): table["simulated"] for i, table in enumerate(tables)})
        return (
            tables[0]
            .with_columns(
                simulated=simulated.select(pl.concat_list(pl.all()).list.median()).to_series(),
                best=tables[0]["simulated"],
                best_inside=tables[0]["inside"],
                ensemble_low=simulated.select(pl.min_horizontal(pl.all())).to_series(),
                ensemble_high=simulated.select(pl.max_horizontal(pl.all())).to_series(),
            )
            .with_columns(inside=pl.col("simulated").is_between(pl.col("low"), pl.col("high")))
        )


def calibrate(
    out: Path,
    *,
    seed: int,
    jobs: int,
    plan: Plan = "all",
    from_scratch: bool = False,
    around: Path | None = None,
    known: Sequence[Path] = (),
    waves: Sequence[Wave] | None = None,
    rounds: int = ROUNDS,
    candidates: int = CANDIDATES,
    patients: int = PATIENTS,
    progress: Progress = lambda done: None,
    say: Say = lambda message: None,
) -> Calibration:
    """Calibrate the package's model on its targets, or go on with a calibration in `out`.

    Parameters
    ----------
    out
        Directory: absent, empty, or of the same calibration.
    seed
        Names parameter sets and patients.
    jobs
        Threads.
    plan
        What is calibrated.
    from_scratch
        Begin in the middle of all plausible ranges, not around the shipped values.
    around
        Begin around the middle of the ensemble in this file instead.
    known
        Do not search: draw the ensemble from what the calibrations in these directories have simulated, which
        may have been held against other targets, but of the same trials.
    waves, rounds, candidates, patients
        How much is simulated: waves of the search (none: those of the plan); rounds of parameter sets that
        are drawn for the ensemble, how many sets, and with how many patients.
    progress
        Called with the number of parameter sets simulated.
    say
        Called with a line now and then.

    Raises
    ------
    InputError
        `around` is no ensemble, or sets nothing of what is calibrated; `known` has no simulations of the same
        trials; or `out` holds another calibration, or another process writes there.
    """
    waves = waves_of(plan, from_scratch=from_scratch, known=known) if waves is None else waves
    problem, full = Problem.shipped(plan), Problem.shipped(plan, near=True)
    identity = _identity(problem, seed, waves, from_scratch=from_scratch)
    begin = None
    if from_scratch:
        begin = np.full(len(problem.parameters), 0.5)
    elif around is not None:
        begin = _middle(problem.parameters, around)
        identity["around"] = [float(share) for share in begin]
    searched = [journalled(path / JOURNAL, problem.simulated_sha256) for path in known]
    before = [one for path in known for one in _simulated_again(problem, full, path)]
    if known:
        identity["known"] = [_sha256(path) for path in known]
    with exclusive(_made(out)):
        journal = Journal(out / JOURNAL, identity)
        search(problem, journal, seed=seed, jobs=jobs, waves=waves, begin=begin, progress=progress, say=say)
        settings = {"full": full.sha256, "rounds": rounds, "sets": candidates, "patients": patients}
        again = Journal(out / AGAIN, {**identity, "simulated": full.simulated_sha256, **settings})
        searched = searched or [list(journal)]
        tried = [*(one for of_search in searched for one in of_search), *before]
        middles = [centre_of(problem, of_search) for of_search in searched]
        for number in range(rounds):
            done = len(again.of_wave(number))
            if done < candidates:
                sets = _candidates(problem, tried, middles, candidates, seed=seed + number)
                seeds = [patients_seed(seed, len(waves) + number, place) for place in range(candidates)]
                missing = tried_of(full, sets[done:], seeds[done:], wave=number, patients=patients, jobs=jobs)
                for one in missing:
                    again.add(one)
                    progress(len(journal) + len(again))
            tried += _smaller(problem, full, again.of_wave(number))
        progress(len(journal) + len(again))
        judged = _judged(full, again.of_wave(rounds - 1), len(middles))
        compared(full.parameters, judged).write_csv(out / SEARCHES)
        found = Calibration(problem=full, members=members_of(judged), path=out)
        _write(found, plan, identity)
        matters = sensitivity(problem, tried, seed)
        matters.write_csv(out / "sensitivity.csv")
        draw_sensitivity(matters, out / "sensitivity.png")
        return found


def _candidates(
    problem: Problem, tried: Sequence[Tried], middles: Sequence[Numbers], number: int, *, seed: int
) -> Numbers:
    """Draw sets around where each search ended, as many around each."""
    each = -(-number // len(middles))
    found = [drawn(problem, tried, middle, sets=each, seed=seed) for middle in middles]
    return np.stack(found, axis=1).reshape(-1, len(problem.parameters))[:number]


def _judged(problem: Problem, tried: Sequence[Tried], searches: int) -> list[Fit]:
    """Judge sets that were drawn by turns around the ends of so many searches."""
    possible = [(one, place % searches) for place, one in enumerate(tried) if one.outputs is not None]
    if not possible:
        raise InputError(IMPOSSIBLE)
    outputs = [(problem.parameters.values(one.shares), one.outputs or []) for one, _ in possible]
    return fits(problem, outputs, [search_of for _, search_of in possible])


def _made(out: Path) -> Path:
    """Make a directory that may be there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=out) from error
    return out


def _identity(problem: Problem, seed: int, waves: Sequence[Wave], *, from_scratch: bool) -> dict[str, Any]:
    """Say what makes two calibrations the same."""
    return {
        "format": 4,
        "seed": seed,
        "sha256": problem.sha256,
        "simulated": problem.simulated_sha256,
        "from_scratch": from_scratch,
        "waves": [vars(wave) for wave in waves],
        "dampings": DAMPINGS,
    }


def _smaller(problem: Problem, full: Problem, tried: Iterable[Tried]) -> list[Tried]:
    """Take what `problem` has in common with `full` of sets that were simulated for that."""
    return [
        replace(one, outputs=None if one.outputs is None else problem.of_larger(full, one.outputs))
        for one in tried
    ]


def _simulated_again(problem: Problem, full: Problem, path: Path) -> list[Tried]:
    """Read what the calibration in `path` has simulated after its search."""
    if not (path / AGAIN).exists():
        return []
    return _smaller(problem, full, journalled(path / AGAIN, full.simulated_sha256))


def _sha256(path: Path) -> str:
    files = [file for file in (path / JOURNAL, path / AGAIN) if file.exists()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _middle(parameters: Parameters, file: Path) -> NDArray[np.float64]:
    """Where in the ranges the middle of an ensemble lies."""
    sets = [member.overrides for member in Ensemble.load(file).members]
    paths = {path for one in parameters for path in one.numbers}
    if not any(paths & numbers.keys() for numbers in sets):
        raise InputError(f"sets none of the numbers that are calibrated, such as {min(paths)}", file=file)
    return parameters.middle(sets)


def waves_of(plan: Plan, *, from_scratch: bool = False, known: Sequence[Path] = ()) -> Sequence[Wave]:
    """Waves of a plan: around the shipped values, or from scratch; none if what is known is enough."""
    if known:
        return ()
    return (*APPROACH, *WAVES[plan]) if from_scratch else WAVES[plan]


def simulations(waves: Sequence[Wave]) -> int:
    """How many parameter sets a calibration simulates."""
    return sum(wave.sets + 1 + len(DAMPINGS) for wave in waves) + ROUNDS * CANDIDATES


def _write(found: Calibration, plan: Plan, identity: Mapping[str, Any]) -> None:
    parameters = found.problem.parameters
    ensemble = Ensemble(
        members=[
            Member(overrides=parameters.overrides(member.values), loss=member.misfit)
            for member in found.members
        ],
        provenance={
            "command": f"tumor-abm calibrate --plan {plan} --seed {identity['seed']}",
            "from_scratch": identity["from_scratch"],
            "around": identity.get("around"),
            "known": identity.get("known"),
            "waves": identity["waves"],
            "version": _core.__version__,
            "made": now(),
            "problem": found.problem.sha256,
        },
    )
    if plan == "chemotherapy":
        ensemble = Ensemble.shipped().extended(ensemble, seed=identity["seed"])
    ensemble.save(found.path / ENSEMBLE)
    found.parameters.write_csv(found.path / "parameters.csv")
    found.targets.write_csv(found.path / "targets.csv")
    middle = centre(parameters, found.members)
    text = json.dumps(
        {"centre": parameters.overrides(middle), "best": parameters.overrides(found.members[0].values)}
    )
    (found.path / VALUES).write_text(text + "\n", encoding="utf-8")
