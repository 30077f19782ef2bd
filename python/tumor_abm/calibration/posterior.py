"""From the search to an ensemble of good fits, and what it says of every parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tumor_abm._base.seeds import stream
from tumor_abm.calibration.emulator import Numbers
from tumor_abm.calibration.parameters import Parameters
from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Learnt, Tried, learnt

MEMBERS = 12
ROUNDS = 2
"""Times that sets are drawn from the posterior and simulated; the emulator learns from each round."""
CANDIDATES = 24
"""Sets of a round."""
PATIENTS = 150

_CHAINS = 60
_STEPS = 3_000


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A parameter set of the ensemble.

    Attributes
    ----------
    values
        By name of the parameter.
    misfit
        With more patients than in the search, and other ones.
    outputs
        What they gave (`Problem.simulate`).
    search
        Around the end of which search it was drawn, from 0.
    """

    values: dict[str, float]
    misfit: float
    outputs: list[float]
    search: int = 0


def drawn(problem: Problem, tried: Sequence[Tried], middle: Numbers, *, sets: int, seed: int) -> Numbers:
    """Draw parameter sets from the posterior of the emulator around a middle, the best one first.

    Metropolis chains with steps along differences of other chains (ter Braak 2006, Stat Comput 16:239),
    which take the scale and the direction of the posterior from the chains themselves.

    Parameters
    ----------
    middle
        Where in the ranges a search ended.
    sets
        How many.
    seed
        Names them.
    """
    known = learnt(problem, tried, middle)
    best = known.best()
    rng = stream(seed, 1)
    chains = np.clip(best + 0.02 * rng.standard_normal((max(_CHAINS, sets), len(best))), 0.01, 0.99)
    losses = known.losses(chains)
    for step in range(_STEPS):
        chains, losses = _moved(known, chains, losses, rng, whole=step % 10 == 0)
    taken = rng.permutation(len(chains))[: sets - 1]
    found: Numbers = np.vstack([best, chains[taken]])
    return found


def _moved(
    known: Learnt,
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
    expected = np.where(inside, known.losses(np.clip(proposed, 0, 1)), np.inf)
    accepted = np.log(rng.random(number)) < (losses - expected) / 2
    return np.where(accepted[:, None], proposed, chains), np.where(accepted, expected, losses)


def fits(
    problem: Problem, outputs: Sequence[tuple[dict[str, float], list[float]]], searches: Sequence[int]
) -> list[Fit]:
    """Judge simulated parameter sets, the best first; `searches` says from which search each is."""
    misfits = problem.misfits(np.array([output for _, output in outputs]))
    return [
        Fit(values=outputs[i][0], misfit=float(misfits[i]), outputs=outputs[i][1], search=searches[i])
        for i in np.argsort(misfits, kind="stable")
    ]


def members_of(found: Sequence[Fit]) -> list[Fit]:
    """Keep the best sets, as many of each search, the best first.

    They count alike: good fits are already drawn more often, and to weigh them would count the data twice.
    Searches count alike, too: where they end differently the trials do not say which is right.
    """
    searches = {fit.search for fit in found}
    kept = [[fit for fit in found if fit.search == one][: MEMBERS // len(searches)] for one in searches]
    return sorted((fit for of_search in kept for fit in of_search), key=lambda fit: fit.misfit)


def compared(parameters: Parameters, found: Sequence[Fit]) -> pl.DataFrame:
    """Compare where searches ended.

    Returns
    -------
    polars.DataFrame
        A row per search: how many `sets` were drawn around its end, the `best` and the `middle` misfit of
        them, and `apart`: of how many parameters the 10th to 90th percentiles overlap with those of no
        other search.
    """
    searches = sorted({fit.search for fit in found})
    of = {one: [fit for fit in found if fit.search == one] for one in searches}
    tenths = {one: np.quantile(_shares(parameters, of[one]), [0.1, 0.9], axis=0) for one in searches}

    def apart(one: int) -> int:
        (low, high), others = tenths[one], [tenths[other] for other in searches if other != one]
        alone = [(low > above) | (high < below) for below, above in others]
        return int(np.all(alone, axis=0).sum()) if alone else 0

    return pl.DataFrame(
        {
            "search": one + 1,
            "sets": len(of[one]),
            "best": of[one][0].misfit,
            "middle": float(np.median([fit.misfit for fit in of[one]])),
            "apart": apart(one),
        }
        for one in searches
    )


def centre(parameters: Parameters, members: Sequence[Fit]) -> dict[str, float]:
    """Mean of the members, each parameter on its scale."""
    return parameters.values(_shares(parameters, members).mean(axis=0))


def _shares(parameters: Parameters, members: Sequence[Fit]) -> Numbers:
    shares: Numbers = np.array(
        [[one.share(member.values[one.name]) for one in parameters] for member in members]
    )
    return shares


def identified(parameters: Parameters, members: Sequence[Fit]) -> pl.DataFrame:
    """How far the fit narrows every parameter.

    Returns
    -------
    polars.DataFrame
        A row per parameter: range, median and 10th to 90th percentile of the ensemble, width of the ensemble
        over the width of an even distribution on the range (1: nothing was learnt), whether the median is
        at the edge of the range, and the parameter it correlates with most.
    """
    shares = _shares(parameters, members)
    tenths = np.quantile(shares, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf")
    even = 1 / math.sqrt(12)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.atleast_2d(np.nan_to_num(np.corrcoef(shares.T)))
    np.fill_diagonal(correlations, 0.0)
    rows = []
    for i, one in enumerate(parameters):
        low, middle, high = (one.value(float(share)) for share in tenths[:, i])
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
