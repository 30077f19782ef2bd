"""The lines of sampled cells where cells are individuals, and small clones beside them are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.frames import frame

FOUNDING, BRANCHING, SAMPLING = "founding", "branching", "sampling"
"""What a row of the tree is: a clone was founded among counted cells, the lines of sampled cells part at a
division, or a cell was sampled."""

_NOBODY = -1
_SCHEMA: dict[str, pl.DataType] = {
    "clone": pl.UInt64(),
    "parent": pl.UInt64(),
    "alterations": pl.List(pl.String),
    "born_day": pl.Float64(),
    "died_day": pl.Float64(),
    "origins": pl.UInt64(),
    "event": pl.String(),
}

Point = tuple[int, float]
"""An individual by its node, or a clone by its own number, and the day on which it was sampled."""


@dataclass(frozen=True, eq=False)
class Descent:
    """How individuals and counted clones descend from each other, as the core tells it.

    Nodes of individuals have the numbers from 0, clones those behind them.

    Attributes
    ----------
    above
        The parent of each; -1: none.
    day
        When a node divided (not a number: never), or a clone was founded.
    kind
        Genotype of each clone.
    origins
        Clones that were merged into it, itself included.
    remembered
        Nodes of remembered individuals, in that order.
    ids
        Of the clones, ascending.
    same
        For each clone the number of the one that it is the rest of, or its own.
    """

    above: NDArray[np.int64]
    day: NDArray[np.float64]
    kind: NDArray[np.int64]
    origins: NDArray[np.uint64]
    remembered: NDArray[np.int64]
    ids: NDArray[np.uint64]
    same: NDArray[np.int64]

    @classmethod
    def of(cls, lines: tuple[bytes, bytes, bytes, bytes]) -> Descent:
        """Read what the core recorded."""
        nodes, clones, founders = (frame(lines[k]) for k in (0, 2, 3))
        remembered = np.frombuffer(lines[1], dtype=np.uint32).astype(np.int64)
        ids = clones["clone"].to_numpy()

        def numbers(of: pl.Series) -> NDArray[np.int64]:
            return nodes.height + np.searchsorted(ids, of.to_numpy())

        same = nodes.height + np.arange(ids.size)
        rest = clones["rest"].is_not_null().to_numpy()
        # What a clone is the rest of was founded before it, and may be the rest of another itself.
        for row, of in zip(np.flatnonzero(rest), numbers(clones["rest"].drop_nulls()), strict=True):
            same[row] = same[of - nodes.height]
        above = np.full(nodes.height + ids.size, _NOBODY, dtype=np.int64)
        above[: nodes.height] = nodes["parent"].cast(pl.Int64).fill_null(_NOBODY).to_numpy()
        above[remembered[founders["remembered"].to_numpy()]] = same[numbers(founders["clone"]) - nodes.height]
        of_clones = above[nodes.height :]
        child = clones["parent"].is_not_null().to_numpy()
        of_clones[child] = same[numbers(clones["parent"].drop_nulls()) - nodes.height]
        born = clones["mother"].is_not_null().to_numpy()
        of_clones[born] = remembered[clones["mother"].drop_nulls().to_numpy()]
        return cls(
            above=above,
            day=np.concatenate([nodes["day"].to_numpy(), clones["born_day"].to_numpy()]),
            kind=clones["kind"].to_numpy().astype(np.int64),
            origins=clones["origins"].to_numpy(),
            remembered=remembered,
            ids=ids,
            same=same,
        )

    @property
    def nodes(self) -> int:
        """Nodes of individuals."""
        return self.above.size - self.ids.size

    def clones(self, ids: pl.Series) -> NDArray[np.int64]:
        """Return the numbers of clones."""
        return self.same[np.searchsorted(self.ids, ids.to_numpy())]


@dataclass
class _Rows:
    """The rows of a tree, as they are found."""

    parent: list[int | None] = field(default_factory=list)
    day: list[float] = field(default_factory=list)
    kind: list[int | None] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    event: list[str] = field(default_factory=list)

    def add(self, parent: int | None, day: float, kind: int | None, event: str, origins: int = 1) -> int:
        self.parent.append(parent)
        self.day.append(day)
        self.kind.append(kind)
        self.event.append(event)
        self.origins.append(origins)
        return len(self.day) - 1


def tree_of(
    descent: Descent, points: Mapping[Point, int], alterations: Sequence[Sequence[str]]
) -> tuple[pl.DataFrame, dict[Point, int]]:
    """Return the tree of what was sampled, and the row of each.

    Parameters
    ----------
    descent
        Of all cells.
    points
        What was sampled, with its genotype on that day.
    alterations
        Of the genotypes.

    Returns
    -------
    polars.DataFrame
        ``clone`` (number of the row), ``parent, alterations, born_day`` (of the event), ``died_day`` (null),
        ``origins, event``: oldest first, parents before children.
    dict
        The row of every point; that of a clone is its founding, whatever the day.
    """
    below = _below(descent.above, {element for element, _ in points})
    sampled: dict[int, list[float]] = {}
    for element, day in sorted(points):
        sampled.setdefault(element, []).append(day)
    rows, row_of = _Rows(), dict[Point, int]()
    # The line that an element is on is one row after the other; children follow on the last.
    waiting: list[tuple[int, int | None]] = [(root, None) for root in reversed(below.pop(_NOBODY, []))]
    while waiting:
        element, last = waiting.pop()
        children = below.get(element, [])
        if element >= descent.nodes:
            place = element - descent.nodes
            founded = (float(descent.day[element]), int(descent.kind[place]), FOUNDING)
            last = rows.add(last, *founded, origins=int(descent.origins[place]))
            row_of.update(((element, day), last) for day in sampled.get(element, []))
        else:
            for day in sampled.get(element, []):
                last = rows.add(last, day, points[element, day], SAMPLING)
                row_of[element, day] = last
            if len(children) > 1:
                last = rows.add(last, float(descent.day[element]), None, BRANCHING)
        waiting += [(child, last) for child in reversed(children)]
    return _ordered(rows, row_of, alterations)


def _below(above: NDArray[np.int64], elements: set[int]) -> dict[int, list[int]]:
    """Return the children of all from whom some elements descend, which are among them or lead to them."""
    below: dict[int, list[int]] = {}
    met: set[int] = set()
    parents = above.tolist()
    for element in sorted(elements):
        at = element
        while at not in met:
            met.add(at)
            below.setdefault(parents[at], []).append(at)
            if parents[at] == _NOBODY:
                break
            at = parents[at]
    return below


def _ordered(
    rows: _Rows, row_of: dict[Point, int], alterations: Sequence[Sequence[str]]
) -> tuple[pl.DataFrame, dict[Point, int]]:
    """Sort rows by day, and number them so."""
    order = np.argsort(np.array(rows.day), kind="stable")
    number = np.empty(order.size, dtype=np.int64)
    number[order] = np.arange(order.size)
    carried = _carried(rows, alterations)
    parents = [rows.parent[row] for row in order]
    table = pl.DataFrame(
        {
            "clone": np.arange(order.size),
            "parent": [None if parent is None else int(number[parent]) for parent in parents],
            "alterations": carried.gather(order),
            "born_day": [rows.day[row] for row in order],
            "died_day": [None] * order.size,
            "origins": [rows.origins[row] for row in order],
            "event": [rows.event[row] for row in order],
        },
        schema=_SCHEMA,
    )
    return table, {point: int(number[row]) for point, row in row_of.items()}


def _carried(rows: _Rows, alterations: Sequence[Sequence[str]]) -> pl.Series:
    """Return what the cell of each row carried: at a division what all sampled cells below it share."""
    sets: dict[tuple[str, ...], int] = {}
    of_kind = [sets.setdefault(tuple(names), len(sets)) for names in alterations]
    shared = [_NOBODY if kind is None else of_kind[kind] for kind in rows.kind]
    known = list(sets)
    common: dict[tuple[int, int], int] = {}
    for row in range(len(shared) - 1, -1, -1):  # children stand behind their parents
        parent = rows.parent[row]
        if parent is None or rows.event[parent] != BRANCHING:
            continue
        own, before = shared[row], shared[parent]
        if before in (own, _NOBODY):
            shared[parent] = own
        elif (before, own) in common:
            shared[parent] = common[before, own]
        else:
            both = tuple(name for name in known[before] if name in known[own])
            number = sets.setdefault(both, len(sets))
            if number == len(known):
                known.append(both)
            shared[parent] = common[before, own] = number
    return pl.Series(list(map(list, known)), dtype=pl.List(pl.String)).gather(shared)
