"""Patients or tumours done: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 10.0


class Count(Protocol):
    """What is told how many are done, and what else there is to say of that."""

    def __call__(self, done: int, note: str = "") -> None:
        """Tell."""


@contextmanager
def counting(console: Console, whole: int, what: str = "patients") -> Iterator[Count]:
    """Show how many of `whole` are done; the first number told is where the run begins."""
    if not console.is_terminal:
        yield _Lines(console, whole, what)
        return
    with _bar(console, what) as bar:
        yield _on(bar, whole)


def _bar(console: Console, what: str) -> Progress:
    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(f"{what},"),
        TimeElapsedColumn(),
        TextColumn("passed,"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[note]}", markup=False),
        console=console,
    )


def _on(bar: Progress, whole: int) -> Count:
    def count(done: int, note: str = "") -> None:
        if not bar.task_ids:
            bar.add_task("", total=whole, completed=done, note="")
        bar.update(bar.task_ids[0], completed=done, note=f", {note}" if note else "")

    return count


class _Lines:
    """A line at most every few seconds, and one at the end."""

    def __init__(self, console: Console, whole: int, what: str) -> None:
        self._console = console
        self._whole = whole
        self._what = what
        self._began = self._said = time.monotonic()
        self._done_before: int | None = None
        self._done = 0

    def __call__(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        if self._done_before is None:
            self._done_before, self._began = done, now
        elif now - self._said >= SECONDS_BETWEEN_LINES or done == self._whole > self._done:
            self._said = now
            self._say(done, now - self._began, note)
        self._done = done

    def _say(self, done: int, seconds: float, note: str) -> None:
        percent = 100 * done // self._whole
        line = f"{done} of {self._whole} {self._what} ({percent}%), {_clock(seconds)} passed"
        new = done - (self._done_before or 0)
        if new > 0 and done < self._whole:
            line += f", {_clock(seconds * (self._whole - done) / new)} left"
        self._console.print(f"{line}, {note}" if note else line, soft_wrap=True)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
