from __future__ import annotations

from html.parser import HTMLParser

import pytest
from tumor_abm.report import write_report
from tumor_abm.report.therapy import line_in_words
from tumor_abm.results import Results


class Page(HTMLParser):
    """What a page shows, what it is made of, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags, self.links, self.open = "", [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href") and tag != "use"]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    path = write_report(results, tmp_path_factory.mktemp("report"))
    assert path.name == "report.html"
    return Page(path.read_text(encoding="utf-8"))


def test_page_needs_nothing_but_itself(page):
    assert page.links == []
    assert "script" not in page.tags
    assert page.open == []  # every element is closed


def test_page_has_a_figure_per_endpoint_and_one_of_resistance(page):
    assert page.tags.count("svg") == 5


def test_page_says_what_was_asked_of_whom_and_what_came_out(results, page):
    for words in (
        results.experiment["title"],
        results.experiment["question"],
        "60 virtual patients, each lives every arm; seed 1",
        "palbociclib + fulvestrant",
        "Overall survival (OS)",
        "Who gains against",
        "What tumours carry when a line fails",
        "0.1.0",
        "For research, not for treating patients",
        'title = "Palbociclib first or second?"',
    ):
        assert words in page.text


def test_text_is_text_and_not_markup(results, tmp_path):
    named = results.experiment | {"title": "<script>alert(1)</script> & more", "question": "$style {x}"}
    path = write_report(Results(results.tables, named, {"command": "<b>"}), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "script" not in Page(text).tags
    assert "<script>alert(1)</script> & more" in Page(text).text
    assert "$style {x}" in Page(text).text


def test_single_arm_has_no_comparison(make_results, tmp_path):
    page = Page(write_report(make_results(20, ("only",)), tmp_path).read_text(encoding="utf-8"))
    assert "Who gains" not in page.text
    assert "HR (95% CI)" not in page.text
    assert "1 (control)" not in page.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"regimen": [{"drug": "letrozole"}]}, ["letrozole", "until progression"]),
        (
            {
                "regimen": [{"drug": "capecitabine", "dose_mg_m2": 1000.0, "days": "1-14", "cycle_days": 21}],
                "until": {"progression": True, "months": 6.0, "toxicity": True, "cycles": 8},
            },
            [
                "capecitabine (1000 mg/m², days 1-14 of 21)",
                "until progression or 6 months or 8 cycles or toxicity",
            ],
        ),
        (
            {
                "choose": [
                    {"if": {"tissue": "PIK3CA"}, "regimen": [{"drug": "alpelisib", "dose": 0.8}]},
                    {"regimen": [{"drug": "everolimus"}]},
                ],
                "until": {"progression": False},
            },
            [
                "alpelisib (0.8 × standard dose) if PIK3CA is in 5% or more of the cells; else everolimus",
                "until death",
            ],
        ),
        (
            {
                "choose": [
                    {"share": 0.8, "regimen": [{"drug": "letrozole"}]},
                    {"share": 0.2, "regimen": [{"drug": "anastrozole", "days": "1-21", "cycle_days": 28}]},
                ],
            },
            ["drawn: 80% letrozole, 20% anastrozole (days 1-21 of 28)", "until progression"],
        ),
        (
            {
                "choose": [
                    {"share": 3, "if": {"taken": "letrozole"}, "regimen": [{"drug": "fulvestrant"}]},
                    {"share": 1, "regimen": [{"drug": "exemestane"}]},
                ],
            },
            [
                "drawn among what fits: fulvestrant if letrozole was taken before (weight 3), "
                "exemestane (weight 1)",
                "until progression",
            ],
        ),
        (
            {
                "choose": [
                    {"if": {"not": {"premenopausal": True}}, "regimen": [{"drug": "letrozole"}]},
                    {"regimen": [{"drug": "tamoxifen"}]},
                ],
            },
            ["letrozole if not (the patient is premenopausal); else tamoxifen", "until progression"],
        ),
        (
            {
                "regimen": [{"drug": "letrozole"}],
                "rule": [
                    {
                        "when": {"all": [{"ctdna": "ESR1", "above": 0.005}, {"not": {"visceral": True}}]},
                        "then": {"replace": "letrozole", "with": {"drug": "camizestrant"}},
                    },
                    {"when": {"sld_change": {"above": 0.1}}, "then": {"next_line": True}},
                    {"when": {"months": 12.0}, "then": {"stop": "letrozole"}},
                    {"when": {"prior_months_below": 6.0}, "then": {"add": {"drug": "everolimus"}}},
                ],
            },
            [
                "letrozole",
                "until progression",
                "when ESR1 is seen in ctDNA at 0.5% or more and not (there is visceral disease): "
                "replace letrozole by camizestrant",
                "when the sum of diameters has changed by +10% or more: go to the next line",
                "when 12 months have passed: stop letrozole",
                "when the line before lasted less than 6 months: add everolimus",
            ],
        ),
        (
            {
                "regimen": [{"drug": "palbociclib"}, {"drug": "letrozole"}],
                "holiday": {"on_weeks": 4.0, "off_weeks": 2.0, "drugs": ["palbociclib"]},
                "adaptive": {"stop_at": -0.5, "resume_at": 0.0},
            },
            [
                "palbociclib + letrozole",
                "until progression",
                "palbociclib 4 weeks on, 2 weeks off",
                "all drugs stopped at −50% of the sum of diameters, resumed at 0%",
            ],
        ),
    ],
)
def test_line_is_said_in_words(line, words):
    assert line_in_words(line) == words
