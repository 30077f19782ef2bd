"""Parts of a tumour that are taken out and looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import NoneType
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import generator, must_be, numbers, positive, real
from tumor_abm._base.sums import total
from tumor_abm.errors import InputError
from tumor_abm.evolution.genealogy import Genealogy

Rows = NDArray[np.int64]
AimedShape = Literal["sphere", "needle", "random"]

_AXES = ("x", "y", "z")


@dataclass(frozen=True, kw_only=True)
class Sphere:
    """A sphere of a lattice; a disc in 2-D.

    Attributes
    ----------
    centre
        In sites, one number per dimension.
    radius
        In sites.
    cells
        Instead of a radius: the so many cells nearest to the centre.
    """

    centre: tuple[float, ...]
    radius: float | None = None
    cells: int | None = None

    def __post_init__(self) -> None:
        _one_size("sphere", self.radius, self.cells)

    def choose(self, cells: pl.DataFrame, rng: np.random.Generator) -> Rows:
        """Return the rows of `cells` that are taken."""
        away = np.linalg.norm(_places(cells) - _point("sphere.centre", self.centre, cells), axis=1)
        return _nearest("sphere", away, self.radius, self.cells)


@dataclass(frozen=True, kw_only=True)
class Needle:
    """A straight needle through a lattice: a cylinder, or a strip in 2-D.

    Attributes
    ----------
    through
        A point on its axis, in sites.
    direction
        Of its axis; its length does not matter.
    radius
        In sites.
    cells
        Instead of a radius: the so many cells nearest to the axis.
    length
        In sites, half of it on either side of `through`; the whole tumour is pierced when ``None``.
    """

    through: tuple[float, ...]
    direction: tuple[float, ...]
    radius: float | None = None
    cells: int | None = None
    length: float | None = None

    def __post_init__(self) -> None:
        _one_size("needle", self.radius, self.cells)
        if self.length is not None:
            real("needle.length", self.length, "finite and at least 0 sites")
        if not numbers("needle.direction", self.direction).any():
            raise InputError(f"needle.direction: found {self.direction}; allowed: not all 0")

    def choose(self, cells: pl.DataFrame, rng: np.random.Generator) -> Rows:
        """Return the rows of `cells` that are taken."""
        axis = _point("needle.direction", self.direction, cells)
        axis = axis / np.linalg.norm(axis)
        from_point = _places(cells) - _point("needle.through", self.through, cells)
        along = (from_point * axis).sum(axis=1)
        aside = np.linalg.norm(from_point - along[:, None] * axis, axis=1)
        half = np.inf if self.length is None else self.length / 2
        return _nearest("needle", np.where(np.abs(along) <= half, aside, np.inf), self.radius, self.cells)


@dataclass(frozen=True, kw_only=True)
class RandomCells:
    """Cells drawn at random, wherever they are.

    Attributes
    ----------
    cells
        How many, without replacement.
    """

    cells: int

    def __post_init__(self) -> None:
        positive("random.cells", self.cells)

    def choose(self, cells: pl.DataFrame, rng: np.random.Generator) -> Rows:
        """Return the rows of `cells` that are taken."""
        _enough("random.cells", self.cells, cells.height)
        return np.sort(rng.choice(cells.height, self.cells, replace=False))


Shape = Sphere | Needle | RandomCells


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A part of any tumour, told in radii of that tumour: what a plan says of tumours that are not grown yet.

    Attributes
    ----------
    shape
        ``sphere``, ``needle`` or ``random``. Where cells have no places, all are random.
    cells
        How many, the nearest ones; of a random sample, any.
    centre
        A point from the middle of the tumour: 0 in all directions is the middle, 1 in one of them the rim.
    direction
        Of a needle.
    radius
        Of a sphere or needle: the cells in it, whatever their number, in the place of the nearest `cells`.
    """

    shape: AimedShape
    cells: int
    centre: tuple[float, ...] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0)
    radius: float | None = None

    def of_at_most(self, cells: int) -> Aim:
        """Return the same of a tumour that has only so many cells."""
        return replace(self, cells=min(self.cells, cells))

    def in_tumour(self, cells: pl.DataFrame) -> Shape:
        """Return what that is in a tumour, whose living cells are given."""
        axes = [axis for axis in _AXES if axis in cells.columns]
        if not axes or self.shape == "random":
            return RandomCells(cells=self.cells)
        places = cells.select(axes).to_numpy().astype(float)
        middle = places.mean(axis=0)
        # A ball of d dimensions has a mean square radius of d / (d + 2) of its radius squared.
        spread = total((places - middle) ** 2) / len(places)
        tumour = math.sqrt(spread * (len(axes) + 2) / len(axes))
        point = tuple(float(x) for x in middle + tumour * np.array(self.centre[: len(axes)]))
        nearest = self.cells if self.radius is None else None
        radius = None if self.radius is None else self.radius * tumour
        if self.shape == "sphere":
            return Sphere(centre=point, cells=nearest, radius=radius)
        along = tuple(self.direction[: len(axes)])
        return Needle(through=point, direction=along, cells=nearest, radius=radius)


