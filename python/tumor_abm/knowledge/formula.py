"""Formulas of the pathway: ordinary arithmetic, read as a tree and never evaluated as code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tumor_abm._base.problems import shown

Space = Literal["", "patient", "alteration", "drug"]
"""Where a name belongs: to constants and nodes, or to patient, genotype, or drugs."""

_SPACES: tuple[Space, ...] = ("patient", "alteration", "drug")
_LONGEST = 2_000
_DEEPEST = 60
ALLOWED = (
    "numbers, names, + - * / ^, comparison, and, or, not, a if b else c, min, max, exp, log, hill(x, half, n)"
)

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}
# Operation, and whether its sides are to be exchanged.
_COMPARED: dict[type[ast.cmpop], tuple[str, bool]] = {
    ast.Lt: ("less", False),
    ast.LtE: ("less_or_equal", False),
    ast.Gt: ("less", True),
    ast.GtE: ("less_or_equal", True),
}
# Operation and number of arguments; of the first two at least so many.
_FUNCTIONS: dict[str, int] = {"min": 2, "max": 2, "exp": 1, "log": 1, "hill": 3}


@dataclass(frozen=True)
class Name:
    """A number that a formula reads."""

    space: Space
    name: str

    def __str__(self) -> str:
        return f"{self.space}.{self.name}" if self.space else self.name


@dataclass(frozen=True)
class Call:
    """An operation of the core on the numbers that its arguments come to."""

    operation: str
    arguments: tuple[Tree, ...]


Tree = float | Name | Call


def parsed(formula: str) -> Tree:
    """Return a formula as a tree.

    Raises
    ------
    ValueError
        What in it is not allowed, and what is.

    Examples
    --------
    >>> parsed("2 * patient.cyclin_e")
    Call(operation='multiply', arguments=(2.0, Name(space='patient', name='cyclin_e')))
    """
    if len(formula) > _LONGEST:
        raise ValueError(f"found {len(formula)} characters; allowed: at most {_LONGEST}")
    try:
        # A caret is a power here, and has no other meaning.
        written = ast.parse(formula.replace("^", "**").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"found {shown(formula)}; allowed: {ALLOWED}") from None
    return _tree(written, formula, 0)


def names(tree: Tree) -> Iterator[Name]:
    """Every name that a formula reads, in its order, again where it stands again."""
    if isinstance(tree, Name):
        yield tree
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from names(argument)


def _tree(node: ast.expr, formula: str, depth: int) -> Tree:
    def inner(part: ast.expr) -> Tree:
        return _tree(part, formula, depth + 1)

    if depth > _DEEPEST:
        raise ValueError(f"found more than {_DEEPEST} operations within each other; allowed: fewer")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _number(value)
        case ast.Name(id=name):
            return Name("", name)
        case ast.Attribute(value=ast.Name(id=space), attr=name) if space in _SPACES:
            return Name(space, name)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
            return Call(_BINARY[type(operator)], (inner(left), inner(right)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Call("subtract", (0.0, inner(operand)))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return inner(operand)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Call("less_or_equal", (inner(operand), 0.0))
        case ast.BoolOp(op=operator, values=values):
            both = "min" if isinstance(operator, ast.And) else "max"
            return _folded(both, [Call("less", (0.0, inner(value))) for value in values])
        case ast.IfExp(test=test, body=body, orelse=other):
            return Call("choose", (inner(test), inner(body), inner(other)))
        case ast.Compare(left=left, ops=operators, comparators=others) if all(
            type(operator) in _COMPARED for operator in operators
        ):
            sides = [inner(side) for side in (left, *others)]
            return _folded("min", [_compared(*one) for one in zip(operators, sides, sides[1:], strict=False)])
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in _FUNCTIONS:
            return _called(function, [inner(argument) for argument in arguments])
    raise ValueError(f"found {shown(ast.unparse(node))}; allowed: {ALLOWED}")


def _number(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        raise ValueError("found a number beyond all bounds; allowed: finite numbers")
    return number


def _compared(operator: ast.cmpop, left: Tree, right: Tree) -> Tree:
    operation, exchanged = _COMPARED[type(operator)]
    return Call(operation, (right, left) if exchanged else (left, right))


def _called(function: str, arguments: list[Tree]) -> Tree:
    wanted = _FUNCTIONS[function]
    if function in ("min", "max"):
        if len(arguments) < wanted:
            raise ValueError(f"{function}: found {len(arguments)} arguments; allowed: at least {wanted}")
        return _folded(function, arguments)
    if len(arguments) != wanted:
        raise ValueError(f"{function}: found {len(arguments)} arguments; allowed: {wanted}")
    return Call(function, tuple(arguments))


def _folded(operation: str, parts: list[Tree]) -> Tree:
    first, *others = parts
    for other in others:
        first = Call(operation, (first, other))
    return first
