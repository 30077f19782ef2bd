"""A part of the page that fails says so in its place; the others, and the run, stay."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import ipyvuetify
import pytest
import reacton
import solara
import tumor_abm.app
from page_session import at_enrolment
from solara.components.file_download import FileDownloadWidget
from tumor_abm.app import downloads, page
from tumor_abm.app.boundary import part
from tumor_abm.app.page import _Sight
from tumor_abm.app.session import Session
from tumor_abm.app.toolbar import Toolbar

KEPT = "failed; the run is kept. This is a defect of tumor_abm: "


@pytest.fixture
def session() -> Iterator[Session]:
    """A tab whose patient is at enrolment."""
    session = at_enrolment()
    yield session
    session.close()


def texts(rendered: reacton.core._RenderContext) -> str:
    """Return all words that are shown."""
    return "\n".join(words(rendered.container))


def words(widget: object) -> Iterator[str]:
    if isinstance(widget, str):
        yield widget
    yield getattr(widget, "unsafe_innerHTML", "")
    for child in getattr(widget, "children", ()):
        yield from words(child)


def button(rendered: reacton.core._RenderContext, label: str) -> ipyvuetify.Btn:
    (found,) = [btn for btn in rendered.find(ipyvuetify.Btn).widgets if label in btn.children]
    return found


def test_every_component_of_the_page_is_a_part() -> None:
    (folder,) = tumor_abm.app.__path__
    bare = {
        (file.name, name)
        for file in Path(folder).glob("*.py")
        for name in re.findall(r"@solara\.component\ndef (\w+)", file.read_text(encoding="utf-8"))
    }
    # What a part is made of, and the layout, which has nothing that could fail.
    assert bare == {("boundary.py", "_Failed"), ("page.py", "Layout")}


def test_a_part_that_fails_says_so_and_can_be_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    broken = [True]

    @part("The clock of {place}")
    def Clock(place: str) -> None:
        if broken[0]:
            raise LookupError("no clock here")
        solara.Text(f"noon in {place}")

    @solara.component
    def Whole() -> None:
        Clock("Ghent")
        solara.Text("the rest")

    with caplog.at_level(logging.ERROR, logger="tumor_abm"):
        _, rendered = solara.render(Whole(), handle_error=False)
    assert f"The clock of Ghent {KEPT}LookupError: no clock here" in texts(rendered)
    assert "the rest" in texts(rendered)
    (record,) = [record for record in caplog.records if record.name.startswith("tumor_abm")]
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    button(rendered, "Try again").click()
    assert KEPT in texts(rendered)
    broken[0] = False
    button(rendered, "Try again").click()
    assert KEPT not in texts(rendered)
    assert "noon in Ghent" in texts(rendered)
    rendered.close()


def test_a_part_that_fails_after_its_effects_fails_once(caplog: pytest.LogCaptureFixture) -> None:
    @part("The clock")
    def Clock() -> None:
        solara.use_effect(lambda: None, [])
        solara.use_effect(lambda: None, [])
        raise LookupError

    with caplog.at_level(logging.ERROR, logger="tumor_abm"):
        _, rendered = solara.render(Clock(), handle_error=False)
    assert len([record for record in caplog.records if record.name.startswith("tumor_abm")]) == 1
    assert f"The clock {KEPT}LookupError" in texts(rendered)
    rendered.close()


def test_a_part_that_failed_is_tried_again_with_other_arguments() -> None:
    place = solara.reactive("nowhere")

    @part("The clock")
    def Clock(place: str) -> None:
        if place == "nowhere":
            raise LookupError
        solara.Text(f"noon in {place}")

    @solara.component
    def Whole() -> None:
        Clock(place.value)

    _, rendered = solara.render(Whole(), handle_error=False)
    assert KEPT in texts(rendered)
    for known in ("Ghent", "nowhere", "Bruges"):
        place.value = known
        assert (f"noon in {known}" in texts(rendered)) == (known != "nowhere")
        assert (KEPT in texts(rendered)) == (known == "nowhere")
    rendered.close()


def test_an_event_that_fails_stays_in_its_part() -> None:
    @part("The bell")
    def Bell() -> None:
        solara.Button("Ring", on_click=lambda: 1 / 0)

    @solara.component
    def Whole() -> None:
        Bell()
        solara.Text("the rest")

    _, rendered = solara.render(Whole(), handle_error=False)
    button(rendered, "Ring").click()
    assert f"The bell {KEPT}ZeroDivisionError" in texts(rendered)
    assert "the rest" in texts(rendered)
    rendered.close()


def test_charts_that_fail_leave_the_tumour_and_the_run(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = page.ChartGrid

    def fail(**_: object) -> None:
        raise ValueError("no charts today")

    monkeypatch.setattr(page, "ChartGrid", fail)
    _, rendered = solara.render(_Sight(session), handle_error=False)
    assert f"The charts {KEPT}ValueError: no charts today" in texts(rendered)
    assert "Line 1 started" in texts(rendered)
    monkeypatch.setattr(page, "ChartGrid", grid)
    button(rendered, "Try again").click()
    assert KEPT not in texts(rendered)
    assert session.twins[0].model.running
    rendered.close()


def test_a_download_that_fails_says_which_and_can_be_had_later(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise ValueError("no ink")

    monkeypatch.setattr(downloads, "figure_png", fail)
    _, rendered = solara.render(downloads.Downloads(session), handle_error=False)
    widget = FileDownloadWidget

    def ask() -> None:
        for found in rendered.find(widget).widgets:
            if found.filename.endswith(".png"):
                found.request_download = True

    ask()
    wait_until(lambda: KEPT in texts(rendered))
    assert f"The download Figure, PNG {KEPT}ValueError: no ink" in texts(rendered)
    assert len(rendered.find(widget).widgets) == 5
    monkeypatch.setattr(downloads, "figure_png", lambda _: b"a picture")
    button(rendered, "Try again").click()
    assert len(rendered.find(widget).widgets) == 6
    ask()
    wait_until(lambda: any(found.bytes == b"a picture" for found in rendered.find(widget).widgets))
    rendered.close()


def test_stop_can_be_pressed_while_something_is_done(session: Session) -> None:
    _, rendered = solara.render(Toolbar(session), handle_error=False)
    assert button(rendered, "Stop").disabled
    session.busy.value = True
    assert not button(rendered, "Stop").disabled
    rendered.close()


def test_a_cured_tumour_is_named_in_its_picture(session: Session) -> None:
    session.pictures.value[0].facts.update(cells=0, cured_day=812.0)
    _, rendered = solara.render(_Sight(session), handle_error=False)
    assert "no cell left since day 812: cured" in texts(rendered)
    rendered.close()


def wait_until(true: object) -> None:
    assert callable(true)
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")
