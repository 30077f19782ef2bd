"""Experiments: read, checked with a place for every mistake, and resolved so that they run the same again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge

from tools.configuration import KEYS, configuration

ROOT = Path(__file__).parent.parent
STUDIES = ROOT / "experiments" / "evolution"
SHIPPED = sorted(
    path
    for path in (ROOT / "experiments").rglob("*.toml")
    if path.parent != STUDIES and path.parent.name not in ("knowledge", "batches")
)

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


def load(tmp_path: Path, text: str | bytes) -> Experiment:
    path = tmp_path / "x.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_experiment(path)


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


def line_of(tmp_path: Path, line: str) -> dict[str, Any]:
    text = f'title = "t"\nquestion = "q?"\nseed = 1\n[[arm]]\nname = "a"\n[[arm.line]]\n{line}'
    core: dict[str, Any] = load(tmp_path, text).to_core()["arms"][0]["lines"][0]
    return core


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_experiment_loads_and_resolves(path: Path) -> None:
    experiment = load_experiment(path)
    resolved = tomllib.loads(experiment.to_toml())
    again = Experiment.from_dict(resolved)
    assert again.to_core() == experiment.to_core()
    assert tomllib.loads(again.to_toml()) == resolved


def test_only_drugs_and_alterations_in_use_reach_the_core(tmp_path: Path) -> None:
    core = load(tmp_path, BASE).to_core()
    drugs = ["alpelisib", "camizestrant", "capecitabine", "fulvestrant", "letrozole", "palbociclib"]
    assert [drug["name"] for drug in core["drugs"]] == drugs
    alterations = [one["name"] for one in core["alterations"]]
    assert alterations == Knowledge.shipped().core_alterations_with(["antimetabolite"])
    assert {"TYMS overexpression", "MCL1 amplification"} <= set(alterations)  # two ways out of capecitabine
    founders = {one["alteration"]: one["probability"] for one in core["population"]["founder"]}
    assert founders["PIK3CA mutation"] == 0.35
    assert set(founders) <= set(alterations)


def test_drugs_of_prior_lines_reach_the_core(tmp_path: Path) -> None:
    core = load(tmp_path, "population = 'after_cdk46_inhibitor'\n" + BASE).to_core()
    assert len(core["population"]["prior"]) == 1


def test_resolved_has_the_drawn_seed(tmp_path: Path) -> None:
    experiment = load(tmp_path, changed("seed = 7\n", ""))
    assert experiment.resolved()["seed"] == experiment.seed
    assert experiment.seed != load(tmp_path, changed("seed = 7\n", "")).seed


def test_resolved_names_what_others_read(tmp_path: Path) -> None:
    resolved = load(tmp_path, changed('control = "stay"\n', "")).resolved()
    assert resolved["control"] == "switch"
    assert {"title", "question", "seed", "patients", "arm"} <= set(resolved)


def test_resolved_does_not_change_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = load(tmp_path, BASE)
    resolved = experiment.resolved()
    for key in ("drug", "alteration", "population", "pathway", "imaging"):
        assert resolved[key]
    resolved["drug"].pop("palbociclib")
    with pytest.raises(InputError, match='"palbociclib" is not a known drug'):
        Experiment.from_dict(resolved)


def test_a_caller_replaces_patients_and_seed(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(BASE, encoding="utf-8")
    experiment = load_experiment(path, patients=5, seed=3)
    assert (experiment.patients, experiment.seed) == (5, 3)
    assert experiment.resolved()["patients"] == 5


@pytest.mark.parametrize("bad", [{"patients": 0}, {"patients": 10**9}, {"seed": -1}, {"patients": True}])
def test_a_caller_is_told_of_impossible_patients_and_seeds(tmp_path: Path, bad: dict[str, Any]) -> None:
    path = tmp_path / "x.toml"
    path.write_text(BASE, encoding="utf-8")
    with pytest.raises(InputError, match=f"{next(iter(bad))}: found .*; allowed: a whole number from"):
        load_experiment(path, **bad)


def test_a_population_table_changes_what_it_says(tmp_path: Path) -> None:
    laws = "er_dependence = { median = 0.7 }\npremenopausal = { share = 0.3 }\n"
    text = f"{BASE}[population]\nbone_only = 0.5\n[population.covariate]\n{laws}"
    population = load(tmp_path, text).to_core()["population"]
    base = Knowledge.shipped().populations["first_line_postmenopausal"]
    assert population["sites"][0] == {
        "name": "bone_only",
        "share": 0.5,
        "growth": base.bone_only_growth.value,
        "measurable": False,
    }
    of_er, _, premenopausal, *_ = population["covariates"]
    sigma = base.covariate["er_dependence"].sigma
    assert sigma is not None
    assert of_er["law"] == {"kind": "logit_normal", "median": 0.7, "sigma": sigma.value}
    assert premenopausal["law"] == {"kind": "share", "share": 0.3}
    assert population["name"] == "first_line_postmenopausal, changed"


def test_premenopausal_patients_may_go_without_goserelin(tmp_path: Path) -> None:
    load(tmp_path, "population = 'first_line_premenopausal'\n" + BASE)


def test_knowledge_files_are_found_beside_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[drug.palbociclib.kinetics]\nhalf_life_h = 27\n", encoding="utf-8")
    core = load(tmp_path, 'knowledge = ["mine.toml"]\n' + BASE).to_core()
    assert {drug["name"]: drug["half_life_h"] for drug in core["drugs"]}["palbociclib"] == 27.0


def test_an_experiment_changes_drugs_and_constants_in_place(tmp_path: Path) -> None:
    text = (
        BASE
        + "[drug.palbociclib.effects.cdk46]\nic50 = 20\n[pathway]\ne2f_hill = 2\n[imaging]\nvisible_mm = 4\n"
    )
    experiment = load(tmp_path, text)
    core = experiment.to_core()
    assert experiment.knowledge.pathway["e2f_hill"] == 2.0
    assert 2.0 in core["pathway"]["constants"]
    assert core["imaging"]["visible_mm"] == 4.0
    assert core["drugs"][-1]["effects"][0]["ic50"] == 20.0


def test_the_default_calendar_is_that_of_the_pivotal_trials(tmp_path: Path) -> None:
    assert load(tmp_path, BASE).to_core()["assessment"] == {
        "calendar": [
            {"every_days": 56.0, "until_month": 18.0},
            {"every_days": 84.0, "until_month": None},
        ],
        "window_days": 7.0,
        "missed": 0.0,
        "not_evaluable": 0.0,
    }


def test_scans_in_short_intervals_have_a_narrower_window(tmp_path: Path) -> None:
    def window(keys: str) -> float:
        return load(tmp_path, f"{BASE}[assessment]\n{keys}\n").to_core()["assessment"]["window_days"]

    assert window("calendar = [{ every_weeks = 2 }]") == 3.5
    assert window("calendar = [{ every_weeks = 2 }]\nwindow_days = 7") == 7
    assert window("window_days = 0") == 0


def test_neutrophils_can_be_left_out(tmp_path: Path) -> None:
    assert load(tmp_path, BASE).to_core()["neutropenia"]["reduce_below"] == 0.5
    assert load(tmp_path, BASE + "[neutropenia]\nmodel = false\n").to_core()["neutropenia"] is None


def test_a_dose_in_mg_is_relative_to_the_standard_dose(tmp_path: Path) -> None:
    line = line_of(tmp_path, 'regimen = [{ drug = "ribociclib", dose_mg = 400 }, "letrozole"]')
    ribociclib, letrozole = line["options"][0]["regimen"]
    assert ribociclib["dose"] == pytest.approx(2 / 3)
    assert letrozole == {"drug": "letrozole", "dose": 1.0, "schedule": None}


def test_a_schedule_changes_in_what_is_said(tmp_path: Path) -> None:
    line = line_of(tmp_path, 'regimen = [{ drug = "palbociclib", days = "1-5, 8-12", cycle_days = 14 }]')
    schedule = line["options"][0]["regimen"][0]["schedule"]
    assert schedule["days"] == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert (schedule["cycle_days"], schedule["doses_per_day"]) == (14, 1)


def test_fulvestrant_is_loaded(tmp_path: Path) -> None:
    text = BASE.replace("capecitabine", "fulvestrant")
    drugs = {drug["name"]: drug for drug in load(tmp_path, text).to_core()["drugs"]}
    assert drugs["fulvestrant"]["schedule"] == {
        "days": [1],
        "cycle_days": 28,
        "doses_per_day": 1,
        "loading_days": [15],
        "loading_dose": 1.0,
        "missed": "given_later",
    }


def test_conditions_and_actions_reach_the_core(tmp_path: Path) -> None:
    rules = line_of(
        tmp_path,
        """regimen = ["letrozole"]
