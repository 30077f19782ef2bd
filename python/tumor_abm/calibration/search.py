"""The search: an evolution strategy whose every evaluation is on disk, so that it can stop at any point.

CMA-ES (Hansen 2016, arXiv:1604.00772) as the library ``cmaes`` has it: it asks for parameter sets near
where the good ones were, and learns their covariances. It is deterministic in its seed and in the losses it is
told; going on means to tell it the losses of the journal again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cmaes import CMA
from numpy.typing import NDArray

from tumor_abm.calibration.problem import Problem
from tumor_abm.errors import InputError

JOURNAL = "evaluations.jsonl"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the search.

    Attributes
    ----------
    generations
        Generations of the evolution strategy.
    patients
        Patients of every cohort: few early, many late.
    sigma
        Width of the first generation, as a share of the ranges; of later stages, the least width.
    """

    generations: int
    patients: int
    sigma: float


STAGES = (
    Stage(generations=60, patients=48, sigma=0.15),
    Stage(generations=40, patients=96, sigma=0.05),
    Stage(generations=20, patients=200, sigma=0.02),
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A parameter set and its loss.

    Attributes
    ----------
    stage, generation
        When it was tried.
    shares
        Where in the ranges its parameters lie, 0 to 1.
    loss, misfit
        With and without the prior.
    """

    stage: int
    generation: int
    shares: list[float]
    loss: float
    misfit: float


class Journal:
    """Evaluations on disk, in order; a line broken off by an interruption is forgotten."""

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
        lines = self.path.read_text(encoding="utf-8").split("\n")
        whole, broken = lines[:-1], lines[-1]
        if not whole or json.loads(whole[0]) != self._identity:
            raise InputError(
                "holds a calibration of another problem, seed or version; name another directory",
                file=self.path.parent,
            )
        self._tried = [Tried(**json.loads(line)) for line in whole[1:]]
        if broken:
            self.path.write_text("\n".join(whole) + "\n", encoding="utf-8")

    def __iter__(self) -> Iterator[Tried]:
        return iter(self._tried)

    def __len__(self) -> int:
        return len(self._tried)

    def __getitem__(self, index: int) -> Tried:
        return self._tried[index]

    def add(self, tried: Tried) -> None:
        """Keep an evaluation."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(vars(tried)) + "\n")
        self._tried.append(tried)


def search(
    problem: Problem,
    journal: Journal,
    *,
    seed: int,
    jobs: int,
    stages: tuple[Stage, ...] = STAGES,
    progress: Callable[[int, float], None] = lambda done, best: None,
) -> list[Tried]:
    """Search for parameter sets with a small loss.

    Parameters
    ----------
    journal
        Where evaluations are kept, and those of an interrupted search are found.
    progress
        Called with the number of evaluations done and the best loss of the stage.

    Returns
    -------
    list of Tried
        All evaluations, in order.
    """
    mean, width, covariance = np.clip(problem.parameters.start(), 0.02, 0.98), stages[0].sigma, None
    done = 0
    for number, stage in enumerate(stages):
        strategy = CMA(
            mean=mean,
            sigma=max(width, stage.sigma) if number else stage.sigma,
            bounds=np.tile([0.0, 1.0], (len(mean), 1)),
            seed=seed + number,
            population_size=population_size(len(mean)),
            cov=covariance,
        )
        best = np.inf
        for generation in range(stage.generations):
            told: list[tuple[NDArray[np.float64], float]] = []
            for _ in range(strategy.population_size):
                shares = strategy.ask()
                if done < len(journal):
                    tried = journal[done]
                    if not np.allclose(tried.shares, shares, atol=1e-9):
                        raise InputError("does not belong to this search", file=journal.path)
                else:
                    tried = _try(problem, shares, number, generation, stage.patients, seed, jobs)
                    journal.add(tried)
                done += 1
                best = min(best, tried.loss)
                progress(done, best)
                told.append((shares, tried.loss))
            strategy.tell(told)
        mean = np.clip(strategy.mean, 0.0, 1.0)
        # The new stage keeps what was learnt of the shape, with the scale of it in `width`.
        covariance, width = _shape(strategy), float(strategy._sigma)
    return list(journal)


def evaluations(parameters: int, stages: tuple[Stage, ...] = STAGES) -> int:
    """How many evaluations a whole search takes."""
    return sum(stage.generations for stage in stages) * population_size(parameters)


def population_size(parameters: int) -> int:
    """Parameter sets of a generation (Hansen's default)."""
    return 4 + int(3 * np.log(parameters))


def _shape(strategy: CMA) -> NDArray[np.float64]:
    covariance: NDArray[np.float64] = strategy._C
    return (covariance + covariance.T) / 2


def _try(
    problem: Problem,
    shares: NDArray[np.float64],
    stage: int,
    generation: int,
    patients: int,
    seed: int,
    jobs: int,
) -> Tried:
    values = problem.parameters.values(shares)
    found = problem.evaluate(values, patients=patients, seed=seed, jobs=jobs)
    return Tried(
        stage=stage,
        generation=generation,
        shares=[float(share) for share in shares],
        loss=found.loss,
        misfit=found.misfit,
    )
