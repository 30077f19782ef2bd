"""Takes the screenshots of the README: `make screenshots`, or run this with the project's Python.

The patient with whom the page begins is played into the third line; then, from the second on, into two
strategies. Needs chromium (or google-chrome) on the path.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).parent
WINDOW = {"width": 1366, "height": 768}
PATIENCE_MS = 300_000
LOOK_MS = 100
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

FIRST_DAY = 1_150
"""Day of the first picture: in the third line."""

FORK_DAY = 445
"""Day on which the twins part: the first line has failed."""

SECOND_DAY = 1_000
"""Day of the second picture."""

TALL = {"width": 1366, "height": 1100}
"""Window of the second picture: charts stand below what is compared."""


def main() -> None:
    """Serve the page, do what a user would, and keep what is seen."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tumor_abm", "app", "--port", str(port), "--no-open"]
    with subprocess.Popen(command) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            with sync_playwright() as playwright:
                found = next(filter(None, map(shutil.which, BROWSERS)), None)
                browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
                page = browser.new_page(viewport=WINDOW, device_scale_factor=1.5)
                page.set_default_timeout(PATIENCE_MS)
                expect.set_options(timeout=PATIENCE_MS)
                page.goto(f"http://127.0.0.1:{port}")
                take(page)
                browser.close()
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(10)
            server.kill()


def take(page: Page) -> None:
    """Take both pictures."""
    page.locator(".tumor-bar .tumor-facts").wait_for()
    page.locator(".tumor-slider", has_text="Days a frame").get_by_role("slider").press("End")
    play_to(page, FIRST_DAY)
    keep(page, "app_tumour_under_therapy.png")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(".tumor-bar .tumor-facts")).to_contain_text("Day 0 ")
    play_to(page, FORK_DAY)
    page.set_viewport_size(TALL)
    for panel in ("Patient", "Strategy", "Compare"):
        toggle(page, panel)
    page.locator(".v-select", has=page.locator("label", has_text="The twin's strategy")).click()
    page.locator(".menuable__content__active .v-list-item", has_text="my own lines").click()
    page.get_by_role("button", name="Fork and compare", exact=True).click()
    expect(page.locator(".tumor-twin")).to_have_count(2)
    play_to(page, SECOND_DAY)
    keep(page, "app_two_strategies.png")


def play_to(page: Page, day: int) -> None:
    """Play until a day is reached, and let the charts catch up."""
    play, pause = (page.get_by_role("button", name=name, exact=True) for name in ("Play", "Pause"))
    until = time.monotonic() + PATIENCE_MS / 1000
    play.click()
    while shown_day(page) < day:
        page.wait_for_timeout(LOOK_MS)
        if time.monotonic() > until:
            raise SystemExit(f"day {day} was not reached; the page says: {page.inner_text('.tumor-main')}")
    if pause.is_visible():  # playing ends by itself with follow-up
        pause.click()
    play.wait_for()
    page.wait_for_timeout(4000)


def shown_day(page: Page) -> int:
    """Return the day that the page shows."""
    found = re.search(r"Day ([\d,]+)", page.locator(".tumor-bar .tumor-facts").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def toggle(page: Page, panel: str) -> None:
    """Open or close a panel at the left."""
    page.locator(".v-expansion-panel-header", has_text=panel).click()
    page.wait_for_timeout(500)


def keep(page: Page, name: str) -> None:
    """Write what is seen."""
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    page.screenshot(path=HERE / name)
    print(HERE / name)


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    for _ in range(600):
        with suppress(URLError, OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.5)
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    main()
