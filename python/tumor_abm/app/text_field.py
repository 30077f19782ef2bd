"""A field to type into, whose text is the browser's."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("text_field.vue")
def TextField(*, label: str, initial: str, event_put: Callable[[str], None]) -> None:
    """Show a field into which no render writes.

    The fields of Solara hold the text that the server knows: a late render puts an older one over what is
    being typed, and on a busy page the browser holds keystrokes back until after the field was left. Here
    every keystroke is an event, sent at once and in the order of the clicks.

    Parameters
    ----------
    label
        What the text is.
    initial
        Text at first sight.
    event_put
        Called with the whole text at every change.
    """
