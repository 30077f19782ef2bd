"""What the user is told when something put in is wrong."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

_LONGEST_LINE = 4_000
_LONGEST_NAME = 200


class InputError(ValueError):
    """Something the user put in is wrong; the message is one line that says where and what would do.

    What it was given are its attributes.

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
        self.problem, self.file, self.key, self.found = problem, file, key, found
        self.allowed = allowed if allowed is None or isinstance(allowed, str) else list(allowed)
        super().__init__(self._message())

    def in_file(self, file: str | Path) -> Self:
        """Say in which file what is wrong stands; return the error itself."""
        self.file = file
        self.args = (self._message(),)
        return self

    def _message(self) -> str:
        found, allowed = self.found, self.allowed
        choices = None if allowed is None or isinstance(allowed, str) else allowed
        guess = did_you_mean(found, choices) if isinstance(found, str) and choices else None
        clauses = [
            self.problem,
            None if found is None else f"found {_shown(found)}",
            None if allowed is None else f"allowed: {allowed if choices is None else _listed(choices)}",
            None if guess is None else f"did you mean {_shown(guess)}?",
        ]
        said = "; ".join(clause for clause in clauses if clause)
        lines = ": ".join(str(part) for part in (self.file, self.key, said) if part).split("\n")
        return "\n".join(map(shortened, lines))


def shortened(line: str) -> str:
    """Leave out the middle of what nobody would read to its end."""
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"


@contextmanager
def of_file(file: str | Path | None) -> Iterator[None]:
    """Say of what is wrong within that it stands in `file`, if it stands in one."""
    try:
        yield
    except InputError as error:
        raise (error if file is None else error.in_file(file)) from None


class EngineError(InputError):
    """An engine cannot go on with what it was given: the base of what follows.

    Parameters
    ----------
    problem
        What is wrong, in words.
    who
        The clone, type, patient or replicate concerned.
    facts
        The numbers it is about, which become attributes.
    """

    who: str

    def __init__(self, problem: str, *, who: str = "", **facts: Any) -> None:
        self.who = who
        vars(self).update(facts)
        super().__init__(problem)


class StepTooLongError(EngineError):
    """In one step a cell would act with too large a probability.

    Attributes
    ----------
    dt, longest
        The step, and the longest that would do, in days.
    probability
        That a cell acts in one step.
    division, death
        Rates per day.
    """

    dt: float
    longest: float
    probability: float
    division: float
    death: float


class TraitTooFastError(EngineError):
    """A heritable trait drifted so far that the step is too long.

    Attributes
    ----------
    fold
        Factor on the rate.
    probability
        That the cell acts in one step.
    """

    fold: float
    probability: float


class TooManyCellsError(EngineError):
    """Counts would no longer be exact: more than 2^53 cells."""


class TooManyIndividualsError(EngineError):
    """More cells than are held one by one.

    Attributes
    ----------
    most
        The most that are.
    """

    most: int


class OutOfMemoryError(EngineError):
    """The machine has no room for more.

    Attributes
    ----------
    most, what
        So many of what there was room for.
    """

    most: int
    what: str


class TooManyToCountError(EngineError):
    """More than 2^64 of something.

    Attributes
    ----------
    what
        Of what.
    """

    what: str


class NeverGrewError(EngineError):
    """All attempts to grow from the first cell went extinct, or never reached the stop.

    Attributes
    ----------
    attempts
        How many were made.
    """

    attempts: int


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
