"""The page in a real browser: `make browser-test`."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PATIENCE_S = 120
"""How long anything may take before the test fails; the page itself is never timed."""

WINDOW = {"width": 1366, "height": 768}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tumor_abm", "app", *arguments, "--port", str(port), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(address, server)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_until_ready(address: str, server: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise AssertionError(f"the server ended: {server.stdout and server.stdout.read()}")
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def serve():
    """Serve the page with arguments of one's own; gives its address."""
    return serving


@pytest.fixture
def open_tab(browser: Browser, address: str):
    """Open a tab, by default at the server that all tests share."""
    return lambda at=address: opened(browser, at)


@pytest.fixture
def page(open_tab) -> Iterator[Page]:
    with open_tab() as page:
        yield page


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """A tab of its own, which must not have shown an error of the page's own making at the end."""
    context = browser.new_context(viewport=WINDOW, accept_downloads=True)
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    raised: list[str] = []
    page.on("pageerror", lambda error: raised.append(str(error)))
    page.on("console", lambda said: raised.append(said.text) if "Content Security" in said.text else None)
    page.goto(address)
    page.get_by_text(re.compile(r"Day \d")).first.wait_for()
    yield page
    whole = page.inner_text("body")
    print(f"The page said at the end:\n{whole}")  # shown where the test fails
    context.close()
    assert not raised
    assert "Traceback" not in whole
    assert "a defect of tumor_abm" not in whole
