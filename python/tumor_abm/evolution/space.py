"""Where cells live: the lattice, and how far nutrients and drugs reach into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from tumor_abm._base.arguments import is_real, one_of, whole
from tumor_abm._base.lattice import (
    DEEPEST_PUSH,
    LONGEST_REACH,
    MOST_DIMENSIONS,
    SHORTEST_REACH,
    Mutant,
    Neighbourhood,
    Placement,
    Profile,
    placement_for_core,
)
from tumor_abm.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a substance reaches into a tumour.

    Oxygen feeds cells up to about 150 micrometres away (Thomlinson & Gray 1955, Br J Cancer 9:539);
    the concentration of doxorubicin halves within 40 to 50 micrometres of a vessel (Primeau et al.
    2005, Clin Cancer Res 11:8782); a review is Minchinton & Tannock 2006, Nat Rev Cancer 6:583. A
    cell is 10 to 20 micrometres wide.

    Attributes
    ----------
    length
        Penetration length in cell diameters, i.e. sites, from 0.1 to 10,000.
    profile
        The share that is left at a depth, i.e. a distance from the outline of the tumour to the
        middle of a cell; the outline runs along the faces of the outermost cells, which are half a
        site deep. ``"exponential"``: ``exp(-depth / length)``. ``"linear"``: ``1 - depth / length``,
        nothing below `length`. ``"diffusion"``: the quasi-steady field of a substance that diffuses
        in from the outline and is taken up by the living cells in proportion to its concentration.
    """

    length: float
    profile: Profile = "exponential"

    def _resolve(self, place: str) -> dict[str, Any]:
        one_of(f"{place}.profile", self.profile, get_args(Profile))
        if not is_real(self.length):
            raise InputError(f"{place}.length: found {self.length!r}; allowed: a number of sites")
        if not SHORTEST_REACH <= self.length <= LONGEST_REACH:
            allowed = f"from {SHORTEST_REACH:g} to {LONGEST_REACH:g} sites"
            raise InputError(f"{place}.length: found {self.length}; allowed: {allowed}")
        return {"length": float(self.length), "profile": self.profile}


@dataclass(frozen=True, kw_only=True)
class Space:
    """A regular lattice, one cell a site, that grows with its population.

    Attributes
    ----------
    dimensions
        1, 2 or 3.
    neighbourhood
        ``"von_neumann"``: sites that share a face (2, 4, 6); ``"moore"``: a face, an edge or a
        corner (2, 8, 26).
    placement
        Where a daughter goes. ``"random_neighbour"`` (rule B): to a neighbouring site drawn at
        random, no division if it is occupied. ``"any_free"`` (rule C): to a free neighbouring site,
        no division only if there is none. ``"push"``: in a random lattice direction, pushing the
        cells in its way outwards to the nearest free site within `depth` sites.
    depth
        Farthest free site that can be pushed to; with ``"push"`` only.
    mutant
        Which daughter carries a mutation: ``"random"``, or the ``"placed"`` one.
    width
        Sites after which all dimensions but the first begin anew, so that the lattice is a strip or
        a bar without an edge: a multiple of 16 in 2-D, of 8 in 3-D.
    nutrient, drug
        How far nutrients and the drug reach below the outline of the tumour; ``None``: everywhere.
        A division rate is multiplied by the share of nutrients that reaches the cell.
    """

    dimensions: int = 3
    neighbourhood: Neighbourhood = "von_neumann"
    placement: Placement = "random_neighbour"
    depth: int | None = None
    mutant: Mutant = "random"
    width: int | None = None
    nutrient: Reach | None = None
    drug: Reach | None = None

    def _resolve(self) -> dict[str, Any]:
        allowed: dict[str, tuple[object, ...]] = {
            "dimensions": tuple(range(1, MOST_DIMENSIONS + 1)),
            "neighbourhood": get_args(Neighbourhood),
            "placement": get_args(Placement),
            "mutant": get_args(Mutant),
        }
        for name, values in allowed.items():
            one_of(f"space.{name}", getattr(self, name), values)
        pushes = self.placement == "push"
        if pushes != (self.depth is not None):
            raise InputError(
                f"space.depth: found {self.depth!r}; allowed: a number with 'push', None otherwise"
            )
        depth = None if self.depth is None else whole("space.depth", self.depth, 1, DEEPEST_PUSH)
        return {
            "dimensions": int(self.dimensions),
            "neighbourhood": self.neighbourhood,
            "placement": placement_for_core(self.placement, depth),
            "mutant": self.mutant,
            "width": None if self.width is None else whole("space.width", self.width, 1, 2**24),
            "nutrient": self._reach("nutrient", self.nutrient),
            "drug": self._reach("drug", self.drug),
        }

    @staticmethod
    def _reach(name: str, reach: Reach | None) -> dict[str, Any] | None:
        if reach is not None and not isinstance(reach, Reach):
            raise InputError(f"space.{name}: found {reach!r}; allowed: Reach(length=...) or None")
        return None if reach is None else reach._resolve(f"space.{name}")

    def _places(self, places: ArrayLike | None) -> list[list[int]]:
        if places is None:
            return []
        try:
            array = np.asarray(places)
        except ValueError:
            array = np.asarray(None)
        if array.ndim != 2 or array.shape[1] != self.dimensions or not np.issubdtype(array.dtype, np.integer):
            raise InputError(
                f"places: found shape {array.shape} of {array.dtype}; "
                f"allowed: whole numbers, one row of {self.dimensions} for each founder"
            )
        if array.size and np.abs(array).max() > 2**30:
            raise InputError("places: found a place beyond 2^30; allowed: from -2^30 to 2^30")
        return [[int(x) for x in row] + [0] * (3 - self.dimensions) for row in array]
