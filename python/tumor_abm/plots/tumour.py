"""Pictures of a tumour, one colour a genotype, as PNG: quick enough to be drawn many times a second."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tumor_abm.plots.genotypes import as_rgb

EMPTY = (255, 255, 255)
"""Colour where no cell is."""

PIXELS = 480
"""Width and height of a picture."""

_MOST_KINDS = 250
_DOTS = 2_400
_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)
_LIGHT = np.array([-0.45, -0.55, 0.7])

Codes = NDArray[np.uint8]


def section(codes: Codes, colours: Sequence[str], pixels: int = PIXELS) -> bytes:
    """Draw a plane of a lattice.

    Parameters
    ----------
    codes
        Shape ``(y, x)``: 0 where no cell is, ``i + 1`` where one of the genotype ``colours[i]`` is.
        Where several sites fall on one pixel the highest code is drawn, so that rare genotypes
        stay visible if they come last.
    colours
        Of the genotypes, at most 250.
    pixels
        Width and height of the picture.
    """
    shown = _square(codes)
    side = shown.shape[0]
    if side > pixels:
        block = -(-side // pixels)
        padded = np.zeros((-(-side // block) * block,) * 2, dtype=np.uint8)
        padded[:side, :side] = shown
        rows = np.maximum.reduce([padded[i::block] for i in range(block)])
        shown = np.maximum.reduce([rows[:, i::block] for i in range(block)])
    return _png(shown, colours, pixels)


def surface(
    heights: NDArray[np.float64], codes: Codes, colours: Sequence[str], pixels: int = PIXELS
) -> bytes:
    """Draw a tumour in three dimensions as seen from above, lit from the side.

    Parameters
    ----------
    heights
        Shape ``(y, x)``: height of the uppermost cell; NaN where no cell is.
    codes
        Shape ``(y, x)``: genotype of that cell, as in `section`.
    colours
        Of the genotypes.
    pixels
        Width and height of the picture.
    """
    filled = np.where(np.isnan(heights), np.nanmin(heights, initial=0.0), heights)
    smooth = _blurred(filled)
    slope_y, slope_x = np.gradient(smooth)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = 0.45 + 0.55 * np.clip(normal @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    table = np.array([EMPTY, *map(as_rgb, colours)], dtype=np.float64)
    lit = table[codes] * np.where(codes[..., None] > 0, light[..., None], 1.0)
    image = Image.fromarray(np.clip(_square_rgb(lit), 0, 255).astype(np.uint8))
    return _saved(image.resize((pixels, pixels), Image.Resampling.BILINEAR))


def from_above(codes: Codes) -> tuple[Codes, NDArray[np.float64]]:
    """Return, for each ``(x, y)`` of a solid ``(x, y, z)``, the code of its uppermost cell and its height."""
    occupied = codes > 0
    top = codes.shape[2] - 1 - np.argmax(occupied[:, :, ::-1], axis=2)
    seen = np.take_along_axis(codes, top[:, :, None], axis=2)[:, :, 0]
    return seen, np.where(seen > 0, top.astype(float), np.nan)


def disc(shares: Sequence[float], colours: Sequence[str], diameter: float, pixels: int = PIXELS) -> bytes:
    """Draw a well-mixed tumour: dots that each stand for the same number of cells.

    Parameters
    ----------
    shares
        Share of each genotype in the living cells; they sum to 1.
    colours
        Of the genotypes.
    diameter
        Of the tumour, relative to the width of the picture, from 0 to 1.
    pixels
        Width and height of the picture.
    """
    label, bearing = _dots(pixels)
    shown = round(_DOTS * min(max(diameter, 0.0), 1.0) ** 2)
    code_of = np.zeros(_DOTS + 1, dtype=np.uint8)
    if shown and sum(shares) > 0:
        order = np.argsort(bearing[:shown], kind="stable")
        bounds = np.round(np.cumsum(shares) / sum(shares) * shown).astype(int)
        codes = np.searchsorted(bounds, np.arange(shown), side="right") + 1
        code_of[1 + order] = np.minimum(codes, len(colours))
    return _png(code_of[label], colours, pixels)


@cache
def _dots(pixels: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Which dot (from 1) each pixel lies in, 0 for none, and the bearing by which dots are filled.

    Dots sit on Vogel's spiral (1979, Math Biosci 44:179), which fills a disc of any size evenly.
    """
    rank = np.arange(_DOTS)
    radius = np.sqrt((rank + 0.5) / _DOTS) * (pixels / 2 - 4)
    angle = rank * _GOLDEN_ANGLE
    x, y = pixels / 2 + radius * np.cos(angle), pixels / 2 + radius * np.sin(angle)
    size = 0.86 * pixels / 2 / np.sqrt(_DOTS)
    label = np.zeros((pixels, pixels), dtype=np.int32)
    reach = int(np.ceil(size))
    for dot in range(_DOTS):
        left, top = int(x[dot]) - reach, int(y[dot]) - reach
        rows, columns = np.mgrid[top : top + 2 * reach + 2, left : left + 2 * reach + 2]
        inside = (columns - x[dot]) ** 2 + (rows - y[dot]) ** 2 <= size**2
        label[rows[inside].clip(0, pixels - 1), columns[inside].clip(0, pixels - 1)] = dot + 1
    wobble = np.random.default_rng(7).normal(0.0, 0.12, _DOTS)
    return label, np.mod(angle + wobble, 2 * np.pi)


def _square(codes: Codes) -> Codes:
    side = max(codes.shape)
    if codes.shape == (side, side):
        return codes
    padded = np.zeros((side, side), dtype=np.uint8)
    top, left = (side - codes.shape[0]) // 2, (side - codes.shape[1]) // 2
    padded[top : top + codes.shape[0], left : left + codes.shape[1]] = codes
    return padded


def _square_rgb(lit: NDArray[np.float64]) -> NDArray[np.float64]:
    side = max(lit.shape[:2])
    padded = np.full((side, side, 3), EMPTY, dtype=np.float64)
    top, left = (side - lit.shape[0]) // 2, (side - lit.shape[1]) // 2
    padded[top : top + lit.shape[0], left : left + lit.shape[1]] = lit
    return padded


def _blurred(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth the roughness of single cells, which would hide the shape."""
    for _ in range(2):
        padded = np.pad(heights, 1, mode="edge")
        heights = (
            4 * padded[1:-1, 1:-1]
            + padded[:-2, 1:-1]
            + padded[2:, 1:-1]
            + padded[1:-1, :-2]
            + padded[1:-1, 2:]
        ) / 8
    return heights


def _png(codes: Codes, colours: Sequence[str], pixels: int) -> bytes:
    palette = bytes(channel for rgb in (EMPTY, *map(as_rgb, colours[:_MOST_KINDS])) for channel in rgb)
    size = (codes.shape[1], codes.shape[0])
    image = Image.frombytes("P", size, np.ascontiguousarray(codes, dtype=np.uint8).tobytes())
    image.putpalette(palette)
    if size[0] < pixels:
        image = image.resize((pixels, pixels), Image.Resampling.NEAREST)
    return _saved(image)


def _saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="png", compress_level=1)
    return file.getvalue()
