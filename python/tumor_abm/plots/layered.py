"""Where the parts of a network stand: in layers from left to right, few arrows across each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]
Edge = tuple[str, str]
_Item = str | tuple[str, str, int]
"""A node, or the place at which an arrow passes through a layer."""

_SWEEPS = 24
_ROUNDS = 120
_STRAIGHT = 7


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Heights of centres, above the lowest, and the layers.

    Attributes
    ----------
    layers
        Of every layer, from the left, its nodes from below.
    height
        Of all of it.
    middle
        Height of the centre of every node.
    passing
        Of every arrow, the heights at which it passes the layers between its ends.
    """

    layers: Sequence[Sequence[str]]
    height: float
    middle: Mapping[str, float]
    passing: Mapping[Edge, Sequence[float]]


def layout(reads: Mapping[str, Sequence[str]], heights: Mapping[str, float], gap: float) -> Layout:
    """Return where nodes stand: each left of all that read it, as far to the right as can be.

    Parameters
    ----------
    reads
        Of every node, those that it reads; each stands after these.
    heights
        Of every node.
    gap
        Least space between two nodes of a layer.
    """
    graph = _Graph(reads)
    graph.order_layers()
    size = {item: heights[item] if isinstance(item, str) else 0.0 for layer in graph.layers for item in layer}
    middle = _placed(graph, size, gap)
    lowest = min((middle[item] - size[item] / 2 for item in size), default=0.0)
    highest = max((middle[item] + size[item] / 2 for item in size), default=0.0)
    return Layout(
        layers=[[item for item in layer if isinstance(item, str)] for layer in graph.layers],
        height=highest - lowest,
        middle={name: middle[name] - lowest for name in reads},
        passing={
            edge: [middle[item] - lowest for item in through] for edge, through in graph.through.items()
        },
    )


@dataclass
class _Graph:
    reads: Mapping[str, Sequence[str]]
    layers: list[list[_Item]] = field(default_factory=list)
    through: dict[Edge, list[_Item]] = field(default_factory=dict)
    left: dict[_Item, list[_Item]] = field(default_factory=dict)
    right: dict[_Item, list[_Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        to_end = dict.fromkeys(self.reads, 0)
        for name in reversed(list(self.reads)):
            for read in self.reads[name]:
                to_end[read] = max(to_end[read], to_end[name] + 1)
        last = max(to_end.values(), default=0)
        at = {name: last - steps for name, steps in to_end.items()}
        self.layers = [[] for _ in range(last + 1)]
        for name in self.reads:
            self._put(name, at[name])
        for name, read in [(reader, read) for reader, found in self.reads.items() for read in found]:
            between: list[_Item] = [(read, name, layer) for layer in range(at[read] + 1, at[name])]
            for layer, item in enumerate(between, at[read] + 1):
                self._put(item, layer)
            self.through[read, name] = between
            chain: list[_Item] = [read, *between, name]
            for one, other in pairwise(chain):
                self.right[one].append(other)
                self.left[other].append(one)

    def _put(self, item: _Item, layer: int) -> None:
        self.layers[layer].append(item)
        self.left[item], self.right[item] = [], []

    def order_layers(self) -> None:
        """Sort every layer by where its neighbours stand, to and fro, and keep what crosses least."""
        best, fewest = [list(layer) for layer in self.layers], self._crossings()
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            beside = self.left if forward else self.right
            for layer in self.layers if forward else reversed(self.layers):
                place = self._places()
                layer.sort(key=lambda item, place=place, beside=beside: _mean(place, beside[item], item))  # type: ignore[misc]
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        self.layers = best

    def pulling(self, item: _Item) -> list[_Item]:
        """Return the neighbours of an item; those that make an arrow straight count several times."""
        beside = [*self.left[item], *self.right[item]]
        straight = [other for other in beside if isinstance(item, tuple) and isinstance(other, tuple)]
        return [*beside, *(straight * _STRAIGHT)]

    def _places(self) -> dict[_Item, float]:
        return {item: (at + 0.5) / len(layer) for layer in self.layers for at, item in enumerate(layer)}

    def _crossings(self) -> int:
        place = self._places()
        crossings = 0
        for layer in self.layers[:-1]:
            ends = [(place[item], place[other]) for item in layer for other in self.right[item]]
            crossings += sum(
                (one[0] - other[0]) * (one[1] - other[1]) < 0
                for at, one in enumerate(ends)
                for other in ends[:at]
            )
        return crossings


def _mean(place: Mapping[_Item, float], beside: Sequence[_Item], item: _Item) -> float:
    return sum(place[other] for other in beside) / len(beside) if beside else place[item]


def _placed(graph: _Graph, size: Mapping[_Item, float], gap: float) -> dict[_Item, float]:
    """Return heights of centres, near those of the neighbours, in order and apart."""
    middle: dict[_Item, float] = {}
    apart: list[list[float]] = []
    for layer in graph.layers:
        offsets = [0.0]
        for below, above in pairwise(layer):
            offsets.append(offsets[-1] + (size[below] + size[above]) / 2 + gap)
        apart.append(offsets)
        middle |= {item: offset - offsets[-1] / 2 for item, offset in zip(layer, offsets, strict=True)}
    for turn in range(_ROUNDS):
        order = range(len(graph.layers))
        for at in order if turn % 2 == 0 else reversed(order):
            layer = graph.layers[at]
            wanted = [_mean(middle, graph.pulling(item), item) for item in layer]
            free = _rising([want - offset for want, offset in zip(wanted, apart[at], strict=True)])
            middle |= {item: at_ + off for item, at_, off in zip(layer, free, apart[at], strict=True)}
    return middle


def _rising(values: Sequence[float]) -> list[float]:
    """Return the numbers nearest to `values`, by least squares, that never fall."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before, number = blocks.pop()
            total, count = total + before, count + number
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]
