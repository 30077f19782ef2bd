"""The search: waves of simulated parameter sets, from which an emulator learns where to go.

A wave is a cloud of parameter sets around a centre; it is simulated, the emulator learns, and names the best
that it expects, the nearer the less it is trusted (Levenberg 1944, Q Appl Math 2:164; Marquardt 1963, J SIAM
11:431). It promises too much: a cloud in many dimensions is thin in every direction. So what it names is
simulated for several degrees of trust, and the centre, too, with more patients, the same for all; the best of
them is the centre of the next wave. The first cloud lies around the shipped values, around the middle of an
ensemble, or, in a search from scratch, around that of the plausible ranges, from where it takes more waves.
Each simulation is on disk as soon as it is done. A wave is drawn from the seed and the waves before it alone,
so an interrupted search goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from tumor_abm._base.files import read_text
from tumor_abm._base.seeds import stream
from tumor_abm.calibration.emulator import Emulator, Numbers
from tumor_abm.calibration.parameters import Plan
from tumor_abm.calibration.problem import Problem
from tumor_abm.errors import InputError

JOURNAL = "simulated.jsonl"

_NO_JOURNAL = "holds what is no journal of a calibration"

IMPOSSIBLE = "no parameter set could be simulated: the ranges hold only impossible tumours"

_GLANCE_S = 0.1
_EDGE = 0.01
"""Proposals stay so far, as a share of the range, from its ends."""
DAMPINGS = (30.0, 10.0, 3.0, 1.0, 0.3)
"""Loss of one `_STEP` along one parameter: how little an emulator is trusted away from its middle."""
_STEP = 0.08
_FARTHEST = 2.5
"""Steps along one parameter at most."""
_SLIGHTLY = 1e-4
_ITERATIONS = 60


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A cloud of parameter sets.

    Attributes
    ----------
    sets
        How many.
    patients
        Patients of every cohort.
    width
        Standard deviation around the centre, as a share of the ranges.
    named
        Patients of every cohort for each set that the emulator names.
    """

    sets: int
    patients: int
    width: float
    named: int


WAVES: Mapping[Plan, Sequence[Wave]] = {
    "all": tuple(Wave(sets=240, patients=16, width=width, named=128) for width in (0.08, 0.07, 0.06)),
    "chemotherapy": tuple(Wave(sets=60, patients=24, width=width, named=96) for width in (0.14, 0.1, 0.08)),
}
APPROACH: Sequence[Wave] = tuple(Wave(sets=120, patients=12, width=0.1, named=64) for _ in range(8))
"""Before these when a search starts from scratch: a narrow cloud would not show where the long way goes."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A parameter set that was simulated.

    Attributes
    ----------
    wave
        Number of its wave, from 0.
    shares
        Where in the ranges its parameters lie, 0 to 1.
    patients, seed
        How many it was simulated with, and which.
    outputs
        What the simulation gave (`Problem.simulate`); none if it could not be simulated.
    """

    wave: int
    shares: list[float]
    patients: int
    seed: int
    outputs: list[float] | None


