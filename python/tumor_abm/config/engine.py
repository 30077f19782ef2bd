"""Which engine holds the cells of a patient, and where they live."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from tumor_abm._base import lattice
from tumor_abm._base.lattice import Penetration, Placement, placement_for_core

LEAST_CELLS, MOST_CELLS = 10_000, 10_000_000

_USUAL_DEPTH = 10


class Lattice(lattice.LatticeShape):
    """Where the cells of the engine ``lattice`` live.

    Attributes
    ----------
    nutrient, drug
        How far nutrients and drugs reach below the outline; everywhere when absent.
    """

    placement: Placement = "push"
    nutrient: Penetration | None = None
    drug: Penetration | None = None

    @model_validator(mode="after")
    def _depth_only_to_push(self) -> Lattice:
        if self.depth is not None and self.placement != "push":
            raise ValueError("depth belongs to placement = push")
        return self

    def to_core(self) -> dict[str, Any]:
        """Return the lattice as the core reads it."""
        table = self.model_dump(exclude={"placement", "depth"}, exclude_none=True)
        depth = self.depth or _USUAL_DEPTH if self.placement == "push" else None
        return {**table, "placement": placement_for_core(self.placement, depth)}
