"""Rare eligibility, said before many candidates are screened in vain."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from tumor_abm import _core

RARE = 0.05
"""Share of eligible candidates below which the time that screening takes is worth a word."""

PATIENCE_S = 5.0

_log = logging.getLogger(__name__)


def screen(spec: str, patients: int, threads: int) -> None:
    """Screen a few candidates of every history, and say when few of them are eligible.

    Parameters
    ----------
    spec
        The experiment as the core reads it, JSON.
    patients
        Who are to be enrolled.
    threads
        Threads of the core.

    Raises
    ------
    InputError
        Of a history, none of 300 candidates is eligible: fewer than one in a hundred are (95%).
    """
    started = time.monotonic()
    screenings = _core.screen(spec, threads, _impatience(started))
    screened = sum(candidates for _, candidates, _, _ in screenings)
    each = (time.monotonic() - started) / max(1, screened)
    for history, candidates, eligible, conditions in screenings:
        if eligible < RARE * candidates:
            whose = f' of history "{history}"' if history else ""
            met = ", ".join(f"{name} by {met} of {asked}" for name, asked, met in conditions)
            expected = timedelta(seconds=round(each * patients * candidates / eligible))
            _log.warning(
                "%d of %d candidates%s is eligible (met: %s); to screen for %d patients takes about %s",
                *(eligible, candidates, whose, met, patients, expected),
            )


def _impatience(started: float) -> Callable[[int], None]:
    """Return a progress that says now and then that nobody eligible was found yet."""
    said = [started]

    def tell(screened: int) -> None:
        if time.monotonic() - said[0] > PATIENCE_S:
            said[0] = time.monotonic()
            _log.info("screening: %d candidates so far, to find an eligible one of every history", screened)

    return tell
