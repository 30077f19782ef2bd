"""Values of the command line: files, counts, seeds."""

from __future__ import annotations

import argparse
from pathlib import Path

from tumor_abm._base.paths import is_text


def path(text: str) -> Path:
    """Read the name of a file or directory."""
    if "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!a} is no name: it has a character that none may have")
    return Path(text)


def target(text: str) -> Path:
    """Read where results are written to or stand, which table files can only do under UTF-8 names."""
    if not is_text(text):
        raise argparse.ArgumentTypeError(f"{text!a} is no UTF-8 text")
    return path(text)


def place(text: str) -> str | Path:
    """Read where results stand: a directory, or an address of an object store."""
    return text if "://" in text else target(text)


def address(text: str) -> str:
    """Read an address of an object store."""
    if "://" not in text:
        raise argparse.ArgumentTypeError(f"{text!a} is no address; allowed: s3://BUCKET/NAME and the like")
    return text


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    return _whole_number(text, at_least=1)


def seed(text: str) -> int:
    """Read a seed."""
    return _whole_number(text, at_least=0)


def port(text: str) -> int:
    """Read the port of a server."""
    return _whole_number(text, at_least=1, at_most=65_535)


def sizes(text: str) -> list[int]:
    """Read whole numbers of at least 2 with commas between them."""
    return [_whole_number(part.strip(), at_least=2) for part in text.split(",")]


def months(text: str) -> float:
    """Read a number of months of at least 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f'found "{text}"; allowed: months from 0 to 10000')
    return number


def shares(text: str) -> tuple[float, ...]:
    """Read rising shares between 0 and 1 with commas between them."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [0.0]
    if any(not before < number < 1 for before, number in zip([0.0, *numbers], numbers, strict=False)):
        raise argparse.ArgumentTypeError(
            f'found "{text}"; allowed: rising shares between 0 and 1, e.g. 0.5,0.75'
        )
    return tuple(numbers)


def print_as_json(command: argparse.ArgumentParser) -> None:
    """Let a command print JSON."""
    command.add_argument(
        "--json", action="store_true", help='print JSON, also of what is wrong: {"error": ...}'
    )


def _whole_number(text: str, at_least: int, at_most: int | None = None) -> int:
    try:
        number = int(text)
    except ValueError:
        number = at_least - 1
    if number < at_least or (at_most is not None and number > at_most):
        upwards = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        allowed = f"a whole number {upwards}"
        raise argparse.ArgumentTypeError(f'found "{text}"; allowed: {allowed}')
    return number
