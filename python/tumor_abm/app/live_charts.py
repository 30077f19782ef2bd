"""The charts of a tab: they follow the tumour, a little later and not all the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import solara

from tumor_abm.app.boundary import told
from tumor_abm.app.chart_news import Parted, parted
from tumor_abm.app.charts import Patient, panels_of
from tumor_abm.app.visitors import Turns

_PAUSE_S, _MOST_S = 0.8, 3.0
_SHARE = 4.0  # of what drawing charts takes: how long it rests after it, while playing


class LiveCharts:
    """Charts that are drawn in a thread, when it is this visitor's turn.

    Parameters
    ----------
    seen
        Returns what was seen of each patient.
    turns
        Whose turn it is to compute.

    Attributes
    ----------
    shown
        The charts of each patient, as drawn last.
    """

    def __init__(self, seen: Callable[[], Sequence[Patient]], turns: Turns) -> None:
        self._seen = seen
        self._turns = turns
        self._stir = asyncio.Event()
        self.shown: solara.Reactive[tuple[Parted, ...]] = solara.reactive(())

    def call(self) -> None:
        """Have them drawn again; called where `follow` runs."""
        self._stir.set()

    async def follow(self, is_playing: Callable[[], bool], tell: Callable[[str], None]) -> None:
        """Draw whenever it is called for, but not all the time while the tumour is played.

        Parameters
        ----------
        is_playing
            Tells whether the tumour is played.
        tell
            Called with what went wrong.
        """
        self._stir = asyncio.Event()
        while True:
            await self._stir.wait()
            self._stir.clear()
            began = time.monotonic()
            try:
                self.shown.value = await asyncio.to_thread(self.drawn, not is_playing())
            except Exception as error:
                tell(told("The drawing of the charts", error))
            if is_playing():
                await asyncio.sleep(min(max(_PAUSE_S, _SHARE * (time.monotonic() - began)), _MOST_S))

    def drawn(self, is_answer: bool) -> tuple[Parted, ...]:
        """Draw them, at once or when it is this visitor's turn among those who play."""
        seen = self._seen()
        with self._turns.turn(lambda: is_answer):
            return tuple(map(parted, panels_of(seen)))