@dataclass(frozen=True, eq=False)
class Biopsy:
    """Cells that were taken; the population keeps them.

    Attributes
    ----------
    cells
        ``cell`` (its row in `Population.cells`), ``clone``, ``type``, ``x, y, z`` in space, and
        ``node`` in `genealogy` if that was recorded.
    genealogy
        How these cells descend from each other; ``None`` if it was not recorded.
    """

    cells: pl.DataFrame
    genealogy: Genealogy | None

    @property
    def rows(self) -> Rows:
        """Rows of the cells in `Population.cells`, and in `Genealogy.cells` of the whole tumour."""
        return self.cells["cell"].to_numpy().astype(np.int64)


def take(
    shape: Shape, cells: pl.DataFrame, genealogy: Genealogy | None, *, seed: int | None = None
) -> Biopsy:
    """Take the cells of `cells` that lie in `shape`; what `Population.biopsy` does."""
    must_be("shape", shape, Sphere, Needle, RandomCells)
    must_be("cells", cells, pl.DataFrame)
    must_be("genealogy", genealogy, Genealogy, NoneType)
    rows = shape.choose(cells, generator(seed))
    taken = cells[rows].insert_column(0, pl.Series("cell", rows, dtype=pl.UInt32))
    if genealogy is None:
        return Biopsy(cells=taken, genealogy=None)
    part = genealogy.restrict(rows)
    return Biopsy(cells=taken.with_columns(part.cells["node"]), genealogy=part)


def _one_size(name: str, radius: float | None, cells: int | None) -> None:
    if (radius is None) == (cells is None):
        raise InputError(f"{name}: found radius {radius} and cells {cells}; allowed: exactly one of them")
    if radius is not None:
        real(f"{name}.radius", radius, "finite and at least 0 sites")
    if cells is not None:
        positive(f"{name}.cells", cells)


def _nearest(name: str, away: NDArray[np.float64], radius: float | None, cells: int | None) -> Rows:
    """Rows within a radius, or the so many nearest; equals in the order of the cells."""
    if cells is None:
        return np.flatnonzero(away <= (radius or 0.0))
    _enough(f"{name}.cells", cells, int(np.isfinite(away).sum()))
    return np.sort(np.argsort(away, kind="stable")[:cells])


def _places(cells: pl.DataFrame) -> NDArray[np.float64]:
    axes = [axis for axis in _AXES if axis in cells.columns]
    if not axes:
        raise InputError("biopsy: found cells without places; allowed: RandomCells, or engine='lattice'")
    return cells.select(axes).to_numpy().astype(np.float64)


def _point(name: str, point: tuple[float, ...], cells: pl.DataFrame) -> NDArray[np.float64]:
    dimensions = sum(axis in cells.columns for axis in _AXES)
    try:
        array = np.asarray(point, dtype=float)
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    if dimensions and (array.shape != (dimensions,) or not np.isfinite(array).all()):
        raise InputError(f"{name}: found {point}; allowed: {dimensions} finite numbers")
    return array


def _enough(name: str, wanted: int, there: int) -> None:
    if wanted > there:
        raise InputError(f"{name}: found {wanted}; allowed: at most the cells that are there, {there}")
