"""Keys that work anywhere on the page."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("keys.vue")
def Keys(*, event_space: Callable[[object], None], event_escape: Callable[[object], None]) -> None:
    """Listen to Space and Escape where they mean nothing else.

    Parameters
    ----------
    event_space, event_escape
        Called when the key is pressed.
    """
