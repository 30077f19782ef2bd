"""A trait that cells inherit and that drifts at divisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A continuous trait that cells inherit, e.g. their sensitivity to a drug.

    The trait is the natural logarithm of a factor on one rate of the cell. Founders have 0; at a
    division the new daughter (the one that may mutate) differs from its mother by a normal amount.

    Attributes
    ----------
    rate
        ``"division"`` or ``"death"``: the rate that is multiplied by ``exp(trait)``.
    drift
        Standard deviation of the change at a division.
    limit
        The trait stays within this distance of 0. Without a limit a growing population finds ever
        faster cells, until a step is too long for one of them; that is an error.
    """

    rate: Literal["division", "death"] = "division"
    drift: float
    limit: float | None = None

    def _resolve(self) -> dict[str, Any]:
        if self.rate not in ("division", "death"):
            raise ValueError(f"trait.rate: found {self.rate!r}; allowed: 'division', 'death'")
        if not (math.isfinite(self.drift) and self.drift >= 0):
            raise ValueError(f"trait.drift: found {self.drift}; allowed: finite and at least 0")
        limit = None if self.limit is None else float(self.limit)
        if limit is not None and not (math.isfinite(limit) and limit >= 0):
            raise ValueError(f"trait.limit: found {limit}; allowed: finite and at least 0, or None")
        return {"rate": self.rate, "drift": float(self.drift), "limit": limit}
