"""What a browser is sent of its charts: what is new since it was sent something last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Panel = dict[str, Any]
"""A chart, as `Chart.panel` makes it."""

Data = dict[str, dict[str, list[Any]]]
"""Points by chart and by the key of a series in it."""

_OF_TIME = ("first", "strip", "end", "bands")


@dataclass(frozen=True, eq=False)
class Parted:
    """Charts in parts that change one more often than the other; as a whole a thing that nobody looks into.

    Attributes
    ----------
    heads
        The charts without their points, in JSON.
    times
        Their axis of time, in JSON.
    data
        Their points.
    first, strip
        Month of the first cell, and width of the growth on the axis, as of `Frame`.
    """

    heads: str
    times: str
    data: Data
    first: float
    strip: float

    def place(self, month: float) -> float:
        """Return where a month lies on the axis of time."""
        return month if month >= 0 or not self.strip else month * self.strip / -self.first


def parted(panels: Sequence[Panel]) -> Parted:
    """Part charts into what seldom changes, their axis of time, and their points.

    A series is known in its chart by its ``id``, which is made of its name where it has none.
    """
    heads: list[Panel] = []
    data: Data = {}
    for panel in panels:
        met: Counter[str] = Counter()
        own: dict[str, list[Any]] = {}
        series = []
        for each in panel["series"]:
            name = each.get("id", f"{each['name']}, {each['type']}")
            met[name] += 1
            key = f"{name} {met[name]}"
            own[key] = each["data"]
            series.append({**{name: value for name, value in each.items() if name != "data"}, "id": key})
        data[panel["key"]] = own
        heads.append({**{name: panel[name] for name in panel if name not in _OF_TIME}, "series": series})
    times = {name: panels[0][name] for name in _OF_TIME}
    return Parted(in_json(heads), in_json(times), data, times["first"], times["strip"])


def in_json(what: object) -> str:
    """Write down what only the browser reads: the page would look through it for parts of its own."""
    return json.dumps(what, separators=(",", ":"), allow_nan=False)


class Sent:
    """What a browser has been sent of the points of its charts."""

    def __init__(self) -> None:
        self._data: Data = {}
        self._number = 0

    def forget(self) -> None:
        """Send everything the next time."""
        self._data = {}

    def news(self, data: Data) -> dict[str, Any]:
        """Return what to send now.

        Returns
        -------
        dict
            ``number`` of this message; of the one that it ``follows``, 0 if it stands for itself; and
            ``points``: by chart and series, how many of its points stay, and those that come after them. What
            has not changed is left out.
        """
        follows = self._number if self._data else 0
        self._number += 1
        points: dict[str, dict[str, list[Any]]] = {}
        for chart, series in data.items():
            had = self._data.get(chart, {})
            for key, now in series.items():
                stay = _alike(had.get(key, []), now)
                if key not in had or stay < max(len(now), len(had[key])):
                    points.setdefault(chart, {})[key] = [stay, now[stay:]]
        self._data = data
        return {"number": self._number, "follows": follows, "points": points}


def _alike(one: list[Any], other: list[Any]) -> int:
    """Return how many points both begin with."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
