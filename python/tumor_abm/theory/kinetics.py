"""Drug concentrations."""

from __future__ import annotations

import math


def oral_steady_state(
    amount_over_volume: float, absorption: float, elimination: float, interval: float, hours: float
) -> float:
    """Concentration `hours` after a dose, when doses every `interval` hours have gone on for long.

    ``F D ka / (V (ka - ke)) [e^(-ke t) / (1 - e^(-ke T)) - e^(-ka t) / (1 - e^(-ka T))]``, with
    `amount_over_volume` = F D / V and rates per hour, ka different from ke. Gibaldi and Perrier
    1982, Pharmacokinetics.
    """
    left = math.exp(-elimination * hours) / -math.expm1(-elimination * interval)
    unabsorbed = math.exp(-absorption * hours) / -math.expm1(-absorption * interval)
    return amount_over_volume * absorption / (absorption - elimination) * (left - unabsorbed)


def accumulation_ratio(elimination: float, interval: float) -> float:
    """Steady-state over first-dose level: ``1 / (1 - e^(-ke T))``. Gibaldi and Perrier 1982."""
    return -1 / math.expm1(-elimination * interval)


def time_to_steady_state(elimination: float, fraction: float = 0.9) -> float:
    """Time to a `fraction` of steady state: ``-ln(1 - f) / ke``. Gibaldi and Perrier 1982."""
    return -math.log1p(-fraction) / elimination
