"""A version is the same wherever it stands, and the changelog says what it brings."""

from __future__ import annotations

import datetime
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import tumor_abm
import yaml

ROOT = Path(__file__).parents[1]


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


VERSION: str = toml("Cargo.toml")["workspace"]["package"]["version"]


def sections() -> list[str]:
    """The headings of the changelog, newest first."""
    return re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_the_version_is_the_same_everywhere() -> None:
    ours = {crate["version"] for crate in toml("Cargo.lock")["package"] if "source" not in crate}
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert ours == {VERSION}
    assert toml("pyproject.toml")["project"]["version"] == cited == tumor_abm.__version__ == VERSION


def test_the_changelog_begins_with_what_is_unreleased_and_then_this_version() -> None:
    unreleased, newest, *_ = sections()
    assert unreleased == "[Unreleased]"
    version, date = re.fullmatch(r"\[(.*)\] - (.*)", newest).groups()
    assert version == VERSION
    assert datetime.date.fromisoformat(date)


def test_every_part_of_the_changelog_is_of_a_known_kind() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.M)) <= kinds


def test_release_notes_are_the_section_of_this_version() -> None:
    told = subprocess.run(
        ["make", "--silent", "--no-print-directory", "release-notes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    _, _, after = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition(f"## [{VERSION}]")
    section = after.partition("\n")[2].partition("\n## ")[0]
    assert told.strip() == section.strip()
    assert "### Added" in told


def test_the_procedure_names_every_file_that_has_the_version() -> None:
    page = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml", "CITATION.cff", "CHANGELOG.md"):
        assert f"`{name}`" in page
