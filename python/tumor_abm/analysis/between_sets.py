"""What an answer owes to chance and what to parameters: differences between arms, set by set of an ensemble.

Patients of a run with an ensemble are shared out over its sets. Within a set they differ by chance; what
differs between sets beyond that is what is not known of the parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import polars as pl
from scipy.stats import spearmanr, t

from tumor_abm.analysis.endpoints import Endpoint, endpoints
from tumor_abm.analysis.paired import Twins, mean_difference
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

SET = "set"
FEWEST = 3
"""Sets from which on variation between them is told."""
FEWEST_PATIENTS = 20
"""Patients of a set in both arms, from whom on it is compared."""
_LEAST_P = 0.05


@dataclass(frozen=True)
class BetweenSets:
    """Differences between arms, set by set.

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
    deciding
        Numbers that go with the difference over the sets: ``arm, endpoint, number, rank_correlation, p``, the
        strongest first. With few sets and many numbers some do by chance; ``p`` is Bonferroni's.
    """

    by_set: pl.DataFrame
    summary: pl.DataFrame
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
        found = 0 if not isinstance(sets, list) else len(sets)
        raise InputError(key="ensemble", found=f"{found} sets", allowed=f"a run with {FEWEST} or more")
    of_patient = results.scan("patients").select("patient", SET).unique().collect()
    rows: list[dict[str, Any]] = []
    for endpoint in endpoints(results):
        observed = endpoint.observations(results).join(of_patient, on="patient", maintain_order="left")
        rows += _by_set(results, endpoint, observed)
    by_set = pl.DataFrame(rows, _BY_SET)
    groups = by_set.group_by("arm", "endpoint", maintain_order=True)
    summary = [_summary(arm, endpoint, group) for (arm, endpoint), group in groups]
    numbers = pl.DataFrame([{SET: k, **one["numbers"]} for k, one in enumerate(sets, start=1)])
    deciding = [row for (arm, endpoint), group in groups for row in _deciding(arm, endpoint, group, numbers)]
    return BetweenSets(by_set, pl.DataFrame(summary, _SUMMARY), pl.DataFrame(deciding, _DECIDING))


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
_DECIDING = {
    "arm": pl.String,
    "endpoint": pl.String,
    "number": pl.String,
    "rank_correlation": pl.Float64,
    "p": pl.Float64,
}


def _by_set(results: Results, endpoint: Endpoint, observed: pl.DataFrame) -> list[dict[str, Any]]:
    """Differences of restricted means, up to one time for all arms and sets so that they can be compared."""
    parts = [part for part in observed.partition_by("arm", SET) if part.height >= FEWEST_PATIENTS]
    ends = [kaplan_meier(part["months"], part["event"]).told_until for part in parts]
    until = min(ends, default=0.0)
    if until <= 0:
        return []
    rows = []
    for arm in (name for name in results.arms if name != results.control):
        for (number,), of_set in observed.group_by(SET, maintain_order=True):
            twins = Twins.of(of_set, arm, results.control)
            found = mean_difference(twins, until) if len(twins) >= FEWEST_PATIENTS else None
            if found is None or found.value is None or found.paired_hi is None:
                continue
            se = (found.paired_hi - found.value) / float(t.ppf(0.975, len(twins) - 1))
            row = (arm, endpoint.name, number, len(twins), until, found.value, se)
            rows.append(dict(zip(_BY_SET, row, strict=True)))
    return rows


def _summary(arm: object, endpoint: object, group: pl.DataFrame) -> dict[str, Any]:
    differences, errors = group["difference_months"].to_numpy(), group["se"].to_numpy()
    within = float((errors**2).mean())
    between = float(differences.var(ddof=1)) - within if differences.size > 1 else math.nan
    return {
        "arm": arm,
        "endpoint": endpoint,
        "sets": differences.size,
        "difference_months": float(differences.mean()),
        "chance_sd": math.sqrt(within / differences.size),
        "parameters_sd": math.sqrt(max(between, 0.0)) if differences.size > 1 else None,
        "better": float((differences > 0).mean()),
        "agree": bool((differences > 0).all() or (differences < 0).all()),
    }


def _deciding(
    arm: object, endpoint: object, group: pl.DataFrame, numbers: pl.DataFrame
) -> list[dict[str, Any]]:
    if group.height < FEWEST:
        return []
    known = group.join(numbers, on=SET, how="left")
    varied = [name for name in numbers.columns if name != SET and known[name].n_unique() > 1]
    rows = []
    for name in varied:
        found = spearmanr(known["difference_months"].to_numpy(), known[name].to_numpy())
        p = min(float(found.pvalue) * len(varied), 1.0)
        row = {"arm": arm, "endpoint": endpoint, "number": name, "rank_correlation": found.statistic, "p": p}
        rows.append(row)
    return sorted(rows, key=lambda row: -abs(row["rank_correlation"]))[:10]


def told(found: BetweenSets) -> list[str]:
    """Say in sentences what the sets agree on.

    Returns
    -------
    list of str
        A sentence per arm and endpoint.
    """
    if found.summary.is_empty():
        return [f"too few patients: each set needs {FEWEST_PATIENTS} in both arms to be compared"]
    sentences = []
    for row in found.summary.iter_rows(named=True):
        spread = math.hypot(row["chance_sd"], row["parameters_sd"] or 0.0)
        share = round(100 * row["better"])
        sentence = (
            f"{row['arm']}, {row['endpoint']}: {row['difference_months']:+.1f} months against the control on "
            f"average over {row['sets']} sets of parameters (standard deviation {spread:.1f}: "
            f"{row['parameters_sd'] or 0.0:.1f} by parameters, {row['chance_sd']:.1f} by chance); "
        )
        agreed = "all sets agree on the sign" if row["agree"] else f"better in {share}% of the sets"
        first = found.deciding.filter(arm=row["arm"], endpoint=row["endpoint"]).head(1)
        decides = ""
        if not row["agree"] and first.height:
            strongest = first.row(0, named=True)
            doubt = "" if strongest["p"] < _LEAST_P else ", which chance explains as well"
            decides = (
                f"; it goes most with {strongest['number']} ({strongest['rank_correlation']:+.2f}{doubt})"
            )
        sentences.append(sentence + agreed + decides)
    return sentences


def has_sets(results: Results) -> bool:
    """Whether a run had an ensemble of enough sets."""
    sets = results.provenance.get("ensemble")
    return isinstance(sets, list) and len(sets) >= FEWEST


__all__ = ["BetweenSets", "between_sets", "has_sets", "told"]
