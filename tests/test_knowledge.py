"""What is known: complete, sourced, plausible, and open to a user's own entries."""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path

import pytest
from tumor_abm import _core
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, absorption_half_life
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.knowledge.quantity import citations

KNOWN = Knowledge.shipped()
ENTRIES = {
    "drug": dict(KNOWN.drugs),
    "alteration": dict(KNOWN.alterations),
    "population": dict(KNOWN.populations),
    "pathway": dict(KNOWN.pathway.values),
    "node": dict(KNOWN.pathway.nodes),
    "imaging": KNOWN.imaging,
    "liquid_biopsy": KNOWN.assay,
    "neutropenia": KNOWN.neutropenia,
    "site": dict(KNOWN.sites),
    "therapy": dict(KNOWN.therapies),
}
ACQUIRED = ("ESR1", "RB1", "CCNE1", "CDK6")

MINE = """
[source.Me2026]
what = "Me 2026, J Test 1:1"

[drug.mine]
class = "CDK4/6 inhibitor"
dose = { value = 100.0, unit = "mg" }
route = "oral"
schedule = { days = "1-28", cycle_days = 28 }
neutrophil_slope = 0.1
discontinuation_per_month = 0.01
[drug.mine.kinetics]
half_life_h = { value = 20.0, low = 10.0, high = 30.0, unit = "h", source = "Me2026" }
t_max_h = 4.0
steady_state = 50.0
dosing_interval_h = 24.0
[drug.mine.effects.cdk46]
max = 1.0
ic50 = 10.0
hill = 1.0
"""


def experiment(regimen: list[str], **changes: object) -> dict[str, object]:
    arm = {"name": "a", "line": [{"regimen": regimen}]}
    return {"title": "t", "question": "Does it?", "seed": 1, "arm": [arm], **changes}


def with_file(tmp_path: Path, text: str) -> Knowledge:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return KNOWN.with_file(path)


def test_every_number_has_a_source() -> None:
    numbers = KNOWN.numbers()
    assert len(numbers) > 700
    assert [where for where, quantity in numbers.items() if not quantity.source] == []


def test_every_source_is_cited_and_every_citation_has_a_source() -> None:
    cited = {key for _, keys in citations(ENTRIES) for key in keys}
    assert cited - {"assumed"} == set(KNOWN.sources)


def test_every_drug_and_alteration_says_what_it_is() -> None:
    for entry in (*KNOWN.drugs.values(), *KNOWN.alterations.values(), *KNOWN.populations.values()):
        assert entry.label


def test_the_knowledge_is_part_of_the_package() -> None:
    files = {file.name for file in resources.files("tumor_abm.knowledge").iterdir()}
    assert {"alterations.toml", "drugs.toml", "pathway.toml", "populations.toml", "sources.toml"} <= files


def test_every_drug_of_the_field_is_known() -> None:
    cdk46 = {"palbociclib", "ribociclib", "abemaciclib", "dalpiciclib"}
    endocrine = {"letrozole", "anastrozole", "exemestane", "tamoxifen", "goserelin", "fulvestrant"}
    oral = {"elacestrant", "camizestrant", "imlunestrant", "giredestrant", "vepdegestrant"}
    pi3k = {"alpelisib", "inavolisib", "capivasertib", "everolimus", "gedatolisib"}
    other = {"capecitabine", "paclitaxel", "eribulin", "erdafitinib", "tagtociclib"}
    assert cdk46 | endocrine | oral | pi3k | other <= set(KNOWN.drugs)


def test_the_core_set_is_in_play_by_default() -> None:
    assert KNOWN.core_alterations == [
        "RB1 loss",
        "CCNE1 amplification",
        "ESR1 Y537S",
        "ESR1 D538G",
        "PIK3CA mutation",
        "CDK6-high",
        "ER loss",
        "AKT1 E17K",
        "FGFR1 amplification",
        "FGFR2 alteration",
        "KRAS activation",
        "NF1 loss",
        "ERBB2 mutation",
        "CCNE2 amplification",
        "AURKA amplification",
    ]
    with_taxane = KNOWN.core_alterations_with(["tubulin"])
    assert set(with_taxane) - set(KNOWN.core_alterations) == {
        "TUBB3 overexpression",
        "ABCB1 overexpression",
        "MCL1 amplification",
    }


