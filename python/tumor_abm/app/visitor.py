"""One visitor's place on the server, for as long as the tab is there."""

from __future__ import annotations

import solara

from tumor_abm.app.server import served


def use_place() -> int | None:
    """Take a place, and give it back when the tab is gone; where none is left, say so and return ``None``."""
    place: int | None = solara.use_memo(served.visitors.enter, [])
    solara.use_effect(lambda: lambda: served.visitors.leave(place), [])
    if place is None:
        solara.Info(
            f"All {served.visitors.most} places of this server are taken. Reload the page in a few minutes; "
            "whoever runs the server can give it more with --visitors."
        )
    return place
