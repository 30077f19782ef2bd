"""The pathway is data: the shipped one says what it always said, and another is read, checked and run."""

from __future__ import annotations

import itertools
import math
import tomllib
from importlib import resources
from pathlib import Path
from random import Random

import numpy as np
import pytest
import tomli_w
from fuzz import odd
from hypothesis import given, settings
from hypothesis import strategies as st
from pathway_law import rates
from tumor_abm import TumorModel
from tumor_abm._base.problems import Problems
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.formula import Name
from tumor_abm.knowledge.pathway import OUTPUTS
from tumor_abm.knowledge.ranges import check_ranges

KNOWN = Knowledge.shipped()
SHIPPED = Explanation(KNOWN)
MEDIAN = SHIPPED.median_patient("first_line_postmenopausal")
PATIENTS = [
    {
        **MEDIAN,
        "er_dependence": dependence,
        "cyclin_e": cyclin_e,
        "premenopausal": premenopausal,
        "tubulin_sensitivity": cyclin_e,
        "microtubule_ends_sensitivity": 3 * cyclin_e,
        "antimetabolite_sensitivity": 2 * cyclin_e,
        "dna_damage_sensitivity": 0.5 * cyclin_e,
        "payload_sensitivity": 1.5 * cyclin_e,
    }
    for dependence, cyclin_e, premenopausal in itertools.product(
        (0.0, 0.3, 0.9, 1.0), (0.3, 1.0, 8.0), (0.0, 1.0)
    )
]
PAIRS_OF_ALTERATIONS = [
    (),
    *((name,) for name in KNOWN.alterations),
    *itertools.combinations(KNOWN.alterations, 2),
]
PAIRS_OF_DRUGS = [(), *((name,) for name in KNOWN.drugs), *itertools.combinations(KNOWN.drugs, 2)]


def at(numbers: np.ndarray, name: str) -> np.ndarray:
    return numbers[..., OUTPUTS.index(name)]


@pytest.mark.parametrize("patient", PATIENTS[::5], ids=str)
@pytest.mark.parametrize("every", [97, pytest.param(1, marks=pytest.mark.dear)])
def test_the_shipped_formulas_give_the_rates_of_the_law_written_by_hand(
    patient: dict[str, float], every: int
) -> None:
    """Every pair of alterations under every pair of drugs, by the core; so many of them by hand."""
    treatments = [dict.fromkeys(pair, 1.0) for pair in PAIRS_OF_DRUGS]
    numbers = SHIPPED.numbers(patient, treatments=treatments, genotypes=PAIRS_OF_ALTERATIONS)
    assert np.isfinite(numbers).all()
    looked_at = itertools.product(enumerate(treatments), enumerate(PAIRS_OF_ALTERATIONS))
    for (t, treatment), (g, genotype) in itertools.islice(looked_at, 0, None, every):
        expected = rates(KNOWN, patient, genotype, treatment)
        assert tuple(numbers[t, g]) == pytest.approx(expected, rel=1e-12, abs=1e-15), (treatment, genotype)


def test_the_rates_of_a_patients_clones_are_those_that_the_pathway_explains() -> None:
    """The core works out only what differs between genotypes; the explanation works out all of it."""
    model = TumorModel(seed=5, strategy=[["letrozole", "palbociclib"]], patient=3)
    for _ in range(40):
        model.step()
    drugs = {row["drug"]: row["concentration"] for row in model.drugs.to_dicts()}
    levels = {name: KNOWN.drugs[name].kinetics.steady_state.value for name in drugs}
    patient = SHIPPED.patient_of(model.covariates)
    found = model.genotypes
    genotypes = [agent.alterations for agent in model.agents]
    treatment = {name: drugs[name] / levels[name] for name in drugs}
    numbers = SHIPPED.numbers(patient, treatments=[treatment], genotypes=genotypes)[0]
    expected = [(agent.division, agent.death) for agent in model.agents]
    assert len(expected) > 5
    assert found.height > 5
    assert numbers.tolist() == pytest.approx(np.array(expected), rel=1e-12)


def test_the_core_and_numpy_agree_on_every_node() -> None:
    nodes = [Name("", name) for name in KNOWN.pathway.order]
    genotype, drugs = ["ESR1 Y537S", "PIK3CA mutation"], {"fulvestrant": 1.0, "alpelisib": 0.5}
    numbers = SHIPPED.numbers(MEDIAN, treatments=[drugs], genotypes=[genotype], nodes=nodes)[0, 0]
    inputs = KNOWN.pathway.inputs()
    given_ = SHIPPED.numbers(MEDIAN, treatments=[drugs], genotypes=[genotype], nodes=inputs)[0, 0]
    program = KNOWN.pathway.program
    slots = program.run({name: np.array([value]) for name, value in zip(inputs, given_, strict=True)})
    assert [slots[program.slots[name]][0] for name in nodes] == pytest.approx(numbers.tolist(), rel=1e-12)


