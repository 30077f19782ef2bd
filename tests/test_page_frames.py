"""What a frame of the page costs: only what it changes is drawn again and sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import solara
from page_client import Tab, serving
from page_session import at_enrolment
from tumor_abm.app.only import use_only
from tumor_abm.app.page import _Sight
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """A tab whose patient is at enrolment."""
    session = at_enrolment()
    yield session
    session.close()


def with_facts(session: Session, **facts: Any) -> tuple[Picture, ...]:
    """What is shown, with other facts."""
    return tuple(replace(each, facts={**each.facts, **facts}) for each in session.pictures.value)


def tags(widget: Any) -> list[str]:
    """The HTML elements of a widget and all in it."""
    inside = [tag for child in getattr(widget, "children", ()) for tag in tags(child)]
    return [getattr(widget, "tag", ""), *inside]


def test_what_shows_a_part_of_a_frame_is_drawn_again_only_with_that(session: Session) -> None:
    drawn = []

    @solara.component
    def Regimen(prefix: str) -> None:
        said = use_only(
            session.pictures, lambda pictures: prefix + "".join(each.facts["regimen"] for each in pictures)
        )
        drawn.append(said)
        solara.Text(said)

    session.pictures.value = with_facts(session, regimen="A")
    _, rendered = solara.render(Regimen("takes "), handle_error=False)
    for day in range(5):
        session.pictures.value = with_facts(session, day=float(day))
    assert drawn == ["takes A"]
    session.pictures.value = with_facts(session, regimen="B")
    rendered.render(Regimen("has "))
    session.pictures.value = with_facts(session, day=9.0)
    session.pictures.value = with_facts(session, regimen="C")
    session.pictures.value = ()
    assert drawn == ["takes A", "takes B", "has B", "has C", "has "]
    rendered.close()
    session.pictures.value = with_facts(session)


def test_a_twin_that_goes_takes_its_parts_along(session: Session) -> None:
    session.pictures.value = session.pictures.value * 2
    session.charts.shown.value = session.charts.shown.value * 2
    _, rendered = solara.render(_Sight(session), handle_error=False)
    assert tags(rendered.container).count("img") == 2
    session.pictures.value = session.pictures.value[:1]
    assert tags(rendered.container).count("img") == 1
    session.pictures.value = ()
    assert "img" not in tags(rendered.container)
    rendered.close()


def test_a_frame_is_few_messages() -> None:
    with serving() as (address, _), Tab(address, "?patient=2&seed=1") as tab:
        tab.wait_for("Day 0")
        tab.click("Play")
        heard = frames = 0
        while frames < 60:
            frames += "<b>Day" in tab.heard()
            heard += frames > 20
    assert heard / 40 < 8  # day and burden, slider, tumour, legend; now and then charts and drugs
