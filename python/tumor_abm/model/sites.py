"""A lattice tumour as an array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sites:
    """The smallest box of lattice sites that holds a tumour.

    Attributes
    ----------
    origin
        Coordinates of its lowest corner.
    genotype
        Shape ``(x, y)`` or ``(x, y, z)``; 0 is a free site, ``k + 1`` a cell of genotype ``k`` in
        `TumorModel.genotype_names`.
    """

    origin: tuple[int, ...]
    genotype: NDArray[np.uint16]
