"""What users do on the page, as tests do it."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

PATIENCE_S = 120
PATIENCE_MS = PATIENCE_S * 1000

DECISIVE = str(Path(__file__).with_name("decisive.toml"))
"""An experiment with a drug that hardly anything resists, whatever the numbers of the others are."""

MOVING = ".expand-transition-enter-active, .expand-transition-leave-active"
"""Panels that are just opening or closing."""


def day(page: Page) -> int:
    """The day that the page shows."""
    shown = re.search(r"Day ([\d,]+)", page.locator(".tumor-bar .tumor-facts").inner_text())
    assert shown
    return int(shown[1].replace(",", ""))


def wait_for_day(page: Page, at_least: int) -> None:
    page.wait_for_function(
        """least => {
            const shown = document.querySelector('.tumor-bar .tumor-facts')?.innerText.match(/Day ([\\d,]+)/);
            return shown && Number(shown[1].replaceAll(',', '')) >= least;
        }""",
        arg=at_least,
        timeout=PATIENCE_MS,
    )


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def type_seed(page: Page, text: str) -> None:
    """Type as people do, key by key, and leave the field."""
    field = page.get_by_label("Seed")
    field.press("Control+A")
    page.keyboard.type(text)
    field.press("Tab")


def open_panel(page: Page, name: str) -> None:
    turn_panel(page, name, opened=True)


def close_panel(page: Page, name: str) -> None:
    turn_panel(page, name, opened=False)


def turn_panel(page: Page, name: str, *, opened: bool) -> None:
    """Open or close a panel, and wait until nothing moves, so that no click misses what moves away."""
    header = page.locator(".v-expansion-panel-header", has_text=name)
    header.click()
    active = header.and_(page.locator(".v-expansion-panel-header--active"))
    expect(active).to_have_count(int(opened), timeout=PATIENCE_MS)
    expect(page.locator(MOVING)).to_have_count(0, timeout=PATIENCE_MS)


def choose(page: Page, label: str, option: str) -> None:
    page.locator(".v-select", has=page.locator("label", has_text=label)).last.click()
    page.locator(".menuable__content__active .v-list-item", has_text=option).first.click()
    page.keyboard.press("Escape")


def set_slider(page: Page, label: str, key: str, times: int = 1) -> None:
    thumb = page.get_by_role("slider", name=label)
    thumb.focus()
    for _ in range(times):
        thumb.press(key)


def message(page: Page) -> str:
    shown = page.locator(".v-alert")
    expect(shown).to_be_visible(timeout=PATIENCE_MS)
    return shown.inner_text()


def picture(page: Page, twin: int = 0) -> Image.Image:
    """The tumour of a twin as the browser shows it."""
    shown = page.locator(".tumor-main .solara-image").nth(twin)
    return Image.open(io.BytesIO(shown.screenshot()))


def has_something(image: Image.Image) -> bool:
    return max(ImageStat.Stat(image.convert("L")).stddev) > 3


def play_until(page: Page, at_least: int) -> None:
    press(page, "Play")
    wait_for_day(page, at_least)
    press(page, "Pause")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    before = -1
    while before != day(page):  # the frame that was being made is still shown
        before = day(page)
        page.wait_for_timeout(1500)


def expect_number(page: Page, label: str, value: str) -> None:
    """Wait for the number in the field beside a slider."""
    expect(page.get_by_label(f"{label}, as a number")).to_have_value(value, timeout=PATIENCE_MS)


def type_number(page: Page, label: str, text: str) -> None:
    """Type into the field beside a slider, and leave it."""
    field = page.get_by_label(f"{label}, as a number")
    field.fill(text)
    field.press("Tab")


def download(page: Page, label: str) -> Path:
    with page.expect_download(timeout=PATIENCE_MS) as found:
        press(page, label)
    return Path(found.value.path())
