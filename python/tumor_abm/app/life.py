"""A patient, or two twins, from enrolment to today: what was chosen, what was done, and how to go back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.deed import Deed, Kind
from tumor_abm.app.setup import Choices, lines_of
from tumor_abm.app.twin import Twin
from tumor_abm.errors import InputError
from tumor_abm.plots.genotypes import Palette


class Life:
    """What happens to the twins of a tab.

    Parameters
    ----------
    catalogue
        What can be chosen.

    Attributes
    ----------
    twins
        One patient, or two.
    choices
        What the patient was begun with.
    deeds
        What was done by hand since, the first first.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.twins: list[Twin] = []
        self.choices: Choices | None = None
        self.deeds: list[Deed] = []

    def begin(self, choices: Choices) -> None:
        """Grow a patient and start the first line."""
        palette = Palette(self.catalogue.states, alterations=self.catalogue.colour_order)
        self.twins = [Twin(choices.model(self.catalogue), choices.strategy, palette)]
        self.choices, self.deeds = choices, []

    def follow(self, choices: Choices, deeds: Iterable[Deed], day: float) -> None:
        """Live a whole life again: begin, do what was done on its day, and go on to a day.

        Raises
        ------
        InputError
            A choice cannot be followed, or a deed cannot be done.
        """
        self.begin(choices)
        for deed in sorted(deeds, key=lambda deed: deed.day):
            self.reach(deed.day)
            self.do(deed.twin, deed.kind, *deed.what)
        self.reach(day)

    @property
    def day(self) -> float:
        """Days since enrolment that the twin which is further on has lived."""
        return max(twin.model.day for twin in self.twins)

    def advance(self, days: int) -> None:
        """Live so many days; a twin that was stopped before the other catches up."""
        self.reach(self.day + days)

    def reach(self, day: float) -> None:
        """Live up to a day."""
        for twin in self.twins:
            twin.reach(day)

    def do(self, twin: int, kind: Kind, *what: Any) -> None:
        """Do something to a twin, and remember it.

        Raises
        ------
        InputError
            It cannot be done; nothing has changed.
        """
        twin = min(twin, len(self.twins) - 1)
        deed = Deed(self.day, twin, kind, what)
        if kind == "fork":
            self._fork(*what)
        elif kind == "keep":
            self.twins = [self.twins[twin]]
        else:
            self.twins[twin].treat(kind, what)
        self.deeds.append(deed)

    def go_back(self, day: float) -> None:
        """Return to a day that was lived, and forget what came later."""
        forks = [deed.day for deed in self.deeds if deed.kind == "fork"]
        undone = any(fork > day for fork in forks)
        keeps = [deed for deed in self.deeds if deed.kind == "keep" and deed.day > day]
        if keeps:
            raise InputError(
                f"On day {keeps[0].day:g} the comparison was ended; go back no further than that, or Reset."
            )
        self.twins = [twin.until(day) for twin in (self.twins[:1] if undone else self.twins)]
        self.deeds = [deed for deed in self.deeds if deed.day <= day]

    def _fork(self, name: Any, lines: Any = None) -> None:
        if len(self.twins) > 1:
            raise InputError("there are two twins already; go on with one of them first", key="fork")
        plan = self.catalogue.lines(str(name)) if lines is None else lines_of(lines)
        first = self.twins[0]
        self.twins = [first, first.fork(str(name), plan)]
