"""From one to many in a real browser: the patients of a run, and many futures of one tumour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tumor_abm as ta
from browser.conftest import PATIENCE_S, WINDOW, serving
from playwright.sync_api import Browser, Page, expect

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "cdk46_first_or_second_line.toml"


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    run = tmp_path_factory.mktemp("results") / "sequences"
    ta.run_experiment(EXPERIMENT, run, patients=20, seed=3, jobs=1)
    with serving(str(run)) as address:
        opened = browser.new_page(viewport=WINDOW)
        opened.set_default_timeout(1_000 * PATIENCE_S)
        expect.set_options(timeout=1_000 * PATIENCE_S)
        opened.goto(address)
        yield opened
        opened.close()


def test_a_patient_of_the_run_is_opened_and_stands_on_the_curve(page: Page) -> None:
    expect(page.locator(".tumor-cohort button")).to_have_count(20)
    row = page.locator(".tumor-cohort button").nth(4)
    number = row.locator(".tumor-cohort-name").inner_text()
    months = row.locator(".tumor-cohort-months").inner_text()
    row.click()
    expect(page.get_by_text(f"Patient {number}: {months} months")).to_be_visible()
    expect(page.locator(".tumor-place")).to_be_visible()
    expect(page).to_have_url(re.compile(f"patient={number}&seed=3"))


def test_a_first_line_is_repeated(page: Page) -> None:
    page.locator(".v-expansion-panel-header", has_text="Repeat").click()
    page.get_by_role("button", name="Repeat 100 times").click()
    expect(page.get_by_text("lived: PFS")).to_be_visible()
    expect(page.get_by_role("img", name="PFS of line 1 in months")).to_be_visible()
