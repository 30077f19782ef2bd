"""Genotypes in figures: a colour that stays, and who descends from whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, islice

from tumor_abm._base.genotype import Genotype, named
from tumor_abm.plots.hues import distinct_for_all, mixture

OTHERS = "#8C8C8C"
"""Colour of genotypes that have none of their own."""

_FOUNDER = "#90A2BC"

# Of the alterations that are usually in play. Annealing found them: with the founder, the others and white,
# no two are closer than 13.2 by CIEDE2000, with and without each kind of cone. Picked one after the other, as
# `distinct_for_all` does, some are at 5.9. (An exchange of colours on a grid ended at 11.6.)
# The last was added to the others: among the farthest on a grid.
_USUAL = (
    *("#F36115", "#025AFF", "#3FA665", "#472B7E", "#D3DA00", "#B68BFF", "#742102", "#82CEBD", "#0001DC"),
    *("#F6C898", "#B44100", "#53774F", "#E3C6FF", "#24404B", "#7B626D", "#716496", "#553E37", "#1C0038"),
)

_MOST_HUES = 64

# By how much a colour is mixed with black (below 0) or white (above 0), for the states it is in.
_SHADES = (0.0, -0.35, 0.4, -0.55, 0.6, -0.2, 0.2, 0.75)


class Palette:
    """Colours of up to 64 genotypes; all others are grey.

    The founder is pale. An alteration has one colour, in whatever order and in whichever patient it comes;
    a genotype with several gained ones has the colour half-way between theirs. Cells that differ by a
    reversible state alone (EMT, say) have the same hue, darker or lighter.

    Parameters
    ----------
    states
        Names of the reversible states.
    alterations
        Alterations in an order that never changes, the most frequent first; others come after them, as they
        are met.
    """

    def __init__(self, states: Iterable[str] = (), *, alterations: Iterable[str] = ()) -> None:
        self._states = list(states)
        known = dict.fromkeys(name for name in alterations if name not in self._states)
        self._colour_of = dict(zip(known, _hues(), strict=False))
        self._founder: frozenset[str] | None = None
        self._shown: set[frozenset[str]] = set()
        alone = (frozenset({state}) for state in self._states)
        self._states_met = {
            met: place for place, met in enumerate(islice(chain([frozenset[str]()], alone), len(_SHADES)))
        }

    def give(self, genotype: Genotype) -> None:
        """Give a genotype a colour of its own, unless it has one or none is left; the founder first."""
        mutations, states = self._parts(genotype)
        if self._founder is None:
            self._founder = mutations
        if mutations not in self._shown and len(self._shown) < _MOST_HUES:
            for name in sorted(self._gained(mutations)):
                if name not in self._colour_of and len(self._colour_of) < _MOST_HUES:
                    self._colour_of[name] = _hues()[len(self._colour_of)]
            if mutations == self._founder or self._gained(mutations) <= self._colour_of.keys():
                self._shown.add(mutations)
        if mutations in self._shown and len(self._states_met) < len(_SHADES):
            self._states_met.setdefault(states, len(self._states_met))

    def __contains__(self, genotype: Genotype) -> bool:
        mutations, states = self._parts(genotype)
        return mutations in self._shown and states in self._states_met

    def __getitem__(self, genotype: Genotype) -> str:
        mutations, states = self._parts(genotype)
        if genotype not in self:
            return OTHERS
        gained = self._gained(mutations)
        hue = mixture(self._colour_of[name] for name in gained) if gained else _FOUNDER
        return _mixed(hue, _SHADES[self._states_met[states]])

    def of_alteration(self, name: str) -> str:
        """Return the colour of an alteration by itself."""
        return self._colour_of.get(name, OTHERS)

    def _gained(self, mutations: frozenset[str]) -> frozenset[str]:
        """Return what a genotype has beyond the founder; if it has only lost something, what it has."""
        assert self._founder is not None
        return mutations - self._founder or (frozenset() if mutations == self._founder else mutations)

    def _parts(self, genotype: Genotype) -> tuple[frozenset[str], frozenset[str]]:
        alterations = frozenset(genotype)
        states = alterations.intersection(self._states)
        return alterations - states, states


@cache
def _hues() -> tuple[str, ...]:
    """Return colours that keep apart from each other, the founder's and that of the others, for every eye."""
    more = distinct_for_all(_MOST_HUES - len(_USUAL), (_FOUNDER, OTHERS, *_USUAL))
    return (*_USUAL, *more)


def _mixed(colour: str, shade: float) -> str:
    """Mix a colour with black (``shade`` below 0) or white (above 0)."""
    end = 255 if shade > 0 else 0
    parts = (round(part + (end - part) * abs(shade)) for part in as_rgb(colour))
    return "#" + "".join(f"{part:02X}" for part in parts)


def as_rgb(colour: str) -> tuple[int, int, int]:
    """Return ``#rrggbb`` as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def parents(genotypes: Sequence[Genotype]) -> dict[Genotype, Genotype | None]:
    """Return, for each genotype, the one among them that it most likely came from.

    That is the genotype with most of its alterations and no other; of several, the earlier in
    `genotypes`. The first genotype is the founder and takes in those that fit nowhere (an alteration
    that was lost again, for one).
    """
    found: dict[Genotype, Genotype | None] = {}
    for genotype in genotypes:
        fitting = [other for other in genotypes if set(other) < set(genotype)]
        nearest = max(fitting, key=len, default=genotypes[0])
        found[genotype] = None if genotype == genotypes[0] else nearest
    return found


def nested(genotypes: Sequence[Genotype]) -> list[tuple[Genotype, float]]:
    """Return genotypes from bottom to top as layers: ``(genotype, share of it in this layer)``.

    A genotype with descendants is split into two halves round them, so that a Muller plot shows
    descendants inside their parent.
    """
    children: dict[Genotype | None, list[Genotype]] = {}
    for genotype, parent in parents(genotypes).items():
        children.setdefault(parent, []).append(genotype)
    layers: list[tuple[Genotype, float]] = []

    def place(genotype: Genotype) -> None:
        inner = children.get(genotype, [])
        layers.append((genotype, 0.5 if inner else 1.0))
        for child in inner:
            place(child)
        if inner:
            layers.append((genotype, 0.5))

    for root in children.get(None, []):
        place(root)
    return layers


def short(genotype: Genotype, founder: Iterable[str] = ()) -> str:
    """Name a genotype by what it has beyond the founder.

    Examples
    --------
    >>> short(("PIK3CA mutation", "ESR1 D538G"), ["PIK3CA mutation"])
    '+ ESR1 D538G'
    >>> short(("PIK3CA mutation",), ["PIK3CA mutation"])
    'PIK3CA mutation (founder)'
    """
    inherited = frozenset(founder)
    gained = [part for part in genotype if part not in inherited]
    lost = sorted(inherited - set(genotype))
    if not gained and not lost:
        return f"{named(genotype)} (founder)"
    said = [f"+ {part}" for part in gained] + [f"− {part}" for part in lost]
    return " ".join(said)
