"""The code in README.md and docs/ runs as it stands and does what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm.analysis.survival import kaplan_meier

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FEWER = {"patients=500": "patients=40"}
"""What is run smaller here than there."""


def snippets(language: str) -> dict[str, str]:
    """The blocks of code in a language, by page and number."""
    found = {}
    for page in PAGES:
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
        found |= {f"{page.name} {number}": block for number, block in enumerate(blocks, 1)}
    return found


PYTHON, TOML = snippets("python"), snippets("toml")


@pytest.fixture(scope="module")
def ran() -> dict[str, dict[str, Any]]:
    """The names that every snippet leaves behind."""
    return {}


@pytest.fixture
def names(ran: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a snippet in the root of the project, once, and return its names."""
    monkeypatch.chdir(ROOT)

    def run(name: str) -> dict[str, Any]:
        if name not in ran:
            code = PYTHON[name]
            for there, here in FEWER.items():
                code = code.replace(there, here)
            left: dict[str, Any] = {}
            exec(compile(code, name, "exec"), left)
            ran[name] = left
        return ran[name]

    return run


@pytest.mark.parametrize("name", PYTHON)
def test_python_snippets_run(names: Any, name: str) -> None:
    assert "ta" in names(name)


@pytest.mark.parametrize("name", TOML)
def test_toml_snippets_can_be_read(name: str) -> None:
    assert tomllib.loads(TOML[name])


@pytest.mark.parametrize("name", [name for name, text in TOML.items() if "[[arm]]" in text])
def test_experiments_in_pages_run(name: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(TOML[name], encoding="utf-8")
    results = ta.run_experiment(file, patients=3, seed=1)
    assert results["outcomes"]["patient"].n_unique() == 3


def test_medians_of_the_readme_are_those_of_kaplan_and_meier(names: Any) -> None:
    left = names("README.md 1")
    outcomes = left["results"]["outcomes"]
    assert left["first_line"].height == outcomes["arm"].n_unique()
    for row in left["first_line"].iter_rows(named=True):
        first = outcomes.filter(arm=row["arm"], line=1)
        assert not first["pfs_event"].all()
        estimate = kaplan_meier(first["pfs_months"], first["pfs_event"])
        assert row["median_months"] == pytest.approx(estimate.median)


def test_tumours_of_the_readme_are_treated_until_resistance_or_cure(names: Any) -> None:
    left = names("README.md 2")
    treated = left["treated"]
    assert (left["days_on_treatment"] > 0).all()
    assert set(treated["stopped_by"]) == {"count_1", "extinct"}
    resistant = pl.col("stopped_by") == "count_1"
    assert (treated.filter(resistant)["n_1"] >= 1e7).all()
    assert (treated.filter(~resistant).select(pl.col("n_0") + pl.col("n_1")).to_series() == 0).all()
    assert abs(left["cured"] - 0.5) < 4.9 * np.sqrt(0.25 / 1_000)


def test_growth_in_the_pages_ends_when_the_founder_dies_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = PYTHON["evolution.md 1"]
    growth = code[: code.index("tumour.all_clones")].replace("death=[0.05, 0.05]", "death=[1.0, 1.0]")
    assert "1.0, 1.0" in growth
    left: dict[str, Any] = {}
    exec(compile(growth, "growth", "exec"), left)
    assert left["tumour"].counts.sum() == 0


def test_biopsies_in_the_pages_find_what_they_promise(names: Any) -> None:
    left = names("evolution.md 1")
    assert left["tumour"].counts.sum() >= 20_000
    assert left["random"].cells.height == 200
    assert left["reads"].filter("called").height > 0
    assert left["cells"]["cell"].n_unique() == 20


def test_the_patient_in_the_pages_is_followed_to_the_first_progression(names: Any) -> None:
    model = names("mesa.md 1")["model"]
    assert model.outcomes.filter(line=1)["end_reason"].to_list() == ["progression"]