rule = [
    { when = { months = 6 }, then = { add = "palbociclib" } },
    { when = { sld_change = { below = -0.3 } }, then = { stop = "palbociclib" } },
    { when = { all = [{ visceral = false }, { not = { months = 6 } }] }, then = { next_line = true } },
    { when = { tissue = "ESR1" }, then = { replace = "letrozole", with = { drug = "tamoxifen", dose = 2 } } },
]""",
    )["rules"]
    assert [rule["when"]["kind"] for rule in rules] == ["months", "sld_change", "all", "tissue"]
    assert [rule["then"]["kind"] for rule in rules] == ["add", "stop", "next_line", "replace"]
    assert rules[2]["when"]["of"] == [
        {"kind": "not", "of": {"kind": "site", "name": "visceral"}},
        {"kind": "not", "of": {"kind": "months", "at_least": 6.0}},
    ]
    assert rules[3]["then"]["with"]["dose"] == 2.0


def test_until_holiday_and_adaptive_reach_the_core(tmp_path: Path) -> None:
    line = line_of(
        tmp_path,
        """regimen = ["letrozole", "palbociclib"]
until = { months = 24, cycles = 6, toxicity = true, response = -0.5 }
holiday = { on_weeks = 12, off_weeks = 0.5, drugs = ["palbociclib"] }
adaptive = { drugs = ["palbociclib"] }""",
    )
    assert line["until"] == {
        "progression": True,
        "months": 24.0,
        "cycles": 6,
        "toxicity": True,
        "response": -0.5,
    }
    assert line["holiday"] == {"on_days": 84, "off_days": 4, "drugs": ["palbociclib"]}
    assert line["adaptive"] == {"stop_at": -0.5, "resume_at": 0.0, "drugs": ["palbociclib"]}


def test_labels_stay_with_the_arm(tmp_path: Path) -> None:
    text = changed('name = "stay"', 'name = "stay"\nlabels = { trial = "X", subset = "Y" }')
    experiment = load(tmp_path, text)
    assert experiment.arms[1].labels == {"trial": "X", "subset": "Y"}
    assert experiment.resolved()["arm"][1]["labels"] == {"trial": "X", "subset": "Y"}


def test_every_key_has_a_meaning() -> None:
    for name, (model, _) in KEYS.items():
        assert set(model.keys()) <= {key for key, meaning in model.meanings().items() if meaning}, name


def test_the_page_on_configuration_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == configuration()
