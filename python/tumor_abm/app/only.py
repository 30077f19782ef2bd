"""Of what changes with every frame, that alone which a part of the page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import solara

from tumor_abm.app.picture import Picture

_Picked = TypeVar("_Picked")


def use_only(
    pictures: solara.Reactive[tuple[Picture, ...]], pick: Callable[[Sequence[Picture]], _Picked]
) -> _Picked:
    """Return what is picked of the pictures; the component is drawn again when that changes, and not before.

    Parameters
    ----------
    pictures
        Of a session.
    pick
        Takes from them what the component shows. It is asked at every frame, also at one with which the
        component is about to go: there may be fewer pictures, or none.
    """
    picked = pick(pictures.peek())
    shown = solara.use_ref((pick, picked))
    shown.current = (pick, picked)
    _, set_drawn = solara.use_state(0)

    def follow() -> Callable[[], None]:
        def look(new: Sequence[Picture]) -> None:
            pick_now, last = shown.current
            if pick_now(new) != last:
                set_drawn(lambda drawn: drawn + 1)

        look(pictures.peek())
        forget: Callable[[], None] = pictures.subscribe(look)
        return forget

    solara.use_effect(follow, [pictures])
    return picked
