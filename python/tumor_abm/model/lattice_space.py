"""A tumour on a lattice as a grid of Mesa, for what draws such grids."""

from __future__ import annotations

from random import Random

import numpy as np
from mesa.discrete_space import OrthogonalMooreGrid
from numpy.typing import NDArray

try:
    from mesa.discrete_space.property_layer import PropertyLayer
except ImportError:  # Mesa 4: a layer is an array
    PropertyLayer = None

GENOTYPE = "genotype"
"""Name of the property layer: 0 is a free site, ``k + 1`` a cell of genotype ``k``."""

_EMPTY = "empty"
_ROUNDED = 16


class LatticeSpace(OrthogonalMooreGrid):  # type: ignore[misc]
    """The sites of a tumour of today, in a square round its first cell that grows by steps.

    Mesa's grids hold an object for every site; this one holds arrays alone. Its property layer ``genotype``
    is as `Sites.genotype`; of a solid tumour it is the plane through the first cell. There are no agents in
    it: an agent of a model is a clone, which has many places.

    Parameters
    ----------
    plane
        Shape ``(x, y)``, as `Sites.genotype`.
    origin
        Coordinates of its lowest corner.
    genotypes
        Alterations of each genotype, kept with the layer as ``genotypes``.
    random
        Of the model.

    Attributes
    ----------
    genotypes
        As given.
    """

    def __init__(
        self,
        plane: NDArray[np.uint16],
        origin: tuple[int, ...],
        genotypes: list[tuple[str, ...]],
        random: Random,
    ) -> None:
        super().__init__((1, 1), capacity=1, random=random)
        ends = [(-low, low + size) for low, size in zip(origin, plane.shape, strict=False)]
        reach = -(-max(map(max, ends)) // _ROUNDED) * _ROUNDED
        whole = np.zeros((2 * reach, 2 * reach), dtype=np.int64)
        places = tuple(
            slice(low + reach, low + reach + size) for low, size in zip(origin, plane.shape, strict=False)
        )
        whole[places] = plane
        self.remove_property_layer(_EMPTY)
        self.dimensions = whole.shape
        self.genotypes = genotypes
        for name, values in ((GENOTYPE, whole), (_EMPTY, whole == 0)):
            if PropertyLayer is None:
                self.add_property_layer(name, values)
                continue
            layer = PropertyLayer.from_data(name, values)
            layer.genotypes = genotypes
            self.add_property_layer(layer)
