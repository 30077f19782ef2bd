"""Every mistake in an experiment is named with its place and with what would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tumor_abm import _core
from tumor_abm.config import load_experiment
from tumor_abm.errors import InputError

BASE = """
title = "Switch or stay"
question = "Does it help to switch?"
seed = 7
control = "stay"

[liquid_biopsy]
genes = ["ESR1"]

[[arm]]
name = "switch"
[[arm.line]]
regimen = ["letrozole", "palbociclib"]
[[arm.line.rule]]
when = { ctdna = "ESR1", above = 0.005 }
then = { replace = "letrozole", with = "camizestrant" }
[[arm.line]]
choose = [
    { if = { tissue = "PIK3CA" }, regimen = ["alpelisib", "fulvestrant"] },
    { regimen = ["fulvestrant"] },
]

[[arm]]
name = "stay"
[[arm.line]]
regimen = ["letrozole", "palbociclib"]
[[arm.line]]
regimen = ["capecitabine"]
"""


def problems(tmp_path: Path, text: str | bytes) -> str:
    """What is said of a file with this content."""
    path = tmp_path / "x.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        load_experiment(path)
    for line in str(caught.value).splitlines():
        assert line.startswith((f"{path}: ", "... and ", str(tmp_path / "none.toml")))
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"palbociclib"]\n[[arm.line]]\nregimen = ["cap',
            '"palbocicilb"]\n[[arm.line]]\nregimen = ["cap',
            'arm[1].line[0].regimen[1]: "palbocicilb" is not a known drug; did you mean "palbociclib"?',
        ),
        ("question", "qestion", 'qestion: "qestion" is not a known key; did you mean "question"?'),
        ("question", "qestion", "question: missing; it has no default"),
        ('"Does it help to switch?"', '" "', "question: found an empty text; allowed: a sentence"),
        ("seed = 7", "seed = -7", "seed: found -7; allowed: at least 0"),
        ("seed = 7", "seed = 1.5", "seed: found 1.5; allowed: a whole number"),
        ("seed = 7", "patients = 0", "patients: found 0; allowed: at least 1"),
        ("seed = 7", "patients = 10_000_001", "patients: found 10000001; allowed: at most 10000000"),
        ("seed = 7", "patients = true", "patients: found true; allowed: a whole number"),
        ("seed = 7", 'patients = "many"', 'patients: found "many"; allowed: a whole number'),
        ("seed = 7", "patients = 1979-05-27", "patients: found 1979-05-27; allowed: a whole number"),
        ("seed = 7", f"patients = 0x{'f' * 5000}", "patients: found a number beyond all bounds"),
        ("seed = 7", f"patients = {'9' * 5000}", "not valid TOML: Exceeds the limit"),
        ("seed = 7", "horizon_months = nan", "horizon_months: found nan; allowed: a finite number"),
        ("seed = 7", "horizon_months = inf", "horizon_months: found inf; allowed: a"),
        ("seed = 7", "horizon_months = true", "found true; allowed: a number"),
        ("seed = 7", "dt_days = 0.3", "dt_days: found 0.3; allowed: 1, 1/2, 1/3, ... of a day"),
        (
            "seed = 7",
            "accrual_months = 130",
            "allowed: at most horizon_months = 120",
        ),
        ("seed = 7", 'population = "first_line_postmenopausa"', 'did you mean "first_line_postmenopausal"?'),
        ("seed = 7", "population = 3", "population: found 3; allowed: a table"),
        (
            "seed = 7",
            'alterations = ["RB1 los"]',
            'alterations[0]: "RB1 los" is not a known alteration',
        ),
        ("seed = 7", 'alterations = ["RB1 loss", "RB1 loss"]', 'alterations[1]: "RB1 loss" is named twice'),
        ("seed = 7", 'alterations = ["RB1 loss"]', 'genes[0]: "ESR1" is not in play; add "ESR1 Y537S" and'),
        ("seed = 7", 'knowledge = ["none.toml"]', "none.toml: there is no such file"),
        (
            'control = "stay"',
            'control = "stays"',
            'control: "stays" is not a known arm; did you mean',
        ),
        ('genes = ["ESR1"]', 'genes = ["ESR"]', 'liquid_biopsy.genes[0]: "ESR" is not a known gene'),
        ('genes = ["ESR1"]', 'genes = ["CDK6-high"]', 'genes[0]: "CDK6-high" leaves no trace in DNA'),
        ('genes = ["ESR1"]', "genes = []", "liquid_biopsy.genes: found 0 entries; allowed: at least 1"),
        (
            'genes = ["ESR1"]',
            'genes = ["RB1"]',
            'arm[0].line[0].rule[0].when.ctdna: nobody measures "ESR1"; add it to genes of [liquid_biopsy]',
        ),
        ('[liquid_biopsy]\ngenes = ["ESR1"]\n', "", 'when.ctdna: nobody measures "ESR1"'),
        (
            "genes",
            "limit_of_detection = -0.1\ngenes",
            "limit_of_detection: found -0.1; allowed",
        ),
        ('name = "stay"', 'name = "switch"', 'arm[1].name: "switch" is named twice'),
        ('name = "stay"', 'name = ""', 'arm[1].name: found ""; allowed: a text that is not empty'),
        ('["capecitabine"]', "[]\nuntil = { cycles = 4 }", "arm[1].line[1].until.cycles"),
        (
            '["capecitabine"]',
            '"capecitabine"',
            'regimen: found "capecitabine"; allowed: a list',
        ),
        ('["capecitabine"]', "[1]", "arm[1].line[1].regimen[0]: found 1; allowed: a table"),
        (
            '["capecitabine"]',
            '["eribulin", "eribulin"]',
            'line[1].regimen[1]: "eribulin" is named twice',
        ),
        (
            '["capecitabine"]',
            '[{ drug = "capecitabine", cycle_days = 7 }]',
            "arm[1].line[1].regimen[0]: day 8 lies outside the cycle of 7 days",
        ),
        (
            '["capecitabine"]',
            '[{ drug = "capecitabine", dose_mg = 500 }]',
            "arm[1].line[1].regimen[0]: capecitabine is dosed in mg/m2 (standard 1250); give dose_mg_m2",
        ),
        (
            '["capecitabine"]',
            '[{ drug = "capecitabine", dose_mg_m2 = 1 }]',
            "allowed: 0.001 to 10 times the standard dose of 1250 mg/m2",
        ),
        (
            '["capecitabine"]',
            '[{ drug = "capecitabine", dose = 1, dose_mg = 1 }]',
            "name at most one of",
        ),
        ('["capecitabine"]', '[{ drug = "capecitabine", days = "1-" }]', 'found "1-"; allowed: days such as'),
        (
            '["capecitabine"]',
            '[{ drug = "capecitabine", days = [0] }]',
            "days[0]: found 0; allowed:",
        ),
        (
            '["capecitabine"]',
            '["capecitabine"]\nuntil = { cycles = 0 }',
            "until.cycles: found 0",
        ),
        (
            '["capecitabine"]',
            '["capecitabine"]\nholiday = { on_weeks = 0, off_weeks = 1 }',
            "on_weeks: found",
        ),
        (
            '["capecitabine"]',
            '["capecitabine"]\nadaptive = { stop_at = 0, resume_at = -0.1 }',
            "below stop_at",
        ),
        (
            '["capecitabine"]',
            '["capecitabine"]\nadaptive = { drugs = ["letrozole"] }',
            'arm[1].line[1].adaptive.drugs[0]: "letrozole" is not given in this line (given: capecitabine)',
        ),
        ('regimen = ["capecitabine"]', "", "arm[1].line[1]: name either regimen or choose"),
        (
            'name = "stay"',
            'name = "stay"\n[[arm]]\nname = "last"',
            "arm[1].line: missing; it has no default",
        ),
        (
            'replace = "letrozole"',
            'replace = "anastrozole"',
            'arm[0].line[0].rule[0].then.replace: "anastrozole" is not given in this line',
        ),
        (
            'with = "camizestrant"',
            'with = "palbociclib"',
            'then.with: "palbociclib" is in the regimen',
        ),
        (
            'with = "camizestrant"',
            'with = "camizestran"',
            'then.with: "camizestran" is not a known drug',
        ),
        (
            'replace = "letrozole", with = "camizestrant"',
            'replace = "letrozole"',
            "then: replace and with belong together",
        ),
        (
            'replace = "letrozole", with = "camizestrant"',
            'stop = "everolimus"',
            'then.stop: "everolimus"',
        ),
        ('replace = "letrozole", with = "camizestrant"', "", "then: found no action; name exactly one of"),
        (
            'ctdna = "ESR1", above = 0.005',
            'ctdna = "ESR1", months = 3',
            "found ctdna and months; name",
        ),
        (
            'ctdna = "ESR1", above = 0.005',
            "months = 3, above = 0.1",
            "above belongs to ctdna, tissue, covariate, output",
        ),
        (
            'ctdna = "ESR1", above = 0.005',
            'ctdna = "ESR1", above = 2',
            "when: above = 2; allowed: a fraction",
        ),
        ('ctdna = "ESR1", above = 0.005', "sld_change = {}", "sld_change: name at least one of above, below"),
        (
            'ctdna = "ESR1", above = 0.005',
            "all = [{ not = { tissue = 'PTEN' } }]",
            'rule[0].when.all[0].not.tissue: "PTEN" is not in play; add "PTEN loss" to alterations',
        ),
        (
            '{ regimen = ["fulvestrant"] },',
            '{ if = { visceral = true }, regimen = ["fulvestrant"] },',
            "arm[0].line[1].choose[1]: the last option must have no condition",
        ),
        ('if = { tissue = "PIK3CA" }, ', "", "arm[0].line[1].choose[0]: has no condition"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in problems(tmp_path, changed(old, new))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[population]\nbone_only = 2", "population.bone_only: found 2; allowed: from 0 to 1"),
        (
            "[population]\nturnover = { sigm = 1 }",
            'population.turnover.sigm: "sigm" is not a known',
        ),
        (
            "[population]\nturnover = { sigma = -1 }",
            "population.turnover.sigma: found -1; allowed",
        ),
        (
            "[population]\nprior = [{ regimen = ['letrozol'] }]",
            'population.prior[0].regimen[0]: "letrozol" is not',
        ),
        (
            "[population]\neligibility = { altered = ['PTEN'] }",
            'population.eligibility.altered[0]: "PTEN" is not in',
        ),
        (
            "[population]\nfounder = { 'RB2 loss' = 0.1 }",
            'population.founder."RB2 loss": "RB2 loss" is',
        ),
        ("[population]\ntarget_lesions = [0, 0]", "at least one probability must be above 0"),
        ("[population]\nbase = 'x'", 'population.base: "x" is not a known population'),
        ("[pathway]\ner_survival = -1", "pathway.er_survival: found -1; allowed: from 0 to 10"),
        ("[pathway]\ne2f_hal = 1", 'pathway.e2f_hal: "e2f_hal" is not a known key; did you mean "e2f_half"?'),
        ("[imaging]\nvisible_mm = '5'", 'imaging.visible_mm: found "5"; allowed: a number'),
        ("[neutropenia]\nresume_at = 0.5", "resume_at = 0.5 lies below hold_below = 1"),
        ("[neutropenia]\nfeedback = 3", "neutropenia.feedback: found 3; allowed: from 0.01 to 2"),
        ("[drug.palbociclib]\ndose_levels = [75, 100]", "drug.palbociclib.dose_levels: found 100 after 75"),
        ("[drug.palbociclib]\ndose_levels = [200]", "allowed: below the standard dose of 125"),
        ("[assessment]\nprogression_from = 'start'", 'assessment.progression_from: found "start"'),
        ("[assessment]\nmissed = 1.5", "assessment.missed: found 1.5; allowed: "),
        (
            "[population]\ncarrying_capacity_cm3 = 1",
            "population.carrying_capacity_cm3: found 1; allowed: above",
        ),
        ("[assessment]\ncalendar = []", "assessment.calendar: found 0 entries; allowed: at least 1"),
        (
            "[assessment]\ncalendar = [{ every_weeks = 8 }, { every_weeks = 9 }]",
            "calendar[0]: until_month",
        ),
        (
            "[assessment]\nwindow_days = 30",
            "window_days = 30; allowed: at most 28, half of the shortest interval",
        ),
        ("[assessment]\nwindow_days = -1", "assessment.window_days: found -1; allowed: "),
        ("[alteration.'RB1 loss']\nfitness_cost = 3", 'alteration."RB1 loss".fitness_cost: found 3; allowed'),
        ("[drug.palbociclib.kinetics]\nhalf_life_h = -1", "drug.palbociclib.kinetics.half_life_h: found -1"),
        ("[drug]\n'' = {}", "drug: found an empty name"),
        ("[alteration.'A + B']\ncore = true", 'alteration."A + B": allowed: a name'),
        ("[alteration.'+ B']\ncore = true", 'alteration."+ B": allowed: a name'),
        ("[alteration.'wild type']\ncore = true", 'alteration."wild type": allowed: a name'),
        ("[[arm]]", "arm[2].name: missing"),
        ("[x]", 'x: "x" is not a known key'),
    ],
)
def test_a_wrong_table_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in problems(tmp_path, f"{BASE}\n{text}\n")


def test_a_line_that_never_ends_is_refused_before_others(tmp_path: Path) -> None:
    text = changed(
        '"fulvestrant"] },\n]',
        '"fulvestrant"] },\n]\nuntil = { progression = false }\n[[arm.line]]\nregimen = ["eribulin"]',
    )
    assert "arm[0].line[1].until: no reason to leave this line" in problems(tmp_path, text)


def test_all_problems_are_told_at_once_but_no_more_than_ten(tmp_path: Path) -> None:
    two = changed("seed = 7", "seed = -7").replace('name = "stay"', "name = 3")
    assert len(problems(tmp_path, two).splitlines()) == 2
    many = "".join(f"key_{i} = 1\n" for i in range(30)) + BASE
    assert len(problems(tmp_path, many).splitlines()) == 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"title = [", "not valid TOML: "),
        (b"title = 'a'\n\ntitle = b\n", "(at line 3, column 9)"),
        (b"\xff\xfe", "byte 0 is not UTF-8 text"),
        (b"", "title: missing"),
        (b"x = " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_experiment_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    assert message in problems(tmp_path, text)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_bytes(BASE.encode())
    marked.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load_experiment(marked).resolved() == load_experiment(plain).resolved()


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: there is no such file"):
        load_experiment(tmp_path / "none.toml")
    with pytest.raises(InputError, match="found a directory; allowed: a TOML file"):
        load_experiment(tmp_path)
    with pytest.raises(InputError, match="allowed: a path"):
        load_experiment("a\0b.toml")


@pytest.mark.parametrize(
    ("line", "option", "key"),
    [(0, 0, "arm[0].line[0].regimen[0].dose"), (1, 1, "arm[0].line[1].choose[1].regimen[0].dose")],
)
def test_the_core_names_places_as_they_are_written(tmp_path: Path, line: int, option: int, key: str) -> None:
    (tmp_path / "x.toml").write_text(BASE)
    spec = load_experiment(tmp_path / "x.toml").to_core()
    spec["arms"][0]["lines"][line]["options"][option]["regimen"][0]["dose"] = -1.5
    with pytest.raises(InputError) as caught:
        _core.Experiment(json.dumps(spec))
    assert caught.value.key == key
    assert caught.value.found == -1.5
    assert str(caught.value) == f"{key}: found -1.5; allowed: {caught.value.allowed}"


def test_what_only_the_core_refuses_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise InputError("no", key="imaging.x")

    monkeypatch.setattr(_core, "Experiment", refuse)
    assert problems(tmp_path, BASE) == f"{tmp_path / 'x.toml'}: imaging.x: no"
