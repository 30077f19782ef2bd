"""Which numbers of the knowledge are free, and between which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tumor_abm._base.table import Table
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, Quantity
from tumor_abm.knowledge.claims import drugs_of

Scale = Literal["linear", "log", "logit"]
Plan = Literal["all", "chemotherapy"]
"""What is calibrated: all lines of therapy, or, given an ensemble, chemotherapy alone."""

_DIGITS = 5
_AT_EDGE = 0.1
"""A fit within this share of its range (on its scale) from a bound counts as being at the edge."""


class Free(Table):
    """A free parameter as written in the file of a plan.

    Attributes
    ----------
    label
        What it is, in words.
    numbers
        Paths of the numbers that it sets. The first one has its value; the others follow in proportion
        to what the package ships.
    scale
        Scale on which its range is divided evenly.
    endpoint
        What of the fit it is there for, in words.
    given
        Drugs, classes of drugs or kinds of therapy without which it does nothing: an outcome of patients who
        are given none of them does not depend on it. What it sets of a drug goes with that drug by itself.
    """

    label: str
    numbers: list[str] = Field(min_length=1)
    scale: Scale
    endpoint: str = ""
    given: list[str] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A free parameter with its range.

    Attributes
    ----------
    name, label, unit
        What it is called, what it is, its unit.
    numbers
        Paths of the numbers that it sets, joined by dots.
    ratios
        Their proportion to the first one.
    scale
        Scale on which its range is divided evenly.
    low, high
        Plausible range, which the search does not leave.
    start
        Value in the package.
    source
        Sources of the range.
    given
        Drugs without which it does nothing; none: it matters for everyone.
    """

    name: str
    label: str
    unit: str
    numbers: tuple[str, ...]
    ratios: tuple[float, ...]
    scale: Scale
    low: float
    high: float
    start: float
    source: tuple[str, ...]
    given: tuple[str, ...] = ()

    def value(self, share: float) -> float:
        """Return the value at `share` of the way through the range (0 to 1), on its scale."""
        low, high = _to_scale(self.low, self.scale), _to_scale(self.high, self.scale)
        value = _from_scale(low + (high - low) * share, self.scale)
        return float(np.clip(float(f"{value:.{_DIGITS}g}"), self.low, self.high))

    def share(self, value: float) -> float:
        """Return where in the range a value lies, 0 to 1, on its scale."""
        low, high = _to_scale(self.low, self.scale), _to_scale(self.high, self.scale)
        return (_to_scale(value, self.scale) - low) / (high - low)

    def of(self, numbers: Mapping[str, float]) -> float:
        """Return its value in a set of numbers by path; the shipped one if it is not there."""
        return float(np.clip(numbers.get(self.numbers[0], self.start), self.low, self.high))

    def at_edge(self, value: float) -> bool:
        """Whether a value is at the edge of the plausible range."""
        return not _AT_EDGE < self.share(value) < 1 - _AT_EDGE


class Parameters(Sequence[Parameter]):
    """The free parameters, in order."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = tuple(parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __getitem__(self, index: Any) -> Any:
        return self._parameters[index]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [parameter.name for parameter in self]

    @classmethod
    def of(cls, free: Mapping[str, Free], knowledge: Knowledge) -> Parameters:
        """Look up ranges and shipped values of `free` in `knowledge`.

        Raises
        ------
        InputError
            A path names no number, a number has no range, or ranges of tied numbers do not meet.
        """
        numbers = {_joined(path): quantity for path, quantity in knowledge.numbers().items()}
        return cls(
            [
                _parameter(name, one, numbers, _given(f"parameter.{name}.given", one, knowledge))
                for name, one in free.items()
            ]
        )

    def start(self) -> NDArray[np.float64]:
        """Shares of the ranges at which the shipped values stand."""
        return np.array([one.share(one.start) for one in self])

    def middle(self, sets: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        """Shares of the ranges in the middle of sets of numbers by path; what a set lacks is as shipped."""
        shares = [[one.share(one.of(numbers)) for one in self] for numbers in sets]
        found: NDArray[np.float64] = np.clip(np.mean(shares, axis=0), 0.0, 1.0)
        return found

    def values(self, shares: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
        """Values by name at `shares` of the ranges."""
        return {one.name: one.value(float(share)) for one, share in zip(self, shares, strict=True)}

    def overrides(self, values: Mapping[str, float]) -> dict[str, float]:
        """Numbers of the knowledge by path for `values` by name of the parameter."""
        return {
            path: float(f"{values[one.name] * ratio:.{_DIGITS}g}")
            for one in self
            for path, ratio in zip(one.numbers, one.ratios, strict=True)
        }


def shipped_toml(plan: Plan) -> str:
    """Return the text of a plan: its file in the package's ``knowledge/calibration``."""
    file = resources.files("tumor_abm.knowledge").joinpath("calibration", f"{plan}.toml")
    return file.read_text(encoding="utf-8")


def _joined(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)


def _given(key: str, free: Free, knowledge: Knowledge) -> tuple[str, ...]:
    """Drugs without which a parameter does nothing."""
    paths = [path.split(".") for path in free.numbers]
    if all(path[0] == "drug" for path in paths):
        return tuple(sorted({path[1] for path in paths}))
    found = {name: drugs_of(name, knowledge) for name in free.given}
    for name, drugs in found.items():
        if not drugs:
            raise InputError(f"{name!r} is no drug, class of drugs or kind of therapy", key=key)
    return tuple(sorted({drug for drugs in found.values() for drug in drugs}))


def _parameter(name: str, free: Free, numbers: Mapping[str, Quantity], given: tuple[str, ...]) -> Parameter:
    found: list[Quantity] = []
    for path in free.numbers:
        if path not in numbers:
            raise InputError("names no number of the knowledge", key=f"parameter.{name}: {path}")
        quantity = numbers[path]
        if quantity.low is None or quantity.high is None or quantity.low >= quantity.high:
            raise InputError("has no range to search", key=f"parameter.{name}: {path}")
        found.append(quantity)
    first = found[0]
    ratios = [one.value / first.value if first.value else 1.0 for one in found]
    # Tied numbers stay within their own ranges.
    low = max(_bound(one.low) / ratio for one, ratio in zip(found, ratios, strict=True))
    high = min(_bound(one.high) / ratio for one, ratio in zip(found, ratios, strict=True))
    if not low < high:
        raise InputError("the ranges of the tied numbers do not meet", key=f"parameter.{name}")
    return Parameter(
        name=name,
        label=free.label,
        unit=first.unit,
        numbers=tuple(free.numbers),
        ratios=tuple(ratios),
        scale=free.scale,
        low=low,
        high=high,
        start=float(np.clip(first.value, low, high)),
        source=tuple(first.source),
        given=given,
    )


def _bound(value: float | None) -> float:
    if value is None:
        raise AssertionError("a range was checked to be there")
    return value


def _to_scale(value: float, scale: Scale) -> float:
    if scale == "log":
        return float(np.log(value))
    if scale == "logit":
        return float(np.log(value / (1 - value)))
    return value


def _from_scale(value: float, scale: Scale) -> float:
    if scale == "log":
        return float(np.exp(value))
    if scale == "logit":
        return float(1 / (1 + np.exp(-value)))
    return value
