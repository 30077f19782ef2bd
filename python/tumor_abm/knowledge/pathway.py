"""The pathway: from genotype and drugs to division and death, by formulas that are data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tumor_abm._base.problems import Problems, Step, shown
from tumor_abm._base.table import Table
from tumor_abm.errors import did_you_mean
from tumor_abm.knowledge.formula import Name, Space, Tree, names, parsed
from tumor_abm.knowledge.program import Program, in_order, literals_of
from tumor_abm.knowledge.quantity import Quantity, Sources

FRACTION = "fraction"
"""Unit of what stays between 0 and 1."""
RATE = "per day"
"""Unit of rates, which do not fall below 0."""
OUTPUTS = ("division", "death")
"""Nodes that every pathway has: the rates per day."""
RATES = ("division", "death")
"""Covariates that every patient has: the rates per day of an untreated founder cell."""
FITNESS = "fitness"
"""Name, beside those of effects, of what costs of alterations leave of the division rate."""


def _readable(formula: str) -> str:
    parsed(formula)
    return formula


class Described(Table):
    """A number that formulas read, and within what it lies.

    Attributes
    ----------
    label
        What it is, in words.
    unit
        Unit; empty for pure numbers.
    low, high
        The least and the most that it can be.
    """

    label: str = Field(min_length=1)
    unit: str = ""
    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Described:
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} lies above high = {self.high:g}")
        return self


class Constant(Described):
    """What a number of ``[pathway]`` means; all patients share it.

    Attributes
    ----------
    symbol
        What it is called where the model is written down.
    """

    symbol: str = ""


class CellCovariate(Described):
    """What formulas read of the patient.

    Attributes
    ----------
    prominent
        Whether it is among the first that the page lets its user set.
    """

    prominent: bool = False


class Effect(Described):
    """Something that an alteration may do.

    Attributes
    ----------
    neutral
        Its value in a cell without such an alteration.
    combine
        How several in one cell come together: ``add``, ``multiply``, or ``max``.
    """

    neutral: float
    combine: Literal["add", "multiply", "max"]

    @model_validator(mode="after")
    def _neutral_in_range(self) -> Effect:
        if not self.low <= self.neutral <= self.high:
            raise ValueError(
                f"neutral: found {self.neutral:g}; allowed: from low = {self.low:g} to high = {self.high:g}"
            )
        return self


class DrugTarget(Table):
    """Where drugs may act; formulas read how far they do, from 0 to 1.

    Attributes
    ----------
    label
        What a drug does here, in words.
    combine
        How several drugs come together: ``bliss`` (independently), ``max``, or ``add`` (to 1 at most).
    potency
        Name of the effect that is the fold by which drugs lose potency here.
    therapy
        What a line with such a drug is: a kind of therapy by its name in ``[therapy.NAME]``, or
        ``chemotherapy``, which takes neutrophil precursors along.
    """

    label: str = Field(min_length=1)
    combine: Literal["bliss", "max", "add"] = "bliss"
    potency: str | None = None
    therapy: str | None = None


class Node(Table):
    """A number of the cell.

    Attributes
    ----------
    label
        What it is, in words.
    formula
        How it follows from constants and other nodes (by name), ``patient.NAME``, ``alteration.NAME`` and
        ``drug.NAME``.
    unit
        Unit; a ``fraction`` must stay between 0 and 1, a rate ``per day`` must not fall below 0.
    output
        Whether it is asked for although no other node reads it.
    source
        Keys of sources, or ``"assumed"``.
    note
        How the formula follows from the sources, or why it is assumed.
    """

    label: str = Field(min_length=1)
    formula: Annotated[str, AfterValidator(_readable)]
    unit: str = ""
    output: bool = False
    source: Sources = Field(default_factory=list)
    note: str = ""

    @property
    def tree(self) -> Tree:
        """The formula as a tree."""
        return parsed(self.formula)


@dataclass(frozen=True, kw_only=True)
class Pathway:
    """Constants, what alterations and drugs may do, and the nodes that follow from them.

    Attributes
    ----------
    values
        The constants: quantities by name.
    constants, covariates, effects, targets, nodes
        By name.
    """

    values: Mapping[str, Quantity]
    constants: Mapping[str, Constant]
    covariates: Mapping[str, CellCovariate]
    effects: Mapping[str, Effect]
    targets: Mapping[str, DrugTarget]
    nodes: Mapping[str, Node]

    def __getitem__(self, constant: str) -> float:
        """Value of a constant."""
        return self.values[constant].value

    @cached_property
    def trees(self) -> dict[str, Tree]:
        """The formulas, by node."""
        return {name: node.tree for name, node in self.nodes.items()}

    @cached_property
    def order(self) -> list[str]:
        """The nodes, each after those that it reads."""
        return in_order(self.trees, {name: self._nodes_read(name) for name in self.nodes})

    def _nodes_read(self, node: str) -> list[str]:
        read = dict.fromkeys(names(self.trees[node]))
        return [name.name for name in read if name.space == "" and name.name in self.nodes]

    @property
    def drawn(self) -> list[str]:
        """Covariates beside the rates of division and death."""
        return [name for name in self.covariates if name not in RATES]

    @property
    def outputs(self) -> list[str]:
        """Nodes that are asked for beside the rates of division and death."""
        return [name for name, node in self.nodes.items() if node.output]

    def inputs(self) -> tuple[Name, ...]:
        """Names of all that is put in, in the order of the core."""
        spaces: list[tuple[Space, list[str]]] = [
            ("", list(self.constants)),
            ("patient", [*RATES, *self.drawn]),
            ("alteration", [*self.effects, FITNESS]),
            ("drug", list(self.targets)),
        ]
        return tuple(Name(space, name) for space, found in spaces for name in found)

    @cached_property
    def program(self) -> Program:
        """The formulas as operations, one after the other."""
        program = Program(literals_of(self.trees.values()), self.inputs())
        for name in self.order:
            program.add(name, self.trees[name])
        return program

    def to_core(self) -> dict[str, Any]:
        """Return the pathway as the core reads it."""
        slots, effects = self.program.slots, list(self.effects)
        return {
            "constants": [*self.program.literals, *(self[name] for name in self.constants)],
            "covariates": self.drawn,
            "effects": [
                {"neutral": effect.neutral, "combine": effect.combine} for effect in self.effects.values()
            ],
            "targets": [
                {
                    "combine": target.combine,
                    "potency": None if target.potency is None else effects.index(target.potency),
                }
                for target in self.targets.values()
            ],
            "steps": [[operation, list(arguments)] for operation, arguments in self.program.steps],
            **{output: slots[Name("", output)] for output in OUTPUTS},
            "outputs": [{"name": name, "slot": slots[Name("", name)]} for name in self.outputs],
        }

    def tables(self) -> dict[str, Any]:
        """Return all of it as tables of a file, without documentation."""
        return {
            "pathway": {name: self[name] for name in self.constants},
            **{
                key: {name: _undocumented(entry) for name, entry in entries.items()}
                for key, entries in (
                    ("constant", self.constants),
                    ("covariate", self.covariates),
                    ("effect", self.effects),
                    ("target", self.targets),
                    ("node", self.nodes),
                )
            },
        }

    def check(self, problems: Problems) -> None:
        """Note names that do not exist, circles, and what nothing reads."""
        before = len(problems.lines)
        self._check_values(problems)
        for name, target in self.targets.items():
            if target.potency is not None and target.potency not in self.effects:
                problems.add_unknown(["target", name, "potency"], target.potency, "effect", self.effects)
        if FITNESS in self.effects:
            problems.add(["effect", FITNESS], "this name stands for what the costs of alterations leave")
        for name in self.constants:
            if name in self.nodes:
                problems.add(["node", name], "there is a constant of this name; allowed: another name")
        for name in OUTPUTS:
            if name not in self.nodes:
                problems.add(["node", name], "missing; every pathway ends in division and death")
            elif self.nodes[name].unit != RATE:
                problems.add(
                    ["node", name, "unit"], f'found {shown(self.nodes[name].unit)}; allowed: "{RATE}"'
                )
        for name, tree in self.trees.items():
            for read in dict.fromkeys(names(tree)):
                self._check_name(["node", name, "formula"], read, problems)
        if len(problems.lines) > before:
            return
        try:
            self.order  # noqa: B018
        except ValueError as error:
            problems.add(["node"], f"found a circle: {error}; allowed: none")
            return
        self._check_use(problems)

    def _check_values(self, problems: Problems) -> None:
        for name, quantity in self.values.items():
            if name not in self.constants:
                problems.add_unknown(["pathway", name], name, "key", self.constants)
            else:
                check_range(self.constants[name], quantity, ["pathway", name], problems)
        for name in self.constants:
            if name not in self.values:
                problems.add(["pathway", name], "missing; it has no default")

    def _check_name(self, where: list[Step], read: Name, problems: Problems) -> None:
        known: dict[Space, list[str]] = {
            "": [*self.constants, *self.nodes],
            "patient": list(self.covariates),
            "alteration": [*self.effects, FITNESS],
            "drug": list(self.targets),
        }
        if read.name in known[read.space]:
            return
        what: dict[Space, str] = {
            "": "constant or node",
            "patient": "covariate",
            "alteration": "effect",
            "drug": "target",
        }
        guess = did_you_mean(read.name, known[read.space])
        hint = f"; did you mean {shown(str(Name(read.space, guess)))}?" if guess else ""
        problems.add(where, f"{shown(str(read))} is not a known {what[read.space]}{hint}")

    def _check_use(self, problems: Problems) -> None:
        """Note what no output depends on."""
        outputs = [*OUTPUTS, *self.outputs]
        used: set[Name] = set()
        waiting = [Name("", name) for name in outputs]
        while waiting:
            name = waiting.pop()
            if name not in used:
                used.add(name)
                waiting += (
                    names(self.trees[name.name]) if name.space == "" and name.name in self.nodes else ()
                )
                target = self.targets.get(name.name) if name.space == "drug" else None
                if target is not None and target.potency is not None:
                    waiting.append(Name("alteration", target.potency))
        for key, space, entries in self._parts():
            for entry in entries:
                if Name(space, entry) not in used:
                    advice = "; read it, leave it out" + (", or say output = true" if key == "node" else "")
                    problems.add([key, entry], f"neither division nor death depends on it{advice}")

    def _parts(self) -> Iterator[tuple[str, Space, Mapping[str, Table]]]:
        yield "constant", "", self.constants
        yield "covariate", "patient", self.covariates
        yield "effect", "alteration", self.effects
        yield "target", "drug", self.targets
        yield "node", "", self.nodes


def _undocumented(entry: Table) -> dict[str, Any]:
    return entry.model_dump(exclude={"source", "note", "symbol"}, exclude_defaults=True)


def check_range(described: Described, quantity: Quantity, where: list[Step], problems: Problems) -> None:
    """Note a quantity that lies, with its range, outside what its description allows."""
    for value in (quantity.value, quantity.low, quantity.high):
        if value is not None and not described.low <= value <= described.high:
            allowed = f"from {described.low:g} to {described.high:g}"
            problems.add(where, f"found {value:g}; allowed: {allowed}")
            return
