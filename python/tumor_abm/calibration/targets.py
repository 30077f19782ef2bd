"""What a parameter set is held against: published outcomes, each with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm.calibration.cohorts import ArmKey
from tumor_abm.calibration.sample import Curves

Quantity = Literal["median", "rate", "response", "hazard ratio", "prevalence", "Ki-67"]

BETWEEN_TRIALS = 0.08
"""Standard deviation of the logarithm of a median between trials that differ in nothing we know."""
HARMLESS = 2.0
"""Standard deviations beyond which a misfit counts linearly: small trials contradict each other."""

_95 = 2 * 1.959964
_90 = 2 * 1.644854
_UNKNOWN_SIGMA = 0.2
_LANDMARKS = (6, 12, 18, 24, 36)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A published number.

    Attributes
    ----------
    trial, arm, subset
        Labels of the arm, as in the table of trials.
    quantity
        What it is.
    at
        Month of a rate.
    published, low, high
        Value, and its 95% interval (NaN: not published).
    sigma
        Standard deviation: of the logarithm for medians and hazard ratios, of the share for the others.
    key, versus
        Arm of the simulation, and the arm that a hazard ratio is against.
    delay
        Months by which the trial sees progression later than the simulation, for its scans are rarer.
    split
        What the row may be used for.
    weight
        How much its misfit counts.
    """

    trial: str
    arm: str
    subset: str
    quantity: Quantity
    at: float
    published: float
    low: float
    high: float
    sigma: float
    key: ArmKey
    versus: ArmKey | None
    delay: float
    measurable_only: bool
    split: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Name for tables."""
        what = f"rate at {self.at:g} months" if self.quantity == "rate" else self.quantity
        return ", ".join(part for part in (self.trial, self.arm, self.subset, what) if part)

    def simulated(self, curves: Mapping[ArmKey, Curves]) -> NDArray[np.float64]:
        """Return what simulated curves say of a target other than a response, per parameter set."""
        found = curves[self.key]
        if self.quantity == "median":
            return found.median() + self.delay
        if self.quantity == "rate":
            return found.at(self.at - self.delay)
        if self.versus is None:
            raise AssertionError("a hazard ratio is against an arm")
        return found.hazard_ratio(curves[self.versus])

    @property
    def logarithmic(self) -> bool:
        """Whether it is judged on the scale of its logarithm."""
        return self.quantity in ("median", "hazard ratio")


def penalty(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what misfits cost: their squares, but linear beyond `HARMLESS` (Huber 1964)."""
    size = np.abs(deviations)
    cost: NDArray[np.float64] = np.where(size <= HARMLESS, size**2, HARMLESS * (2 * size - HARMLESS))
    return cost


def targets_of(
    rows: pl.DataFrame,
    arms: Mapping[tuple[str, str, str], tuple[ArmKey, ArmKey | None]],
    delays: Mapping[str, float],
) -> list[Target]:
    """Make targets of rows of the table of trials.

    Parameters
    ----------
    rows
        Rows of ``trials.csv``.
    arms
        Where the arm of (trial, arm, subset) is simulated, and what it is compared with.
    delays
        Months by which a simulated trial sees progression later than the cohorts.
    """
    found: list[Target] = []
    for row in rows.iter_rows(named=True):
        label = (row["trial"], row["arm"], row["subset"] or "")
        if label in arms:
            key, versus = arms[label]
            found.extend(_targets_of_row(row, key, versus, delays[key[0]]))
    return found


def _targets_of_row(
    row: Mapping[str, Any], key: ArmKey, versus: ArmKey | None, delay: float
) -> Iterable[Target]:
    common = {
        "trial": row["trial"],
        "arm": row["arm"],
        "subset": row["subset"] or "",
        "key": key,
        "versus": versus,
        "delay": delay,
        "split": row["split"],
    }

    def target(
        quantity: Quantity, published: float, low: float, high: float, sigma: float, **more: Any
    ) -> Target:
        settings = {"at": math.nan, "measurable_only": False, **more}
        return Target(
            quantity=quantity, published=published, low=low, high=high, sigma=sigma, **common, **settings
        )

    width = _90 if row["ci_level"] == 90 else _95
    median = _number(row["mpfs_mo"])
    if not math.isnan(median):
        low, high = _number(row["ci_lo"]), _number(row["ci_hi"])
        own = _log_sigma(median, low, high, width)
        yield target("median", median, low, high, math.hypot(own, BETWEEN_TRIALS))
    ratio = _number(row["hr"])
    if not math.isnan(ratio) and versus is not None:
        low, high = _number(row["hr_lo"]), _number(row["hr_hi"])
        yield target("hazard ratio", ratio, low, high, _log_sigma(ratio, low, high, width))
    n = _number(row["n"])
    for month in _LANDMARKS:
        share = _number(row[f"pfs{month}"]) / 100
        if not math.isnan(share):
            sigma = _share_sigma(share, n)
            yield target(
                "rate", share, share - _95 / 2 * sigma, share + _95 / 2 * sigma, sigma, at=float(month)
            )
    share = _number(row["orr_pct"]) / 100
    if not math.isnan(share):
        measurable = str(row["orr_base"] or "").startswith("measurable")
        sigma = math.hypot(_share_sigma(share, n), 0.03)
        interval = (share - _95 / 2 * sigma, share + _95 / 2 * sigma)
        yield target("response", share, *interval, sigma, measurable_only=measurable)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _log_sigma(value: float, low: float, high: float, width: float) -> float:
    """Derive the standard deviation of the logarithm from an interval, or from its one known end."""
    if low > 0 and high > low:
        return math.log(high / low) / width
    if 0 < low < value:
        return math.log(value / low) / (width / 2)
    return _UNKNOWN_SIGMA


def _share_sigma(share: float, n: float) -> float:
    return math.sqrt(share * (1 - share) / n) if n > 0 else 0.05


@dataclass(frozen=True, kw_only=True)
class PrevalenceTarget:
    """A range within which the share of patients with an alteration should lie.

    Attributes
    ----------
    name
        Name for tables.
    key
        Arm of the simulation.
    alterations
        Any of them counts.
    moment
        ``"baseline"`` or ``"progression"``.
    above
        Share of cells above which a tumour counts as altered.
    low, high
        The range.
    sigma
        Standard deviation with which a share outside is judged.
    relapsed
        Only patients who come from adjuvant therapy, with no line since.
    weight
        How much its misfit counts.
    """

    name: str
    key: ArmKey
    alterations: list[str]
    moment: str
    above: float
    low: float
    high: float
    sigma: float
    relapsed: bool = False
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Ki67Target:
    """How far Ki-67 falls in cells without acquired alterations, at the steady state of the drugs.

    Attributes
    ----------
    name
        Name for tables.
    regimen
        As in the table of Ki-67.
    drugs
        What is given.
    published
        Geometric mean over patients of Ki-67 on treatment over that before.
    sigma
        Standard deviation of its logarithm.
    weight
        How much its misfit counts.
    """

    name: str
    regimen: str
    drugs: list[str]
    published: float
    sigma: float
    weight: float = 1.0
