"""What a comparison says, in a sentence for each arm and endpoint, and what it cannot tell yet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import polars as pl
from scipy.stats import norm
from scipy.stats import t as student

from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.estimates_in_words import months

POWER = 0.8
"""Chance with which a difference of the estimated size would be seen, where a number of patients is told."""
LEVEL = 0.05
MOST_PATIENTS = 1_000_000
"""What would take more patients than so many is not counted any more."""


class Verdict(Enum):
    """Whether arms can be told apart."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "the same for every patient"
    OPEN = "not to be told apart yet"
    UNKNOWN = "without an estimate"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of one arm against the control arm by one endpoint.

    Attributes
    ----------
    arm, endpoint
        Which.
    verdict
        What the simulation knows: whether the paired 95% interval of the hazard ratio leaves out 1.
    in_a_trial
        Whether a trial of this size would see it, too: its 95% interval leaves out 1.
    patients_needed
        Virtual patients with whom the arms could be told apart, if they are as different as they seem;
        ``None`` where they can be already, or where it would take more than `MOST_PATIENTS`.
    trial_needed
        Patients of a trial of two equal arms who would show the difference with 80% power, followed as here
        (Schoenfeld 1981, Biometrika 68:316); ``None`` as above.
    sentence
        All of it in words.
    """

    arm: str
    endpoint: str
    verdict: Verdict
    in_a_trial: bool
    patients_needed: int | None
    trial_needed: int | None
    sentence: str


def answers(comparison: Compared) -> list[Answer]:
    """Say what is known of every arm against the control arm, endpoint by endpoint."""
    compared = comparison.table.filter(pl.col("n_shared") > 0, pl.col("not_defined").is_null())
    return [_answer(row, comparison) for row in compared.iter_rows(named=True)]


def _answer(row: dict[str, Any], comparison: Compared) -> Answer:
    verdict = _verdict(row)
    in_a_trial = _leaves_out_one(row["hr_lo"], row["hr_hi"])
    patients = _patients_needed(row) if verdict is Verdict.OPEN else None
    trial = None if in_a_trial or verdict is Verdict.SAME else _trial_needed(row, comparison)
    answer = Answer(
        arm=row["arm"],
        endpoint=row["endpoint"],
        verdict=verdict,
        in_a_trial=in_a_trial,
        patients_needed=patients,
        trial_needed=trial,
        sentence="",
    )
    sentence = " ".join([_medians(row, comparison.control), *_effect(row), _said(answer, row)])
    return Answer(**vars(answer) | {"sentence": sentence})


def _leaves_out_one(lo: float | None, hi: float | None) -> bool:
    return lo is not None and hi is not None and not lo <= 1.0 <= hi


def _verdict(row: dict[str, Any]) -> Verdict:
    lo, hi = row["paired_hr_lo"], row["paired_hr_hi"]
    if row["hr"] is None or lo is None:
        return Verdict.UNKNOWN
    if lo == hi == 1.0:
        return Verdict.SAME
    if not _leaves_out_one(lo, hi):
        return Verdict.OPEN
    return Verdict.BETTER if row["hr"] < 1 else Verdict.WORSE


def _patients_needed(row: dict[str, Any]) -> int | None:
    """Patients with whom the paired interval would leave out 1 with the power, at the present estimate."""
    n, size = row["n_shared"], abs(math.log(row["hr"]))
    width = math.log(row["paired_hr_hi"] / row["paired_hr_lo"]) / 2
    error = width / float(student.ppf(1 - LEVEL / 2, n - 1))
    return _counted(n * (_deviates() * error / size) ** 2) if size > 0 else None


def _trial_needed(row: dict[str, Any], comparison: Compared) -> int | None:
    if row["hr"] is None or row["hr"] == 1.0:
        return None
    control = comparison.table.filter(arm=comparison.control, endpoint=row["endpoint"]).row(0, named=True)
    patients, events = row["n"] + control["n"], row["events"] + control["events"]
    needed = 4 * (_deviates() / math.log(row["hr"])) ** 2
    return _counted(needed * patients / events) if events else None


def _deviates() -> float:
    return float(norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER))


def _counted(patients: float) -> int | None:
    return math.ceil(patients) if patients <= MOST_PATIENTS else None


def _medians(row: dict[str, Any], control: str) -> str:
    treated, untreated = months(row["median_months"]), months(row["control_median_months"])
    unit = "" if row["control_median_months"] is None else " months"
    return f"{row['endpoint']}: median {treated} with {row['arm']}, {untreated}{unit} with {control}."


def _effect(row: dict[str, Any]) -> Iterator[str]:
    if row["hr"] is not None and row["hr_lo"] is not None:
        paired = (
            ""
            if row["paired_hr_lo"] is None
            else f"; as the simulation knows it {row['paired_hr_lo']:.2f} to {row['paired_hr_hi']:.2f}"
        )
        yield (
            f"Hazard ratio {row['hr']:.2f} (a trial of this size would see "
            f"{row['hr_lo']:.2f} to {row['hr_hi']:.2f}{paired})."
        )
    difference = row["rmst_difference"]
    if difference is not None and row["paired_rmst_difference_lo"] is not None:
        limits = (row["paired_rmst_difference_lo"], row["paired_rmst_difference_hi"])
        way = "longer" if difference >= 0 else "shorter"
        lo, hi = sorted(abs(limit) for limit in limits) if limits[0] * limits[1] > 0 else limits
        if limits[0] * limits[1] <= 0 and difference < 0:
            lo, hi = -limits[1], -limits[0]
        yield (
            f"Up to month {row['rmst_until']:.0f} patients are without the event {abs(difference):.1f} "
            f"months {way} on average (paired 95% interval {lo:.1f} to {hi:.1f}).".replace("-", "−")
        )


def _said(answer: Answer, row: dict[str, Any]) -> str:
    match answer.verdict:
        case Verdict.SAME:
            return "No patient fares differently."
        case Verdict.UNKNOWN:
            return "The data determine no hazard ratio."
        case Verdict.OPEN:
            return f"The arms cannot be told apart yet: {_more_patients(answer, row)}."
        case Verdict.BETTER | Verdict.WORSE:
            known = f"{answer.arm} is {answer.verdict.value}"
            if answer.in_a_trial:
                return f"{known}, and a trial of this size would show it."
            if answer.trial_needed is None:
                return f"{known}; no trial of a possible size would show it."
            return f"{known}; a trial would need about {answer.trial_needed} patients to show it (80% power)."


def _more_patients(answer: Answer, row: dict[str, Any]) -> str:
    if answer.patients_needed is None:
        return f"the estimate is so near to 1 that more than {MOST_PATIENTS:,} patients would be needed"
    return (
        f"about {answer.patients_needed} virtual patients would do, if they are as different as these "
        f"{row['n_shared']} make them look"
    )
