"""Colours that can be told apart, as many as are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 18
_STRONG = (38.0, 72.0)
_PALE = (74.0, 88.0)
_CHROMA = (12.0, 66.0)
_FOR_ALL = (25.0, 82.0)
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)

# What is left of linear RGB without one kind of cone: Machado, Oliveira and Fernandes 2009, IEEE Trans Vis
# Comput Graph 15:1291, severity 1.
_VISIONS = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


@cache
def distinct_for_all(number: int, apart_from: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return colours, each as far as can be from those before it for those who see it least.

    That is the least distance in CIELAB for usual colour vision and without each kind of cone.

    Parameters
    ----------
    number
        How many.
    apart_from
        Colours from which they keep away, too, as ``#RRGGBB``.
    """
    rgb = _grid()
    chroma = np.hypot(*_lab(rgb)[:, 1:].T)
    light = _lab(rgb)[:, 0]
    rgb = rgb[(light >= _FOR_ALL[0]) & (light <= _FOR_ALL[1]) & (chroma >= _CHROMA[0])]
    seen = _seen(rgb)
    nearest = np.full(len(rgb), np.inf)
    for taken in (*apart_from, "#FFFFFF"):
        nearest = np.minimum(nearest, _squares(seen, _seen(_rgb(taken)[None])).min(axis=0))
    found = []
    for _ in range(number):
        place = int(np.argmax(nearest))
        found.append(_hex(rgb[place]))
        nearest = np.minimum(nearest, _squares(seen, seen[:, place : place + 1]).min(axis=0))
    return tuple(found)


def least_difference(one: str, other: str) -> float:
    """Distance of two colours in CIELAB for those who see it least, with and without each kind of cone."""
    return float(np.sqrt(_squares(_seen(_rgb(one)[None]), _seen(_rgb(other)[None])).min()))


def least_ciede2000(one: str, other: str) -> float:
    """Difference of two colours by CIEDE2000 for those who see it least; about 1 can just be seen."""
    return float(ciede2000(_seen(_rgb(one)[None]), _seen(_rgb(other)[None])).min())


def ciede2000(lab: Floats, other: Floats) -> Floats:
    """Return differences of colours in CIELAB by the formula of the CIE of 2000.

    As Sharma, Wu and Dalal 2005 write it, Color Res Appl 30:21. Differences by it look equal where those in
    CIELAB do not: of strong colours, and of blues.
    """
    chromas = np.hypot(lab[..., 1], lab[..., 2]), np.hypot(other[..., 1], other[..., 2])
    stretch = 1.5 - 0.5 * _saturation((chromas[0] + chromas[1]) / 2)
    reds = lab[..., 1] * stretch, other[..., 1] * stretch
    first, second = np.hypot(reds[0], lab[..., 2]), np.hypot(reds[1], other[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], reds[0])) % 360
    turn = (np.degrees(np.arctan2(other[..., 2], reds[1])) - hue + 180) % 360 - 180
    turn = np.where(first * second == 0, 0.0, turn)
    light, chroma = (lab[..., 0] + other[..., 0]) / 2, (first + second) / 2
    mean = np.radians(hue + turn / 2)
    weight = (
        1
        - 0.17 * np.cos(mean - np.pi / 6)
        + 0.24 * np.cos(2 * mean)
        + 0.32 * np.cos(3 * mean + np.radians(6))
        - 0.20 * np.cos(4 * mean - np.radians(63))
    )
    lighter = (other[..., 0] - lab[..., 0]) / (
        1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    )
    stronger = (second - first) / (1 + 0.045 * chroma)
    turned = 2 * np.sqrt(first * second) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    blue = 60 * np.exp(-(((np.degrees(mean) % 360 - 275) / 25) ** 2))
    together = -2 * _saturation(chroma) * np.sin(np.radians(blue)) * stronger * turned
    found: Floats = np.sqrt(np.maximum(lighter**2 + stronger**2 + turned**2 + together, 0))
    return found


def _saturation(chroma: Floats) -> Floats:
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def mixture(colours: Iterable[str]) -> str:
    """Return the colour half-way between colours, whatever their order, in linear RGB."""
    light = np.mean([_linear(_rgb(colour)) for colour in sorted(colours)], axis=0)
    return _hex(_coded(light).round().astype(np.int64))


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
        found.append(_hex(rgb[place]))
        nearest = np.minimum(nearest, _squares(lab, lab[place]))
    return found


def difference(one: str, other: str) -> float:
    """Distance of two colours in CIELAB (CIE 1976); about 2 can just be seen."""
    return float(np.sqrt(_squares(_lab(_rgb(one)), _lab(_rgb(other)))))


@cache
def _candidates(pale: bool) -> tuple[NDArray[np.int64], Floats]:
    rgb = _grid()
    lab = _lab(rgb)
    low, high = _PALE if pale else _STRONG
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    kept = (lab[:, 0] >= low) & (lab[:, 0] <= high) & (chroma >= _CHROMA[0]) & (chroma <= _CHROMA[1])
    return rgb[kept], lab[kept]


def _grid() -> NDArray[np.int64]:
    """Return colours that are spread over all of sRGB."""
    steps = np.linspace(0, 255, _STEPS).round().astype(np.int64)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _seen(rgb: NDArray[np.int64]) -> Floats:
    """Return colours in CIELAB as each kind of eye sees them: by kind, colour and coordinate."""
    light = _linear(rgb)
    kinds = [_coded(light @ np.array(left).T) for left in _VISIONS.values()]
    return np.stack([_lab(rgb), *map(_lab, kinds)])


def _hex(rgb: NDArray[np.int64]) -> str:
    return "#" + "".join(f"{part:02X}" for part in rgb)


def _rgb(colour: str) -> NDArray[np.int64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def _linear(rgb: NDArray[Any]) -> Floats:
    """Convert sRGB (IEC 61966-2-1), 0 to 255, to shares of light."""
    share = rgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _coded(light: Floats) -> Floats:
    """Convert shares of light, cut to what can be shown, to sRGB, 0 to 255."""
    cut = np.clip(light, 0, 1)
    return 255 * np.where(cut <= 0.0031308, cut * 12.92, 1.055 * cut ** (1 / 2.4) - 0.055)


def _lab(rgb: NDArray[Any]) -> Floats:
    """Convert sRGB, 0 to 255, to CIELAB under D65."""
    relative = _linear(rgb) @ np.array(_TO_XYZ).T / np.array(_WHITE)
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _squares(lab: Floats, other: Floats) -> Floats:
    squares: Floats = np.sum((lab - other) ** 2, axis=-1)
    return squares
