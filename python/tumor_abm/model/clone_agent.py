"""A living clone as a Mesa agent."""

from __future__ import annotations

from typing import Any, Protocol

import mesa

from tumor_abm.errors import InputError


class Clones(Protocol):
    """A model that knows its clones."""

    def _clone_value(self, clone: int, column: str) -> Any: ...


class CloneAgent(mesa.Agent):  # type: ignore[misc]
    """Cells of one origin and one genotype.

    The state is the core's: attributes are read from it, agents appear when a clone is born and are
    removed when it dies out; of a clone that has died out, what is not 0 is an `InputError`.

    Attributes
    ----------
    unique_id
        Number of the clone; it rises with birth.
    """

    model: Clones

    def __init__(self, model: Clones, clone: int) -> None:
        super().__init__(model)
        self.unique_id = clone
        # Mesa before 3.4.2 counts agents in a table of all models there ever were, which would keep
        # this one alive for ever (projectmesa/mesa#3179).
        counters = getattr(mesa.Agent, "_ids", None)
        if isinstance(counters, dict):
            counters.pop(model, None)

    def _read(self, column: str) -> Any:
        """Return what is known of the living clone."""
        value = self.model._clone_value(self.unique_id, column)
        if value is None and not self._lives:
            raise InputError(f"clone {self.unique_id} has died out; it has no {column} any more")
        return value

    @property
    def _lives(self) -> bool:
        return self.model._clone_value(self.unique_id, "cells") is not None

    @property
    def parent(self) -> int | None:
        """Number of the clone in which its first cell was born; ``None`` for a founder."""
        parent = self._read("parent")
        return None if parent is None else int(parent)

    @property
    def genotype(self) -> str:
        """Alterations in force joined by " + ", or "wild type"."""
        return str(self._read("genotype"))

    @property
    def alterations(self) -> tuple[str, ...]:
        """Alterations in force."""
        return tuple(self._read("alterations"))

    @property
    def born_day(self) -> float:
        """Day of birth since enrolment; negative before it."""
        return float(self._read("born_day"))

    @property
    def cells(self) -> int:
        """Living cells; 0 once the clone has died out."""
        return int(self.model._clone_value(self.unique_id, "cells") or 0)

    @property
    def fraction(self) -> float:
        """Share of all living cells; 0 once the clone has died out."""
        return float(self.model._clone_value(self.unique_id, "fraction") or 0.0)

    @property
    def division(self) -> float:
        """Division rate per day under the drugs of the last doses."""
        return float(self._read("division"))

    @property
    def death(self) -> float:
        """Death rate per day under the drugs of the last doses."""
        return float(self._read("death"))

    @property
    def net(self) -> float:
        """Net growth per day: division less death."""
        return self.division - self.death
