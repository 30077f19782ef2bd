"""The charts of a patient: as many beside each other as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara


@solara.component_vue("chart_grid.vue")
def ChartGrid(
    *,
    panels: list[dict[str, Any]],
    said: str,
    looking: float | None,
    chosen: str,
    cdn: str,
    event_choose: Callable[[str], None],
) -> None:
    """Show charts with one crosshair, which tells the values of its day in each of them.

    Parameters
    ----------
    panels
        As `Chart.panel` makes them.
    said
        Of whom they are, for those who hear the page.
    looking
        Month that is looked at; none: the last.
    chosen
        Name of the genotype that is seen alone.
    cdn
        Where the library that draws them is loaded from; empty: from the server.
    event_choose
        Called with the name of the genotype that was clicked.
    """
