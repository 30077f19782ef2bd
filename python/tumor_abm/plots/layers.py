"""What a Muller plot of a patient's genotypes draws: layers that add up to all living cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.genotype import Genotype
from tumor_abm.plots.genotypes import OTHERS, Palette, nested, short
from tumor_abm.plots.thinning import evenly

POINTS = 400
"""Points in time that a panel draws at most; more cannot be told apart."""
OTHER = "other genotypes"
LEAST_SHARE = 0.002
"""Share of the living cells below which a genotype has no layer of its own."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """A layer of the plot.

    Attributes
    ----------
    name, colour
        Of the genotype, named by what it has beyond the founder; or of all that have no layer of
        their own.
    share
        Height on each day, as a share of the living cells.
    """

    name: str
    colour: str
    share: Floats


def layers_of(clones: pl.DataFrame, palette: Palette, points: int = POINTS) -> tuple[Floats, list[Layer]]:
    """Return days, and layers from below; on every day their shares sum to 1.

    A genotype with a colour of its own that ever had 0.2% of the cells lies inside its parent, in
    slices; all others are added up in one layer at the top.

    Parameters
    ----------
    clones
        ``day, genotype, alterations, cells``; the founder comes first.
    palette
        Colours of genotypes.
    points
        Days at most, evenly spread: layers that lie on each other need the same days.
    """
    known = clones["day"].unique(maintain_order=True)
    days, cells = cells_over_time(clones, known[evenly(known.len(), points)])
    total = np.maximum(sum(cells.values(), np.zeros(len(days))), 1.0)
    shares = {genotype: own / total for genotype, own in cells.items()}
    own = [each for each, share in shares.items() if each in palette and share.max() >= LEAST_SHARE]
    founder = _founder(clones)
    layers = [Layer(short(each, founder), palette[each], part * shares[each]) for each, part in nested(own)]
    other = sum((share for genotype, share in shares.items() if genotype not in own), np.zeros(len(days)))
    return days, [*layers, Layer(OTHER, OTHERS, other)] if other.any() else layers


def legend_of(clones: pl.DataFrame, palette: Palette) -> dict[str, str]:
    """Return the colour of every genotype that has one, and of the others if they have a layer, by name."""
    _, layers = layers_of(clones, palette)
    seen, founder = genotypes_of(clones).values(), _founder(clones)
    named = {short(genotype, founder): palette[genotype] for genotype in seen if genotype in palette}
    return named | {layer.name: layer.colour for layer in layers}


def genotypes_of(clones: pl.DataFrame) -> dict[str, Genotype]:
    """Return genotypes by their names, in the order of their first appearance."""
    first = clones["genotype"].arg_unique().sort()
    names, carried = clones["genotype"].gather(first), clones["alterations"].gather(first)
    return dict(zip(names.to_list(), map(tuple, carried.to_list()), strict=True))


def _founder(clones: pl.DataFrame) -> Genotype:
    return next(iter(genotypes_of(clones).values()), ())


def cells_over_time(
    clones: pl.DataFrame, days: pl.Series | None = None
) -> tuple[Floats, dict[Genotype, Floats]]:
    """Return days, and for each genotype its living cells on each of them.

    Parameters
    ----------
    clones
        ``day, genotype, alterations, cells``; genotypes come in the order of their first appearance.
    days
        The days; by default all on which a genotype of `clones` lived.
    """
    shown = (clones["day"].unique(maintain_order=True) if days is None else days).to_numpy().astype(float)
    genotypes = genotypes_of(clones)
    day = clones["day"].to_numpy().astype(float)
    order = np.argsort(shown)
    column = np.append(order, 0)[np.searchsorted(shown, day, sorter=order)]
    is_shown = shown[column] == day if shown.size else np.zeros(day.size, dtype=bool)
    row = clones["genotype"].cast(pl.Enum(list(genotypes))).to_physical().to_numpy()
    place = row[is_shown].astype(np.intp) * shown.size + column[is_shown]
    number = clones["cells"].to_numpy()[is_shown]
    cells = np.bincount(place, number, len(genotypes) * shown.size).reshape(-1, max(shown.size, 1))
    is_met = np.bincount(row[is_shown], minlength=len(genotypes)) > 0
    return shown, {genotype: cells[at] for at, genotype in enumerate(genotypes.values()) if is_met[at]}
