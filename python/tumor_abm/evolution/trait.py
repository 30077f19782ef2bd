"""A trait that cells inherit and that drifts at divisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tumor_abm._base.arguments import one_of, real


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
        one_of("trait.rate", self.rate, ("division", "death"))
        drift = real("trait.drift", self.drift, "finite and at least 0")
        limit = None
        if self.limit is not None:
            limit = real("trait.limit", self.limit, "finite and at least 0, or None")
        return {"rate": self.rate, "drift": drift, "limit": limit}
