"""A page of one's own in a real browser: parts of the page among Mesa's."""

from __future__ import annotations

import sys

from browser.actions import PATIENCE_MS
from page_client import serving_command
from playwright.sync_api import Browser, expect

OWN = """
import tumor_abm
from tumor_abm.app import server

server.serve(model=tumor_abm.TumorModel(rng=1), open_browser=False)
"""


def test_charts_and_colours_are_seen_on_mesas_page(browser: Browser) -> None:
    with serving_command(sys.executable, "-c", OWN) as (address, _):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        charts = page.locator(".tumor-plot canvas")
        expect(charts).to_have_count(6, timeout=PATIENCE_MS)
        for place in range(6):
            expect(charts.nth(place)).to_be_visible(timeout=PATIENCE_MS)
        chip = page.locator(".tumor-legend .tumor-chip").first.bounding_box()
        assert chip is not None
        assert chip["width"] > 5
        page.close()
