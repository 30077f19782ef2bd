"""What the review of resistance adds: nothing to cells without it, and to cells with it what it says."""

from __future__ import annotations

import dataclasses
import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from tumor_abm.config import load_experiment
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.formula import Name
from tumor_abm.knowledge.pathway import OUTPUTS, Node

from tools.review import answers, asked_in, claims, review, sections, state

ROOT = Path(__file__).parents[1]

KNOWN = Knowledge.shipped()
SHIPPED = Explanation(KNOWN)
MEDIAN = SHIPPED.median_patient("first_line_postmenopausal")
BEFORE = Path(__file__).parent / "data" / "pathway_before_review.toml"
NEW_DRUGS = {
    *("panobinostat", "adavosertib", "siremadlin", "trametinib", "birabresib", "galunisertib"),
    *("hydroxychloroquine", "dexamethasone"),
}
SINCE = {"akt_cdk2_gain", "fgfr_cdk2_gain", "mapk_cdk2_gain", "rb_lost"}
CORE = [name for name, one in KNOWN.alterations.items() if one.core and not SINCE & one.effect.keys()]
TARGETS_SINCE = {"cdk7", "microtubule_ends", "trop2_conjugate", "her2_conjugate"}
DRUGS = [
    name
    for name, drug in KNOWN.drugs.items()
    if name not in NEW_DRUGS and not TARGETS_SINCE & drug.effects.keys()
]
PATIENTS = [
    {**MEDIAN, "er_dependence": dependence, "cyclin_e": cyclin_e, "premenopausal": premenopausal}
    for dependence, cyclin_e, premenopausal in itertools.product((0.3, 0.9), (0.3, 3.0), (0.0, 1.0))
]


def net_growth(
    known: Knowledge, alterations: list[str], drugs: list[str], *, patient: dict[str, float] = MEDIAN
) -> float:
    numbers = Explanation(known).numbers(
        patient, treatments=[dict.fromkeys(drugs, 1.0)], genotypes=[alterations]
    )[0, 0]
    return float(numbers[OUTPUTS.index("division")] - numbers[OUTPUTS.index("death")])


def left(known: Knowledge, alterations: list[str], drugs: list[str]) -> float:
    """Effect on the altered cell over that on the wild type."""
    whole = net_growth(known, [], []) - net_growth(known, [], drugs)
    return (net_growth(known, alterations, []) - net_growth(known, alterations, drugs)) / whole


def node(known: Knowledge, name: str, alterations: list[str], drugs: list[str]) -> float:
    numbers = Explanation(known).numbers(
        MEDIAN, treatments=[dict.fromkeys(drugs, 1.0)], genotypes=[alterations], nodes=[name]
    )
    return float(numbers[0, 0, 0])


# ------------------------------------------------------------------------ neutral where it is not asked for


@pytest.mark.parametrize("patient", PATIENTS, ids=str)
def test_core_alterations_under_drugs_of_before_have_the_rates_of_before(patient: dict[str, float]) -> None:
    """Under every pair of drugs, and for every pair of alterations, to 1e-12 per day.

    But for what was decided since (docs/decisions/2026-11-30-sequences.md): alterations whose effect on CDK2
    goes with a signal, the loss of RB, and the death of cells with excess CDK2 under an inhibitor of CDK7;
    docs/decisions/2026-11-30-conjugates-and-the-ends-of-microtubules.md: other targets of these drugs.
    """
    old = dataclasses.replace(
        KNOWN.pathway,
        nodes={
            name: Node.model_validate(entry)
            for name, entry in tomllib.loads(BEFORE.read_text(encoding="utf-8"))["node"].items()
        },
    )
    treatments = [{}, *({drug: 1.0} for drug in DRUGS)]
    treatments += [dict.fromkeys(pair, 1.0) for pair in itertools.combinations(DRUGS, 2)]
    genotypes = [[], *([name] for name in CORE), *map(list, itertools.combinations(CORE, 2))]
    inputs = KNOWN.pathway.inputs()
    found = SHIPPED.numbers(patient, treatments=treatments, genotypes=genotypes)
    given = SHIPPED.numbers(patient, treatments=treatments, genotypes=genotypes, nodes=inputs)
    read = {name: given[..., at].ravel() for at, name in enumerate(inputs)}
    slots = old.program.run(read)
    for at, output in enumerate(OUTPUTS):
        before = slots[old.program.slots[Name("", output)]]
        assert np.abs(found[..., at].ravel() - before).max() < 1e-12


