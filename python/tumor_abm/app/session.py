"""The state of one browser tab, and the tasks that change it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, Literal

import solara

import tumor_abm._core as _core
from tumor_abm.app.boundary import told
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.charts import option_of
from tumor_abm.app.setup import Choices
from tumor_abm.app.twin import LegendRow, Twin
from tumor_abm.errors import InputError
from tumor_abm.plots.genotypes import Palette

SPEEDS = (1, 2, 5, 10, 20)
"""Frames per second to choose from."""

_CHARTS_LOOK_S = 0.05
_CHARTS_PAUSE_S = 0.2
_AFTER_CURE = "Play goes on, with the drugs as they are, to the end of follow-up."

Order = Callable[[], None]


@dataclass(frozen=True)
class Notice:
    """Something to tell the user."""

    kind: Literal["error", "info"]
    text: str


@dataclass(frozen=True)
class Picture:
    """What the page shows of one twin."""

    name: str
    tumour: bytes
    legend: list[LegendRow]
    founder: list[str]
    facts: dict[str, Any]
    solid: bool
    view: str


class Stopped(BaseException):
    """The work was stopped, by the user or because the tab is gone; not an error to be caught."""


class Session:
    """One tab: its patient or twins, whether they are playing, and what is shown.

    Handlers of buttons do not touch the patient: they leave an order, and the page's one task
    carries it out in a thread. So nothing waits, and nothing happens twice at a time.

    Parameters
    ----------
    catalogue
        What can be chosen.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.twins: list[Twin] = []
        self.setup = solara.reactive(
            Choices(population=catalogue.experiment.population_name, strategy=catalogue.arms[0])
        )
        self.pictures: solara.Reactive[tuple[Picture, ...]] = solara.reactive(())
        self.charts: solara.Reactive[tuple[dict[str, Any], ...]] = solara.reactive(())
        self.notice: solara.Reactive[Notice | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.busy = solara.reactive(False)
        self.days_per_frame = solara.reactive(7)
        self.speed = solara.reactive(10)
        self.frames = 0
        self._orders: deque[Order] = deque()
        self._choosing = Lock()
        self._stir = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = Event()
        self._stop = Event()
        self._lock = Lock()
        self._charts_due = False
        self._orders.append(partial(self._begin, self.setup.value))

    def order(self, order: Order) -> None:
        """Have the page's task do something to the patient; what was wrong before is forgotten."""
        self.notice.value = None
        self._orders.append(order)
        self._wake()

    def close(self) -> None:
        """End the page's task and free the patient: the tab is gone."""
        self._closed.set()
        self._stop.set()
        self._wake()
        Thread(target=self._free, daemon=True).start()

    def _free(self) -> None:
        """Let go of the patient as soon as nothing is done to it any more."""
        with self._lock:
            self.twins = []
            self._orders.clear()
        gc.collect()  # a model and its agents name each other

    def _wake(self) -> None:
        """Tell the page's task of something new; begin it anew on another connection than it had."""
        if self._loop is None:
            return
        here = _running_loop()
        if here is not None and here is not self._loop and not self._closed.is_set():
            self._loop = here
            self._orders.append(_nothing)
            self._anew = here.create_task(self.live())
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stir.set)

    def choose(self, **changes: Any) -> None:
        """Change the set-up; it counts from the next reset on."""
        self.setup.value = replace(self.setup.value, **changes)

    def reset(self) -> None:
        """Stop, and begin again with the patient that is chosen now."""
        self._break_off()
        self.order(partial(self._begin, self.setup.value))

    def play(self) -> None:
        """Play until paused, or until follow-up ends."""
        self.notice.value = None
        self.playing.value = True
        self._wake()

    def pause(self) -> None:
        """Stop after the frame that is being made."""
        self.playing.value = False
        self._wake()

    def stop(self) -> None:
        """Stop at once, in the middle of a frame if need be, and show the day that was reached."""
        self._break_off()
        self.order(_nothing)

    def _break_off(self) -> None:
        """End what is being done, and forget what was ordered."""
        self.playing.value = False
        with self._choosing:
            self._orders.clear()
            self._stop.set()

    def step(self) -> None:
        """Go on by one frame."""
        self.playing.value = False
        self.order(partial(self._advance, self.days_per_frame.value))

    def treat(self, twin: int, change: Callable[[Twin], None]) -> None:
        """Change the treatment of one twin; what is wrong with it is told on the page."""
        self.order(lambda: change(self.twins[min(twin, len(self.twins) - 1)]))

    def fork(self, name: str, strategy: Any) -> None:
        """Send a twin of the first patient down another strategy."""
        self.order(lambda: self._fork(name, strategy))

    def look(self, twin: int, view: str) -> None:
        """See a solid tumour from outside, or a section through it."""

        def turn() -> None:
            self.twins[twin].view = view

        self.order(turn)

    def tell(self, problem: str) -> None:
        """Say on the page what is wrong."""
        self.notice.value = Notice("error", problem)

    def at_rest(self, make: Callable[[], bytes]) -> bytes:
        """Return what `make` makes of the patients while they stand still."""
        with self._lock:
            return make()

    def keep(self, twin: int) -> None:
        """End the comparison and go on with one of the twins."""

        def alone() -> None:
            self.twins = [self.twins[twin]]

        self.order(alone)

    async def live(self) -> None:
        """Do all that the page does by itself, until it is closed: its one task.

        It runs in the event loop of the connection, which also hears what the user does: so nothing that is
        shown is older than that. It ends with the connection; whoever comes back begins it anew.
        """
        await asyncio.gather(self.run(), self.draw_charts())

    async def run(self) -> None:
        """Carry out what is ordered, and play while playing is on.

        The work is done in a thread, where the core lets go of the interpreter; the page is redrawn
        here, in the event loop, and nowhere else.
        """
        here = self._loop = asyncio.get_running_loop()
        self._stir = asyncio.Event()
        while not self._closed.is_set():
            self._stir.clear()
            if not self._orders and not self.playing.value:
                await self._stir.wait()
                continue
            began = time.monotonic()
            self.busy.value = bool(self._orders)
            order, stop = self._next()
            try:
                outcome = await asyncio.to_thread(self._work, order, stop)
            finally:
                stop.set()  # if this task is cancelled, nobody waits for the thread
            if self._closed.is_set() or self._loop is not here:
                return
            self._show(*outcome)
            self.busy.value = bool(self._orders)
            if self.playing.value and not self._orders:
                spent = time.monotonic() - began
                await asyncio.sleep(max(0.005, 1 / self.speed.value - spent))

    def _next(self) -> tuple[Order, Event]:
        """Return what is to be done, and what will stop this and nothing later."""
        # Reactive values belong to this tab's context, which the thread that works does not have.
        frame = partial(self._advance, self.days_per_frame.value) if self.playing.value else _nothing
        with self._choosing:
            self._stop = Event()
            return self._orders.popleft() if self._orders else frame, self._stop

    def _work(self, order: Order, stop: Event) -> tuple[tuple[Picture, ...] | None, Notice | None]:
        """Carry out an order; return what is to be shown."""

        def heartbeat() -> None:
            if stop.is_set() or self._closed.is_set():
                raise Stopped

        with self._lock:
            try:
                _core.interruptible(order, heartbeat)
                return self._draw(), None
            except Stopped:
                return None, None
            except InputError as error:
                return None, Notice("error", str(error))
            except Exception as error:
                return None, Notice("error", told("What was asked for", error))

    def _show(self, drawn: tuple[Picture, ...] | None, notice: Notice | None) -> None:
        if drawn is not None:
            self.frames += 1
            self.pictures.value = drawn
            notice = self._news(drawn)
        if notice is not None:
            self.playing.value = False
            self.notice.value = notice
        if self.playing.value and not any(twin.model.running for twin in self.twins):
            self.playing.value = False

    def _news(self, drawn: tuple[Picture, ...]) -> Notice | None:
        """Say that a tumour is gone, once; and that none has grown, if that was stopped."""
        if not drawn:
            return Notice("info", "The tumour has not grown to the end; Reset grows it anew.")
        cured = [twin for twin in self.twins if twin.record.cured_day is not None and not twin.cure_told]
        if not cured:
            return None
        for twin in cured:
            twin.cure_told = True
        days = [f"day {twin.record.cured_day:,.0f}" for twin in cured]
        if len(drawn) > 1:
            days = [f"{day} ({twin.name})" for day, twin in zip(days, cured, strict=True)]
        return Notice(
            "info", f"Cured: no cell of the tumour is left since {' and '.join(days)}. {_AFTER_CURE}"
        )

    def _begin(self, chosen: Choices) -> None:
        palette = Palette(self.catalogue.states)
        self.twins = [Twin(chosen.model(self.catalogue), chosen.strategy, palette)]

    def _advance(self, days: int) -> None:
        """Live so many days; a twin that was stopped before the other catches up."""
        until = max(twin.model.day for twin in self.twins) + days
        for twin in self.twins:
            twin.advance(round(until - twin.model.day))

    def _fork(self, name: str, strategy: Any) -> None:
        first = self.twins[0]
        self.twins = [first, first.fork(name, strategy)]

    def _draw(self) -> tuple[Picture, ...]:
        self._charts_due = True
        return tuple(
            Picture(
                name=twin.name,
                tumour=twin.picture(),
                legend=twin.legend(),
                founder=twin.founder,
                facts=facts_of(twin),
                solid=twin.solid,
                view=twin.view,
            )
            for twin in self.twins
        )

    async def draw_charts(self) -> None:
        """Draw the charts whenever there is something new, but not all the time."""
        while not self._closed.is_set():
            await asyncio.sleep(_CHARTS_LOOK_S)
            if not self._charts_due:
                continue
            began = time.monotonic()
            self._charts_due = False
            try:
                self.charts.value = await asyncio.to_thread(self._charts)
            except Exception as error:
                self.notice.value = Notice("error", told("The drawing of the charts", error))
            spent = time.monotonic() - began
            await asyncio.sleep(max(_CHARTS_PAUSE_S, spent) if self.playing.value else 0)

    def _charts(self) -> tuple[dict[str, Any], ...]:
        with self._lock:
            courses = [(twin.course(), twin.palette) for twin in self.twins]
        columns, height = (2, charts_height(1)) if len(courses) == 1 else (1, charts_height(2))
        return tuple(
            option_of(course, palette, columns=columns, height_px=height) for course, palette in courses
        )


def charts_height(twins: int) -> int:
    """Height of the charts of one patient, or of each of two, in pixels."""
    return 545 if twins == 1 else 760


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _nothing() -> None:
    """Do nothing: what is there is shown."""


def facts_of(twin: Twin) -> dict[str, Any]:
    """Return what the page says of a patient today."""
    model = twin.model
    return {
        "day": model.day,
        "line": model.line,
        "regimen": model.regimen,
        "cells": model.cells,
        "volume_cm3": model.volume_cm3,
        "sld_mm": model.sld_mm,
        "scan": model.scan,
        "status": model.status,
        "engine": model.engine,
        "scale": model.scale,
        "running": model.running,
        "drugs": model.drugs.to_dicts(),
        "covariates": model.covariates,
        "events": twin.record.events(model).to_dicts(),
        "cured_day": twin.record.cured_day,
        "earlier": twin.record.earlier_regimens(model.regimen),
    }
