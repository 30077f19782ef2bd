"""Where words go: results to stdout, everything said on the way to stderr."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from tumor_abm._base.sinks import rich_text

WIDTH_OF_FILES = 110
"""Columns when stdout is no terminal."""


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave the exit code to the caller; rich would make it 1."""
        raise BrokenPipeError


class _Messages(Console):
    def on_broken_pipe(self) -> None:
        """Fall silent: a run goes on though nobody listens."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def output() -> Console:
    """Return the console for results."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _Output(width=None if known else WIDTH_OF_FILES, highlight=False)


def messages() -> Console:
    """Return the console for progress and messages."""
    return _Messages(stderr=True, highlight=False)


@contextmanager
def log_to(console: Console) -> Iterator[None]:
    """Show what the library logs, e.g. that a run is gone on with."""
    logger = logging.getLogger("tumor_abm")
    handler = _Handler(console)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Handler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message as it is."""
        self._console.print(rich_text(record.getMessage()), soft_wrap=True)
