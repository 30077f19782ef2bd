"""From the search to an ensemble of good fits, and what it says of every parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tumor_abm.calibration.emulator import Emulator, Numbers
from tumor_abm.calibration.parameters import Parameters
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Tried, best_emulated, emulated_loss, emulator

MEMBERS = 12
CANDIDATES = 24
PATIENTS = 200

_CHAINS = 60
_STEPS = 3_000


@dataclass(frozen=True, kw_only=True)
class Member:
    """A parameter set of the ensemble.

    Attributes
    ----------
    values
        By name of the parameter.
    weight
        exp(-misfit / 2), tempered so that the weights are worth at least half of the members; mean 1.
    misfit
        With more patients than in the search, and other ones.
    outputs
        What they gave (`Problem.simulate`).
    """

    values: dict[str, float]
    weight: float
    misfit: float
    outputs: list[float]


def drawn(problem: Problem, tried: Sequence[Tried], *, sets: int, seed: int) -> Numbers:
    """Draw parameter sets from the posterior of the emulator, the best one first.

    Metropolis chains with steps along differences of other chains (ter Braak 2006, Stat Comput 16:239),
    which take the scale and the direction of the posterior from the chains themselves.
    """
    learnt, points = emulator(problem, tried)
    _, best = best_emulated(problem, learnt, points, seed)
    rng = np.random.default_rng([seed, 1])
    chains = np.clip(best + 0.02 * rng.standard_normal((max(_CHAINS, sets), len(best))), 0.01, 0.99)
    losses = emulated_loss(problem, learnt, points, chains)
    for step in range(_STEPS):
        chains, losses = _moved(problem, learnt, points, chains, losses, rng, whole=step % 10 == 0)
    taken = rng.permutation(len(chains))[: sets - 1]
    found: Numbers = np.vstack([best, chains[taken]])
    return found


def _moved(
    problem: Problem,
    learnt: Emulator,
    points: Numbers,
    chains: Numbers,
    losses: Numbers,
    rng: np.random.Generator,
    *,
    whole: bool,
) -> tuple[Numbers, Numbers]:
    """One step of every chain; `whole` tries the full difference, which carries chains between modes."""
    number, parameters = chains.shape
    one, other = rng.integers(1, number, (2, number))
    here = np.arange(number)
    scale = 1.0 if whole else 2.38 / math.sqrt(2 * parameters)
    step = scale * (chains[(here + one) % number] - chains[(here + other) % number])
    proposed = chains + step + 1e-3 * rng.standard_normal(chains.shape)
    inside = ((proposed > 0.005) & (proposed < 0.995)).all(axis=1)
    expected = np.where(inside, emulated_loss(problem, learnt, points, np.clip(proposed, 0, 1)), np.inf)
    accepted = np.log(rng.random(number)) < (losses - expected) / 2
    return np.where(accepted[:, None], proposed, chains), np.where(accepted, expected, losses)


def members_of(problem: Problem, outputs: Sequence[tuple[dict[str, float], list[float]]]) -> list[Member]:
    """Keep the best of simulated parameter sets, with weights; the best first."""
    misfits = problem.misfits(np.array([output for _, output in outputs]))
    order = np.argsort(misfits, kind="stable")[:MEMBERS]
    weights = tempered([float(misfits[i]) for i in order])
    return [
        Member(values=outputs[i][0], weight=weight, misfit=float(misfits[i]), outputs=outputs[i][1])
        for i, weight in zip(order, weights, strict=True)
    ]


def tempered(misfits: Sequence[float]) -> list[float]:
    """Return weights exp(-misfit / 2T) of mean 1, with the least T >= 1 at which they are worth half."""
    above = np.array(misfits) - min(misfits)
    temperature = 1.0
    while True:
        weights = np.exp(-above / (2 * temperature))
        worth = float(weights.sum() ** 2 / (weights**2).sum())
        if worth >= len(misfits) / 2:
            return [float(weight) for weight in weights / weights.mean()]
        temperature *= 1.1


def centre(parameters: Parameters, members: Sequence[Member]) -> dict[str, float]:
    """Weighted mean of the members, each parameter on its scale."""
    weights = np.array([member.weight for member in members])
    shares = np.array([[one.share(member.values[one.name]) for one in parameters] for member in members])
    return parameters.values((weights[:, None] * shares).sum(axis=0) / weights.sum())


def identified(parameters: Parameters, members: Sequence[Member]) -> pl.DataFrame:
    """How far the fit narrows every parameter.

    Returns
    -------
    polars.DataFrame
        A row per parameter: range, median and 10th to 90th percentile of the ensemble, width of the ensemble
        over the width of an even distribution on the range (1: nothing was learnt), whether the median is
        at the edge of the range, and the parameter it correlates with most.
    """
    shares = np.array([[one.share(member.values[one.name]) for one in parameters] for member in members])
    even = 1 / math.sqrt(12)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.nan_to_num(np.corrcoef(shares.T))
    np.fill_diagonal(correlations, 0.0)
    rows = []
    for i, one in enumerate(parameters):
        low, middle, high = (one.value(float(q)) for q in np.quantile(shares[:, i], [0.1, 0.5, 0.9]))
        partner = int(np.abs(correlations[i]).argmax())
        rows.append(
            {
                "parameter": one.name,
                "label": one.label,
                "unit": one.unit,
                "range_low": one.low,
                "range_high": one.high,
                "p10": low,
                "median": middle,
                "p90": high,
                "width": float(shares[:, i].std(ddof=1)) / even,
                "at_edge": one.at_edge(middle),
                "correlates_with": parameters[partner].name,
                "correlation": float(correlations[i, partner]),
            }
        )
    return pl.DataFrame(rows)
