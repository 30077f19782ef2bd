"""What the user is told when something put in is wrong."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from pathlib import Path

_LONGEST_LINE = 4_000
_LONGEST_NAME = 200


class InputError(ValueError):
    """Something the user put in is wrong; the message is one line that says where and what would do.

    Parameters
    ----------
    problem
        What is wrong, in words.
    file
        The file it stands in.
    key
        Its place in the file, e.g. ``arm[1].line[0].regimen``.
    found
        The value that was found.
    allowed
        What would do: a sentence, or the allowed values. Of the latter the nearest to `found` is
        proposed.

    Examples
    --------
    >>> print(InputError(file="x.toml", key="drug", found="ribocilib", allowed=["ribociclib", "none"]))
    x.toml: drug: found "ribocilib"; allowed: "ribociclib", "none"; did you mean "ribociclib"?
    """

    def __init__(
        self,
        problem: str | None = None,
        *,
        file: str | Path | None = None,
        key: str | None = None,
        found: object = None,
        allowed: str | Iterable[str] | None = None,
    ) -> None:
        choices = None if allowed is None or isinstance(allowed, str) else list(allowed)
        guess = did_you_mean(found, choices) if isinstance(found, str) and choices else None
        clauses = [
            problem,
            None if found is None else f"found {_shown(found)}",
            None if allowed is None else f"allowed: {allowed if choices is None else _listed(choices)}",
            None if guess is None else f"did you mean {_shown(guess)}?",
        ]
        said = "; ".join(clause for clause in clauses if clause)
        lines = ": ".join(str(part) for part in (file, key, said) if part).split("\n")
        super().__init__("\n".join(map(_shortened, lines)))


def _shortened(line: str) -> str:
    """Leave out the middle of what nobody would read to its end."""
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"


def did_you_mean(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that is most like `name`, or ``None`` when none is.

    Examples
    --------
    >>> did_you_mean("palbocicilb", ["palbociclib", "ribociclib"])
    'palbociclib'
    """
    if len(name) > _LONGEST_NAME:
        return None
    lowered = {choice.lower(): choice for choice in allowed}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    return lowered[nearest[0]] if nearest else None


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else " ".join(repr(value).split())


def in_one_line(value: object) -> str:
    """Write an argument that was found, shortened, on one line."""
    return " ".join(reprlib.repr(value).split())


def _listed(choices: list[str]) -> str:
    return ", ".join(_shown(choice) for choice in choices) or "nothing"
