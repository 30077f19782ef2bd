"""Which treatment works in which cell: the pathway's answer, and what the literature says of it."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest
from tumor_abm._base.sinks import markdown_text
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence, response_matrix
from tumor_abm.knowledge.claims import VERDICTS, drugs_of, judged, verdict
from tumor_abm.knowledge.response import RESPONSES, response
from tumor_abm.plots import plot_responses
from tumor_abm.trials.usual import usual_pairs

from tools.biology import biology, whole_matrix, write_biology
from tools.markdown import WIDTH
from tools.reasons import missed, reasons

ROOT = Path(__file__).parents[1]
KNOWN = Knowledge.shipped()
MATRIX = whole_matrix()
JUDGED = judged(MATRIX)


def of_class(name: str) -> list[str]:
    return [drug for drug, known in KNOWN.drugs.items() if known.class_ == name]


def found(alteration: str, treatments: list[str]) -> set[str]:
    rows = MATRIX.filter(pl.col("treatment").is_in(treatments), alteration=alteration)
    assert rows.height == len(treatments)
    return set(rows["response"])


def test_the_matrix_has_every_drug_and_usual_pair_and_every_alteration_in_a_moment() -> None:
    begin = time.perf_counter()
    matrix = whole_matrix()
    assert time.perf_counter() - begin < 10
    pairs = usual_pairs()
    assert matrix.height == (len(KNOWN.drugs) + len(pairs)) * len(KNOWN.alterations)
    assert set(matrix["response"]) <= {*RESPONSES, "no effect"}
    assert matrix.drop("left").null_count().sum_horizontal().item() == 0
    assert matrix.filter(pl.col("left").is_null())["response"].unique().to_list() == ["no effect"]


def test_usual_pairs_are_those_of_trials() -> None:
    pairs = usual_pairs()
    assert {
        ("letrozole", "palbociclib"),
        ("fulvestrant", "capivasertib"),
        ("exemestane", "everolimus"),
    } <= set(pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(drug in KNOWN.drugs for pair in pairs for drug in pair)


def test_rb1_loss_is_resistant_to_every_cdk46_inhibitor_and_not_to_chemotherapy() -> None:
    assert found("RB1 loss", of_class("CDK4/6 inhibitor")) == {"resistant"}
    assert found("RB1 loss", [*of_class("taxane"), *of_class("antimetabolite")]) == {"none"}


@pytest.mark.parametrize("alteration", ["ESR1 Y537S", "ESR1 D538G", "ESR1 fusion"])
def test_esr1_mutations_are_resistant_to_aromatase_inhibitors_and_not_to_cdk46_inhibitors(alteration) -> None:
    assert found(alteration, of_class("aromatase inhibitor")) == {"resistant"}
    assert found(alteration, of_class("CDK4/6 inhibitor")) == {"none"}


def test_a_target_that_an_alteration_drives_makes_its_drug_work() -> None:
    assert (
        "sensitised" in found("PIK3CA mutation", of_class("PI3K-alpha inhibitor")) <= {"sensitised", "none"}
    )
    driven = MATRIX.filter(
        pl.col("treatment").is_in(of_class("CDK2 inhibitor")),
        pl.col("alteration").is_in(["CCNE1 amplification", "CCNE2 amplification"]),
    )
    assert driven.height == 2 * len(of_class("CDK2 inhibitor")) > 0
    assert driven["left"].min() > 1  # type: ignore[operator]


def test_what_does_nothing_in_the_wild_type_has_no_effect_to_lose() -> None:
    assert found("RB1 loss", ["avelumab", "goserelin"]) == {"no effect"}
    before_menopause = response_matrix(treatments=[["goserelin"]], population="first_line_premenopausal")
    assert "no effect" not in set(before_menopause["response"])


def test_a_drug_and_a_population_that_are_not_known_are_refused() -> None:
    with pytest.raises(InputError, match="letrzole"):
        response_matrix(treatments=[["letrzole"]])
    with pytest.raises(InputError, match="nobody"):
        response_matrix(population="nobody")


@pytest.mark.parametrize(
    ("left", "means"),
    [
        (-1, "resistant"),
        (0.2499, "resistant"),
        (0.25, "partial"),
        (0.8, "none"),
        (1.25, "none"),
        (1.26, "sensitised"),
    ],
)
def test_how_much_is_left_says_what_it_means(left: float, means: str) -> None:
    assert response(left) == means


# ------------------------------------------------------------------------------ what the literature says


def test_every_claim_stands_word_by_word_in_the_table_it_is_taken_from() -> None:
    rows = {row["alteration"]: row for row in evidence.alterations().to_dicts()}
    claims = evidence.claims()
    for claim in claims.to_dicts():
        assert claim["words"] in rows[claim["row"]][claim["column"]], claim
        assert claim["alteration"] in KNOWN.alterations
        assert drugs_of(claim["treatment"], KNOWN), claim
        assert claim["expected"] in ("resistant", "less", "partial", "active", "sensitised", "open")
    assert JUDGED.group_by("treatment", "alteration").len()["len"].to_list() == [1] * JUDGED.height


def test_verdicts_follow_the_direction() -> None:
    for expected in ("resistant", "less", "partial"):
        assert verdict(expected, "sensitised") == "disagree"
        assert verdict(expected, "none") == "too weak"
    assert verdict("less", "resistant") == verdict("less", "partial") == "agree"
    assert verdict("partial", "resistant") == "disagree"
    assert verdict("active", "none") == verdict("active", "sensitised") == "agree"
    assert verdict("sensitised", "partial") == "disagree"
    assert verdict("resistant", "no effect") == "not tested"


def test_endocrine_therapy_and_chemotherapy_are_all_drugs_of_that_kind() -> None:
    endocrine, chemotherapy = (drugs_of(kind, KNOWN) for kind in ("endocrine therapy", "chemotherapy"))
    assert {"letrozole", "tamoxifen", "fulvestrant", "vepdegestrant"} <= set(endocrine)
    assert {"paclitaxel", "capecitabine", "eribulin"} <= set(chemotherapy)
    assert not {"palbociclib", "pembrolizumab"} & {*endocrine, *chemotherapy}


def test_nothing_disagrees_with_what_is_published_and_little_is_too_weak() -> None:
    counts = dict(JUDGED["verdict"].value_counts().rows())
    assert set(counts) == set(VERDICTS) - {"disagree"}
    assert counts["agree"] > 10 * counts["too weak"]
    assert counts["too weak"] <= 30


def test_every_claim_that_is_missed_has_a_reason_and_every_reason_a_claim() -> None:
    claims = set(evidence.claims().select("alteration", "words").iter_rows())
    assert set(missed(JUDGED)) <= set(reasons()) <= claims


# --------------------------------------------------------------------------------------------- the page


def test_the_page_of_biology_is_up_to_date() -> None:
    written = (ROOT / "docs" / "biology.md").read_text(encoding="utf-8")
    assert written == biology(MATRIX), "make biology"
    assert max(map(len, written.splitlines())) <= WIDTH


def test_every_disagreement_is_on_the_page() -> None:
    section = biology(MATRIX).split("Where the model disagrees:")[1].split("Where it is too weak:")[0]
    for row in JUDGED.filter(verdict="disagree").iter_rows(named=True):
        assert row["alteration"] in section
        assert markdown_text(row["words"]) in section


def test_the_page_is_written_with_its_figures(tmp_path: Path) -> None:
    files = write_biology(tmp_path / "biology.md")
    assert [file.relative_to(tmp_path).as_posix() for file in files] == [
        "biology.md",
        "images/pathway.svg",
        "images/response_matrix.svg",
    ]
    for file in files[1:]:
        assert "<svg" in file.read_text(encoding="utf-8")
        assert (ROOT / "docs" / file.relative_to(tmp_path)).is_file()


def test_users_alterations_and_drugs_of_any_name_are_drawn() -> None:
    matrix = response_matrix(treatments=[["letrozole"]]).with_columns(
        treatment=pl.lit("$5 [red] <b>"), alteration=pl.lit("_hidden $x_1^2$")
    )
    plot_responses(matrix).draw_without_rendering()
