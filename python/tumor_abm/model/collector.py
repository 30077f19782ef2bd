"""Mesa's data collector, whose rows know their step and whose columns can be written to a file."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mesa

from tumor_abm.errors import InputError

_KNOWS_STEPS = hasattr(mesa.DataCollector(), "_collection_steps")
"""Since Mesa 3.5 its ``batch_run`` finds the row of a step that was not collected."""

REPORTERS = {
    name: name
    for name in (
        "day",
        "line",
        "regimen",
        "cells",
        "volume_cm3",
        "sld_mm",
        "neutrophils",
        "living_clones",
    )
}
"""What is collected unless the caller asks for something else."""

BARE_REPORTERS = {name: name for name in ("day", "cells", "living_clones")}
"""The same of a population with explicit rates."""


class Collector(mesa.DataCollector):  # type: ignore[misc]
    """A collector of rows that need not be collected in every step.

    Parameters
    ----------
    model_reporters, agent_reporters
        As in `mesa.DataCollector`.
    """

    def __init__(
        self,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(dict(model_reporters or {}), dict(agent_reporters or {}) or None)
        self._given = {"model": dict(model_reporters or {}), "agent": dict(agent_reporters or {})}
        if not _KNOWS_STEPS:
            self._collection_steps: list[int] = []
            self.model_vars: dict[str, Any] = _Columns(self.model_vars, self._collection_steps)

    @classmethod
    def of(cls, usual: Mapping[str, Any], model_reporters: Any, agent_reporters: Any) -> Collector:
        """Collect what a caller asks for, or what is usual."""
        for key, given in (("model_reporters", model_reporters), ("agent_reporters", agent_reporters)):
            if given is not None and not isinstance(given, Mapping):
                raise InputError(key=key, found=given, allowed="a table of names and reporters")
        return cls(usual if model_reporters is None else model_reporters, agent_reporters)

    @property
    def calls_functions(self) -> bool:
        """Whether a reporter is a function of the caller, which may raise."""
        return any(
            not isinstance(reporter, str) for given in self._given.values() for reporter in given.values()
        )

    def collect(self, model: mesa.Model) -> None:
        """Collect a row, whole or not at all."""
        rows = self.rows
        try:
            super().collect(model)
            if not _KNOWS_STEPS:
                self._collection_steps.append(model.steps)
        except BaseException:
            self.keep(rows)
            raise

    @property
    def rows(self) -> int:
        """Number of rows collected."""
        return len(self._collection_steps)

    def keep(self, rows: int) -> None:
        """Forget all but the first so many rows."""
        for name in self.model_vars:
            del self.model_vars[name][rows:]
        del self._collection_steps[rows:]
        last = self._collection_steps[-1] if rows else -1
        for step in [step for step in self._agent_records if step > last]:
            del self._agent_records[step]

    def copy(self) -> Collector:
        """Return a collector of the same things that holds what was collected so far."""
        twin = Collector(self._given["model"], self._given["agent"])
        twin._fill(
            {name: list(self.model_vars[name]) for name in self.model_vars},
            {step: list(rows) for step, rows in self._agent_records.items()},
            list(self._collection_steps),
        )
        return twin

    def _fill(
        self, columns: Mapping[str, list[Any]], agents: Mapping[int, list[Any]], steps: list[int]
    ) -> None:
        for name, column in columns.items():
            self.model_vars[name].extend(copy.copy(column))
        self._agent_records = dict(agents)
        self._collection_steps.extend(steps)

    def saved(self) -> dict[str, Any]:
        """Return what was collected and by what, fit for JSON; functions become ``None``."""
        return {
            "reporters": {
                of: {
                    name: reporter if isinstance(reporter, str) else None for name, reporter in given.items()
                }
                for of, given in self._given.items()
            },
            "columns": {name: list(self.model_vars[name]) for name in self.model_vars},
            "agents": [[step, rows] for step, rows in self._agent_records.items()],
            "steps": list(self._collection_steps),
        }

    @classmethod
    def restored(
        cls,
        saved: Mapping[str, Any],
        model_reporters: Mapping[str, Any] | None,
        agent_reporters: Mapping[str, Any] | None,
    ) -> Collector:
        """Go on from what `saved` returned, with the functions that the caller gives again."""
        of_model = _completed("model_reporters", saved["reporters"]["model"], model_reporters)
        of_agent = _completed("agent_reporters", saved["reporters"]["agent"], agent_reporters)
        collector = cls(of_model, of_agent)
        kept = [place for place, name in enumerate(saved["reporters"]["agent"]) if name in of_agent]
        agents = {
            int(step): [(row[0], row[1], *(row[2 + place] for place in kept)) for row in rows]
            for step, rows in saved["agents"]
        }
        columns = {name: column for name, column in saved["columns"].items() if name in of_model}
        collector._fill(columns, agents if kept else {}, saved["steps"])
        return collector


def _completed(key: str, saved: Mapping[str, str | None], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the reporters by name: those of the file, and for functions those that are given."""
    for name in given or {}:
        if name not in saved:
            raise InputError(key=key, found=name, allowed=list(saved))
    functions = [name for name, reporter in saved.items() if reporter is None]
    if functions and given is None:
        raise InputError(
            f'"{functions[0]}" was collected by a function, which no file holds; give it again, or {{}} to '
            "go on without",
            key=key,
        )
    reporters = {name: (given or {}).get(name, reporter) for name, reporter in saved.items()}
    return {name: reporter for name, reporter in reporters.items() if reporter is not None}


class _Columns(dict[str, Any]):
    """Columns by name. Mesa before 3.5 asks their items for the row of a step."""

    def __init__(self, columns: Mapping[str, list[Any]], steps: list[int]) -> None:
        super().__init__(columns)
        self._steps = steps

    def items(self) -> Any:
        return {name: _ByStep(self[name], self._steps) for name in self}.items()


class _ByStep(Sequence[Any]):
    """A column; the value at a step is that of the last row up to it."""

    def __init__(self, column: list[Any], steps: list[int]) -> None:
        self._column = column
        self._steps = steps

    def __len__(self) -> int:
        return len(self._column)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._column)

    def __getitem__(self, step: Any) -> Any:
        if not isinstance(step, int) or step < 0:
            return self._column[step]
        return self._column[max(0, bisect_right(self._steps, step) - 1)]
