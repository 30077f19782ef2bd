"""The page for those who use a keyboard, a screen reader, a magnifier or a phone."""

from __future__ import annotations

import re
import time
from itertools import combinations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.actions import (
    DECISIVE,
    PATIENCE_MS,
    PATIENCE_S,
    choose,
    close_panel,
    day,
    expect_number,
    has_something,
    open_panel,
    picture,
    play_until,
    press,
    type_number,
    wait_for_day,
)
from playwright.sync_api import Locator, Page, expect
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.knowledge import Knowledge

FACTS = ".tumor-bar .tumor-facts"
BOXES = """() => [...document.querySelectorAll(
    '.tumor-chart, .tumor-look, .tumor-days,' +
    ' .tumor-bar .v-btn, .tumor-bar .tumor-slider, .tumor-bar .tumor-facts'
)].map((each) => {
    const box = each.getBoundingClientRect();
    return [each.className, box.left, box.top, box.right, box.bottom];
})"""


def overlaps(page: Page) -> list[tuple[str, str]]:
    """Parts of the page that lie on each other."""
    boxes = page.evaluate(BOXES)
    assert len(boxes) > 8
    return [
        (one[0], other[0])
        for one, other in combinations(boxes, 2)
        if min(one[3], other[3]) - max(one[1], other[1]) > 1
        and min(one[4], other[4]) - max(one[2], other[2]) > 1
    ]


