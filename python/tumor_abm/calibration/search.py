"""The search: waves of simulated parameter sets, each proposed by an emulator of all sets before it.

A wave is a cloud of parameter sets around the best that the emulator knows; it is simulated, the emulator
learns, and the next cloud is smaller and better placed. The first cloud lies around the shipped values, or,
in a search from scratch, around the middle of the plausible ranges, from where it takes more waves: over all
of the ranges no emulator is of use. Each simulation is on disk as soon as it is done. A wave is drawn from
the seed and the waves before it alone, so an interrupted search goes on as if nothing had happened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cmaes import CMA

from tumor_abm.calibration.emulator import Emulator, Numbers
from tumor_abm.calibration.parameters import Plan
from tumor_abm.calibration.problem import Problem
from tumor_abm.errors import InputError

JOURNAL = "simulated.jsonl"

_EDGE = 0.01
"""Proposals stay so far, as a share of the range, from its ends."""
_LEARNT_FROM = 400
"""Latest sets that an emulator is made of: it need not know where nobody goes any more."""
_NEAR = 0.4
"""Distance (root mean square, in standard deviations of the sets) within which an emulator is trusted.

Farther off it promises more than the simulation keeps.
"""
_DISTRUST = 500.0
_STRATEGY = {"population": 40, "generations": 150, "starts": 2, "sigma": 0.05}


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A cloud of parameter sets.

    Attributes
    ----------
    sets
        How many.
    patients
        Patients of every cohort: few early, many late.
    width
        Standard deviation around the centre, as a share of the ranges.
    """

    sets: int
    patients: int
    width: float


WAVES: Mapping[Plan, Sequence[Wave]] = {
    "endocrine": (
        Wave(sets=90, patients=24, width=0.06),
        Wave(sets=80, patients=32, width=0.05),
        Wave(sets=50, patients=48, width=0.045),
        Wave(sets=60, patients=48, width=0.04),
    ),
    "chemotherapy": (
        Wave(sets=40, patients=24, width=0.15),
        Wave(sets=30, patients=32, width=0.1),
        Wave(sets=24, patients=48, width=0.06),
    ),
}
APPROACH: Sequence[Wave] = tuple(
    Wave(sets=64, patients=12, width=width) for width in (0.15, 0.12, 0.12, 0.1, 0.1, 0.08, 0.08, 0.06)
)
"""Before these when a search starts from scratch."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A parameter set that was simulated.

    Attributes
    ----------
    wave
        Number of its wave, from 0.
    shares
        Where in the ranges its parameters lie, 0 to 1.
    outputs
        What the simulation gave (`Problem.outputs`); none if it could not be simulated.
    """

    wave: int
    shares: list[float]
    outputs: list[float] | None


class Journal:
    """Simulated sets on disk, in order; a line broken off by an interruption is forgotten."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self._identity = json.loads(json.dumps(identity))
        self._tried: list[Tried] = []
        if path.exists():
            self._read()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self._identity) + "\n", encoding="utf-8")

    def _read(self) -> None:
        *whole, broken = self.path.read_text(encoding="utf-8").split("\n")
        if not whole or whole[0] != json.dumps(self._identity):
            problem = "holds a calibration of another problem, seed or version; name another directory"
            raise InputError(problem, file=self.path.parent)
        self._tried = [Tried(**json.loads(line)) for line in whole[1:]]
        if broken:
            self.path.write_text("\n".join(whole) + "\n", encoding="utf-8")

    def __iter__(self) -> Iterator[Tried]:
        return iter(self._tried)

    def __len__(self) -> int:
        return len(self._tried)

    def of_wave(self, number: int) -> list[Tried]:
        """Return the sets of one wave."""
        return [tried for tried in self if tried.wave == number]

    def add(self, tried: Tried) -> None:
        """Keep a set."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(vars(tried)) + "\n")
        self._tried.append(tried)


