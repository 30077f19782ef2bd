"""What the page tells its user, and the address that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Notice:
    """Something to tell the user."""

    kind: Literal["error", "info"]
    text: str
    cured: tuple[int, ...] = ()
    """Twins whose tumour is gone while drugs are given."""


@dataclass(frozen=True)
class Shown:
    """The address that the browser shows.

    Attributes
    ----------
    query
        The state of the page.
    is_new
        Whether it is a new entry of the browser's history, to which Back leads back from the next.
    """

    query: str
    is_new: bool


class Stopped(BaseException):
    """The work was stopped, by the user or because the tab is gone; not an error to be caught."""
