"""The page's state in a real browser: looking back, going on, reload, links, the experiment, a cure."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
from browser.actions import (
    DECISIVE,
    PATIENCE_MS,
    PATIENCE_S,
    choose,
    close_panel,
    day,
    download,
    message,
    open_panel,
    play_until,
    press,
    set_slider,
    type_number,
    wait_for_day,
)
from playwright.sync_api import Page, expect

FACTS = ".tumor-bar .tumor-facts"

CURABLE = "patient=2&seed=1&engine=cells&cells=20000&founder=[]&mutation_rate=0.01"
"""A link to a tumour of few cells that hardly mutate."""


def look_at(page: Page, day: int) -> None:
    """Move the slider over the days to one of them."""
    page.get_by_role("slider", name="Day that is looked at").fill(str(day))
    said = f"Day {day:,} (".replace("-", "−")
    expect(page.locator(FACTS)).to_contain_text(said, timeout=PATIENCE_MS)


def facts(page: Page) -> str:
    return page.locator(FACTS).inner_text()


def address_with(page: Page, text: str) -> str:
    """The address, once it has a text."""
    page.wait_for_function("text => decodeURIComponent(location.search).includes(text)", arg=text)
    return page.url


def begin_line(page: Page, drug: str) -> None:
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    open_panel(page, "Therapist's chair")
    choose(page, "Drugs from today on", drug)
    press(page, "Give these")
    expect(page.locator(FACTS)).to_contain_text(f"line 2: {drug}", timeout=PATIENCE_MS)


def test_an_earlier_day_is_looked_at_and_gone_on_from(page: Page) -> None:
    press(page, "Step")
    wait_for_day(page, 7)
    seen = facts(page)
    play_until(page, 60)
    look_at(page, 7)
    assert facts(page) == seen
    look_at(page, -100)
    assert "before treatment" in facts(page)
    expect(page.get_by_role("button", name="Go on from here")).to_be_disabled()
    look_at(page, 14)
    press(page, "Go on from here")
    expect(page.get_by_text("is looked at")).to_have_count(0, timeout=PATIENCE_MS)
    address_with(page, "day=14")
    assert day(page) == 14
    press(page, "Step")
    wait_for_day(page, 21)
    assert day(page) == 21


def test_the_state_survives_reload_and_back_and_opens_for_a_colleague(page: Page, open_tab) -> None:
    type_number(page, "Patient number", "17")
    press(page, "Reset")
    address_with(page, "patient=17")
    press(page, "Step")
    address_with(page, "day=7")
    before = facts(page)
    begin_line(page, "capecitabine")
    link = address_with(page, "capecitabine")
    press(page, "Step")
    wait_for_day(page, 14)
    address_with(page, "day=14")
    after = facts(page)
    page.reload()
    expect(page.locator(FACTS)).to_have_text(re.compile("Day 14 "), timeout=PATIENCE_MS)
    assert facts(page) == after
    assert link in page.url.replace("day=14", "day=7")
    with open_tab(page.url) as colleague:
        assert facts(colleague) == after
    page.go_back()
    expect(page.locator(FACTS)).to_contain_text("line 1", timeout=PATIENCE_MS)
    assert facts(page) == before


def test_a_link_that_cannot_be_followed_is_said_to_be_none(page: Page) -> None:
    page.goto(f"{page.url.split('?')[0]}?engine=steam")
    assert 'engine: found "steam"' in message(page)
    expect(page.locator(FACTS)).to_contain_text("Day 0 ", timeout=PATIENCE_MS)


def test_a_run_of_the_experiment_has_the_outcome_of_the_page(page: Page, tmp_path: Path) -> None:
    press(page, "Step")
    wait_for_day(page, 7)
    begin_line(page, "capecitabine")
    set_slider(page, "Days a frame", "End")
    press(page, "Play")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled(timeout=4 * PATIENCE_MS)
    last = day(page)
    died = "died" in facts(page)
    close_panel(page, "Therapist's chair")
    open_panel(page, "Download")
    file = download(page, "experiment.toml")
    command = [
        sys.executable,
        "-m",
        "tumor_abm",
        "run",
        str(file),
        "--out",
        str(tmp_path / "run"),
        "--no-figures",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    overall = pl.read_parquet(tmp_path / "run" / "overall.parquet").filter(patient=2)
    assert overall["os_event"].to_list() == [died]
    assert round(overall["os_months"].item() * 30.4375) == last


def test_a_cure_is_named_and_treatment_can_be_stopped(serve, open_tab) -> None:
    with serve(DECISIVE) as address, open_tab(f"{address}/?{CURABLE}") as page:
        expect(page.locator(FACTS)).to_contain_text("Day 0 ", timeout=PATIENCE_MS)
        set_slider(page, "Days a frame", "End")
        press(page, "Play")
        said = message(page)
        named = re.search(r"Cured: no cell of the tumour is left since day ([\d,]+)", said)
        assert named
        expect(page.locator(".tumor-cured")).to_contain_text(f"no cell left since day {named[1]}")
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled(timeout=PATIENCE_MS)
        press(page, "Stop the treatment")
        expect(page.locator(".tumor-events")).to_contain_text("hold paclitaxel", timeout=PATIENCE_MS)
        expect(page.locator(".tumor-events")).to_contain_text("Cure")
