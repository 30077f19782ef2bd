"""The state of one browser tab, and the tasks that change it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, TypeVar

import solara
from matplotlib.figure import Figure

import tumor_abm._core as _core
from tumor_abm.app.address import Start, first_choices, query_of, start_of
from tumor_abm.app.boundary import told
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.charts import Patient
from tumor_abm.app.deed import Deed, Kind
from tumor_abm.app.experiment_file import AsExperiment, as_experiment, left_out
from tumor_abm.app.figure import figure_of
from tumor_abm.app.life import Life
from tumor_abm.app.live_charts import LiveCharts
from tumor_abm.app.notice import Notice, Shown, Stopped
from tumor_abm.app.picture import Picture, on_day, today
from tumor_abm.app.repeats import Repeats
from tumor_abm.app.setup import OWN_LINES, Choices, too_fast
from tumor_abm.app.twin import Twin
from tumor_abm.app.visitors import Visitors
from tumor_abm.errors import InputError, StepTooLongError

SPEEDS = (1, 2, 5, 10, 20)
"""Frames per second to choose from."""

_AFTER_CURE = "Play goes on, with the drugs as they are, to the end of follow-up; or stop the treatment."

Order = Callable[[], None]

_Made = TypeVar("_Made")


class Session:
    """One tab: its patient or twins, whether they are playing, and what is shown.

    Handlers of buttons do not touch the patient: they leave an order, and the page's one task
    carries it out in a thread. So nothing waits, and nothing happens twice at a time.

    Parameters
    ----------
    catalogue
        What can be chosen.
    query
        Of the address by which the page was reached.
    visitors, place
        Who else is there, and the place that this visitor has among them; without a place nothing is limited.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        query: str = "",
        *,
        visitors: Visitors | None = None,
        place: int | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._visitors = visitors or Visitors()
        self._place = place
        self._life = Life(catalogue)
        self._usual = first_choices(catalogue)
        self._day = 0.0
        self._looking: float | None = None
        self._addressed: tuple[Choices, tuple[Deed, ...]] | None = None
        self._addressed_day = 0.0
        start, problem = self._start(query)
        self.setup = solara.reactive(start.choices)
        self.address = solara.reactive(Shown(query.removeprefix("?"), is_new=False))
        self.looking: solara.Reactive[float | None] = solara.reactive(None)
        self.chosen = solara.reactive("")
        self.pictures: solara.Reactive[tuple[Picture, ...]] = solara.reactive(())
        self.charts = LiveCharts(self._seen, self._visitors.turns)
        self.notice: solara.Reactive[Notice | None] = solara.reactive(problem)
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
        self._orders.append(partial(self._follow, start))
        self.repeats = Repeats()

    @property
    def twins(self) -> list[Twin]:
        """One patient, or two."""
        return self._life.twins

    @property
    def begun(self) -> Choices | None:
        """With what the patient that is shown was begun."""
        return self._life.choices

    def _start(self, query: str) -> tuple[Start, Notice | None]:
        """Read an address; say what is wrong with it, and begin as usual."""
        try:
            return start_of(query, self.catalogue), None
        except InputError as error:
            return Start(choices=self._usual), Notice("error", f"This link cannot be followed: {error}")

    def order(self, order: Order) -> None:
        """Have the page's task do something to the patient; what was wrong before is forgotten."""
        self.notice.value = None
        self._orders.append(order)
        self._wake()

    def close(self) -> None:
        """End the page's task and free the patient: the tab is gone."""
        self._closed.set()
        self._stop.set()
        self.repeats.stop()
        self._wake()
        Thread(target=self._free, daemon=True).start()

    def _free(self) -> None:
        """Let go of the patient as soon as nothing is done to it any more."""
        with self._lock:
            self._life.twins = []
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

    def choose_clone(self, name: str) -> None:
        """Let a genotype stand out in the charts, by its name there; again: all of them."""
        self.chosen.value = "" if name == self.chosen.value else name

    def choose(self, **changes: Any) -> None:
        """Change the set-up; it counts from the next reset on."""
        self.setup.value = replace(self.setup.value, **changes)

    def reset(self) -> None:
        """Stop, and begin again with the patient that is chosen now."""
        self._break_off()
        self.order(partial(self._follow, Start(choices=self.setup.value)))

    def open_patient(self, patient: int, arm: str) -> None:
        """Show a patient of the run that was opened, from enrolment on."""
        self.setup.value = replace(self._usual, patient=patient, strategy=arm)
        self.reset()

    def is_of_cohort(self, choices: Choices) -> bool:
        """Whether these choices are a patient of the run that was opened."""
        cohort, usual = self.catalogue.cohort, self._usual
        same = replace(choices, patient=usual.patient, strategy=usual.strategy, lines=usual.lines) == usual
        return (
            cohort is not None
            and same
            and choices.strategy != OWN_LINES
            and choices.patient in cohort.patients
        )

    def repeat(self, number: int) -> None:
        """Live the first line of the present tumour so many times, from enrolment on."""
        if self._life.choices is not None and self.twins:
            at_enrolment = partial(self.at_rest, lambda: self.twins[0].checkpoints.before(0.0))
            self.repeats.start(at_enrolment, self._life.choices, number)

    def visit(self, query: str) -> None:
        """Show what an address says, as after Back."""
        self._break_off()
        start, problem = self._start(query)
        self.setup.value = start.choices
        self.address.value = Shown(query.removeprefix("?"), is_new=False)
        self.order(partial(self._follow, start))
        self.notice.value = problem

    def play(self) -> None:
        """Play until paused, or until follow-up ends."""
        self.notice.value = None
        self._look_at(None)
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
        self.repeats.stop()
        with self._choosing:
            self._orders.clear()
            self._stop.set()

    def step(self) -> None:
        """Go on by one frame."""
        self.playing.value = False
        self._look_at(None)
        self.order(partial(self._life.advance, self.days_per_frame.value))

    def do(self, twin: int, kind: Kind, *what: Any) -> None:
        """Do something to a twin by hand; what is wrong with it is told on the page."""
        self.order(lambda: self._life.do(twin, kind, *what))

    def fork(self, name: str, lines: Any = None) -> None:
        """Send a twin of the first patient down another strategy: an arm by its name, or these lines."""
        self.do(0, "fork", name, *([] if lines is None else [lines]))

    def look_back(self, day: float) -> None:
        """Show an earlier day; what is lived stays."""
        self.playing.value = False
        self._look_at(day)
        if not self._orders:
            self.order(_nothing)

    def look_at_today(self) -> None:
        """Show the last day that was lived."""
        self._look_at(None)
        self.order(_nothing)

    def go_on_from(self, day: float) -> None:
        """Return to an earlier day, and forget what came later."""
        self.playing.value = False
        self._look_at(None)
        self.order(partial(self._life.go_back, day))

    def _look_at(self, day: float | None) -> None:
        self._looking = day
        self.looking.value = day

    def look(self, twin: int, view: str) -> None:
        """See a solid tumour from outside, or a section through it."""

        def turn() -> None:
            self.twins[twin].view = view

        self.order(turn)

    def tell(self, problem: str) -> None:
        """Say on the page what is wrong."""
        self.notice.value = Notice("error", problem)

    def figure(self) -> Figure:
        """Draw what was seen, to be printed."""
        return figure_of(self.twins, self._life.choices or self._usual)

    def experiment(self) -> AsExperiment:
        """Return the present life as an experiment."""
        return as_experiment(self._life)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What an experiment cannot say of the present life."""
        return left_out(self._life)

    def at_rest(self, make: Callable[[], _Made]) -> _Made:
        """Return what `make` makes of the patients while they stand still."""
        with self._lock:
            return make()

    def keep(self, twin: int) -> None:
        """End the comparison and go on with one of the twins."""
        self.do(twin, "keep")

    async def live(self) -> None:
        """Do all that the page does by itself, until it is closed: its one task.

        It runs in the event loop of the connection, which also hears what the user does: so nothing that is
        shown is older than that. It ends with the connection; whoever comes back begins it anew.
        """
        charts = asyncio.create_task(self.charts.follow(lambda: self.playing.value, self.tell))
        try:
            await self.run()
        finally:
            charts.cancel()

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
                self._show_address()
                await self._stir.wait()
                continue
            began = time.monotonic()
            self.busy.value = bool(self._orders)
            order, stop, is_answer = self._next()
            try:
                outcome = await asyncio.to_thread(self._work, order, stop, is_answer)
            finally:
                stop.set()  # if this task is cancelled, nobody waits for the thread
            if self._closed.is_set() or self._loop is not here:
                return
            self._show(*outcome)
            self.busy.value = bool(self._orders)
            if self.playing.value and not self._orders:
                spent = time.monotonic() - began
                await asyncio.sleep(max(0.005, 1 / self.speed.value - spent))

    def _next(self) -> tuple[Order, Event, bool]:
        """Return what is to be done, what will stop this and nothing later, and whether it was ordered."""
        # Reactive values belong to this tab's context, which the thread that works does not have.
        frame = partial(self._life.advance, self.days_per_frame.value) if self.playing.value else _nothing
        with self._choosing:
            self._stop = Event()
            is_answer = bool(self._orders)
            return self._orders.popleft() if is_answer else frame, self._stop, is_answer

    def _work(
        self, order: Order, stop: Event, is_answer: bool
    ) -> tuple[tuple[Picture, ...] | None, Notice | None]:
        """Carry out an order when it is this visitor's turn; return what is to be shown."""
        # A frame of who has ordered something meanwhile is in the way of the answer.
        with self._lock, self._visitors.turns.turn(lambda: is_answer or bool(self._orders)) as turn:

            def heartbeat() -> None:
                turn.share()
                if stop.is_set() or self._closed.is_set():
                    raise Stopped

            try:
                _core.interruptible(order, heartbeat)
                return self._draw(), None
            except Stopped:
                return None, None
            except StepTooLongError as error:
                return self._still(), Notice("error", too_fast(error))
            except InputError as error:
                return self._still(), Notice("error", str(error))
            except Exception as error:
                return None, Notice("error", told("What was asked for", error))

    def _still(self) -> tuple[Picture, ...] | None:
        """Return what is to be shown although something went wrong."""
        return self._draw() if self.twins else None

    def _show(self, drawn: tuple[Picture, ...] | None, notice: Notice | None) -> None:
        if drawn is not None:
            self.frames += 1
            self.pictures.value = drawn
            self.charts.call()
            notice = notice or self._news(drawn)
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
        treated = [twin for twin in cured if twin.model.running and twin.model.dosings]
        days = [f"day {twin.record.cured_day:,.0f}" for twin in cured]
        if len(drawn) > 1:
            days = [f"{day} ({twin.name})" for day, twin in zip(days, cured, strict=True)]
        return Notice(
            "info",
            f"Cured: no cell of the tumour is left since {' and '.join(days)}. {_AFTER_CURE}",
            tuple(self.twins.index(twin) for twin in treated),
        )

    def _follow(self, start: Start) -> None:
        self._looking = None
        self._visitors.hold(self._place, start.choices.individuals)
        self._life.follow(start.choices, start.deeds, start.day)

    def _draw(self) -> tuple[Picture, ...]:
        self._day = self._life.day if self.twins else 0.0
        if self._looking is None:
            return tuple(today(twin) for twin in self.twins)
        return tuple(on_day(twin, self._looking) for twin in self.twins)

    def _show_address(self) -> None:
        """Let the address say what is shown; what was done anew is a new entry of the browser's history."""
        if self._life.choices is None or not self.twins:
            return
        choices, deeds = self._life.choices, tuple(self._life.deeds)
        query = query_of(choices, deeds, self._day, self._usual)
        if query != self.address.value.query:
            is_new = (choices, deeds) != self._addressed or self._day < self._addressed_day
            self.address.value = Shown(query, is_new=is_new and self._addressed is not None)
        self._addressed, self._addressed_day = (choices, deeds), self._day

    def _seen(self) -> list[Patient]:
        with self._lock:
            return [(twin.course(), twin.palette, twin.record.growth) for twin in self.twins]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _nothing() -> None:
    """Do nothing: what is there is shown."""
