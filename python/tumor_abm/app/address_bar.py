"""The address in the browser: it follows the page, and the page follows Back and Forward."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("address_bar.vue")
def AddressBar(*, query: str, is_new: bool, event_visit: Callable[[str], None]) -> None:
    """Show the state of the page in the address.

    Parameters
    ----------
    query
        The state.
    is_new
        Whether it is a new entry of the history.
    event_visit
        Called with the query to which Back or Forward has led.
    """
