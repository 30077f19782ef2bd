"""Through a door, and what may come out: a right answer, or bad input said in a line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumor_abm.cli import main
from tumor_abm.cli.main import BAD_INPUT, DONE, INTERRUPTED
from tumor_abm.errors import InputError

_LONGEST = 20_000
_TRACES = ("Traceback (most recent call last)", "panicked at", "this is a defect")
_COMMANDS_A_TERMINAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class BrokenError(Exception):
    """A door let through what it must not."""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def done(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == DONE


def command(*argv: str | Path) -> Said:
    """Run `tumor-abm`, in this process.

    Raises
    ------
    BrokenError
        It ended with another code than 0 or 2, or said what it must not.
    KeyboardInterrupt
        It was stopped.
    """
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace", write_through=True) for _ in range(2)
    )
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0
    said = Said(code, *(stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (DONE, BAD_INPUT) or any(trace in said.err for trace in _TRACES):
        raise BrokenError(f"exit code {code}\n{said.err}")
    if found := _COMMANDS_A_TERMINAL.search(said.out + said.err):
        raise BrokenError(f"a terminal would be commanded by {found[0]!r}\n{said.out}{said.err}")
    if code == BAD_INPUT and not 0 < len(said.err) < _LONGEST:
        raise BrokenError(f"{len(said.err)} characters are no message\n{said.err[:2_000]}")
    return said


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[bool, Any]:
    """Call; say whether the input was refused, and what was returned if it was not.

    Raises
    ------
    BrokenError
        The refusal is too long.
    BaseException
        Whatever else is raised: that is broken, too.
    """
    try:
        return False, call(*arguments, **named)
    except InputError as error:
        if not 0 < len(str(error)) < _LONGEST:
            raise BrokenError(f"{len(str(error))} characters are no message: {str(error)[:2_000]}") from error
        return True, None


def must_equal(found: Path, expected: Path, names: Sequence[str]) -> None:
    """Demand that files of two directories are the same to the byte."""
    for name in names:
        if not (found / name).is_file() or (found / name).read_bytes() != (expected / name).read_bytes():
            raise BrokenError(f"{name} is not what a sound run writes, and nothing was said")
