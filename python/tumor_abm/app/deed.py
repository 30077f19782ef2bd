"""What a therapist did at the page, so that it can be done again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tumor_abm.errors import InputError

Kind = Literal["line", "change", "stop", "hold", "resume", "fork", "keep"]

KINDS: tuple[str, ...] = get_args(Kind)
"""Begin a line, change the drugs of one, stop, hold or resume drugs, fork, keep one twin."""

_ALLOWED = f'["day", "twin", "kind", "what"] with a kind of {", ".join(KINDS)}'


@dataclass(frozen=True)
class Deed:
    """One thing that was done.

    Attributes
    ----------
    day
        Days since enrolment.
    twin
        To which twin, from 0.
    kind
        What was done.
    what
        Drugs, as names or as tables of an experiment; of a fork the name of the other strategy, and its lines
        if they are no arm.
    """

    day: float
    twin: int
    kind: Kind
    what: tuple[Any, ...] = ()

    def written(self) -> str:
        """Return it as a short text, from which `read` makes it again."""
        return json.dumps([round(self.day, 6), self.twin, self.kind, list(self.what)], separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Deed:
        """Return what was written.

        Raises
        ------
        InputError
            The text is none of a deed.
        """
        try:
            day, twin, kind, what = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise InputError(key="did", found=text[:60], allowed=_ALLOWED) from None
        is_sound = (
            type(day) in (int, float)
            and 0 <= day < 1e6
            and type(twin) is int
            and twin in (0, 1)
            and kind in KINDS
            and isinstance(what, list)
            and _fits(kind, what)
        )
        if not is_sound:
            raise InputError(key="did", found=text[:60], allowed=_ALLOWED)
        return cls(float(day), twin, kind, tuple(what))


def _fits(kind: str, what: list[Any]) -> bool:
    """Tell whether something can be done with this, as far as its form says."""
    if kind == "keep":
        return not what
    if kind == "fork":
        return (
            bool(what)
            and isinstance(what[0], str)
            and (len(what) == 1 or (len(what) == 2 and _is_lines(what[1])))
        )
    if kind in ("line", "change"):
        return all(
            isinstance(drug, str) or (isinstance(drug, dict) and _is_text(drug.get("drug"))) for drug in what
        )
    return all(map(_is_text, what)) and (kind != "stop" or len(what) == 1)


def _is_lines(lines: Any) -> bool:
    return isinstance(lines, list) and all(
        isinstance(line, list) and all(map(_is_text, line)) for line in lines
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
