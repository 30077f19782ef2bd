"""What an answer owes to chance and what to parameters: arms, set by set of an ensemble.

Patients of a run with an ensemble are shared out over its sets, or all live by every set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from scipy.stats import spearmanr

from tumor_abm.analysis.endpoints import Endpoint, endpoints
from tumor_abm.analysis.split import SetEstimate, split
from tumor_abm.analysis.split_of_comparison import INTERVALS, difference_of, intervals_of
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

SET = "set"
LUCK = "luck"
FEWEST = 3
"""Sets from which on variation between them is told."""
FEWEST_PATIENTS = 20
"""Patients of a set in both arms, from whom on it is compared."""
_MOST_TOLD = 10


@dataclass(frozen=True)
class BetweenSets:
    """Arms set by set.

    Attributes
    ----------
    by_set
        A row per arm (against the control), endpoint and set: ``arm, endpoint, set, patients, until_months``;
        ``difference_months`` of restricted means, every patient with herself; and its standard error, ``se``.
    summary
        A row per arm and endpoint: ``arm, endpoint, sets, difference_months`` (mean over sets), standard
        deviations by ``chance_sd`` (of this mean) and by ``parameters_sd`` (between sets, beyond chance),
        ``better`` (share of sets in which the arm is better than the control), and ``agree`` (whether all are
        on one side).
    intervals
        The intervals of a comparison, split: ``arm, endpoint, statistic, sets, value`` (mean over sets, of a
        hazard ratio the geometric one), ``chance_sd``, ``parameters_sd`` (of a hazard ratio, of its
        logarithm), and ``lo``, ``hi``: 95% limits by both.
    rankings
        How sets rank the arms by restricted means: ``endpoint, ranking`` (the best arm first), ``sets``.
    deciding
        Numbers that go with a difference over the sets: ``arm, against, endpoint, number, rank_correlation,
        p``, the strongest first. ``against`` is the control, or, of the arm that most sets rank first, its
        rival. With few sets and many numbers some do by chance; ``p`` is Bonferroni's.
    """

    by_set: pl.DataFrame
    summary: pl.DataFrame
    intervals: pl.DataFrame
    rankings: pl.DataFrame
    deciding: pl.DataFrame


def between_sets(results: Results) -> BetweenSets:
    """Compare arms set by set.

    Parameters
    ----------
    results
        Of a run with an ensemble.

    Raises
    ------
    InputError
        The run had no ensemble, or fewer than three sets.
    """
    sets = results.provenance.get("ensemble")
    if not isinstance(sets, list) or len(sets) < FEWEST:
        number = 0 if not isinstance(sets, list) else len(sets)
        raise InputError(key="ensemble", found=f"{number} sets", allowed=f"a run with {FEWEST} or more")
    numbers = pl.DataFrame([{SET: k, **one["numbers"]} for k, one in enumerate(sets, start=1)])
    of_patient = _patients(results, [one["patients"] for one in sets])
    found = [
        _OfEndpoint(each, each.observations(results).join(of_patient, on="patient", maintain_order="left"))
        for each in endpoints(results)
    ]
    arms, control = results.arms, results.control
    return BetweenSets(
        by_set=pl.DataFrame([row for each in found for row in each.by_set(arms, control)], _BY_SET),
        summary=pl.DataFrame([row for each in found for row in each.summary(arms, control)], _SUMMARY),
        intervals=pl.DataFrame(
            [
                row
                for each in found
                for row in intervals_of(results, each.endpoint, each.observed, each.until, FEWEST_PATIENTS)
            ],
            INTERVALS,
        ),
        rankings=pl.DataFrame([row for each in found for row in each.rankings(arms)], _RANKINGS),
        deciding=pl.DataFrame(
            [row for each in found for row in each.deciding(arms, control, numbers)], _DECIDING
        ),
    )


def _patients(results: Results, sizes: list[int]) -> pl.DataFrame:
    """Return ``patient, set, luck``: of a crossed run, patients of several sets have the same luck."""
    found = results.scan("patients").select("patient", SET).unique().collect()
    own = pl.col("patient").cast(pl.Int64)
    of_set = (pl.col(SET).cast(pl.Int64) - 1) * sizes[0]
    return found.with_columns((own - of_set if results.provenance.get("crossed") else own).alias(LUCK))


_BY_SET = {
    "arm": pl.String,
    "endpoint": pl.String,
    SET: pl.UInt16,
    "patients": pl.Int64,
    "until_months": pl.Float64,
    "difference_months": pl.Float64,
    "se": pl.Float64,
}
_SUMMARY = {
    "arm": pl.String,
    "endpoint": pl.String,
    "sets": pl.Int64,
    "difference_months": pl.Float64,
    "chance_sd": pl.Float64,
    "parameters_sd": pl.Float64,
    "better": pl.Float64,
    "agree": pl.Boolean,
}
_RANKINGS: dict[str, Any] = {"endpoint": pl.String, "ranking": pl.List(pl.String), "sets": pl.Int64}
_DECIDING = {
    "arm": pl.String,
    "against": pl.String,
    "endpoint": pl.String,
    "number": pl.String,
    "rank_correlation": pl.Float64,
    "p": pl.Float64,
}


class _OfEndpoint:
    """An endpoint in every set; restricted means go up to one time, so that they can be compared.

    Parameters
    ----------
    endpoint
        What is timed.
    observed
        ``patient, arm, months, event, set, luck``.
    """

    def __init__(self, endpoint: Endpoint, observed: pl.DataFrame) -> None:
        self.endpoint, self.observed = endpoint, observed
        parts = [part for part in observed.partition_by("arm", SET) if part.height >= FEWEST_PATIENTS]
        ends = [kaplan_meier(part["months"], part["event"]).told_until for part in parts]
        self.until = min(ends, default=0.0)
        self._sets = {number: part for (number,), part in observed.group_by(SET, maintain_order=True)}
        self._known: dict[tuple[str, str], dict[int, SetEstimate]] = {}

    def differences(self, arm: str, control: str) -> dict[int, SetEstimate]:
        """Return the difference of restricted means in every set with enough patients in both arms."""
        if (arm, control) not in self._known:
            self._known[arm, control] = dict(self._differences(arm, control)) if self.until > 0 else {}
        return self._known[arm, control]

    def _differences(self, arm: str, control: str) -> Iterator[tuple[int, SetEstimate]]:
        for number, part in sorted(self._sets.items()):
            found = difference_of(part, arm, control, self.until)
            if found is not None and found.luck.size >= FEWEST_PATIENTS:
                yield number, found

    def by_set(self, arms: list[str], control: str) -> Iterator[dict[str, Any]]:
        """Yield rows of the table of this name."""
        for arm in (name for name in arms if name != control):
            for number, one in self.differences(arm, control).items():
                row = (arm, self.endpoint.name, number, one.luck.size, self.until, one.value, one.se)
                yield dict(zip(_BY_SET, row, strict=True))

    def summary(self, arms: list[str], control: str) -> Iterator[dict[str, Any]]:
        """Yield rows of the table of this name."""
        for arm in (name for name in arms if name != control):
            known = list(self.differences(arm, control).values())
            if len(known) > 1:
                found = split(known)
                better = [one.value > 0 for one in known]
                yield {
                    "arm": arm,
                    "endpoint": self.endpoint.name,
                    "sets": found.sets,
                    "difference_months": found.value,
                    "chance_sd": found.chance_sd,
                    "parameters_sd": found.parameters_sd,
                    "better": sum(better) / found.sets,
                    "agree": all(better) or all(one.value < 0 for one in known),
                }

    def rankings(self, arms: list[str]) -> Iterator[dict[str, Any]]:
        """Yield rows of the table of this name, the most frequent ranking first."""
        for ranking, sets in self._rankings(arms).most_common():
            yield {"endpoint": self.endpoint.name, "ranking": list(ranking), "sets": sets}

    def _rankings(self, arms: list[str]) -> Counter[tuple[str, ...]]:
        """Count rankings of the arms in which the endpoint is defined, where it is an effect of them."""
        defined = [arm for arm in arms if self.observed.filter(arm=arm).height]
        counted: Counter[tuple[str, ...]] = Counter()
        if len(defined) < 2 or not self.endpoint.randomised or self.until <= 0:
            return counted
        for _, part in sorted(self._sets.items()):
            of_arms = {arm: part.filter(arm=arm) for arm in defined}
            if min(each.height for each in of_arms.values()) < FEWEST_PATIENTS:
                continue
            curves = {arm: kaplan_meier(each["months"], each["event"]) for arm, each in of_arms.items()}
            means = {arm: curve.restricted_mean(self.until) for arm, curve in curves.items()}
            known = [(mean.mean, arm) for arm, mean in means.items() if mean is not None]
            if len(known) == len(defined):
                counted[tuple(arm for _, arm in sorted(known, reverse=True))] += 1
        return counted

    def deciding(self, arms: list[str], control: str, numbers: pl.DataFrame) -> Iterator[dict[str, Any]]:
        """Yield rows of the table of this name."""
        pairs = [(arm, control) for arm in arms if arm != control]
        rivals = rivals_of(self._rankings(arms))
        if rivals is not None and control not in rivals:
            pairs.append(rivals)
        for arm, against in pairs:
            yield from self._deciding(arm, against, numbers)

    def _deciding(self, arm: str, against: str, numbers: pl.DataFrame) -> list[dict[str, Any]]:
        differences = self.differences(arm, against)
        if len(differences) < FEWEST:
            return []
        known = numbers.filter(pl.col(SET).is_in(list(differences)))
        varied = [name for name in numbers.columns if name != SET and known[name].n_unique() > 1]
        values = [differences[number].value for number in known[SET]]
        rows = []
        for name in varied:
            found = spearmanr(values, known[name].to_numpy())
            p = min(float(found.pvalue) * len(varied), 1.0)
            row = (arm, against, self.endpoint.name, name, found.statistic, p)
            rows.append(dict(zip(_DECIDING, row, strict=True)))
        return sorted(rows, key=lambda row: -abs(row["rank_correlation"]))[:_MOST_TOLD]


def rivals_of(rankings: Counter[tuple[str, ...]]) -> tuple[str, str] | None:
    """Return two arms over which sets disagree: that which most rank first, and that which most others do.

    ``None`` if all rank the same arm first.
    """
    first: Counter[str] = Counter()
    for ranking, sets in rankings.items():
        first[ranking[0]] += sets
    if len(first) < 2:
        return None
    (best, _), (rival, _), *_ = first.most_common()
    return best, rival


def has_sets(results: Results) -> bool:
    """Whether a run had an ensemble of enough sets."""
    sets = results.provenance.get("ensemble")
    return isinstance(sets, list) and len(sets) >= FEWEST
