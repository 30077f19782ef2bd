"""Formulas of a pathway as one list of operations on numbered slots: what the core runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tumor_abm.knowledge.formula import Call, Name, Tree

Step = tuple[str, tuple[int, int, int]]
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Program:
    """Operations whose results follow, slot by slot, on the inputs.

    Parameters
    ----------
    inputs
        Names of the first slots, in their order.
    literals
        Numbers that stand in formulas; they have the slots before the inputs.
    """

    literals: tuple[float, ...]
    inputs: tuple[Name, ...]
    steps: list[Step] = field(default_factory=list)
    slots: dict[Name, int] = field(default_factory=dict)
    _known: dict[Step, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = len(self.literals)
        self.slots |= {name: first + i for i, name in enumerate(self.inputs)}

    @property
    def size(self) -> int:
        """Number of slots."""
        return len(self.literals) + len(self.inputs) + len(self.steps)

    def add(self, name: str, tree: Tree) -> None:
        """Work out a node after all that it reads."""
        self.slots[Name("", name)] = self._slot(tree)

    def _slot(self, tree: Tree) -> int:
        if isinstance(tree, Name):
            return self.slots[tree]
        if isinstance(tree, float):
            return self.literals.index(tree)
        arguments = [self._slot(argument) for argument in tree.arguments]
        first, second, third = (arguments + 2 * arguments[:1])[:3]
        step = (tree.operation, (first, second, third))
        if step not in self._known:
            self._known[step] = self.size
            self.steps.append(step)
        return self._known[step]

    def run(self, inputs: Mapping[Name, Numbers]) -> list[Numbers]:
        """Work out every slot for many inputs at once, in plain numpy: slow, and independent of the core.

        Parameters
        ----------
        inputs
            Values by name, all of one length.
        """
        length = len(next(iter(inputs.values())))
        slots = [np.full(length, literal) for literal in self.literals]
        slots += [np.asarray(inputs[name], dtype=np.float64) for name in self.inputs]
        with np.errstate(all="ignore"):
            for operation, arguments in self.steps:
                slots.append(_worked_out(operation, *(slots[slot] for slot in arguments)))
        return slots


def literals_of(trees: Iterable[Tree]) -> tuple[float, ...]:
    """Return the numbers that stand in formulas, each once."""
    found: dict[float, None] = {}

    def look(tree: Tree) -> None:
        if isinstance(tree, float):
            found[tree] = None
        elif isinstance(tree, Call):
            for argument in tree.arguments:
                look(argument)

    for tree in trees:
        look(tree)
    return tuple(found)


def _worked_out(operation: str, a: Numbers, b: Numbers, c: Numbers) -> Numbers:
    match operation:
        case "add":
            return a + b
        case "subtract":
            return a - b
        case "multiply":
            return a * b
        case "divide":
            return a / b
        case "power":
            return np.power(a, b)
        case "min":
            return np.minimum(a, b)
        case "max":
            return np.maximum(a, b)
        case "exp":
            return np.exp(a)
        case "log":
            return np.log(a)
        case "hill":
            return np.where(a > 0, 1 / (1 + np.exp(c * np.log(b / np.where(a > 0, a, 1)))), 0.0)
        case "less":
            return (a < b).astype(np.float64)
        case "less_or_equal":
            return (a <= b).astype(np.float64)
        case "choose":
            return np.where(a > 0, b, c)
    raise AssertionError(f"no operation: {operation}")


def in_order(trees: Mapping[str, Tree], reads: Mapping[str, Sequence[str]]) -> list[str]:
    """Return nodes so that each stands after those that it reads; the order of the file where that is free.

    Raises
    ------
    ValueError
        The nodes that read each other in a circle.
    """
    ordered: list[str] = []
    state: dict[str, int] = {}
    for start in trees:
        path = [start]
        while path:
            name = path[-1]
            state.setdefault(name, 0)
            waiting = [other for other in reads[name] if state.get(other) != 1]
            circle = next((other for other in waiting if state.get(other) == 0), None)
            if circle is not None:
                raise ValueError(" reads ".join([*path[path.index(circle) :], circle]))
            if state[name] == 1 or not waiting:
                if state[name] == 0:
                    ordered.append(name)
                state[name] = 1
                path.pop()
            else:
                path.append(waiting[0])
    return ordered
