"""The charts of a patient: as many beside each other as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.chart_news import Sent, parted


@part("The grid of charts")
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
    sent = solara.use_memo(Sent, [])
    last: Any = solara.use_ref(None)
    asked, set_asked = solara.use_state(0)

    def send_all(_: object) -> None:
        sent.forget()
        set_asked(asked + 1)

    if last.current is None or last.current[0] is not panels or last.current[1] != asked:
        heads, times, data = parted(panels)
        last.current = (panels, asked, heads, times, sent.news(data))
    _, _, heads, times, news = last.current
    _Grid(
        panels=heads,
        times=times,
        news=news,
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
    panels: list[dict[str, Any]],
    times: dict[str, Any],
    news: dict[str, Any],
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
    panels, times
        Charts without their points, and their axis of time, as `parted` gives them.
    news
        As `Sent.news` gives them.
    said, looking, chosen, cdn, event_choose
        As of `ChartGrid`.
    event_whole
        Called when something was missed: everything is to be sent.
    """