def test_no_population_is_founded_by_acquired_resistance() -> None:
    for population in KNOWN.populations.values():
        genes = {KNOWN.alterations[name].gene for name in population.founder}
        assert not [gene for gene in genes if gene.startswith(ACQUIRED)]


def test_states_leave_no_trace_in_dna() -> None:
    for name, alteration in KNOWN.alterations.items():
        assert alteration.origin.kind != "state" or not alteration.in_dna, name


@pytest.mark.parametrize(
    ("drug", "node", "low", "high"),
    [
        ("letrozole", "aromatase", 0.97, 0.995),
        ("anastrozole", "aromatase", 0.96, 0.99),
        ("exemestane", "aromatase", 0.96, 0.99),
        ("goserelin", "ovary", 0.93, 0.99),
        ("fulvestrant", "er", 0.7, 0.88),
        ("elacestrant", "er", 0.85, 0.97),
        ("camizestrant", "er", 0.88, 0.98),
        ("palbociclib", "cdk46", 0.55, 0.85),
        ("ribociclib", "cdk46", 0.55, 0.85),
        ("abemaciclib", "cdk46", 0.55, 0.85),
        ("dalpiciclib", "cdk46", 0.55, 0.85),
        ("alpelisib", "pi3k_alpha", 0.5, 0.9),
        ("inavolisib", "pi3k_alpha", 0.6, 0.9),
        ("capivasertib", "akt", 0.6, 0.9),
        ("everolimus", "mtor", 0.45, 0.82),
    ],
)
def test_the_effect_at_steady_state_is_that_seen_in_patients(
    drug: str, node: str, low: float, high: float
) -> None:
    assert low < KNOWN.drugs[drug].effect_at_steady_state(node) < high  # type: ignore[arg-type]


def every_parameter_set() -> list[Knowledge]:
    return [KNOWN, *(KNOWN.with_numbers(member.overrides) for member in Ensemble.shipped().members)]


def test_a_partial_agonist_blocks_most_of_the_receptor_but_less_than_what_degrades_it() -> None:
    for known in every_parameter_set():
        tamoxifen, fulvestrant = (
            known.drugs[drug].effect_at_steady_state("er") for drug in ("tamoxifen", "fulvestrant")
        )
        assert 0.5 < tamoxifen < fulvestrant


def test_oral_serds_reach_the_mutant_receptor_better_than_fulvestrant() -> None:
    for known in every_parameter_set():
        fold = known.alterations["ESR1 Y537S"].effect["er_antagonist_fold"]
        assert fold is not None
        fulvestrant, *oral = (
            known.drugs[drug].effect_at_steady_state("er", potency_loss=fold.value)
            for drug in ("fulvestrant", "elacestrant", "camizestrant", "imlunestrant", "giredestrant")
        )
        assert all(effect > fulvestrant for effect in oral)


@pytest.mark.parametrize(
    ("half_life_h", "t_max_h"), [(29.0, 7.0), (0.75, 1.5), (120.0, 336.0), (40.0, 40.0 / math.log(2.0))]
)
def test_absorption_puts_the_peak_where_it_is_published(half_life_h: float, t_max_h: float) -> None:
    ke = math.log(2.0) / half_life_h
    ka = math.log(2.0) / absorption_half_life(half_life_h, t_max_h)
    times = [t_max_h * (0.99 + 0.01 * i) for i in range(3)]
    before, peak, after = _core.oral_concentration(1.0, ka, ke, [0.0], times)
    assert before < peak > after


def test_every_drug_and_every_alteration_is_accepted_by_the_core() -> None:
    whole = experiment(list(KNOWN.drugs), alterations=list(KNOWN.alterations))
    _core.Experiment(json.dumps(Experiment.from_dict(whole).to_core()))


@pytest.mark.parametrize("population", list(KNOWN.populations))
def test_every_population_is_accepted_by_the_core(population: str) -> None:
    Experiment.from_dict(experiment(["fulvestrant"], population=population))