DOSES = st.floats(0, 100)
SOME_DRUGS = st.dictionaries(st.sampled_from(list(KNOWN.drugs)), DOSES, max_size=5)
SOME_ALTERATIONS = st.lists(st.sampled_from(list(KNOWN.alterations)), unique=True, max_size=8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SOME_DRUGS, SOME_ALTERATIONS, st.sampled_from(PATIENTS))
def test_any_drugs_at_any_dose_on_any_alterations_give_finite_bounded_rates(
    drugs, alterations, patient
) -> None:
    nodes = [*(Name("", name) for name in (*OUTPUTS, "e2f_untreated"))]
    nodes += [Name("alteration", "fitness"), Name("alteration", "cdk7_gain")]
    numbers = SHIPPED.numbers(patient, treatments=[drugs], genotypes=[alterations], nodes=nodes)
    assert np.isfinite(numbers).all()
    division, death, untreated, fitness, cdk7_gain = numbers[0, 0]
    begun = patient["division"] / untreated * fitness * (1 + 1e-12)
    deaths = sum(KNOWN.pathway[name] for name in ("er_survival", "arrest_death", "p53_death", "repair_loss"))
    lost = patient["division"] * (deaths + KNOWN.pathway["cdk7_death"] * max(cdk7_gain, 1))
    assert 0 <= division <= begun
    assert patient["death"] <= death <= patient["death"] + lost + begun


INHIBITORS = [name for name, drug in KNOWN.drugs.items() if drug.effects]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(INHIBITORS),
    DOSES,
    st.floats(1, 10),
    SOME_DRUGS,
    SOME_ALTERATIONS,
    st.sampled_from(PATIENTS),
)
def test_more_of_an_inhibitor_never_raises_division(drug, dose, more, others, alterations, patient) -> None:
    treatments = [{**others, drug: dose}, {**others, drug: dose * more}]
    less, most = at(SHIPPED.numbers(patient, treatments=treatments, genotypes=[alterations]), "division")[
        :, 0
    ]
    assert most <= less * (1 + 1e-9)


def test_every_node_has_a_source_and_every_number_a_meaning() -> None:
    pathway = KNOWN.pathway
    for node in pathway.nodes.values():
        assert node.source
        assert node.note or "assumed" not in node.source
    for entries in (pathway.constants, pathway.covariates, pathway.effects, pathway.targets, pathway.nodes):
        assert all(entry.label for entry in entries.values())


def test_the_shipped_numbers_stay_in_their_ranges() -> None:
    problems = Problems()
    check_ranges(KNOWN.pathway, problems)
    assert problems.lines == []


# --------------------------------------------------------------------------------------- a user's own pathway

MEK = """
[effect.mek_fold]
label = "Fold by which MEK inhibitors lose potency"
neutral = 1.0
combine = "multiply"
low = 1.0
high = 1000.0
[target.mek]
label = "Inhibits MEK"
potency = "mek_fold"
[node.mapk_signal]
formula = "((1 + alteration.fgfr_gain) * (1 - drug.fgfr) + alteration.mapk_gain) * (1 - drug.mek)"
"""


def with_file(tmp_path: Path, text: str) -> Knowledge:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return KNOWN.with_file(path)


