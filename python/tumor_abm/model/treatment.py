"""Treatment by hand: what a doctor at the model does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tumor_abm._base.arguments import must_be
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Drug
from tumor_abm.model.bare import Core
from tumor_abm.model.setup import Drugs, decision, plan


class ByHand:
    """A patient whose drugs can be changed between two steps."""

    _core: Core
    _drugs: Mapping[str, Drug]

    def _look(self) -> None:
        raise NotImplementedError

    def intervene(self, drugs: Drugs, *, new_line: bool = False) -> None:
        """Give these drugs and no others, from the next doses on.

        Parameters
        ----------
        drugs
            Names, or tables as in an experiment: ``{"drug": NAME, "dose": 0.8}``. A drug that
            goes on keeps its cycle and its dose reductions; if it was on hold, it is given again.
        new_line
            Close the running line (reason ``rule``) and begin another, with today as its baseline.
            When no line runs, one always begins; it ends at progression, and then the plan goes on.

        Raises
        ------
        InputError
            No drug, an unknown one, one that was not tolerated, or what is taken already.
        """
        must_be("new_line", new_line, bool)
        self._intervene(decision(drugs, self._drugs, **as_regimen(new_line=new_line)))

    def add(self, drug: str | Mapping[str, Any]) -> None:
        """Give one drug more."""
        if not isinstance(drug, str | Mapping):
            raise InputError(key="drug", found=drug, allowed="the name of a drug, or a table with it")
        name = drug if isinstance(drug, str) else drug.get("drug")
        taken = self._taken()
        if isinstance(name, str) and name in taken:
            raise InputError(f'"{name}" is taken already', key="intervention")
        self._change([*taken.values(), drug])

    def stop(self, drug: str) -> None:
        """Give one drug less."""
        taken = self._taken()
        if not isinstance(drug, str) or drug not in taken:
            raise InputError(f'"{drug}" is not taken', key="intervention")
        if len(taken) == 1:
            raise InputError(f'"{drug}" is the last drug; hold it instead', key="intervention")
        self._change([dosing for name, dosing in taken.items() if name != drug])

    def _change(self, drugs: Drugs) -> None:
        self._intervene(decision(drugs, self._drugs, **as_regimen(keep_held=True)))

    def _taken(self) -> dict[str, dict[str, Any]]:
        """Drugs of the running line, as they can be given again."""
        regimen: list[dict[str, Any]] = self._core.regimen()
        return {dosing["drug"]: dosing for dosing in regimen}

    def hold(self, *drugs: str | Sequence[str]) -> None:
        """Pause drugs of the running line, or a list of them, until `resume`; all if none is named."""
        self._intervene(json.dumps({"kind": "hold", "drugs": self._known(drugs)}))

    def resume(self, *drugs: str | Sequence[str]) -> None:
        """Give paused drugs, or a list of them, again; all if none is named."""
        self._intervene(json.dumps({"kind": "resume", "drugs": self._known(drugs)}))

    def follow(self, lines: Sequence[Any]) -> None:
        """Leave the plan: close the running line and follow these lines from today on."""
        self._intervene(plan(lines, self._drugs))

    def _known(self, drugs: Sequence[str | Sequence[str]]) -> list[str]:
        names: list[Any] = []
        for given in drugs:
            names += given if isinstance(given, list | tuple) else [given]
        for name in names:
            if not isinstance(name, str) or name not in self._drugs:
                raise InputError(key="drug", found=name, allowed=sorted(self._drugs))
        return names

    def _intervene(self, command: str) -> None:
        try:
            self._core.intervene(command)
        finally:
            self._look()


def as_regimen(
    *,
    new_line: bool = False,
    may_be_same: bool = False,
    keep_held: bool = False,
) -> dict[str, bool | str]:
    """Return how a regimen given by hand is to be taken, as the core reads it."""
    return {
        "new_line": new_line,
        "may_be_same": may_be_same,
        "held": "kept" if keep_held else "resumed",
    }