def grave(page: Page) -> list[tuple[str, str, str]]:
    """What axe-core finds that is serious or critical: rule, impact, and the first place."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["impact"], each["nodes"][0]["html"][:160])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_axe_finds_nothing_serious_on_the_page_and_in_its_panels(page: Page) -> None:
    play_until(page, 60)
    assert grave(page) == []
    # Those, too, that show only while the server is busy for long.
    assert page.locator("[role=progressbar]").count() > 0
    assert page.locator("[role=progressbar]:not([aria-label])").count() == 0
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    for panel in ("Therapist's chair", "Compare", "Why", "Download"):
        open_panel(page, panel)
    assert grave(page) == []


def test_axe_finds_nothing_serious_in_a_comparison(page: Page) -> None:
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    open_panel(page, "Compare")
    press(page, "Fork and compare")
    expect(page.locator(".tumor-twin")).to_have_count(2, timeout=PATIENCE_MS)
    play_until(page, 28)
    expect(page.locator(".tumor-headline")).to_contain_text("PFS of line 1")
    assert grave(page) == []


def test_everything_is_reached_and_done_with_the_keyboard(page: Page) -> None:
    page.keyboard.press("Space")
    wait_for_day(page, 14)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
            )
        )
    said = "\n".join(map(str, reached))
    for name in ("Patient number", "Play", "Step", "Reset", "Day that is looked at", "Genotypes as a table"):
        assert re.search(name, said, re.IGNORECASE), f"{name} is not reached: {said}"
    slider = page.get_by_role("slider", name="Day that is looked at")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_role("button", name="Go on from here")).to_be_visible(timeout=PATIENCE_MS)
    slider.press("Escape")
    expect(page.get_by_role("button", name="Go on from here")).to_have_count(0, timeout=PATIENCE_MS)


def test_a_chart_is_a_table_on_request(page: Page) -> None:
    press(page, "Burden as a table")
    table = page.get_by_role("region", name="Table of Burden")
    expect(table).to_contain_text("month")
    assert table.locator("tbody tr").count() > 10
    press(page, "Burden as a table")
    expect(table).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(911, 512), (390, 844), (1366, 768)])
def test_nothing_overlaps_at_150_percent_or_on_a_phone(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator(".tumor-chart canvas").first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(1500)
    assert overlaps(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    charts = page.locator(".tumor-plot").first.bounding_box()
    assert charts is not None
    assert charts["width"] > 250


def test_the_crosshair_tells_the_values_of_its_day_while_the_charts_are_drawn_anew(page: Page) -> None:
    press(page, "Play")
    wait_for_day(page, 60)
    plot = page.locator(".tumor-plot").nth(1).bounding_box()
    assert plot is not None
    page.mouse.move(plot["x"] + 0.8 * plot["width"], plot["y"] + 0.6 * plot["height"])
    shown = page.locator(".tumor-plot > div:last-child")
    expect(shown.nth(1)).to_contain_text(re.compile(r"month \d"), timeout=PATIENCE_MS)
    at_first = month_of(shown.nth(1))
    wait_for_day(page, 300)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    end = day(page) / DAYS_PER_MONTH
    until = time.monotonic() + PATIENCE_S  # for the charts, which follow the tumour a little later
    while abs(month_of(shown.nth(1)) - 0.75 * end) > 0.1 * end:
        assert time.monotonic() < until, (month_of(shown.nth(1)), end)
        page.wait_for_timeout(100)
    assert month_of(shown.nth(1)) > at_first + 1
    for chart, said in enumerate(["(founder)", "all", "true"]):
        expect(shown.nth(chart)).to_be_visible()
        expect(shown.nth(chart)).to_contain_text(said)
        assert abs(month_of(shown.nth(chart)) - month_of(shown.nth(1))) <= 0.2


def month_of(readout: Locator) -> float:
    """The month of which a chart tells the values."""
    said = re.search(r"month (-?[\d.]+)", readout.inner_text())
    assert said
    return float(said[1])


def test_a_clone_that_is_chosen_in_the_legend_is_explained(page: Page) -> None:
    play_until(page, 28)
    page.locator(".tumor-legend").get_by_role("button", name="+ CDK6-high", exact=True).click()
    expect(page.locator(".tumor-why")).to_contain_text("drug.cdk46", timeout=PATIENCE_MS)
    expect(page.locator(".tumor-side")).to_contain_text("more net growth per day than")
    expect(page.locator(".tumor-side")).to_contain_text("one drug more would")
    expect(page.locator(".tumor-chosen")).to_have_count(1)


def test_all_drugs_are_in_the_list_and_found_by_name_and_class(page: Page) -> None:
    choose(page, "Strategy", "my own lines")
    field = page.get_by_role("combobox", name="Line 1")
    field.click()
    items = page.locator(".menuable__content__active .v-list-item")
    expect(items).to_have_count(len(Knowledge.shipped().drugs), timeout=PATIENCE_MS)
    field.fill("SERD")
    expect(items.filter(has_text="elacestrant")).to_have_count(1, timeout=PATIENCE_MS)
    expect(items.filter(has_text="capecitabine")).to_have_count(0)
    assert "Source: " in (items.filter(has_text="fulvestrant").first.get_attribute("title") or "")


def test_a_patient_of_any_number_and_a_value_of_ones_own_are_typed(page: Page) -> None:
    type_number(page, "Patient number", "123456")
    expect_number(page, "Patient number", "123456")
    page.get_by_label("Turnover: as drawn").check(force=True)
    type_number(page, "Turnover, deaths per division", "0.7")
    expect(page.get_by_text("Turnover: 0.7 deaths per division")).to_be_visible(timeout=PATIENCE_MS)
    assert "Source" in (page.locator("[title*='Source']").first.get_attribute("title") or "")
    press(page, "Reset")
    page.wait_for_function("() => location.search.includes('patient=123456')")


def test_a_lattice_under_treatment_is_drawn_although_no_cell_has_a_place(serve, open_tab) -> None:
    with serve(DECISIVE) as address, open_tab(address) as page:
        choose(page, "Engine", "lattice, flat")
        choose(page, "Cells in a tumour of lethal size", "20000")
        press(page, "Reset")
        expect(page.get_by_text("Each individual has its place")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("depends on the engine").first).to_be_visible()
        press(page, "Play")
        expect(page.get_by_text("No cell has a place")).to_be_visible(timeout=2 * PATIENCE_MS)
        press(page, "Pause")
        assert has_something(picture(page))


def test_growth_of_a_large_lattice_can_be_stopped(page: Page) -> None:
    choose(page, "Engine", "lattice, solid")
    choose(page, "Cells in a tumour of lethal size", "10000000")
    press(page, "Reset")
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_enabled(timeout=PATIENCE_MS)
    stop.click()
    expect(page.locator(FACTS)).to_contain_text("Day 0 ", timeout=PATIENCE_MS)
    expect(stop).to_be_disabled(timeout=PATIENCE_MS)