def search(
    problem: Problem,
    journal: Journal,
    *,
    seed: int,
    jobs: int,
    waves: Sequence[Wave],
    from_scratch: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    say: Callable[[str], None] = lambda message: None,
) -> None:
    """Simulate what `journal` lacks of all waves.

    Parameters
    ----------
    from_scratch
        The first wave lies around the middle of the ranges, not around the shipped values.
    progress
        Called with the number of parameter sets simulated.
    say
        Called with a line after each wave.
    """
    done = 0
    for number, wave in enumerate(waves):
        known = journal.of_wave(number)
        if len(known) < wave.sets:
            centre = _centre(
                problem, [tried for tried in journal if tried.wave < number], seed + number, from_scratch
            )
            cloud = _cloud(wave, centre, np.random.default_rng([seed, number]))
            for place in range(len(known), wave.sets):
                progress(done + place)
                # Both sets of a pair live with the same patients: chance in these cancels between them. Other
                # pairs live with others, so that the emulator averages over patients, too.
                outputs = problem.simulate(
                    problem.parameters.values(cloud[place]),
                    patients=wave.patients,
                    seed=patients_seed(seed, number, place // 2),
                    jobs=jobs,
                )
                journal.add(Tried(wave=number, shares=[float(x) for x in cloud[place]], outputs=outputs))
        done += wave.sets
        progress(done)
        say(f"wave {number + 1} of {len(waves)}: {_summary(problem, journal.of_wave(number))}")


def _centre(problem: Problem, before: Sequence[Tried], seed: int, from_scratch: bool) -> Numbers:
    """Where a wave lies: at the best of the emulator, or, without sets before, where the search begins."""
    if before:
        learnt, points = emulator(problem, before)
        return best_emulated(problem, learnt, points, seed)[1]
    start = problem.parameters.start()
    begun: Numbers = np.full_like(start, 0.5) if from_scratch else np.clip(start, _EDGE, 1 - _EDGE)
    return begun


def patients_seed(seed: int, wave: int, place: int) -> int:
    """Seed of the patients that a pair of sets of a wave is simulated with."""
    return (seed * 1_000 + wave) * 100_000 + place


def emulator(problem: Problem, tried: Sequence[Tried]) -> tuple[Emulator, Numbers]:
    """Return an emulator of the latest of `tried`, and their parameter sets, best first."""
    shares, outputs = (found[-_LEARNT_FROM:] for found in _possible(tried))
    if not len(shares):
        raise InputError("no parameter set could be simulated: the ranges hold only impossible tumours")
    best = np.argsort(problem.losses(shares, outputs), kind="stable")
    return Emulator(shares[best], outputs[best]), shares[best]


def emulated_loss(problem: Problem, learnt: Emulator, points: Numbers, shares: Numbers) -> Numbers:
    """Loss by the emulator, with a fence where it knows nothing; a row of `shares` per parameter set."""
    middle = points[: max(len(points) // 5, 1)].mean(axis=0)
    standard = (shares - middle) / np.maximum(points.std(axis=0), 1e-9)
    beyond = np.maximum(np.sqrt((standard**2).mean(axis=1)) - _NEAR, 0.0)
    fenced: Numbers = problem.losses(shares, learnt.predict(shares)) + _DISTRUST * beyond**2
    return fenced


def best_emulated(problem: Problem, learnt: Emulator, points: Numbers, seed: int) -> tuple[float, Numbers]:
    """Loss and parameter set at which the emulator expects the least loss."""
    best = (math.inf, points[0])
    for start in range(min(int(_STRATEGY["starts"]), len(points))):
        middle = points[: max(len(points) // 5, 1)].mean(axis=0)
        strategy = _strategy(middle, _STRATEGY["sigma"], int(_STRATEGY["population"]), seed + start)
        for _ in range(int(_STRATEGY["generations"])):
            asked = np.array([strategy.ask() for _ in range(strategy.population_size)])
            losses = emulated_loss(problem, learnt, points, asked)
            strategy.tell(list(zip(asked, losses, strict=True)))
            place = int(losses.argmin())
            if losses[place] < best[0]:
                best = (float(losses[place]), asked[place])
    return best


def _possible(tried: Sequence[Tried]) -> tuple[Numbers, Numbers]:
    """Shares and outputs of the sets that could be simulated."""
    found = [one for one in tried if one.outputs is not None]
    return np.array([one.shares for one in found]), np.array([one.outputs for one in found])


def _summary(problem: Problem, tried: Sequence[Tried]) -> str:
    shares, outputs = _possible(tried)
    if not len(shares):
        return "no set could be simulated"
    losses = problem.losses(shares, outputs)
    impossible = len(tried) - len(losses)
    lost = f", {impossible} impossible" if impossible else ""
    return f"loss {losses.min():.0f} at best, {np.median(losses):.0f} in the middle{lost}"


def _cloud(wave: Wave, centre: Numbers, rng: np.random.Generator) -> Numbers:
    """Draw the parameter sets of a wave, a row each: pairs that mirror each other at the centre."""
    steps = wave.width * rng.standard_normal((-(-wave.sets // 2), len(centre)))
    pairs = np.stack([centre + steps, centre - steps], axis=1).reshape(-1, len(centre))
    return np.clip(pairs[: wave.sets], _EDGE, 1 - _EDGE)


def _strategy(mean: Numbers, sigma: float, sets: int, seed: int) -> CMA:
    bounds = np.tile([_EDGE, 1 - _EDGE], (len(mean), 1))
    inside = np.clip(mean, 2 * _EDGE, 1 - 2 * _EDGE)
    return CMA(mean=inside, sigma=sigma, bounds=bounds, seed=seed, population_size=sets)
