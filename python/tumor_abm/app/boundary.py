"""What fails in one part of the page is said in its place; the other parts, and the run, stay."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

import solara

_log = logging.getLogger(__name__)


def part(what: str) -> Callable[[Callable[..., None]], Callable[..., solara.Element]]:
    """Make a component of the page, which says so when it fails, and can be tried again.

    What fails while it is drawn, in its events and in its effects goes no further. With other arguments it is
    tried again by itself.

    Parameters
    ----------
    what
        What it shows, as the message says it; names in braces stand for its arguments.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., solara.Element]:
        inner = solara.component(function)

        @functools.wraps(function)
        def guarded(*arguments: Any, **named: Any) -> None:
            error, forget = solara.use_exception()
            failed_with = solara.use_ref(None)
            given = (arguments, named)
            if error is None or (failed_with.current is not None and failed_with.current != given):
                if error is not None:
                    forget()
                failed_with.current = None
                inner(*arguments, **named)
            else:
                failed_with.current = given
                by_name = inspect.signature(function).bind(*arguments, **named).arguments
                _Failed(what.format_map(by_name), error, forget).key("failed")

        component: Callable[..., solara.Element] = solara.component(guarded)
        return component

    return decorate


@solara.component
def _Failed(what: str, error: Exception, again: Callable[[], None]) -> None:
    """Say what failed, in the terminal with all its circumstances."""
    words = solara.use_memo(lambda: told(what, error), [error])
    with solara.Error(words, dense=True):
        solara.Button("Try again", icon_name="mdi-refresh", small=True, text=True, on_click=again)


def told(what: str, error: Exception) -> str:
    """Return what the page says of a failure; write it with its traceback to the log."""
    _log.error("%s failed", what, exc_info=error)
    return f"{what} failed; the run is kept. This is a defect of tumor_abm: {type(error).__name__}: {error}"
