"""What a lattice is, in files and in calls: its sites, where daughters go, how far drugs reach."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tumor_abm._base.table import Table

Neighbourhood = Literal["von_neumann", "moore"]
Placement = Literal["random_neighbour", "any_free", "push"]
Mutant = Literal["random", "placed"]
Profile = Literal["exponential", "linear", "diffusion"]

MOST_DIMENSIONS = 3
DEEPEST_PUSH = 2**32 - 1
SHORTEST_REACH, LONGEST_REACH = 0.1, 1e4
"""In sites."""


class Penetration(Table):
    """How far a substance reaches into a tumour.

    Attributes
    ----------
    length
        Penetration length in cell diameters.
    profile
        How the share that is left falls with depth (from the outline of the tumour to the middle of a cell):
        ``exponential``, ``linear`` or ``diffusion``.
    """

    length: float = Field(ge=SHORTEST_REACH, le=LONGEST_REACH)
    profile: Profile = "exponential"


class LatticeShape(Table):
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
    """

    dimensions: int = Field(default=2, ge=1, le=MOST_DIMENSIONS)
    neighbourhood: Neighbourhood = "moore"
    placement: Placement
    depth: int | None = Field(default=None, ge=1, le=DEEPEST_PUSH)


def placement_for_core(placement: Placement, depth: int | None) -> Any:
    """Return the rule by which daughters are placed as the core reads it."""
    return placement if depth is None else {"push": {"depth": depth}}
