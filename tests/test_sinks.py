"""The same nasty names through every place where a user's words end up."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tomli_w
from markdown_it import MarkdownIt
from matplotlib.cbook import is_math_text
from matplotlib.text import Text
from PIL import Image
from tumor_abm._base.sinks import figure_text, file_names, html_text, markdown_text, rich_text, terminal_text
from tumor_abm._base.toml import read_toml
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.downloads import figure_svg
from tumor_abm.app.figure import figure_of
from tumor_abm.app.session import Session
from tumor_abm.app.setup import Choices
from tumor_abm.app.timeline import events_as_rows
from tumor_abm.app.toolbar import _words
from tumor_abm.app.tumour_view import _heading, legend_rows
from tumor_abm.app.twin import Twin
from tumor_abm.cli import main
from tumor_abm.knowledge import Knowledge
from tumor_abm.plots import plot_kaplan_meier, plot_resistance
from tumor_abm.plots.style import new_figure, style, svg, title
from tumor_abm.run.results import Results

from tools.markdown import table

CASES = Path(__file__).parent / "cases"
WRITTEN = read_toml(CASES / "names.toml")
ESCAPE = chr(27)
NASTY = [
    WRITTEN["title"],
    *(arm["name"] for arm in WRITTEN["arm"]),
    "_hidden",
    "$5 and $6, \\$7",
    "*a* `b` [c](http://d) | e ~~f~~ &lt; <!-- g -->",
    "\u202eright to left\u2066, \x9b31m, \x7f, \ufffe",
    "</script><script>alert(1)</script>\"'",
]


class Seen(HTMLParser):
    """Collects the tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes)

    def handle_data(self, data):
        self.text += data


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_what_it_is_in_every_sink_and_does_nothing(name):
    plain = terminal_text(name)
    assert plain.isprintable()
    assert [a for a, b in zip(name, plain, strict=True) if a != b] == [a for a in name if not a.isprintable()]
    assert rich_text(name).plain == plain
    assert Seen(f"<td title='{html_text(name)}'>{html_text(name)}</td>").text == plain
    assert ET.fromstring(f'<g id="{html_text(name)}">{html_text(name)}</g>').text == plain
    drawn = figure_text(name)
    assert not is_math_text(drawn)
    assert drawn.replace(r"\$", "$").lstrip("\u200b") == plain
    assert not drawn.startswith("_")
    page = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .render(table(["a"], [[markdown_text(name)]]))
    )
    shown = Seen(page)
    assert words(shown.text) == words(f"a {plain}")
    assert set(shown.tags) == {"table", "thead", "tbody", "tr", "th", "td"}


DRUG = NASTY[-1] + ESCAPE
ALTERATION = "$x$ [red]_ESR1 <b> " + ESCAPE