class Journal:
    """Simulated sets on disk, in order; a line broken off by an interruption is forgotten."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self._identity = json.loads(json.dumps(identity))
        self._tried: list[Tried] = []
        try:
            if path.exists():
                self._read()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(self._identity) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot be read or written: {error.strerror}", file=path) from error

    def _read(self) -> None:
        try:
            *whole, broken = read_text(self.path).split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{_NO_JOURNAL}: {error}", file=self.path) from error
        if not whole or whole[0] != json.dumps(self._identity):
            problem = "holds a calibration of another problem, seed or version; name another directory"
            raise InputError(problem, file=self.path.parent)
        self._tried = _parsed(whole[1:], self.path)
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


def journalled(path: Path, simulated: str) -> list[Tried]:
    """Read the sets of a journal of another calibration.

    Parameters
    ----------
    simulated
        `Problem.simulated_sha256` of what it must have simulated.

    Raises
    ------
    InputError
        There is no such file, or it holds simulations of something else.
    """
    try:
        head, *whole, _ = read_text(path).split("\n")
        identity = json.loads(head)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from error
    except ValueError as error:
        raise InputError(_NO_JOURNAL, file=path) from error
    found = _parsed(whole, path)
    if not isinstance(identity, dict) or identity.get("simulated") != simulated:
        problem = "holds simulations of other parameters, ranges, fixed numbers or trials"
        raise InputError(problem, file=path)
    return found


def _parsed(lines: Sequence[str], path: Path) -> list[Tried]:
    try:
        return [Tried(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise InputError(_NO_JOURNAL, file=path) from error


def search(
    problem: Problem,
    journal: Journal,
    *,
    seed: int,
    jobs: int,
    waves: Sequence[Wave],
    begin: Numbers | None = None,
    progress: Callable[[int], None] = lambda done: None,
    say: Callable[[str], None] = lambda message: None,
) -> None:
    """Simulate what `journal` lacks of all waves.

    Parameters
    ----------
    begin
        Shares of the ranges around which the first wave lies; none: those of the shipped values.
    progress
        Called with the number of parameter sets simulated.
    say
        Called with a line after each wave.
    """
    done = 0
    centre = np.clip(problem.parameters.start() if begin is None else begin, _EDGE, 1 - _EDGE)

    def simulate(number: int, sets: Numbers, patients: int, seeds: Sequence[int]) -> list[Tried]:
        """Simulate what the journal lacks of the next sets of a wave."""
        nonlocal done
        known = len(journal) - done
        missing = tried_of(problem, sets[known:], seeds[known:], wave=number, patients=patients, jobs=jobs)
        for place, one in enumerate(missing, start=known):
            journal.add(one)
            progress(done + place + 1)
        done += len(sets)
        progress(done)
        return list(journal)[done - len(sets) : done]

    for number, wave in enumerate(waves):
        cloud = _cloud(wave, centre, stream(seed, number))
        # Both sets of a pair live with the same patients: chance in these cancels between them. Other pairs
        # live with others, so that the emulator averages over patients, too.
        seeds = [patients_seed(seed, number, place // 2) for place in range(wave.sets)]
        tried = simulate(number, cloud, wave.patients, seeds)
        say(f"wave {number + 1} of {len(waves)}: {_summary(problem, tried)}")
        known = learnt(problem, list(journal)[:done], centre)
        named = np.vstack([centre, *(known.best(damping) for damping in DAMPINGS)])
        tried = simulate(number, named, wave.named, [patients_seed(seed, number, wave.sets)] * len(named))
        shares, outputs = _possible(tried)
        if len(shares):
            losses = problem.losses(shares, outputs)
            centre = shares[losses.argmin()]
            say(f"  the centre and what is named: {', '.join(f'{loss:.0f}' for loss in losses)}")


def centre_of(problem: Problem, tried: Sequence[Tried]) -> Numbers:
    """Return where a search ended: the best set of its last wave, of those with most patients."""
    possible = [one for one in tried if one.outputs is not None]
    if not possible:
        raise InputError(IMPOSSIBLE)
    last = [one for one in possible if one.wave == possible[-1].wave]
    most = max(one.patients for one in last)
    shares, outputs = _possible([one for one in last if one.patients == most])
    found: Numbers = shares[problem.losses(shares, outputs).argmin()]
    return found


def tried_of(
    problem: Problem, sets: Numbers, seeds: Sequence[int], *, wave: int, patients: int, jobs: int
) -> Iterator[Tried]:
    """Simulate parameter sets of a wave, as many at a time as there are threads; yield them in order.

    Parameters
    ----------
    sets
        Shares of the ranges, a row per set.
    seeds
        Of each: which patients live.
    """

    def tried(shares: list[float], seed: int) -> Tried:
        values = problem.parameters.values(shares)
        outputs = problem.simulate(values, patients=patients, seed=seed, jobs=1)
        return Tried(wave=wave, shares=shares, patients=patients, seed=seed, outputs=outputs)

    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="set")
    try:
        waiting = zip([[float(share) for share in row] for row in sets], seeds, strict=True)
        running: deque[Future[Tried]] = deque()
        while True:
            running.extend(pool.submit(tried, *one) for one in islice(waiting, 2 * jobs - len(running)))
            if not running:
                return
            # polars' handler of Ctrl-C lets what waits for a lock wait on, so this wakes up by itself.
            if wait([running[0]], timeout=_GLANCE_S).done:
                yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def patients_seed(seed: int, wave: int, place: int) -> int:
    """Seed of the patients that a pair of sets of a wave is simulated with."""
    return (seed * 1_000 + wave) * 100_000 + place


@dataclass(frozen=True)
class Learnt:
    """What is known from simulated sets.

    Attributes
    ----------
    problem
        What they are held against.
    emulator
        Of them, around its middle.
    points
        These parameter sets, best first.
    """

    problem: Problem
    emulator: Emulator
    points: Numbers

    def losses(self, shares: Numbers, damping: float = 1.0) -> Numbers:
        """Loss by the emulator, a row of `shares` per parameter set; more, away from where it is made for."""
        away = (shares - self.emulator.middle) / _STEP
        expected = self.problem.losses(shares, self.emulator.predict(shares))
        found: Numbers = expected + damping * (away**2).sum(axis=1)
        return found

    def best(self, damping: float = 1.0) -> Numbers:
        """Return the parameter set at which the least loss is expected."""
        middle = self.emulator.middle
        steps = np.vstack([np.zeros_like(middle), _SLIGHTLY * np.eye(len(middle))])

        def loss_and_slope(shares: Numbers) -> tuple[float, Numbers]:
            losses = self.losses(shares + steps, damping)
            return float(losses[0]), (losses[1:] - losses[0]) / _SLIGHTLY

        low = np.clip(middle - _FARTHEST * _STEP, _EDGE, 1 - _EDGE)
        high = np.clip(middle + _FARTHEST * _STEP, _EDGE, 1 - _EDGE)
        found = minimize(
            loss_and_slope,
            np.clip(middle, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=np.stack([low, high], axis=1),
            options={"maxiter": _ITERATIONS},
        )
        best: Numbers = np.clip(found.x, low, high)
        return best


def learnt(problem: Problem, tried: Sequence[Tried], middle: Numbers | None = None) -> Learnt:
    """Learn from what was simulated.

    Parameters
    ----------
    middle
        Where the emulator is made for; none: in the middle of the best fifth.
    """
    known = [one for one in tried if one.outputs is not None]
    if not known:
        raise InputError(IMPOSSIBLE)
    shares, outputs = _possible(known)
    best = np.argsort(problem.losses(shares, outputs), kind="stable")
    if middle is None:
        middle = shares[best[: max(len(best) // 5, 1)]].mean(axis=0)
    patients, seeds = (np.array([getattr(one, name) for one in known]) for name in ("patients", "seed"))
    emulator = Emulator(
        shares, outputs, middle=middle, patients=patients, seeds=seeds, relevant=problem.relevant
    )
    return Learnt(problem, emulator, shares[best])


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
