"""A slider with a field beside it, for numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import solara


@solara.component_vue("number_slider.vue")
def NumberSlider(
    *,
    label: str,
    hint: str = "",
    places: Sequence[float],
    value: float,
    any_above: bool = False,
    whole: bool = False,
    event_put: Callable[[float], None],
) -> None:
    """Show a slider over given places, and a field that takes any number from the first to the last of them.

    Parameters
    ----------
    label
        What the number is, with its unit.
    hint
        What is told of it under the mouse: unit, range, source.
    places
        Numbers of the slider, ascending.
    value
        The number that is shown.
    any_above
        Whether the field takes numbers above the last place, too.
    whole
        Whether only whole numbers make sense.
    event_put
        Called with the number that was chosen.
    """
