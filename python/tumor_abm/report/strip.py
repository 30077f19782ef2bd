"""An arm as a strip: its lines side by side, each in its colour, with its drugs and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumor_abm.plots.style import colours
from tumor_abm.plots.swimmer import colour_of_line
from tumor_abm.run.results import Results
from tumor_abm.treatment import Eligibility, Line


@dataclass(frozen=True, kw_only=True)
class StripLine:
    """A line of therapy on a strip.

    Attributes
    ----------
    number
        From 1; 0 of lines that follow in every arm.
    given, clauses
        What is given, and until when and by what rules, in words.
    colour
        Of its number.
    chosen
        Whether the drugs are chosen by a condition.
    """

    number: int
    given: str
    clauses: list[str]
    colour: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Strip:
    """An arm, or what follows in every arm.

    Attributes
    ----------
    name, among
        Of the arm, and whom it is about; empty if about all.
    colour
        Of the arm in the figures.
    control
        Whether others are compared with it.
    lines
        In their order.
    """

    name: str
    among: str
    colour: str
    control: bool
    lines: list[StripLine]


def strips(results: Results) -> list[Strip]:
    """Return a strip for every arm, and one for the lines that follow in all."""
    hues = colours(results)
    found = [
        Strip(
            name=arm["name"],
            among=Eligibility.model_validate(arm.get("among", {})).in_words(),
            colour=hues[arm["name"]],
            control=arm["name"] == results.control and len(results.arms) > 1,
            lines=[_line(number, line) for number, line in enumerate(arm.get("line", []), start=1)],
        )
        for arm in results.experiment["arm"]
    ]
    afterwards = results.experiment.get("afterwards", [])
    if afterwards:
        lines = [_line(0, line) for line in afterwards]
        found.append(
            Strip(name="Then, in every arm", among="", colour="transparent", control=False, lines=lines)
        )
    return found


def _line(number: int, line: Mapping[str, Any]) -> StripLine:
    given, *clauses = Line.model_validate(line).in_words()
    return StripLine(
        number=number,
        given=given,
        clauses=clauses,
        colour=colour_of_line(number) if number else "#8A8A8A",
        chosen="choose" in line,
    )
