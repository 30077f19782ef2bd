"""Pages of reports in a browser: what is drawn as pixels is seen, and nothing is refused."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser
from test_evolution import SMALL
from tumor_abm.cli import main


def test_the_page_of_a_study_shows_the_maps_of_its_lattices(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(SMALL)
    out = tmp_path / "out"
    assert main(["evolve", str(file), "--out", str(out), "--no-figures", "--jobs", "1"]) == 0
    assert main(["report", str(out)]) == 0
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((out / "report.html").as_uri())
    assert page.locator("svg image").count() > 0
    page.close()
    assert said == []
