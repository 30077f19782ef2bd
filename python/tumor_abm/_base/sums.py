"""Sums that are the same on every machine.

NumPy adds in an order that the processor's instructions set, and its products of vectors fuse operations on
some machines: the last bits differ. What is written into tables is summed here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def total(values: ArrayLike) -> float:
    """Return the sum, correctly rounded."""
    return math.fsum(np.ravel(np.asarray(values, dtype=np.float64)).tolist())


def dot(one: ArrayLike, other: ArrayLike) -> float:
    """Return the sum of the products, each rounded, correctly rounded."""
    return total(np.multiply(one, other))
