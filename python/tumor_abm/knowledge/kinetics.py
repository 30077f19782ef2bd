"""One-compartment kinetics: what is published, and the constants that follow from it."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.quantity import Concentration, Hours, Interval, Quantity, Share

Route = Literal["oral", "iv", "im", "sc"]

_LONGEST_T_MAX = 30.0


def absorption_half_life(half_life_h: float, t_max_h: float) -> float:
    """Half-life of absorption from the time of the peak after a single dose.

    Solves ``t_max = ln(ka / ke) / (ka - ke)`` for ``ka``. A peak later than ``1 / ke`` means
    absorption slower than elimination (flip-flop), which the equation covers.

    Parameters
    ----------
    half_life_h
        Half-life of elimination in hours.
    t_max_h
        Hours from the dose to the peak; 0: absorbed at once.

    Examples
    --------
    >>> round(absorption_half_life(half_life_h=29.0, t_max_h=7.0), 2)
    1.51
    """
    if t_max_h == 0.0:
        return 0.0
    ke = math.log(2.0) / half_life_h
    wanted = t_max_h * ke
    # In x = ln(ka / ke), the peak ke * t_max = x / (exp(x) - 1) falls from infinity to 0.
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        peak = 1.0 if middle == 0.0 else middle / math.expm1(middle)
        low, high = (middle, high) if peak > wanted else (low, middle)
    return half_life_h * math.exp(-0.5 * (low + high))


class Kinetics(Table):
    """Kinetics of a drug at its standard dose.

    Attributes
    ----------
    half_life_h
        Half-life of elimination in hours.
    t_max_h
        Hours from a dose to its peak; absorption follows from it.
    steady_state
        Average concentration over a dosing interval at steady state. Its unit is the unit of the
        potencies; ``relative`` (value 1) when none is published.
    dosing_interval_h
        Hours between doses for which `steady_state` is the average.
    bioavailability
        As published; not needed, since `steady_state` fixes the scale.
    volume_l
        Volume of distribution as published; not needed either.
    """

    half_life_h: Interval
    t_max_h: Hours
    steady_state: Concentration
    dosing_interval_h: Interval
    bioavailability: Share | None = None
    volume_l: Quantity | None = None

    @model_validator(mode="after")
    def _solvable(self) -> Kinetics:
        if self.t_max_h.value > _LONGEST_T_MAX * self.half_life_h.value:
            raise ValueError(
                f"found t_max_h = {self.t_max_h.value:g}; allowed: at most {_LONGEST_T_MAX:g} half-lives"
            )
        return self

    def to_core(self, route: Route) -> dict[str, Any]:
        """Return the constants as the core reads them."""
        absorption = 0.0
        if route != "iv":
            absorption = absorption_half_life(self.half_life_h.value, self.t_max_h.value)
        return {
            "half_life_h": self.half_life_h.value,
            "absorption_half_life_h": absorption,
            "steady_state": self.steady_state.value,
            "dosing_interval_h": self.dosing_interval_h.value,
        }
