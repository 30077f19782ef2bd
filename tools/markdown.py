"""Tables and intervals in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with a line break after it."""
    lines = [header, ["---"] * len(header), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


def limits(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    """Return a value and its interval; nothing if neither is known."""
    if value is None and low is None:
        return ""
    shown = ["-" if number is None else f"{number:.{digits}f}" for number in (value, low, high)]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"