@pytest.mark.parametrize("name", NASTY)
def test_a_picture_of_any_name_is_sound_and_says_it(name):
    with style():
        figure = new_figure(12, 4)
        axes = figure.subplots()
        axes.plot([0, 1], label=figure_text(name))
        axes.legend()
        title(axes, name, name)
    assert len(axes.get_legend().get_texts()) == 1
    assert ET.fromstring(svg(figure, name)).get("aria-label") == terminal_text(name)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Write names.toml with a drug and an alteration whose names are nasty, too."""
    known = Knowledge.shipped().tables
    tables = WRITTEN | {
        "drug": {DRUG: known["drug"]["letrozole"]},
        "alteration": {ALTERATION: known["alteration"]["ESR1 Y537S"] | {"core": True}},
        "alterations": [ALTERATION, "RB1 loss"],
        "arm": [*WRITTEN["arm"][:2], WRITTEN["arm"][2] | {"line": [{"regimen": [DRUG, "palbociclib"]}]}],
        "population": {"founder": {ALTERATION: 0.9}},
        "patients": 12,
    }
    path = tmp_path_factory.mktemp("names") / "names.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(experiment):
    """Run the experiment by the command; return its directory, and what was said."""
    said = subprocess.run(
        [sys.executable, "-m", "tumor_abm", "run", experiment, "--out", experiment.parent / "out"],
        env={**os.environ, "COLUMNS": "400"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return experiment.parent / "out", said


def test_the_terminal_shows_every_name_whole(run, experiment, capsys):
    out, said = run
    for arm in WRITTEN["arm"]:
        assert terminal_text(arm["name"]) in said.stdout
    assert terminal_text(WRITTEN["title"]) in said.stderr
    assert ESCAPE not in said.stdout + said.stderr
    assert main(["compare", str(out)]) == 0
    assert main(["check", str(experiment)]) == 0
    assert main(["check", f"{ESCAPE}[31m/[/foo].toml"]) == 2
    assert ESCAPE not in "".join(capsys.readouterr())


def test_the_report_shows_every_name_whole_and_runs_nothing(run):
    page = Seen((run[0] / "report.html").read_text(encoding="utf-8"))
    for name in [WRITTEN["title"], DRUG, *(arm["name"] for arm in WRITTEN["arm"])]:
        assert terminal_text(name) in page.text
    assert "img" not in page.tags
    assert page.tags.count("script") == 1  # our own
    assert "b" not in page.tags


def test_figures_show_every_name_whole(run):
    results = Results.load(run[0])
    figures = [plot_kaplan_meier(results, "PFS1"), plot_resistance(results)]
    drawn = [[text.get_text() for text in figure.findobj(Text)] for figure in figures]
    assert not any(map(is_math_text, [text for texts in drawn for text in texts]))
    for texts in drawn:
        shown = words(" ".join(texts).replace(r"\$", "$"))
        for name in results.arms:
            assert words(terminal_text(name)) in shown
    assert terminal_text(ALTERATION) in [text.replace(r"\$", "$") for text in drawn[1]]
    for file in (run[0] / "figures").glob("*.svg"):
        ET.parse(file)
    for file in (run[0] / "figures").glob("*.png"):
        Image.open(file).verify()


def test_the_page_shows_every_name_whole_and_runs_nothing(experiment):
    session = Session(Catalogue.of(experiment))
    nasty = session.catalogue.arms[2]
    twin = Twin(
        Choices(population=session.catalogue.populations[0], strategy=nasty).model(session.catalogue), nasty
    )
    twin.advance(60)
    session._life.twins = [twin]
    (picture,) = session._draw()
    regimen = terminal_text(picture.facts["regimen"])
    assert terminal_text(DRUG) in regimen
    bar, heading = (Seen(made) for made in (_words(picture.facts, 1), _heading(picture)))
    assert regimen in bar.text
    assert regimen in heading.text
    assert terminal_text(nasty) in heading.text
    events = Seen(events_as_rows(picture.facts["events"]))
    assert terminal_text(DRUG) in events.text
    for row in legend_rows(picture):  # the browser takes them as texts
        assert terminal_text(row["label"]) == row["label"]
        assert terminal_text(row["title"]) == row["title"]
    for seen in (bar, heading, events):
        assert not {"img", "script"} & set(seen.tags)
    figure = figure_of([twin], session.setup.value)
    assert not any(is_math_text(text.get_text()) for text in drawn_words(figure))
    ET.fromstring(figure_svg(figure))


def drawn_words(figure):
    legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
    found = [text for legend in legends for text in legend.get_texts()]
    assert terminal_text(DRUG) in [text.get_text() for text in found]
    return found


def test_a_study_shows_every_name_whole(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    names = [name[:40] for name in NASTY]
    scenario = read_toml(CASES / "evolve_names.toml")["scenario"][0] | {"space": {"dimensions": 2}}
    study = read_toml(CASES / "evolve_names.toml") | {
        "title": NASTY[0],
        "scenario": [scenario | {"name": name, "types": [name]} for name in names],
        "biopsy": [{"name": name, "cells": 20} for name in names],
        "cells": 400,
        "whole_tumour_cells": 100,
    }
    (tmp_path / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
    assert main(["evolve", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert ESCAPE not in said.out + said.err
    for name in names:
        assert terminal_text(name) in said.out
    assert len(list((tmp_path / "out" / "maf").iterdir())) == len(names)
    assert len(list((tmp_path / "out" / "trees").glob("*.nwk"))) == len(names) * (1 + len(names))
    for file in (tmp_path / "out" / "figures").glob("*.svg"):
        ET.parse(file)


@pytest.mark.parametrize(
    "names",
    [
        ["s = +0.1", "s = 0.1", "S 0.1", "s_0.1_2", "s_0.1"],
        ["left A", "left/A", "LEFT\tA", "left\\A", "..", "."],
        ["μ", "σ", "Σ", "mu", "µ", "é", "e", "小", "💊", "☠"],
        ["con", "NUL", "aux.", "a" * 300, "a" * 301, "", " "],
    ],
)
def test_file_names_differ_whatever_the_file_system_and_are_safe_on_all(names):
    found = file_names(names)
    assert list(found) == names
    assert len({name.lower() for name in found.values()}) == len(names)
    for name in found.values():
        assert name.isascii()
        assert name.replace("_", "").replace(".", "").isalnum()
        assert not name.startswith(".")
        assert name.lower() not in ("con", "nul", "aux")
        assert len(name) < 100
