"""Sites of the disease and kinds of therapy are data, and reach patients and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.covariate import flags
from tumor_abm.cli import main
from tumor_abm.config import Experiment
from tumor_abm.config.notices import notices
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.run.experiment import run_experiment
from tumor_abm.treatment import Eligibility

LUNG = Path(__file__).parents[1] / "experiments/other_cancers/egfr_lung/first_or_third_generation.toml"
ARM = {"name": "a", "line": [{"regimen": ["letrozole"], "until": {"months": 1}}]}
LONGER = {"name": "a", "line": [{"regimen": ["letrozole"], "until": {"months": 4}}]}
SMALL: dict[str, Any] = {
    "title": "Sites",
    "question": "Where is it?",
    "seed": 3,
    "patients": 400,
    "horizon_months": 1,
    "end_with_last_line": True,
    "alterations": [],
    "arm": [ARM],
}
THIRD = {"site": {"skin": {"label": "Disease of the skin", "measurable": False}}}


def patients(**changes: Any) -> pl.DataFrame:
    return run_experiment({**SMALL, **changes}, jobs=1).patients


def refusal(**changes: Any) -> str:
    with pytest.raises(InputError) as error:
        Experiment.from_dict({**SMALL, **changes})
    return str(error.value)


def test_a_third_site_takes_its_share_of_those_at_no_site_before_it_and_moves_no_other_number() -> None:
    usual = patients()
    with_skin = patients(**THIRD, population={"skin": 0.5})
    columns = usual.columns
    assert with_skin.select(columns).equals(usual)
    elsewhere = with_skin.filter(~pl.col("visceral") & ~pl.col("bone_only"))
    assert not with_skin.filter(pl.col("visceral") | pl.col("bone_only"))["skin"].any()
    n, found = elsewhere.height, elsewhere["skin"].sum()
    assert abs(found - n / 2) < 4.9 * (n / 4) ** 0.5  # alpha = 1e-6


def test_a_site_where_nothing_can_be_measured_has_no_sum_of_diameters_and_its_growth_is_its_own() -> None:
    laws = {"bone_only": 0.0, "visceral": 0.0, "skin": 1.0}
    usual = patients(population={"bone_only": 0.0, "visceral": 0.0})
    population = {**laws, "skin_growth": 1.5}
    results = run_experiment(
        {**SMALL, **THIRD, "horizon_months": 4, "arm": [LONGER], "population": population}
    )
    fast = results.patients
    assert fast["skin"].all()
    assert set(results["outcomes"]["response"].cast(pl.String)) <= {"NE", "SD", "PD"}
    assert results["outcomes"]["best_sld_change"].fill_nan(None).null_count() == 400
    assert (fast["net_growth_per_day"] / usual["net_growth_per_day"]).to_list() == pytest.approx([1.5] * 400)


def test_eligibility_and_rules_ask_for_a_site_by_its_name() -> None:
    found = patients(**THIRD, population={"skin": 0.5, "eligibility": {"skin": True}}, patients=20)
    assert found["skin"].all()
    choice = [{"if": {"skin": True}, "regimen": ["fulvestrant"]}, {"regimen": ["letrozole"]}]
    arm = {"name": "a", "line": [{"choose": choice, "until": {"months": 1}}]}
    results = run_experiment({**SMALL, **THIRD, "population": {"skin": 0.5}, "arm": [arm], "patients": 40})
    given = results["outcomes"].join(results.patients.select("patient", "skin"), on="patient")
    assert set(given.select(pl.col("regimen").cast(pl.String), "skin").rows()) == {
        ("fulvestrant", True),
        ("letrozole", False),
    }


def test_a_model_takes_a_site_of_a_patient_and_two_are_refused() -> None:
    tables = {**SMALL, **THIRD, "population": {"skin": 0.1}}
    assert ta.TumorModel(tables, covariates={"skin": True}, rng=1).covariates["skin"]
    with pytest.raises(InputError, match="the disease is called skin and visceral; name one of them"):
        ta.TumorModel(tables, covariates={"skin": True, "visceral": True}, rng=1)


OF_OWN = {
    "therapy": {
        "targeted": {
            "label": "Targeted therapy",
            "sensitive_weeks": 4.0,
            "sensitive_adjuvant_months": 12.0,
            "primary_months": 2.0,
            "primary_adjuvant_months": 6.0,
            "secondary_adjuvant_months": 3.0,
        }
    },
    "target": {"cdk46": {"therapy": "targeted"}},
}


@pytest.mark.parametrize(
    ("asked", "enrolled"),
    [
        ({"targeted_sensitive": True}, True),  # six weeks without progression: more than four
        ({"targeted_sensitive": False}, False),
        ({"targeted_resistance": ["sensitive"]}, True),
        ({"targeted_resistance": ["naive"]}, False),
        ({"endocrine_resistance": ["naive"]}, True),  # palbociclib is no endocrine therapy
    ],
)
def test_a_kind_of_therapy_of_ones_own_shows_sensitivity_by_its_own_times(
    asked: dict[str, Any], enrolled: bool
) -> None:
    prior = [{"regimen": ["palbociclib"], "until": {"progression": False, "months": 1.5}}]
    tables = {**SMALL, **OF_OWN, "patients": 5, "population": {"prior": prior, "eligibility": asked}}
    if enrolled:
        assert run_experiment(tables, jobs=1).patients.height == 5
    else:
        (key,) = asked
        with pytest.raises(InputError, match=f"none of 300 candidates was eligible.*{key} by [0-9] of"):
            run_experiment(tables, jobs=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"population": {"skin": 0.5}}, 'population.skin: "skin" is not a known key'),
        ({"population": {"viscerl": 0.5}}, 'did you mean "visceral"?'),
        ({"population": {"visceral": 1.5}}, "population.visceral: found 1.5; allowed: from 0 to 1"),
        ({"population": {"visceral_growth": 0.01}}, "visceral_growth: found 0.01; allowed: from 0.1 to 10"),
        ({"population": {"visceral": "half"}}, 'population.visceral: found "half"; allowed: a number'),
        ({"population": {"eligibility": {"skin": True}}}, 'eligibility.skin: "skin" is not a known key'),
        ({"population": {"eligibility": {"visceral": 1}}}, "visceral: found 1; allowed: true or false"),
        ({"population": {"eligibility": {"endocrine_resistance": "naive"}}}, "allowed: a list of"),
        (
            {"population": {"eligibility": {"endocrine_resistance": ["early"]}}},
            'found "early"; allowed: "naive"',
        ),
        (
            {"population": {"eligibility": {"endocrin_sensitive": True}}},
            'did you mean "endocrine_sensitive"?',
        ),
        ({"site": {"label": {"label": "x"}}}, "site.label: found the name of a key"),
        ({"site": {"skin": {"label": ""}}}, "site.skin.label"),
        (
            {"therapy": {"chemotherapy": OF_OWN["therapy"]["targeted"]}},
            "therapy.chemotherapy: is known to every",
        ),
        ({"target": {"cdk46": {"therapy": "targetd"}}}, '"targetd" is not a known kind of therapy'),
        ({"therapy": {"new": {"label": "New"}}}, "therapy.new.sensitive_weeks: missing"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(**changes)


def test_a_rule_about_a_site_that_is_not_there_is_refused() -> None:
    choice = [{"if": {"skin": True}, "regimen": ["fulvestrant"]}, {"regimen": ["letrozole"]}]
    said = refusal(arm=[{"name": "a", "line": [{"choose": choice}]}])
    assert 'arm[0].line[0].choose[0].if.skin: "skin" is not a known key' in said


def test_an_experiment_written_before_sites_were_data_reads_as_it_did() -> None:
    now = Experiment.from_dict({**SMALL, "seed": 1})
    tables = now.resolved()
    before = {key: table for key, table in tables.items() if key not in ("site", "therapy")}
    assert Experiment.from_dict(before).to_core() == Experiment.from_dict(tables).to_core() == now.to_core()


def test_eligibility_is_said_in_words() -> None:
    asked = {"brain": False, "targeted_sensitive": True, "targeted_resistance": ["primary", "naive"]}
    words = Eligibility.model_validate(asked).in_words()
    assert "without brain disease" in words
    assert "sensitive to targeted therapy" in words
    assert "whose targeted resistance is primary or naive" in words


def test_rules_on_sums_are_told_where_a_share_cannot_be_measured() -> None:
    line = {"regimen": ["letrozole"], "until": {"response": -0.3, "months": 3}}
    population = {"bone_only": 0.5, "visceral": 0.0, "skin": 0.5}
    tables = {**SMALL, **THIRD, "population": population, "arm": [{"name": "a", "line": [line]}]}
    assert "(75% of the population)" in " ".join(notices(Experiment.from_dict(tables)))


def test_the_page_of_another_cancer_has_its_own_sites_drugs_and_genes() -> None:
    catalogue = Catalogue.of(LUNG)
    known = catalogue.experiment.knowledge
    assert flags(catalogue.experiment.population, known)["brain"] == "Metastases in the brain"
    assert not {*known.sites, *known.therapies} & {*Knowledge.shipped().sites, *Knowledge.shipped().therapies}
    assert catalogue.drugs_of_lines("gefitinib first")[0] == ("gefitinib",)
    given = {drug for arm in catalogue.arms for line in catalogue.drugs_of_lines(arm) for drug in line}
    assert given <= set(known.drugs)


def test_explain_takes_the_population_of_a_network_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--drugs", "osimertinib", "--knowledge", str(LUNG.parent / "knowledge")]) == 0
    assert "The median patient of egfr_lung" in capsys.readouterr().out