def test_a_new_target_with_a_resistance_of_its_own_is_a_few_lines_of_toml(tmp_path: Path) -> None:
    text = (
        MEK
        + """
[drug.trametinib]
class = "MEK inhibitor"
label = "Inhibits MEK1 and MEK2"
dose = { value = 2.0, unit = "mg" }
route = "oral"
schedule = { days = "1-28", cycle_days = 28 }
neutrophil_slope = 0.0
discontinuation_per_month = 0.01
[drug.trametinib.kinetics]
half_life_h = 96.0
t_max_h = 1.5
steady_state = 20.0
dosing_interval_h = 24.0
[drug.trametinib.effects.mek]
max = 1.0
ic50 = 2.0
hill = 1.0
[alteration."MAP2K1 mutation"]
gene = "MAP2K1"
label = "MEK1 that inhibitors do not bind"
fitness_cost = 0.0
origin = { kind = "one_hit", per_division = 1e-8 }
effect = { mek_fold = 50.0 }
"""
    )
    explained = Explanation(with_file(tmp_path, text))
    numbers = explained.numbers(
        {**MEDIAN, "er_dependence": 0.2},
        treatments=[{}, {"trametinib": 1.0}],
        genotypes=[[], ["NF1 loss"], ["NF1 loss", "MAP2K1 mutation"]],
    )
    division = at(numbers, "division")
    assert division[1, 0] < division[0, 0]
    assert division[1, 1] < division[0, 1]
    assert division[1, 2] > division[1, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[node.e2f]\nformula = "1 +"', 'node.e2f.formula: found "1 +"; allowed: numbers, names'),
        ("[node.e2f]\nformula = \"__import__('os')\"", "node.e2f.formula: found"),
        (
            '[node.e2f]\nformula = "cdk46_activty"',
            'node.e2f.formula: "cdk46_activty" is not a known constant or node',
        ),
        ('[node.e2f]\nformula = "drug.erk"', '"drug.erk" is not a known target; did you mean "drug.er"?'),
        ('[node.e2f]\nformula = "hill(1, 2)"', "hill: found 2 arguments; allowed: 3"),
        ('[node.e2f]\nformula = "x.y.z"', "node.e2f.formula: found"),
        ('[node.er_signal]\nformula = "cyclin_d * ligand"', "node: found a circle: "),
        ('[node.mine]\nlabel = "m"\nformula = "2"', "node.mine: neither division nor death depends on it"),
        (
            '[effect.mine]\nlabel = "m"\nneutral = 0\ncombine = "add"\nlow = 0\nhigh = 1',
            "effect.mine: neither",
        ),
        ('[effect.mine]\nlabel = "m"\nneutral = 5\ncombine = "add"\nlow = 0\nhigh = 1', "neutral: found 5"),
        ('[target.er]\npotency = "er_fold"', 'target.er.potency: "er_fold" is not a known effect'),
        ('[target.er]\ncombine = "sum"', 'target.er.combine: found "sum"; allowed: "bliss", "max" or "add"'),
        (
            '[node.killed]\nformula = "chemotherapy_killed + wee1_kill + drug.kill"',
            "node.killed.formula: found",
        ),
        (
            '[node.arrest]\nformula = "1 / drug.mtor * activity * drug.kill"',
            "found no finite number where drug.mtor = 0",
        ),
        ('[node.division]\nformula = "attempted * (1 - killed) - 1"', "node.division.formula: found -1"),
        ('[node.division]\nunit = "per year"', "unit: found"),
        ("[pathway]\ne2f_half = 1e9", "pathway.e2f_half: found 1e+09; allowed: from 1e-06 to 100"),
        (
            '[alteration."RB1 loss".effect]\nrb_lot = 1',
            'alteration."RB1 loss".effect.rb_lot: "rb_lot" is not a known effect',
        ),
        ('[alteration."RB1 loss".effect]\nrb_lost = 2', "effect.rb_lost: found 2; allowed: from 0 to 1"),
        ("[drug.palbociclib.effects.cdk64]\nmax=1\nic50=1\nhill=1", "drug.palbociclib.effects.cdk64"),
        ('[covariate.age]\nlabel = "a"\nlow = 0\nhigh = 99', "covariate.age: "),
    ],
)
def test_what_is_wrong_with_a_pathway_is_said_where_it_stands(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        with_file(tmp_path, text)
    assert said in str(refused.value)
    assert "mine.toml" in str(refused.value)


ODD = st.text(st.sampled_from("()+-*/^.,<>= 0123456789eaifelsndotx\"'[]{}:"), max_size=60)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    ODD
    | st.lists(
        st.sampled_from(["drug.er", "e2f_half", "(", ")", "+", "^", "min(", "1e308", "if", "else", ","])
    ).map(" ".join)
)
def test_any_formula_is_refused_in_a_line_or_works(formula: str) -> None:
    problems = Problems("mine.toml")
    known = KNOWN.updated({"node": {"e2f": {"formula": formula}}}, problems)
    if problems.lines:
        assert all("mine.toml" in line and "\n" not in line for line in problems.lines)
    else:
        numbers = Explanation(known).numbers(MEDIAN, treatments=[{}], genotypes=[[]])
        assert math.isfinite(numbers.sum())


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_pathway_is_refused_or_works(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    shipped = resources.files("tumor_abm.knowledge").joinpath("pathway.toml").read_bytes()
    path = tmp_path / "mine.toml"
    if seed % 2:
        path.write_bytes(odd.damaged(rng, shipped))
    else:
        tables = tomllib.loads(shipped.decode())
        for _ in range(rng.randint(1, 3)):
            tables = odd.mutated(rng, tables)
        try:
            path.write_text(tomli_w.dumps(tables), encoding="utf-8")
        except (TypeError, ValueError, RecursionError):  # nothing that a file can hold
            return
    known, said = None, ""
    try:
        known = KNOWN.with_file(path)
    except InputError as error:
        said = str(error)
    if known is None:
        assert "mine.toml" in said
        return
    numbers = Explanation(known).numbers(
        {**MEDIAN, **dict.fromkeys(known.pathway.covariates, 0.5)},
        treatments=[{}, {"palbociclib": 1.0, "fulvestrant": 1.0}],
        genotypes=[[], ["RB1 loss"]],
    )
    assert np.isfinite(numbers).all()
