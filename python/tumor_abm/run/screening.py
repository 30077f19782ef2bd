"""Rare eligibility, said before many candidates are screened in vain."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import tumor_abm._core as _core

if TYPE_CHECKING:
    from tumor_abm.config import Experiment

RARE = 0.05
"""Share of eligible candidates below which the time that screening takes is worth a word."""

PATIENCE_S = 5.0
GLANCE_S = 1.5

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
    for notice in _rarities(spec, patients, threads, _impatience(time.monotonic())):
        _log.warning("%s", notice)


def glance(experiment: Experiment, threads: int) -> list[str]:
    """Return what `screen` would say, or, if that takes longer than a glance, that it does.

    Raises
    ------
    InputError
        As `screen`.
    """
    end = time.monotonic() + GLANCE_S

    def tell(screened: int) -> None:
        if time.monotonic() > end:
            raise _EnoughError(screened)

    try:
        return _rarities(json.dumps(experiment.to_core()), experiment.patients, threads, tell)
    except _EnoughError as enough:
        (screened,) = enough.args
        return [
            f"eligibility: {screened} candidates, screened in {GLANCE_S:g} s, are too few to find an eligible"
            " one of every history"
        ]


class _EnoughError(Exception):
    """A glance is over."""


def _rarities(spec: str, patients: int, threads: int, tell: Callable[[int], None]) -> list[str]:
    """Return a sentence for every history of which few candidates are eligible."""
    started = time.monotonic()
    screenings = _core.Experiment(spec).screen(threads, tell)
    screened = sum(candidates for _, candidates, _, _ in screenings)
    each = (time.monotonic() - started) / max(1, screened)
    found = []
    for history, candidates, eligible, conditions in screenings:
        if eligible < RARE * candidates:
            whose = f' of history "{history}"' if history else ""
            met = ", ".join(f"{name} by {met} of {asked}" for name, asked, met in conditions)
            expected = timedelta(seconds=round(each * patients * candidates / eligible))
            found.append(
                f"{eligible} of {candidates} candidates{whose} is eligible (met: {met}); "
                f"to screen for {patients} patients takes about {expected}"
            )
    return found


def _impatience(started: float) -> Callable[[int], None]:
    """Return a progress that says now and then that nobody eligible was found yet."""
    said = [started]

    def tell(screened: int) -> None:
        if time.monotonic() - said[0] > PATIENCE_S:
            said[0] = time.monotonic()
            _log.info("screening: %d candidates so far, to find an eligible one of every history", screened)

    return tell
