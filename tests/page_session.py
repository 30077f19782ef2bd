"""A session of the page without a browser, and what is done in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.session import Session


def at_enrolment() -> Session:
    """Return a tab whose patient is at enrolment, drawn."""
    session = Session(Catalogue.of(None))
    session._show(*session._work(*session._next()))
    session.charts.shown.value = session.charts.drawn(is_answer=True)
    return session


def lived(session: Session, *deeds: Callable[[], object]) -> None:
    """Run the page's task while `deeds` are done one after the other, each carried out to its end."""

    async def life() -> None:
        task = asyncio.create_task(session.run())
        for deed in (lambda: None, *deeds):
            deed()
            await asyncio.sleep(0)
            while session._orders or session.busy.value or session.playing.value:
                await asyncio.sleep(0.01)
        session.close()
        await task

    asyncio.run(life())
