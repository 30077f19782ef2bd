"""The first line of one tumour, lived many times: visitors take turns, and none goes on for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import TypeVar

import solara

import tumor_abm._core as _core
from tumor_abm._base import seeds
from tumor_abm.app.boundary import told
from tumor_abm.app.notice import Stopped
from tumor_abm.app.setup import Choices
from tumor_abm.model import TumorModel
from tumor_abm.model.futures import Future, future_of_line

NUMBERS = (20, 100, 500)
"""How often, to choose from."""

MOST_S = 60.0
"""Seconds of computing after which a visitor's repeats end."""

_Made = TypeVar("_Made")
_AT_A_TIME = 5  # then it is the next visitor's turn
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="repeats")


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """What repeats have come to so far.

    Attributes
    ----------
    choices
        Whose tumour it is.
    founder
        Alterations of the first cell.
    asked
        How often it was to be lived.
    futures
        Those that were lived.
    running
        Whether more are to come.
    problem
        Why there are no more, if something went wrong or took too long.
    """

    choices: Choices
    founder: tuple[str, ...] = ()
    asked: int
    futures: tuple[Future, ...] = ()
    running: bool = True
    problem: str = ""


class Repeats:
    """The repeats of one tab.

    Attributes
    ----------
    shown
        What they have come to.
    """

    def __init__(self) -> None:
        self.shown: solara.Reactive[Repeated | None] = solara.reactive(None)
        self._stop = Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, at_enrolment: Callable[[], TumorModel], choices: Choices, number: int) -> None:
        """Begin, in the event loop; what was begun before ends.

        Parameters
        ----------
        at_enrolment
            Makes a copy of the patient.
        choices
            Whose tumour it is.
        number
            How often, one of `NUMBERS`.
        """
        self.stop()
        self._stop = Event()
        self.shown.value = Repeated(choices=choices, asked=min(number, NUMBERS[-1]))
        self._task = asyncio.get_running_loop().create_task(self._run(at_enrolment, self._stop))

    def stop(self) -> None:
        """End at once; what was lived stays."""
        self._stop.set()

    async def _run(self, at_enrolment: Callable[[], TumorModel], stop: Event) -> None:
        """Live a few futures, show them, and let others have their turn."""
        shown, spent = self.shown.value, 0.0
        assert shown is not None
        try:
            model = await self._turn(at_enrolment)
            shown = replace(shown, founder=model.genotype_alterations[0])
            while len(shown.futures) < shown.asked and not stop.is_set() and spent < MOST_S:
                first = len(shown.futures)
                last = min(first + _AT_A_TIME, shown.asked)
                more, took = await self._turn(partial(_some, model, range(first, last), stop, MOST_S - spent))
                spent += took
                shown = replace(shown, futures=shown.futures + more)
                if self._stop is stop:
                    self.shown.value = shown
        except Exception as error:
            shown = replace(shown, problem=told("The repeats", error))
        if len(shown.futures) < shown.asked and spent >= MOST_S:
            shown = replace(shown, problem=f"Ended after {MOST_S:g} seconds of computing.")
        if self._stop is stop:
            self.shown.value = replace(shown, running=False)

    async def _turn(self, work: Callable[[], _Made]) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(_WORKER, work)


def _some(model: TumorModel, numbers: range, stop: Event, most_s: float) -> tuple[tuple[Future, ...], float]:
    """Live some futures; return those that came to their end, and how long it took."""
    began = time.monotonic()

    def heartbeat() -> None:
        if stop.is_set() or time.monotonic() - began > most_s:
            raise Stopped

    lived: list[Future] = []
    try:
        for number in numbers:
            heartbeat()
            seed = (model.seed + 1 + number) % (seeds.MOST + 1)
            lived.append(_core.interruptible(partial(future_of_line, model, seed), heartbeat))
    except Stopped:
        pass
    return tuple(lived), time.monotonic() - began
