"""What a user does on the page, done in a real browser."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile

import polars as pl
from browser.actions import (
    PATIENCE_MS,
    PATIENCE_S,
    choose,
    close_panel,
    day,
    download,
    expect_number,
    has_something,
    message,
    open_panel,
    picture,
    play_until,
    press,
    set_slider,
    type_seed,
    wait_for_day,
)
from PIL import Image
from playwright.sync_api import Browser, Page, expect


def test_page_shows_a_tumour_with_legend_charts_and_timeline(page: Page) -> None:
    assert has_something(picture(page))
    charts = page.locator(".tumor-charts canvas").first
    expect(charts).to_be_visible(timeout=PATIENCE_MS)
    assert has_something(Image.open(io.BytesIO(charts.screenshot())))
    assert page.locator(".tumor-legend tr").count() >= 2
    assert "Line 1 started: letrozole + palbociclib" in page.locator(".tumor-events").inner_text()


def test_play_goes_on_for_200_days_and_pause_stops(page: Page) -> None:
    play_until(page, 200)
    paused = day(page)
    page.wait_for_timeout(1500)
    assert day(page) == paused >= 200
    assert has_something(picture(page))


def test_step_goes_on_by_the_days_of_a_frame(page: Page) -> None:
    press(page, "Step")
    wait_for_day(page, 7)
    assert day(page) == 7
    set_slider(page, "Days a frame", "ArrowRight", times=3)
    expect_number(page, "Days a frame", "10")
    press(page, "Step")
    wait_for_day(page, 17)
    assert day(page) == 17


def test_reset_begins_again_with_the_same_patient(page: Page) -> None:
    before = page.locator(".tumor-bar .tumor-facts").inner_text()
    play_until(page, 50)
    press(page, "Reset")
    expect(page.locator(".tumor-bar .tumor-facts")).to_contain_text("Day 0 ", timeout=PATIENCE_MS)
    assert page.locator(".tumor-bar .tumor-facts").inner_text() == before


def test_slider_at_its_end_plays_through_line_switches_until_follow_up_ends(page: Page) -> None:
    set_slider(page, "Days a frame", "End")
    expect_number(page, "Days a frame", "28")
    press(page, "Play")
    expect(page.locator(".tumor-events")).to_contain_text("Line 2 started", timeout=2 * PATIENCE_MS)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled(timeout=4 * PATIENCE_MS)
    assert re.search(r"died|follow-up has ended", page.locator(".tumor-bar .tumor-facts").inner_text())


def test_another_patient_has_another_tumour(page: Page) -> None:
    before = page.locator(".tumor-bar .tumor-facts").inner_text()
    set_slider(page, "Patient number", "ArrowRight")
    expect_number(page, "Patient number", "3")
    press(page, "Reset")
    page.wait_for_function(
        "before => document.querySelector('.tumor-bar .tumor-facts').innerText !== before",
        arg=before,
        timeout=PATIENCE_MS,
    )
    assert "Day 0 " in page.locator(".tumor-bar .tumor-facts").inner_text()


def test_seed_that_is_no_number_is_said_to_be_none_and_the_page_goes_on(page: Page) -> None:
    type_seed(page, "my seed")
    press(page, "Reset")
    assert 'found "my seed"' in message(page)
    type_seed(page, "7")
    press(page, "Reset")
    expect(page.locator(".v-alert")).to_have_count(0, timeout=PATIENCE_MS)
    play_until(page, 14)


def test_seed_that_is_typed_while_the_page_is_being_built_stands(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    type_seed(page, "typed early")
    press(page, "Reset")
    assert 'found "typed early"' in message(page)
    page.get_by_text("Day 0 ").first.wait_for()
    set_slider(page, "Patient number", "ArrowRight")
    expect_number(page, "Patient number", "3")
    assert page.get_by_label("Seed").input_value() == "typed early"
    press(page, "Reset")
    assert 'found "typed early"' in message(page)
    page.close()


def test_covariates_are_set_and_a_bad_combination_is_told(page: Page) -> None:
    page.get_by_label("Net growth: as drawn").check(force=True)
    expect(page.get_by_text(re.compile(r"^Net growth: [\d.]+ %/day$"))).to_be_visible(timeout=PATIENCE_MS)
    press(page, "More about the patient")
    choose(page, "Visceral disease", "yes")
    choose(page, "Bone-only disease", "yes")
    press(page, "Reset")
    assert "the disease is called bone_only and visceral; name one of them" in message(page)
    choose(page, "Bone-only disease", "no")
    press(page, "Reset")
    expect(page.locator(".v-alert")).to_have_count(0, timeout=PATIENCE_MS)
    press(page, "Less about the patient")
    expect(page.get_by_role("button", name="More about the patient (2 set)")).to_be_visible(
        timeout=PATIENCE_MS
    )
    play_until(page, 14)


def test_therapist_changes_drugs_and_is_told_what_cannot_be(page: Page) -> None:
    play_until(page, 30)
    close_panel(page, "Patient")
    open_panel(page, "Therapist's chair")
    press(page, "Give these")
    assert "drug" in message(page)
    choose(page, "Drugs from today on", "tamoxifen")
    press(page, "Give these")
    expect(page.locator(".tumor-events")).to_contain_text("tamoxifen", timeout=PATIENCE_MS)
    expect(page.locator(".tumor-bar .tumor-facts")).to_contain_text("tamoxifen", timeout=PATIENCE_MS)
    press(page, "Give these")
    assert "tamoxifen" in message(page)
    press(page, "hold")
    expect(page.get_by_role("button", name="resume", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".tumor-side").get_by_role("button", name="letrozole + palbociclib").click()
    expect(page.locator(".tumor-bar .tumor-facts")).to_contain_text("letrozole", timeout=PATIENCE_MS)
    play_until(page, 60)


def test_fork_follows_two_twins_and_goes_on_with_one(page: Page) -> None:
    play_until(page, 100)
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    open_panel(page, "Compare")
    press(page, "Fork and compare")
    expect(page.locator(".tumor-twin")).to_have_count(2, timeout=PATIENCE_MS)
    forked = day(page)
    play_until(page, forked + 200)
    assert has_something(picture(page, 0))
    assert has_something(picture(page, 1))
    shown = [twin.inner_text() for twin in page.locator(".tumor-twin .tumor-facts:first-child").all()]
    assert shown[0] != shown[1]
    press(page, "Go on with the right")
    expect(page.locator(".tumor-twin")).to_have_count(0, timeout=PATIENCE_MS)


def test_a_chosen_clone_is_explained_node_by_node(page: Page) -> None:
    play_until(page, 60)
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    open_panel(page, "Why")
    table = page.locator(".tumor-why")
    expect(table).to_contain_text("drug.cdk46", timeout=PATIENCE_MS)
    expect(table).to_contain_text("death")
    founder = table.inner_text()
    choose(page, "Clone", "CDK6-high")
    expect(table).to_contain_text("alteration.cdk46_inhibitor_fold", timeout=PATIENCE_MS)
    assert table.inner_text() != founder
    expect(page.locator(".tumor-side")).to_contain_text("more net growth per day than the wild type")


def test_empty_line_is_said_to_be_empty(page: Page) -> None:
    choose(page, "Strategy", "my own lines")
    press(page, "Add a line")
    press(page, "Reset")
    assert "line 4 has no drug" in message(page)


def test_downloads_hold_what_is_shown(page: Page) -> None:
    play_until(page, 60)
    shown = day(page)
    close_panel(page, "Patient")
    close_panel(page, "Strategy")
    open_panel(page, "Download")
    tables = download(page, "Data, CSV")
    with zipfile.ZipFile(tables) as archive:
        states = pl.read_csv(archive.read("states.csv"))
    assert states["day"].to_list() == list(range(shown + 1))
    with zipfile.ZipFile(download(page, "Data, Parquet")) as archive:
        clones = pl.read_parquet(archive.read("clones.parquet"))
    assert clones.filter(day=shown)["cells"].sum() == states.filter(day=shown)["cells"].item()
    assert "<svg" in download(page, "Figure, SVG").read_text()
    with Image.open(download(page, "Figure, PNG")) as figure:
        assert figure.size[0] > 1000


def test_tabs_do_not_share_their_patient(open_tab, page: Page) -> None:
    play_until(page, 50)
    with open_tab() as other:
        assert day(other) == 0
        play_until(other, 20)
    assert day(page) >= 50


def test_reload_goes_on_where_it_was_and_a_closed_tab_leaves_the_server_alive(open_tab) -> None:
    with open_tab() as page:
        play_until(page, 20)
        reached = day(page)
        page.reload()
        wait_for_day(page, reached)
        play_until(page, reached + 20)
    with open_tab() as page:
        play_until(page, 20)


def test_lattice_is_drawn_and_plays(page: Page) -> None:
    choose(page, "Engine", "lattice, flat")
    choose(page, "Cells in a tumour of lethal size", "20000")
    press(page, "Reset")
    expect(page.get_by_text("Each individual has its place")).to_be_visible(timeout=PATIENCE_MS)
    play_until(page, 28)
    assert has_something(picture(page))


def test_experiment_file_gives_the_strategies(serve, open_tab) -> None:
    with serve("experiments/ctdna_guided_switch.toml") as address, open_tab(address) as page:
        page.locator(".v-select", has=page.locator("label", has_text="Strategy")).click()
        assert "stay" in page.locator(".menuable__content__active").inner_text()
        page.keyboard.press("Escape")


def test_port_in_use_is_said_and_ends_with_code_2(address: str) -> None:
    port = address.rpartition(":")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "tumor_abm", "app", "--port", port, "--no-open"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 2
    assert f"port {port} is in use" in ended.stderr
    assert "Traceback" not in ended.stderr