def test_nothing_that_the_review_adds_is_in_play_by_default() -> None:
    added = [name for name, alteration in KNOWN.alterations.items() if "review" in alteration.source]
    assert len(added) > 12
    assert not [name for name in added if KNOWN.alterations[name].core]


# --------------------------------------------------------------------------------------- nodes that matter


@pytest.mark.parametrize(
    ("alteration", "drug", "changed"),
    [
        ("MDM2 amplification", "siremadlin", "p53"),
        ("HDAC activation", "tucidinostat", "p21"),
        ("HDAC activation", "panobinostat", "er_signal"),
        ("MYC amplification", "birabresib", "myc"),
        ("HDAC5 loss", "panobinostat", "myc"),
        ("CDK7 overexpression", "samuraciclib", "cdk7"),
        ("AP-1 activation", "trametinib", "ap1"),
        ("AP-1 activation", "birabresib", "ap1"),
        ("TGF-beta activation", "galunisertib", "tgfb"),
        ("SMAD3 loss", "tagtociclib", "smad3"),
        ("Autophagy activation", "hydroxychloroquine", "sheltered"),
        ("WEE1 overexpression", "adavosertib", "cdk2_gain"),
        ("PTEN loss", "capivasertib", "signal_cdk2"),
        ("mTORC1 activation", "everolimus", "signal_cdk2"),
        ("FZR1 loss", None, "p27"),
        ("TP53 mutation", None, "p53"),
        ("PD-L1 upregulation", "avelumab", "pd_l1"),
        ("NCOR1 mutation", None, "immune_attack"),
    ],
)
def test_an_alteration_moves_its_node_and_its_drug_moves_it_back(
    alteration: str, drug: str | None, changed: str
) -> None:
    untreated, altered = (node(KNOWN, changed, carried, []) for carried in ([], [alteration]))
    assert altered != pytest.approx(untreated, rel=1e-3)
    if drug is not None:
        treated = node(KNOWN, changed, [alteration], [drug])
        assert (treated - altered) * (untreated - altered) > 0


@pytest.mark.parametrize(
    ("alteration", "drug"),
    [
        ("AP-1 activation", "trametinib"),
        ("AP-1 activation", "birabresib"),
        ("HDAC activation", "tucidinostat"),
        ("HDAC activation", "panobinostat"),
        ("WEE1 overexpression", "adavosertib"),
        ("Autophagy activation", "hydroxychloroquine"),
        ("CDK7 overexpression", "samuraciclib"),
        ("mTORC1 activation", "everolimus"),
        ("SMAD3 loss", "tagtociclib"),
        ("TGF-beta activation", "galunisertib"),
        ("MDM2 amplification", "siremadlin"),
    ],
)
def test_a_partner_gives_back_what_resistance_took_from_palbociclib(alteration: str, drug: str) -> None:
    """With it, the altered cell is less ahead of the wild type than under palbociclib alone."""
    lost = net_growth(KNOWN, [alteration], ["palbociclib"]) - net_growth(KNOWN, [], ["palbociclib"])
    with_partner = net_growth(KNOWN, [alteration], ["palbociclib", drug])
    still_lost = with_partner - net_growth(KNOWN, [], ["palbociclib", drug])
    assert lost > 0
    assert still_lost < lost


def test_mdm2_inhibitors_do_nothing_without_p53_and_kill_with_it() -> None:
    assert net_growth(KNOWN, ["TP53 mutation"], ["siremadlin"]) == net_growth(KNOWN, ["TP53 mutation"], [])
    assert net_growth(KNOWN, [], ["siremadlin"]) < net_growth(KNOWN, [], [])


def test_cdk7_inhibitors_are_weaker_without_p53() -> None:
    assert left(KNOWN, ["TP53 mutation"], ["samuraciclib"]) < 0.8


def test_loss_of_pr_resists_endocrine_therapy_less_than_loss_of_er() -> None:
    pr, er = (left(KNOWN, [f"{name} loss"], ["letrozole"]) for name in ("PR", "ER"))
    assert er < pr < 0.8


def test_p27_shields_cdk46_from_its_inhibitors_and_from_nothing_else() -> None:
    assert left(KNOWN, ["p27 shielding"], ["palbociclib"]) < 0.8
    assert left(KNOWN, ["p27 shielding"], ["letrozole"]) > 0.9


# --------------------------------------------------------------------------- off unless it is asked for


def switched_on(**numbers: float) -> Knowledge:
    return KNOWN.with_numbers({f"pathway.{name}": value for name, value in numbers.items()})


