"""The endpoints of a trial: what is timed, from when to what, in words and as data."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tumor_abm.errors import InputError
from tumor_abm.results import Results

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A time to an event.

    Attributes
    ----------
    name
        Short, as in the comparison: ``PFS1``, ``PFS line 2``, ``PFS2``, ``OS``.
    title
        In words.
    definition
        From when to which event.
    without
        Who has not had the event.
    line
        The line of therapy it belongs to, if one.
    """

    name: str
    title: str
    definition: str
    without: str
    line: int | None = None

    def observations(self, results: Results) -> pl.DataFrame:
        """``patient, arm, months, event``: a row per patient who reached the start of the clock."""
        if self.line is None:
            table, measure = results.overall, self.name.lower()
        else:
            table, measure = results.outcomes.filter(pl.col("line") == self.line), "pfs"
        return table.select(
            "patient", "arm", months=pl.col(f"{measure}_months"), event=pl.col(f"{measure}_event")
        ).drop_nulls()


PFS2 = Endpoint(
    name="PFS2",
    title="Progression-free survival on two lines (PFS2)",
    definition="from the start of the first line to progression on the next line, or death",
    without="Alive without a second progression",
)
OS = Endpoint(
    name="OS",
    title="Overall survival",
    definition="from the start of the first line to death from any cause",
    without="Alive",
)


def endpoints(results: Results) -> list[Endpoint]:
    """All endpoints that `results` hold: each line's PFS, then PFS2 and OS."""
    lines = results.outcomes["line"].unique().sort()
    return [*(_on_line(line) for line in lines), PFS2, OS]


def endpoint(results: Results, name: str) -> Endpoint:
    """Return the endpoint called `name`.

    Raises
    ------
    InputError
        `results` do not hold it.
    """
    held = {each.name: each for each in endpoints(results)}
    if name not in held:
        raise InputError(key="endpoint", found=name, allowed=held)
    return held[name]


def _on_line(line: int) -> Endpoint:
    ordinal = _ORDINALS[line - 1] if line <= len(_ORDINALS) else f"{line}th"
    return Endpoint(
        name="PFS1" if line == 1 else f"PFS line {line}",
        title=f"Progression-free survival on the {ordinal} line",
        definition=f"from the start of the {ordinal} line to progression or death",
        without="Alive without progression",
        line=line,
    )
