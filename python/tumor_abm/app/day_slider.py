"""A slider over days."""

from __future__ import annotations

from collections.abc import Callable

import solara


@solara.component_vue("day_slider.vue")
def DaySlider(*, first: float, last: float, value: float, event_look: Callable[[float], None]) -> None:
    """Show a slider over the days that were lived.

    Parameters
    ----------
    first, last
        The days at its ends, since enrolment.
    value
        The day that is looked at.
    event_look
        Called with the day that was chosen.
    """
