"""Frames a second that a browser really draws: `python benchmarks/page.py --browser` (needs chromium)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

from playwright.sync_api import Page, sync_playwright
from tumor_abm.app.session import SPEEDS
from tumor_abm.app.setup import ENGINES, INDIVIDUALS
from visitors import cpu_of

PATIENCE_MS = 600_000
WINDOW = {"width": 1366, "height": 768}

CASES = {
    "patient, clones, 7 days a frame": ("clones", None, 7),
    "patient, clones": ("clones", None, 1),
    "lattice, about 300 x 300": ("lattice 2-D", INDIVIDUALS[2], 1),
    "lattice, about 1000 x 1000": ("lattice 2-D", INDIVIDUALS[3], 1),
}
"""Engine, cells in a tumour of lethal size (at enrolment it has a tenth of them), and days a frame."""

COUNT = """() => {
    let last = null;
    window.drawn = 0;
    const look = () => {
        const picture = document.querySelector('.tumor-picture img');
        if (picture && picture.complete && picture.src !== last) {
            last = picture.src;
            window.drawn += 1;
        }
        requestAnimationFrame(look);
    };
    look();
}"""
"""Counts, at every repaint of the browser, whether the picture is another one."""


def measure(seconds: float) -> None:
    """Play each case at full speed in headless chromium and print what was drawn."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    head = f"{'cells held':>12}{'frames/s':>10}{'days/s':>8}{'CPU, ms/frame':>15}{'load':>7}"
    print(f"{'in the browser, a day a frame':33}{head}")
    with served() as (address, server), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for case, (engine, cells, days) in CASES.items():
            page = browser.new_page(viewport=WINDOW)
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            page.get_by_text("Day 0 ").first.wait_for()
            if cells is not None:
                begin(page, engine, cells)
            choose(page, "Frames a second", str(SPEEDS[-1]))
            field = page.get_by_label("Days a frame, as a number")
            field.fill(str(days))
            field.press("Tab")
            held = individuals(page)
            page.evaluate(COUNT)
            page.get_by_role("button", name="Play", exact=True).click()
            page.wait_for_timeout(3000)
            drawn, day = page.evaluate("window.drawn"), shown_day(page)
            began, cpu = time.monotonic(), cpu_of(server.pid)
            page.wait_for_timeout(1000 * seconds)
            drawn, day = page.evaluate("window.drawn") - drawn, shown_day(page) - day
            spent, cpu = time.monotonic() - began, cpu_of(server.pid) - cpu
            load, _, _ = os.getloadavg()
            print(
                f"{case:33}{held:12,.0f}{drawn / spent:10.1f}{day / spent:8.1f}"
                f"{1000 * cpu * days / max(1, day):15.1f}{load:7.1f}",
                flush=True,
            )
            page.close()
        browser.close()


def begin(page: Page, engine: str, cells: int) -> None:
    """Choose an engine and begin anew."""
    choose(page, "Engine", ENGINES[engine])
    choose(page, "Cells in a tumour of lethal size", str(cells))
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text("One stands for").wait_for()


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list."""
    page.locator(".v-select", has=page.locator("label", has_text=label)).last.click()
    listed = page.locator(".menuable__content__active .v-list-item")
    listed.get_by_text(option, exact=True).click()


def shown_day(page: Page) -> int:
    """The day that the page shows."""
    found = re.search(r"Day ([\d,]+)", page.locator(".tumor-bar .tumor-facts").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def individuals(page: Page) -> float:
    """Cells that the engine holds: those of the patient over those that one stands for."""
    text = page.inner_text(".tumor-main")
    of_patient = re.search(r"([\d,.]+(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?) cells,", text)
    each = re.search(r"One stands for ([\d,.]+(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?) cells", text)
    return (number(of_patient[1]) if of_patient else 0.0) / (number(each[1]) if each else 1.0)


def number(text: str) -> float:
    """Read a count as the page writes it."""
    mantissa, _, exponent = text.replace(",", "").partition("×10")
    return float(mantissa) * 10 ** int(exponent.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")) or 0)


@contextmanager
def served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the page on a free port; give its address, and the process."""
    command = [sys.executable, "-m", "tumor_abm", "app", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            found = re.search(r"http://\S+", said)
            if found is None:
                raise RuntimeError(said)
            wait_until_ready(found[0])
            yield found[0], server
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_until_ready(address: str) -> None:
    """Wait for the server's first answer."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(address)
