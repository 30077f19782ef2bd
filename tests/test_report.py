from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib import resources

import polars as pl
import pytest
from lived import lived
from tumor_abm.analysis.answers import answers
from tumor_abm.analysis.comparison import compare
from tumor_abm.report import number_of_figures, write_report
from tumor_abm.report.baseline import baseline_section
from tumor_abm.report.flow import flow_section
from tumor_abm.run.results import Results
from tumor_abm.treatment import Line
from tumor_abm.treatment.condition import Condition
from tumor_abm.treatment.eligibility import Eligibility


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
    assert page.tags.count("script") == 1
    assert page.open == []  # every element is closed


def test_no_script_runs_but_our_own(results, tmp_path):
    text = write_report(results, tmp_path).read_text(encoding="utf-8")
    script = text.split("<script>")[1].split("</script>")[0]
    assert script == (resources.files("tumor_abm.report") / "sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert f"{policy}; script-src 'sha256-{digest}'" in text


def test_links_lead_to_tables_that_lie_beside_the_page(results, tmp_path):
    comparison = compare(results)
    results.save(tmp_path)
    comparison.save(tmp_path)
    links = Page(write_report(results, tmp_path, comparison).read_text(encoding="utf-8")).links
    assert {"comparison.csv", "outcomes.parquet", "clones.parquet"} <= set(links)
    assert all((tmp_path / link).is_file() for link in links)


def test_figures_are_counted_while_they_are_drawn(results, tmp_path):
    drawn = []
    write_report(results, tmp_path, progress=drawn.append)
    assert drawn == list(range(1, 1 + number_of_figures(results, compare(results))))


def test_page_has_a_figure_per_endpoint_and_those_that_the_tables_allow(results, page, tmp_path):
    assert page.tags.count("svg") == 4 + 4  # best change, lives, what is carried, what follows what
    full = Page(write_report(lived(results), tmp_path, by=["age"]).read_text(encoding="utf-8"))
    subgroups = 2 * 3  # a forest and the gains, of PFS1, PFS2 and OS
    assert full.tags.count("svg") == 4 + 6 + subgroups


def test_page_opens_with_the_answer(results, page):
    before = page.text.split("Arms")[0]
    for answer in answers(compare(results)):
        assert answer.sentence in before


def test_page_tells_the_flow_of_patients(results, page):
    began = results.outcomes.filter(arm=results.control, line=2).height
    other = results.outcomes.filter(arm=results.arms[1], line=2).height
    assert ["Began line 2", str(began), str(other)] in flow_section(results).rows
    assert "Flow of patients" in page.text
    assert "Analysed for OS" in page.text


def test_who_is_not_whom_an_arm_is_about_is_counted(results):
    overall = results.overall.filter((pl.col("arm") == results.control) | (pl.col("patient") < 20))
    patients = results.patients.with_columns(screened=pl.lit(3))
    rows = flow_section(
        Results(results.tables | {"overall": overall, "patients": patients}, results.experiment, {})
    ).rows
    assert ["Candidates drawn", "180", ""] in rows
    assert ["  not eligible", "120", ""] in rows
    assert ["  not whom the arm is about", "0", "40"] in rows


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
    assert Page(text).tags.count("script") == 1
    assert "<script>alert(1)</script> & more" in Page(text).text
    assert "$style {x}" in Page(text).text


def test_later_lines_have_no_hazard_ratio(page):
    later = page.text.split("on the second line (PFS line 2)")[1].split("on two lines (PFS2)")[0]
    assert "not a randomised comparison" in later
    assert "HR" not in later
    assert "Hazard ratio" not in later


def test_page_names_the_population_its_patients_and_who_is_asked_into_an_arm(results, tmp_path):
    first, second = results.experiment["arm"]
    experiment = results.experiment | {
        "population": {
            "name": "first_line",
            "label": "No therapy for it yet",
            "history": [{"name": "de novo", "share": 1.0}, {"name": "relapse", "share": 3.0}],
            "eligibility": {"visceral": True},
        },
        "arm": [first, {**second, "among": {"altered": ["PIK3CA"]}}],
        "afterwards": [{"regimen": [{"drug": "capecitabine"}]}],
    }
    overall = results.overall.filter((pl.col("arm") == first["name"]) | (pl.col("patient") < 20))
    patients = pl.DataFrame(
        {
            "patient": range(60),
            "volume_cm3": [float(i) for i in range(60)],
            "visceral": [True] * 15 + [False] * 45,
        }
    )
    tables = results.tables | {"overall": overall, "patients": patients}
    path = write_report(Results(tables, experiment, {}), tmp_path)
    text = " ".join(Page(path.read_text(encoding="utf-8")).text.split())
    for words in (
        "Population: first_line. No therapy for it yet. Histories: de novo (25%), relapse (75%).",
        "Only patients with visceral disease.",
        "Only patients with PIK3CA altered.",
        "Then, in every arm",
        "capecitabine",
        f"40 are not in {second['name']}, which is about patients with PIK3CA altered",
    ):
        assert words in text
    table = baseline_section(Results(tables, experiment, {}))
    assert table.header[1:] == ["All", second["name"]]
    assert table.rows == [
        ["Patients", "60", "20"],
        ["Tumour volume, cm³", "30 (0–59)", "10 (0–19)"],
        ["Visceral disease", "25%", "75%"],
    ]


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
                    {"if": {"covariate": "premenopausal"}, "regimen": [{"drug": "goserelin"}]},
                    {"if": {"taken": "fulvestrant"}, "regimen": [{"drug": "exemestane"}]},
                    {"regimen": [{"drug": "everolimus"}]},
                ],
                "until": {"progression": False},
            },
            [
                "alpelisib (0.8 × standard dose) if PIK3CA is in 5% or more of the cells; "
                "else goserelin if the patient is premenopausal; "
                "else exemestane if fulvestrant was taken before; else everolimus",
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
                    {"if": {"not": {"covariate": "premenopausal"}}, "regimen": [{"drug": "letrozole"}]},
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
    assert Line.model_validate(line).in_words() == words


CONDITIONS = sorted(set(Condition.keys()) - {"above", "rise", "all", "any", "not"})


@pytest.mark.parametrize("key", CONDITIONS)
def test_every_condition_has_words(key):
    values = {"sld_change": {"above": 0.1}, "months": 6.0, "prior_months_below": 6.0}
    values |= dict.fromkeys(("visceral", "bone_only", "new_lesion"), True)
    values |= {"best_response": "PR", "neutrophils_below": 1.0}
    when = {key: values.get(key, "thing")} | ({"above": 0.1} if key == "output" else {})
    rule = {"when": when, "then": {"next_line": True}}
    clause = Line.model_validate({"regimen": ["letrozole"], "rule": [rule]}).in_words()[2]
    assert re.fullmatch(r"when \S.+: go to the next line", clause)


@pytest.mark.parametrize("key", list(Eligibility.model_fields))
def test_every_eligibility_has_words(key):
    values = dict.fromkeys(("visceral", "measurable", "endocrine_sensitive"), False)
    values |= {"exposure": {"drugs": ["letrozole"], "months_below": 24.0}}
    values |= dict.fromkeys(("prior_months_at_least", "prior_months_below"), 6.0)
    values |= {"prior_ended": ["progression"], "endocrine_resistance": ["primary"]}
    values |= {"covariate": {"premenopausal": False}}
    asked = Eligibility.model_validate({key: values.get(key, ["thing"])})
    assert asked.in_words()
    assert Eligibility().in_words() == ""
