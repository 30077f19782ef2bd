"""What objects say of themselves, in a terminal and in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import tumor_abm as ta
from tumor_abm.run.results import Results

NASTY = "<b>& \x1b[31mred\u202e$x$"
ESCAPED = "&lt;b&gt;&amp; \N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}$x$"
RATES: dict[str, Any] = {"division": [0.2, 0.1], "death": [0.1, 0.1], "initial": [100, 7], "seed": 3}


class Tags(HTMLParser):
    """The tags of a piece of HTML, all of which are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.found.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def named(results: Results) -> Results:
    """Results whose first arm and title have a nasty name."""
    arms = [{**results.experiment["arm"][0], "name": NASTY}, results.experiment["arm"][1]]
    experiment = {**results.experiment, "title": NASTY, "arm": arms, "control": NASTY}
    tables = {
        name: table.with_columns(arm=table["arm"].replace(results.arms[0], NASTY))
        if "arm" in table.columns
        else table
        for name, table in results.tables.items()
    }
    return Results(tables, experiment, {})


def test_results_say_what_they_are_of_and_what_they_hold(results: Results, tmp_path: Path) -> None:
    said = repr(results)
    for word in (results.experiment["title"], *results.arms, "outcomes"):
        assert word in said
    results.save(tmp_path)
    loaded = Results.load(tmp_path)
    for shown in (results._repr_html_(), loaded._repr_html_()):
        assert results.experiment["question"] in shown
        assert f"outcomes ({results.outcomes.height} rows)" in shown
    assert loaded.tables._read == {}  # type: ignore[attr-defined]


def test_a_comparison_says_its_medians(results: Results) -> None:
    compared = ta.compare(results)
    said = repr(compared)
    assert said.startswith(f"Comparison of 2 arms, control {results.control!r}\n")
    shown = compared._repr_html_()
    for row in compared.table.filter(endpoint="OS").iter_rows(named=True):
        assert f"{row['median_months']:.1f} (" in said
        assert f"{row['median_months']:.1f} (" in shown
    assert "table" in Tags(shown).found


def test_a_population_says_its_day_and_its_cells() -> None:
    population = ta.Population(**RATES)
    assert (
        repr(population)
        == "Population(engine clones, day 0, cells 107 (2 types: 100, 7), divisions 0, seed 3)"
    )
    assert "<td" in population._repr_html_()
    assert "107 (2 types: 100, 7)" in population._repr_html_()
    many = ta.Population(division=[0.1] * 20, death=[0.1] * 20, initial=[1] * 20)
    assert "1, 1, ...)" in repr(many)


def test_a_model_says_patient_day_and_treatment() -> None:
    model = ta.TumorModel(rng=1, patient=2, collect_every_days=0)
    model.run(3)
    said = repr(model)
    for word in (
        "patient 2",
        "day 3 of 3652.5",
        "line 1 (letrozole + palbociclib)",
        f"{model.cells:,}",
        "followed",
    ):
        assert word in said
        assert word.split(" ", 1)[-1] in model._repr_html_()
    bare = ta.TumorModel.of_population(ta.Population(**RATES))
    assert repr(bare) == "TumorModel(patient 0, arm explicit rates, day 0, cells 107, status followed)"


def test_names_of_the_user_are_text(named: Results) -> None:
    model = ta.TumorModel(
        {"title": NASTY, "question": "?", "arm": [{"name": NASTY, "line": [{"regimen": ["letrozole"]}]}]},
        rng=1,
    )
    compared = ta.compare(named)
    for shown in (named, model, compared):
        assert ESCAPED in shown._repr_html_()
        assert "b" not in Tags(shown._repr_html_()).found
        assert "\x1b" not in repr(shown)
        assert "\u202e" not in repr(shown)
