"""Visitors of one server: how many there may be, what each may hold, and whose turn it is to compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

from tumor_abm.errors import InputError

MOST_VISITORS = 40
"""Tabs that one server serves at once, unless it is told otherwise."""

MOST_INDIVIDUALS = 20_000_000
"""Cells held one by one that tumours of lethal size may have, all visitors together."""

SLICE_S = 0.1
"""For how long a visitor computes before others who wait have their turn."""


class Turns:
    """So many compute at a time, and nobody for long while others wait.

    Who answers a click comes before those who play; otherwise it is first come, first served.

    Parameters
    ----------
    at_once
        How many compute at a time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[_Wish] = []
        self._lock = Lock()

    @contextmanager
    def turn(self, is_urgent: Callable[[], bool] = bool) -> Iterator[Turn]:
        """Wait for a turn, and have it for as long as this lasts.

        Parameters
        ----------
        is_urgent
            Tells whether somebody waits for an answer; asked whenever a turn is given.
        """
        turn = Turn(self)
        self._take(is_urgent)
        try:
            yield turn
        finally:
            self._leave()

    def _take(self, is_urgent: Callable[[], bool]) -> None:
        wish = _Wish(is_urgent)
        with self._lock:
            self._waiting.append(wish)
            self._give()
        wish.granted.wait()

    def _leave(self) -> None:
        with self._lock:
            self._free += 1
            self._give()

    def _give(self) -> None:
        """Give the turns that are free; nobody else of those who wait is woken."""
        while self._free and self._waiting:
            wish = next((wish for wish in self._waiting if wish.is_urgent()), self._waiting[0])
            self._waiting.remove(wish)
            self._free -= 1
            wish.granted.set()


class _Wish:
    """Somebody who waits for a turn."""

    def __init__(self, is_urgent: Callable[[], bool]) -> None:
        self.is_urgent = is_urgent
        self.granted = Event()


class Turn:
    """A turn that was given."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._began = monotonic()

    def share(self) -> None:
        """Let those who wait come first, if the turn has lasted long enough; called in the midst of work.

        What takes that long is not urgent any more.
        """
        if monotonic() - self._began >= SLICE_S and self._turns._waiting:
            self._turns._leave()
            self._turns._take(bool)
            self._began = monotonic()


class Visitors:
    """Who is there, and what they hold.

    Parameters
    ----------
    most
        Visitors at once.

    Attributes
    ----------
    turns
        Whose turn it is to compute.
    """

    def __init__(self, most: int = MOST_VISITORS) -> None:
        self.most = most
        self.turns = Turns(os.cpu_count() or 1)
        self._held: dict[int, int] = {}
        self._lock = Lock()
        self._next = 0

    def enter(self) -> int | None:
        """Give a visitor a place, by its number; ``None`` if all are taken."""
        with self._lock:
            if len(self._held) >= self.most:
                return None
            self._next += 1
            self._held[self._next] = 0
            return self._next

    def leave(self, place: int | None) -> None:
        """Take a place back, with all that was held there."""
        with self._lock:
            self._held.pop(place or 0, None)

    def hold(self, place: int | None, individuals: int) -> None:
        """Let a visitor hold so many cells one by one, in the place of what was held.

        Raises
        ------
        InputError
            Too many are held by others.
        """
        if place is None:
            return
        with self._lock:
            others = sum(held for number, held in self._held.items() if number != place)
            if individuals and others + individuals > MOST_INDIVIDUALS:
                left = max(0, MOST_INDIVIDUALS - others)
                raise InputError(
                    key="cells",
                    found=individuals,
                    allowed=f"up to {left:,} while others hold {others:,}; or cells that are counted",
                )
            if place in self._held:
                self._held[place] = individuals
