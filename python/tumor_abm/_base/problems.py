"""Everything that is wrong with an input, told at once and by place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tumor_abm._base.table import Table
from tumor_abm.errors import InputError, did_you_mean

Step = str | int

_MOST_TOLD = 10
_LONGEST_SHOWN = 60
_MOST_LISTED = 12
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def place(*steps: Step) -> str:
    """Write a path of keys and indices (from 0) as a user would find it.

    Examples
    --------
    >>> place("arm", 1, "line", 0, "regimen")
    'arm[1].line[0].regimen'
    >>> place("alteration", "RB1 loss", "gene")
    'alteration."RB1 loss".gene'
    """
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if _BARE_KEY.fullmatch(step) else f'"{_one_line(step)}"'
            text += f".{key}" if text else key
    return text


def shown(value: object) -> str:
    """Write a value that was found, shortened to fit a message.

    Examples
    --------
    >>> shown(True), shown("x"), shown({"a": 1})
    ('true', '"x"', 'a table')
    """
    if isinstance(value, dict | Table):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number beyond all bounds"
    if isinstance(value, str):
        return f'"{_one_line(value)}"'
    return _one_line(str(value))


def plainly(text: str) -> str:
    """Write somebody else's words on one line, shortened to fit a message."""
    return _one_line(text)


def _one_line(text: str) -> str:
    line = "".join(character if character.isprintable() else "?" for character in text)
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 3] + "..."


class Problems:
    """Problems found so far in one file.

    Parameters
    ----------
    file
        Named in every message; ``None`` for input that never was a file.
    file_of
        Tells from a path of keys which of several files it stands in, in the place of `file`.
    """

    def __init__(
        self,
        file: str | Path | None = None,
        *,
        file_of: Callable[[Sequence[Step]], str | Path] | None = None,
    ) -> None:
        self._file = file
        self._file_of = file_of
        self._lines: dict[str, None] = {}

    def add(self, where: Sequence[Step], problem: str) -> None:
        """Note a problem at a path of keys."""
        self.add_in(self._file if self._file_of is None else self._file_of(where), where, problem)

    def add_in(self, file: str | Path | None, where: Sequence[Step], problem: str) -> None:
        """Note a problem at a path of keys of a file."""
        self._lines[str(InputError(problem, file=file, key=place(*where) or None))] = None

    def add_unknown(self, where: Sequence[Step], name: str, what: str, known: Iterable[str]) -> None:
        """Note a name that is not among those known; the nearest of them is proposed."""
        choices = list(dict.fromkeys(known))
        # What is not told needs no guess, which takes its time.
        guess = did_you_mean(name, choices) if len(self._lines) < _MOST_TOLD else None
        said = f"{shown(name)} is not a known {what}"
        if guess:
            said += f"; did you mean {shown(guess)}?"
        if not guess or len(choices) <= _MOST_LISTED:
            said += f" (known: {', '.join(choices) or 'none'})"
        self.add(where, said)

    def add_invalid(self, error: ValidationError, model: type[Table], where: Sequence[Step] = ()) -> None:
        """Note every problem of a table that does not fit `model`."""
        for detail in error.errors(include_url=False):
            path = [step for step in detail["loc"] if step != "[key]"]
            parent = model.at(path[:-1])
            bare = path and parent is not None and path[-1] == parent.bare_key
            if bare and detail["type"] != "missing":
                path.pop()
            if detail["type"] == "extra_forbidden":
                self.add_unknown([*where, *path], str(path[-1]), "key", parent.keys() if parent else [])
            else:
                self.add([*where, *path], _told(dict(detail)))

    @property
    def lines(self) -> list[str]:
        """One line per problem."""
        return list(self._lines)

    def raise_if_any(self) -> None:
        """Raise all problems as one `InputError`, a line each."""
        if not self._lines:
            return
        told = self.lines[:_MOST_TOLD]
        if len(self._lines) > _MOST_TOLD:
            told.append(f"... and {len(self._lines) - _MOST_TOLD} more")
        raise InputError("\n".join(told))


def _told(detail: dict[str, Any]) -> str:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "missing; it has no default"
    if kind == "value_error":
        return str(context["error"])
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"found {shown(found)}; allowed: {words} {_number(context[key])}"
    if kind == "literal_error":
        guess = did_you_mean(str(found), re.findall(r"'([^']*)'", context["expected"]))
        proposal = f"; did you mean {shown(guess)}?" if guess else ""
        return f"found {shown(found)}; allowed: {context['expected']}{proposal}".replace("'", '"')
    if kind in ("too_short", "too_long"):
        bound = (
            f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        )
        return f"found {context['actual_length']} entries; allowed: {bound}"
    if kind == "model_type" and context["class_name"] == "Quantity":
        kind = "float_type"
    return f"found {shown(found)}; allowed: {_WANTED.get(kind, detail['msg'])}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"
