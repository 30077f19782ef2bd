"""An axis of a batch: which key of the base it moves, and through which values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import ndtri

from tumor_abm._base.table import Table

_DIGITS = 12
_MOST_STEPS = 1_000_000


def rounded(value: float) -> float:
    """Round to so many digits that every machine has the same number."""
    return float(f"{value:.{_DIGITS}g}")


class Spread(Table):
    """Values between two ends, both included.

    Attributes
    ----------
    from, to
        The ends.
    steps
        Number of values.
    scale
        ``linear``: equal differences; ``log``: equal ratios.
    """

    from_: float = Field(alias="from")
    to: float
    steps: int = Field(ge=2, le=_MOST_STEPS)
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _above_zero(self) -> Spread:
        if self.scale == "log" and min(self.from_, self.to) <= 0:
            raise ValueError(f'found {min(self.from_, self.to):g} with scale = "log"; allowed: above 0')
        return self

    def values(self) -> list[float]:
        """Return the values in order."""
        space = np.geomspace if self.scale == "log" else np.linspace
        return [rounded(value) for value in space(self.from_, self.to, self.steps)]


class Law(Table):
    """A law from which values are sampled.

    Attributes
    ----------
    law
        ``uniform`` or ``log_uniform`` between `low` and `high`, or ``normal``.
    low, high
        Of the uniform laws; a normal law is cut off there, if they are given.
    mean, sd
        Of the normal law.
    """

    law: Literal["uniform", "log_uniform", "normal"]
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _whole(self) -> Law:
        wanted = ("mean", "sd") if self.law == "normal" else ("low", "high")
        for key in wanted:
            if getattr(self, key) is None:
                raise ValueError(f'{key} is missing; law = "{self.law}" needs {" and ".join(wanted)}')
        if self.law != "normal" and (self.mean is not None or self.sd is not None):
            raise ValueError(f'found mean or sd; allowed: with law = "normal" only, this is "{self.law}"')
        low, high = self._ends()
        if not low < high:
            raise ValueError(f"found low = {low:g} and high = {high:g}; allowed: low below high")
        if self.law == "log_uniform" and low <= 0:
            raise ValueError(f'found low = {low:g}; allowed with law = "log_uniform": above 0')
        return self

    def _ends(self) -> tuple[float, float]:
        low = -np.inf if self.low is None else self.low
        return low, np.inf if self.high is None else self.high

    def quantiles(self, shares: NDArray[np.float64]) -> list[float]:
        """Return the quantiles of shares from 0 to 1."""
        low, high = self._ends()
        if self.law == "uniform":
            found = low + shares * (high - low)
        elif self.law == "log_uniform":
            found = np.exp(np.log(low) + shares * (np.log(high) - np.log(low)))
        else:
            inside = np.clip(shares, 1e-12, 1 - 1e-12)
            found = np.clip((self.mean or 0.0) + (self.sd or 0.0) * ndtri(inside), low, high)
        return [rounded(value) for value in found]


class Axis(Table):
    """An axis: one key of the base, or several that get the same value, and the values it takes.

    Attributes
    ----------
    name
        The column of the axis in all tables.
    path
        The key it moves, as errors print it, e.g. ``arm[0].line[0].regimen[1].dose``; a list moves several.
    values
        The values themselves, of any kind that the key takes.
    range
        Values between two ends.
    csv
        A table of points, relative to this file; axes of the same table move together.
    column
        The column of that table; the name of the axis when absent.
    sample
        A law to sample from, by the `design` of the batch.
    whole
        Numbers are rounded to whole ones.
    ensemble
        Instead of a `path`: sets of parameters, ``shipped`` or a file of them, relative to this one. Values
        are the numbers of the sets, from 1.
    sets
        The same, written out: of each set, the keys that it moves and their values.
    zip
        Axes with the same word here move together: the first value of one with the first of the other.
    """

    name: str = Field(min_length=1, max_length=60)
    path: str | list[str] | None = None
    values: list[Any] | None = Field(default=None, min_length=1, max_length=_MOST_STEPS)
    range: Spread | None = None
    csv: str | None = None
    column: str | None = None
    sample: Law | None = None
    ensemble: str | None = None
    sets: list[dict[str, Any]] | None = Field(default=None, min_length=1, max_length=_MOST_STEPS)
    whole: bool = False
    zip: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Axis:
        kinds = ("values", "range", "csv", "sample", "ensemble", "sets")
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"found {found}; allowed: exactly one of {', '.join(kinds)}")
        if (self.path is None) != self.moves_sets:
            of_sets = "none with ensemble or sets, which have their own; one with the others"
            raise ValueError(f"path: found {'none' if self.path is None else 'one'}; allowed: {of_sets}")
        if self.column is not None and self.csv is None:
            raise ValueError("column: allowed with csv only")
        if self.csv is not None and self.zip is not None:
            raise ValueError("zip: axes of a csv move together as it is")
        return self

    @property
    def moves_sets(self) -> bool:
        """Whether its values are sets of parameters."""
        return self.ensemble is not None or self.sets is not None

    @property
    def paths(self) -> list[str]:
        """The keys it moves."""
        if self.sets is not None:
            return list(self.sets[0])
        return [self.path] if isinstance(self.path, str) else self.path or []

    def put(self, value: Any) -> dict[str, Any]:
        """Return what stands at each key when the axis has this value."""
        return dict(self.sets[value - 1]) if self.sets is not None else dict.fromkeys(self.paths, value)

    @property
    def together(self) -> str:
        """What axes that move together have in common."""
        if self.csv is not None:
            return f"csv {self.csv}"
        return f"axis {self.name}" if self.zip is None else f"zip {self.zip}"

    def levels(self) -> list[Any]:
        """Return the values of an axis that is not sampled."""
        if self.sets is not None:
            return list(range(1, len(self.sets) + 1))
        return self.typed(self.range.values() if self.range is not None else self.values or [])

    def typed(self, values: Sequence[Any]) -> list[Any]:
        """Return values as the key gets them: rounded, if they are to be."""
        return [round(value) if self.whole and isinstance(value, float) else value for value in values]
