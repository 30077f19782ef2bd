"""Published and simulated beside each other: a row of the table of a calibration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tumor_abm.calibration.targets import Ki67Target, PrevalenceTarget, Target

_NORMAL_95 = 1.959964


def row_of_target(target: Target, quantity: float, deviation: float | None) -> dict[str, Any]:
    """Of an outcome of a trial; without a deviation it was not fitted."""
    low = -math.inf if math.isnan(target.low) else target.low
    high = math.inf if math.isnan(target.high) else target.high
    simulated = float(np.exp(quantity)) if target.logarithmic else float(quantity)
    return {
        "trial": target.trial,
        "arm": target.arm,
        "subset": target.subset,
        "quantity": target.quantity,
        "at_months": None if math.isnan(target.at) else target.at,
        "published": target.published,
        "low": low,
        "high": high,
        "simulated": simulated,
        "deviation": None if deviation is None else float(deviation),
        "inside": low <= simulated <= high,
        "fitted": deviation is not None,
        "split": target.split,
    }


def row_of_prevalence(one: PrevalenceTarget, simulated: float, deviation: float) -> dict[str, Any]:
    """Of a share of patients with an alteration."""
    return {
        "trial": one.name,
        "arm": ", ".join(one.alterations),
        "subset": one.moment,
        "quantity": "prevalence",
        "at_months": None,
        "published": (one.low + one.high) / 2,
        "low": one.low,
        "high": one.high,
        "simulated": simulated,
        "deviation": None if deviation is None else float(deviation),
        "inside": one.low <= simulated <= one.high,
        "fitted": True,
        "split": "prevalence",
    }


def row_of_ki67(one: Ki67Target, quantity: float, deviation: float) -> dict[str, Any]:
    """Of what is left of Ki-67."""
    spread = math.exp(_NORMAL_95 * one.sigma)
    low, high, simulated = one.published / spread, one.published * spread, math.exp(quantity)
    return {
        "trial": one.name,
        "arm": one.regimen,
        "subset": "",
        "quantity": "Ki-67",
        "at_months": None,
        "published": one.published,
        "low": low,
        "high": high,
        "simulated": simulated,
        "deviation": deviation,
        "inside": low <= simulated <= high,
        "fitted": True,
        "split": "Ki-67",
    }