def test_a_user_adds_a_drug(tmp_path: Path) -> None:
    knowledge = with_file(tmp_path, MINE)
    assert knowledge.drugs["mine"].to_core("mine", KNOWN.pathway.targets)["steady_state"] == 50.0
    assert knowledge.drugs["palbociclib"] == KNOWN.drugs["palbociclib"]
    assert "mine" not in KNOWN.drugs


def test_a_user_changes_one_number_of_a_known_drug(tmp_path: Path) -> None:
    knowledge = with_file(tmp_path, "[drug.palbociclib.kinetics]\nhalf_life_h = 27\n")
    changed = knowledge.drugs["palbociclib"].to_core("palbociclib", KNOWN.pathway.targets)
    known = KNOWN.drugs["palbociclib"].to_core("palbociclib", KNOWN.pathway.targets)
    assert changed["half_life_h"] == 27.0
    assert changed["effects"] == known["effects"]


def test_a_user_population_differs_from_its_base_in_what_it_says(tmp_path: Path) -> None:
    text = '[population.mine]\nbase = "after_cdk46_inhibitor"\nbone_only = 0.5\nlabel = "mine"\n'
    mine = with_file(tmp_path, text).populations["mine"]
    base = KNOWN.populations["after_cdk46_inhibitor"]
    assert mine.bone_only.value == 0.5
    assert mine.prior == base.prior
    assert mine.turnover == base.turnover


def test_a_change_of_kind_replaces_the_rates_of_the_old_kind(tmp_path: Path) -> None:
    text = '[alteration."CDK6-high".origin]\nkind = "one_hit"\nper_division = 1e-8\n'
    changed = with_file(tmp_path, text).alterations["CDK6-high"]
    origin = changed.to_core("CDK6-high", KNOWN.pathway.effects)["origin"]
    assert origin == {"kind": "one_hit", "per_division": 1e-8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINE.replace('class = "CDK4/6 inhibitor"', ""), "drug.mine.class: missing"),
        (
            MINE.replace("ic50 = 10.0", "ic50 = -1"),
            "drug.mine.effects.cdk46.ic50: found -1; allowed: from 1e-12 to 1e+12",
        ),
        (MINE.replace("effects.cdk46", "effects.cdk64"), "drug.mine.effects.cdk64"),
        (MINE.replace('days = "1-28"', 'days = "1-30"'), "drug.mine.schedule: day 29 lies outside"),
        (
            MINE.replace('days = "1-28"', 'days = "daily"'),
            'drug.mine.schedule.days: found "daily"; allowed: days',
        ),
        (MINE.replace("low = 10.0", "low = 25.0"), "half_life_h: value 20 lies outside its range, 25 to 30"),
        (MINE.replace('source = "Me2026"', 'source = "Me2062"'), 'did you mean "Me2026"?'),
        (MINE.replace('source = "Me2026"', 'source = "assumed"'), "an assumed value needs a note"),
        (MINE.replace("t_max_h = 4.0", "t_max_h = 4000"), "allowed: at most 30 half-lives"),
        (MINE.replace("t_max_h = 4.0", "t_max = 4.0"), 'did you mean "t_max_h"?'),
        (MINE.replace("hill = 1.0", 'hill = "steep"'), 'hill: found "steep"; allowed: a number'),
        (MINE.replace("neutrophil_slope = 0.1", "neutrophil_slope = true"), "found true; allowed: a number"),
        ("drug = 3", "drug: found no table"),
        ("[drug]\nmine = 3", "drug.mine: found no table"),
        ("[drugs.mine]", 'drugs: "drugs" is not a known table of knowledge; did you mean "drug"?'),
        ("[pathway]\ne2f_half = nan", "pathway.e2f_half: found nan; allowed: a finite number"),
        ('[population.a]\nbase = "b"\n[population.b]\nbase = "a"', "allowed: no circle"),
        ('[population.a]\nbase = "first_line_pre"', 'did you mean "first_line_premenopausal"?'),
        (
            '[alteration.x]\ngene = "X"\nfitness_cost = 0\neffect = {}\norigin = { kind = "state" }',
            'alteration.x.origin: kind "state" needs on_per_day and off_per_day',
        ),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        with_file(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "mine.toml") + ": ")
    assert message in str(caught.value)
