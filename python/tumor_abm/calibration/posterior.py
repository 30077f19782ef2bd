"""From the search to an ensemble of good fits, and what it says of every parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tumor_abm.calibration.parameters import Parameters
from tumor_abm.calibration.problem import IMPOSSIBLE, Evaluation, Problem
from tumor_abm.calibration.search import Tried
from tumor_abm.errors import InputError

MEMBERS = 24
CANDIDATES = 60
APART = 0.15
"""Least root-mean-square distance between members, as a share of the spread of the candidates."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A parameter set of the ensemble.

    Attributes
    ----------
    values
        By name of the parameter.
    weight
        exp(-loss / 2) tempered so that the weights are worth at least half of the members.
    evaluation
        With more patients than in the search.
    """

    values: dict[str, float]
    weight: float
    evaluation: Evaluation


def candidates(tried: Sequence[Tried], number: int = CANDIDATES) -> list[Tried]:
    """Return good parameter sets of the last stage that differ from each other.

    They are taken from the best on; one that lies too near to one taken before is passed over, so that the
    ensemble is spread over the region of good fits and not heaped on its best point.
    """
    if not tried:
        raise InputError("nothing was searched yet")
    last = max(one.stage for one in tried)
    good = sorted((one for one in tried if one.stage == last and one.loss < IMPOSSIBLE), key=lambda t: t.loss)
    half = good[: max(number, len(good) // 2)]
    points = np.array([one.shares for one in half])
    spread = np.maximum(points.std(axis=0), 1e-9)
    taken: list[int] = []
    for i in range(len(half)):
        scaled = (points[taken] - points[i]) / spread
        if not taken or float(np.sqrt((scaled**2).mean(axis=1)).min()) > APART:
            taken.append(i)
        if len(taken) == number:
            break
    return [half[i] for i in taken]


def ensemble(
    problem: Problem,
    tried: Sequence[Tried],
    *,
    patients: int,
    seed: int,
    jobs: int,
    members: int = MEMBERS,
    progress: Callable[[int, float], None] = lambda done, best: None,
) -> list[Member]:
    """Evaluate the candidates again, on other and more patients, and keep the best with weights.

    Other patients than in the search: a set that fits only those it was searched on is found out.
    """
    again = []
    best = math.inf
    for done, one in enumerate(candidates(tried), start=1):
        values = problem.parameters.values(one.shares)
        found = problem.evaluate(values, patients=patients, seed=seed, jobs=jobs, near=True)
        best = min(best, found.loss)
        again.append((values, found))
        progress(done, best)
    again.sort(key=lambda pair: pair[1].loss)
    kept = [pair for pair in again[:members] if pair[1].misfit < IMPOSSIBLE]
    weights = tempered([found.loss for _, found in kept])
    return [
        Member(values=values, weight=weight, evaluation=found)
        for (values, found), weight in zip(kept, weights, strict=True)
    ]


def tempered(losses: Sequence[float]) -> list[float]:
    """Weights exp(-loss / 2T) with mean 1; the least T >= 1 at which they are worth half of their number."""
    above = np.array(losses) - min(losses)
    temperature = 1.0
    while True:
        weights = np.exp(-above / (2 * temperature))
        worth = float(weights.sum() ** 2 / (weights**2).sum())
        if worth >= len(losses) / 2:
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
