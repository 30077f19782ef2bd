"""An ensemble: sets of parameters that agree about equally well with what is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from tumor_abm._base.files import write_whole
from tumor_abm._base.json import read_json
from tumor_abm._base.paths import path_of
from tumor_abm._base.problems import shown
from tumor_abm._base.seeds import stream
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge

FORMAT = 1
MOST_MEMBERS = 100_000
LARGEST = 1e100
_SHIPPED = "ensemble.json"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One set of parameters.

    Attributes
    ----------
    overrides
        Numbers that differ from the defaults, by name as `Knowledge.with_numbers` takes them.
    weight
        Weight in predictions.
    loss
        Misfit that calibration found.
    """

    overrides: Mapping[str, float]
    weight: float = 1.0
    loss: float | None = None

    def knowledge(self) -> Knowledge:
        """Return what is known, with these numbers."""
        shipped = Knowledge.shipped()
        return shipped.with_numbers(self.overrides) if self.overrides else shipped


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Sets of parameters and where they come from.

    Attributes
    ----------
    members
        At least one.
    provenance
        How it was made.
    """

    members: Sequence[Member]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def defaults(cls) -> Ensemble:
        """Return the defaults alone: predictions without uncertainty of parameters."""
        return cls(members=(Member(overrides={}),))

    @classmethod
    def shipped(cls) -> Ensemble:
        """Return the ensemble that comes with the package, or the defaults if there is none."""
        file = resources.files("tumor_abm.knowledge").joinpath(_SHIPPED)
        if not file.is_file():
            return cls.defaults()
        return cls._read(json.loads(file.read_text(encoding="utf-8")), Path(_SHIPPED))

    @classmethod
    def load(cls, path: str | Path) -> Ensemble:
        """Read an ensemble.

        Raises
        ------
        InputError
            The file cannot be read or is no ensemble.
        """
        path = path_of("path", path)
        return cls._read(read_json(path, "ensemble"), path)

    def drawn(self, seed: int) -> Member:
        """Return one of the members, drawn by weight."""
        return self._draws(seed, 1)[0]

    def _draws(self, seed: int, times: int) -> list[Member]:
        weights = np.array([member.weight for member in self.members])
        places = stream(seed).choice(len(weights), size=times, p=weights / weights.sum())
        return [self.members[int(place)] for place in places]

    def extended(self, other: Ensemble, *, seed: int) -> Ensemble:
        """Return this ensemble with numbers of another one, which was found given this one.

        Parameters
        ----------
        other
            Sets of other numbers; every member of this ensemble gets one of them, drawn by weight. Numbers
            that both set are those of `other`.
        seed
            Seed of the draw.
        """
        members = [
            Member(overrides={**member.overrides, **drawn.overrides}, weight=member.weight, loss=member.loss)
            for member, drawn in zip(self.members, other._draws(seed, len(self.members)), strict=True)
        ]
        return Ensemble(members=members, provenance={**self.provenance, "extended": dict(other.provenance)})

    @classmethod
    def _read(cls, data: Mapping[str, Any], path: Path) -> Ensemble:
        if data.get("format") != FORMAT:
            raise InputError(f'is no ensemble; allowed: a table with "format": {FORMAT}', file=path)
        entries = data.get("members")
        if isinstance(entries, list) and len(entries) > MOST_MEMBERS:
            found = f"found {len(entries):,}; allowed: at most {MOST_MEMBERS:,}"
            raise InputError(found, file=path, key="members")
        if not isinstance(entries, list) or not entries:
            raise InputError("found none; allowed: a list of at least one", file=path, key="members")
        members = tuple(_member(entry, f"members[{i}]", path) for i, entry in enumerate(entries))
        if len({frozenset(member.overrides) for member in members}) > 1:
            raise InputError("every member must set the same numbers", file=path, key="members")
        return cls(members=members, provenance=data.get("provenance", {}))

    def save(self, path: str | Path) -> None:
        """Write the ensemble as JSON."""
        members = [
            {"weight": member.weight, "loss": member.loss, "overrides": dict(member.overrides)}
            for member in self.members
        ]
        data = {"format": FORMAT, "provenance": dict(self.provenance), "members": members}
        text = json.dumps(data, indent=1, allow_nan=False) + "\n"
        write_whole(Path(path), lambda draft: draft.write_text(text, encoding="utf-8"))


def _member(entry: Any, key: str, path: Path) -> Member:
    overrides = entry.get("overrides") if isinstance(entry, dict) else None
    if not isinstance(overrides, dict) or not all(_is_number(value) for value in overrides.values()):
        raise InputError(
            f"allowed: a table of names and numbers up to {LARGEST:g}", file=path, key=f"{key}.overrides"
        )
    weight, loss = entry.get("weight", 1.0), entry.get("loss")
    if not _is_number(weight) or not weight > 0:
        raise InputError(f"found {shown(weight)}; allowed: a number above 0", file=path, key=f"{key}.weight")
    if loss is not None and not _is_number(loss):
        raise InputError(f"found {shown(loss)}; allowed: a number", file=path, key=f"{key}.loss")
    return Member(overrides=overrides, weight=float(weight), loss=loss)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
