"""Colours that can be told apart, as many as are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 18
_STRONG = (38.0, 72.0)
_PALE = (74.0, 88.0)
_CHROMA = (12.0, 66.0)
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def distinct(number: int, *, apart_from: Iterable[str] = (), pale: bool = False) -> list[str]:
    """Return colours, each as far as can be from those before it.

    Distances are those of CIELAB, in which equal distances look about equal.

    Parameters
    ----------
    number
        How many.
    apart_from
        Colours from which they keep away, too, as ``#RRGGBB``.
    pale
        Pale colours instead of strong ones.
    """
    rgb, lab = _candidates(pale)
    nearest = np.full(len(lab), np.inf)
    for taken in (*apart_from, "#FFFFFF"):
        nearest = np.minimum(nearest, _squares(lab, _lab(_rgb(taken))))
    found = []
    for _ in range(number):
        place = int(np.argmax(nearest))
        found.append("#" + "".join(f"{part:02X}" for part in rgb[place]))
        nearest = np.minimum(nearest, _squares(lab, lab[place]))
    return found


def difference(one: str, other: str) -> float:
    """Distance of two colours in CIELAB (CIE 1976); about 2 can just be seen."""
    return float(np.sqrt(_squares(_lab(_rgb(one)), _lab(_rgb(other)))))


@cache
def _candidates(pale: bool) -> tuple[NDArray[np.int64], Floats]:
    steps = np.linspace(0, 255, _STEPS).round().astype(np.int64)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = _lab(rgb)
    low, high = _PALE if pale else _STRONG
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    kept = (lab[:, 0] >= low) & (lab[:, 0] <= high) & (chroma >= _CHROMA[0]) & (chroma <= _CHROMA[1])
    return rgb[kept], lab[kept]


def _rgb(colour: str) -> NDArray[np.int64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def _lab(rgb: NDArray[np.int64]) -> Floats:
    """Convert sRGB (IEC 61966-2-1), 0 to 255, to CIELAB under D65."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    relative = linear @ np.array(_TO_XYZ).T / np.array(_WHITE)
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _squares(lab: Floats, other: Floats) -> Floats:
    squares: Floats = np.sum((lab - other) ** 2, axis=-1)
    return squares
