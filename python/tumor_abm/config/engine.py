"""Which engine holds the cells of a patient, and where they live."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from tumor_abm._base.table import Table

LEAST_CELLS, MOST_CELLS = 10_000, 10_000_000


class Reach(Table):
    """How far a substance reaches into a tumour.

    Attributes
    ----------
    length
        Penetration length in cell diameters.
    profile
        How the share that is left falls with depth (from the outline of the tumour to the middle of a cell):
        ``exponential``, ``linear`` or ``diffusion``.
    """

    length: float = Field(ge=0.1, le=1e4)
    profile: Literal["exponential", "linear", "diffusion"] = "exponential"


class Lattice(Table):
    """Where the cells of the engine ``lattice`` live.

    Attributes
    ----------
    dimensions
        2 or 3; 1 for a row of cells.
    neighbourhood
        ``von_neumann`` (sites that share a face) or ``moore`` (a face, an edge or a corner).
    placement
        Where a daughter goes: ``random_neighbour``, ``any_free``, or ``push``.
    depth
        Farthest free site that can be pushed to, with ``push`` only.
    nutrient, drug
        How far nutrients and drugs reach below the outline; everywhere when absent.
    """

    dimensions: int = Field(default=2, ge=1, le=3)
    neighbourhood: Literal["von_neumann", "moore"] = "moore"
    placement: Literal["random_neighbour", "any_free", "push"] = "push"
    depth: int | None = Field(default=None, ge=1, le=10_000)
    nutrient: Reach | None = None
    drug: Reach | None = None

    @model_validator(mode="after")
    def _depth_only_to_push(self) -> Lattice:
        if self.depth is not None and self.placement != "push":
            raise ValueError("depth belongs to placement = push")
        return self

    def to_core(self) -> dict[str, Any]:
        """Return the lattice as the core reads it."""
        table = self.model_dump(exclude={"placement", "depth"}, exclude_none=True)
        pushes = self.placement == "push"
        return {**table, "placement": {"push": {"depth": self.depth or 10}} if pushes else self.placement}