def test_damage_counts_for_more_where_repair_is_down_and_nothing_by_default() -> None:
    on = switched_on(repair_loss=0.5)
    both = ["eribulin", "palbociclib"]
    assert node(KNOWN, "unrepaired", [], both) == 0
    assert net_growth(on, [], both) < net_growth(KNOWN, [], both)
    for alone in both:
        assert net_growth(on, [], [alone]) == pytest.approx(net_growth(KNOWN, [], [alone]), abs=2e-3)


def test_antibodies_do_nothing_by_default() -> None:
    for antibody in ("avelumab", "pembrolizumab"):
        for beside in ([], ["palbociclib"]):
            assert net_growth(KNOWN, [], [*beside, antibody]) == net_growth(KNOWN, [], beside)


def test_with_the_immune_arm_on_cdk46_inhibitors_call_t_cells_and_antibodies_release_them() -> None:
    on = switched_on(immune_share=0.2)
    assert net_growth(on, [], []) == net_growth(KNOWN, [], [])
    assert net_growth(on, [], ["palbociclib"]) < net_growth(KNOWN, [], ["palbociclib"])
    assert net_growth(on, [], ["palbociclib", "avelumab"]) < net_growth(on, [], ["palbociclib"])
    gain = net_growth(on, [], ["palbociclib"]) - net_growth(on, [], ["palbociclib", "avelumab"])
    assert gain > net_growth(on, [], []) - net_growth(on, [], ["avelumab"])


@pytest.mark.parametrize("drug", ["paclitaxel", "capecitabine", "dexamethasone"])
def test_chemotherapy_and_steroids_lower_t_cells(drug: str) -> None:
    assert node(KNOWN, "t_cells", [], [drug]) < 1


@pytest.mark.parametrize(
    "alteration", ["NCOR1 mutation", "MUC4 mutation", "MUC16 mutation", "PD-L1 upregulation"]
)
def test_what_escapes_t_cells_gains_only_where_they_kill(alteration: str) -> None:
    on = switched_on(immune_share=0.2)
    drugs = ["palbociclib"]
    gains = [net_growth(known, [alteration], drugs) - net_growth(known, [], drugs) for known in (KNOWN, on)]
    assert gains[0] <= 0 < gains[1]


def test_rb_is_needed_for_antigen_to_rise() -> None:
    assert node(KNOWN, "antigen", ["RB1 loss"], ["palbociclib"]) == 1
    assert node(KNOWN, "antigen", [], ["palbociclib"]) > 1


# ----------------------------------------------------------------------------------------------- the page


def test_the_page_of_the_review_is_up_to_date() -> None:
    assert (ROOT / "docs" / "review.md").read_text(encoding="utf-8") == review(), "make review"


def test_every_claim_has_an_entry_or_a_reason_and_evidence_for_and_against() -> None:
    for claim in claims():
        assert bool(claim["entries"]) != ("none" in claim), claim["claim"]
        assert claim["for"]
        assert claim["against"]
        for entry in claim["entries"]:
            assert state(entry, KNOWN)
        for key in re.findall(r"\[([\w, ]+)\]", f"{claim['for']} {claim['against']}"):
            assert set(key.split(", ")) <= set(KNOWN.sources), claim["claim"]


def test_every_section_of_the_review_on_resistance_and_strategies_is_there() -> None:
    numbers = [section["number"] for section in sections()]
    assert numbers[1:] == [
        *("4.1.1", "4.1.2", "4.1.3", "4.1.4", "4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5"),
        *("5.1", "5.2", "5.3", "5.4", "5.5"),
    ]


def test_every_strategy_is_asked_by_an_experiment_that_can_be_read() -> None:
    strategies = [claim for section in sections() if section["number"] > "5" for claim in section["claim"]]
    assert all(claim["experiments"] for claim in strategies)
    asked = {name for claim in claims() for name in claim.get("experiments", ())}
    for name in sorted(asked):
        load_experiment(asked_in(name))
    small = {f"review/{file.stem}" for file in (ROOT / "experiments" / "review").glob("*.toml")}
    assert small <= asked
    assert set(answers()) <= small


def test_every_alteration_and_drug_that_the_review_brought_stands_in_a_claim() -> None:
    told = {entry for claim in claims() for entry in claim["entries"]}
    brought = {name for name, alteration in KNOWN.alterations.items() if "review" in alteration.source}
    assert brought | NEW_DRUGS <= told
