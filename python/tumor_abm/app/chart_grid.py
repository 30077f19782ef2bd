"""The charts of a patient: as many beside each other as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.chart_news import Parted, Sent, in_json


@part("The grid of charts")
def ChartGrid(
    *,
    panels: Parted,
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
        The charts.
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
    sent = solara.use_memo(Sent, [])
    last: Any = solara.use_ref(None)
    asked, set_asked = solara.use_state(0)

    def send_all(_: object) -> None:
        sent.forget()
        set_asked(asked + 1)

    if last.current is None or last.current[0] is not panels or last.current[1] != asked:
        last.current = (panels, asked, in_json(sent.news(panels.data)))
    _Grid(
        heads=panels.heads,
        times=panels.times,
        news=last.current[2],
        said=said,
        looking=looking,
        chosen=chosen,
        cdn=cdn,
        event_choose=event_choose,
        event_whole=send_all,
    )


@solara.component_vue("chart_grid.vue")
def _Grid(
    *,
    heads: str,
    times: str,
    news: str,
    said: str,
    looking: float | None,
    chosen: str,
    cdn: str,
    event_choose: Callable[[str], None],
    event_whole: Callable[[object], None],
) -> None:
    """Show charts of which points come bit by bit.

    Parameters
    ----------
    heads, times
        Of `Parted`.
    news
        As `Sent.news` gives them, in JSON.
    said, looking, chosen, cdn, event_choose
        As of `ChartGrid`.
    event_whole
        Called when something was missed: everything is to be sent.
    """
