"""Copies of a locus in variant allele fractions, and what goes wrong with single cells."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm import InputError
from tumor_abm.evolution.clonal_input import conipher, pyclone_vi
from tumor_abm.evolution.sequencing import SingleCellErrors
from tumor_abm.knowledge import Knowledge


@pytest.fixture(scope="module")
def tumour() -> ta.Population:
    population = ta.Population(
        engine="cells",
        division=[0.4, 0.6],
        death=[0.1, 0.1],
        mutation=[[0.01, 5e-3], [0, 0.01]],
        initial=[5, 0],
        dt=0.25,
        seed=3,
        genealogy=True,
        keep_extinct=True,
        max_clones=10_000,
    )
    while population.counts.sum() < 2_000:
        population.step()
    return population


def drawn(tumour: ta.Population, copies: dict[int, tuple[float, float]] | None = None) -> ta.Mutations:
    return ta.Mutations.draw(tumour.genealogy, 3, truncal=10, clones=tumour.all_clones, copies=copies, seed=1)


def test_copies_change_drivers_alone(tumour: ta.Population) -> None:
    table = drawn(tumour, {1: (8, 7)}).table
    assert table.drop("copies", "mutant_copies").equals(drawn(tumour).table)
    drivers = table.filter(origin="driver")
    assert drivers.height > 0
    assert drivers.select("copies", "mutant_copies").unique().rows() == [(8.0, 7.0)]
    assert table.filter(pl.col("origin") != "driver").select("copies", "mutant_copies").unique().rows() == [
        (2.0, 1.0)
    ]


@pytest.mark.parametrize(("total", "mutant"), [(2.0, 1.0), (1.0, 1.0), (8.0, 7.0), (2.0, 2.0)])
def test_a_fraction_counts_all_copies_of_the_locus(
    tumour: ta.Population, total: float, mutant: float
) -> None:
    """Copies that mutate, over those of carriers, of other cancer cells and of normal cells."""
    mutations = drawn(tumour, {1: (total, mutant)})
    depth, purity = 1e6, 0.6
    reads = ta.Sequencing(depth=depth, purity=purity).bulk(mutations, seed=2)
    about = reads.join(mutations.table.select("mutation", "origin"), on="mutation")
    row = about.filter(origin="driver").sort("carriers").row(-1, named=True)
    share = row["cancer_cell_fraction"] * purity
    expected = share * mutant / (share * total + (1 - share) * 2)
    assert row["vaf"] == pytest.approx(expected, abs=5 * (expected * (1 - expected) / depth) ** 0.5)


def test_programs_are_told_the_copies_where_most_cancer_cells_have_them(tumour: ta.Population) -> None:
    mutations = drawn(tumour, {1: (1, 1)})
    rows = {"all": np.arange(2_000), "resistant": np.flatnonzero(tumour.cells["type"].to_numpy() == 1)}
    reads = ta.Sequencing(depth=300).samples(mutations, rows, seed=2)
    table, other = pyclone_vi(reads), conipher(reads, case="x")
    seen = reads.filter(pl.col("called").any().over("mutation"))
    for k, (fraction, origin) in enumerate(seen.select("cancer_cell_fraction", "origin").iter_rows()):
        lost = origin == "driver" and fraction > 0.5
        assert (table["major_cn"][k], table["minor_cn"][k]) == ((1, 0) if lost else (1, 1))
        assert (other["COPY_NUMBER_A"][k], other["COPY_NUMBER_B"][k]) == ((1, 0) if lost else (1, 1))
        assert other["PLOIDY"][k] == 2


@pytest.mark.parametrize("pair", [(1, 2), (0, 0), 3, (2, 0), ("a", 1), (2, 1, 1)])
def test_copies_that_cannot_be_are_refused(tumour: ta.Population, pair: object) -> None:
    with pytest.raises(InputError, match=r"copies\[1\]: found"):
        drawn(tumour, {1: pair})  # type: ignore[dict-item]


def test_knowledge_says_what_is_amplified_and_what_is_lost() -> None:
    known = Knowledge.shipped().alterations
    for name, alteration in known.items():
        numbers = alteration.copy_number
        if alteration.origin.kind == "two_hit":
            assert (numbers.copies.value, numbers.mutant_copies.value) == (1, 1)
        elif name.endswith("amplification"):
            assert numbers.mutant_copies.value > 1
        else:
            assert (numbers.copies.value, numbers.mutant_copies.value) == (2, 1)


def test_mutations_of_a_cell_are_those_it_is_counted_for(tumour: ta.Population) -> None:
    mutations = drawn(tumour)
    for row in (0, 17, 1999):
        assert mutations.of_cell(row).tolist() == np.flatnonzero(mutations.carriers([row])).tolist()


def test_without_errors_single_cells_are_read_as_before(tumour: ta.Population) -> None:
    mutations = drawn(tumour)
    plain = ta.Sequencing(depth=30).single_cells(mutations, [1, 2], seed=3)
    assert plain.columns == ["cell", "mutation", "depth", "alt_reads", "vaf", "called"]
    with_none = ta.Sequencing(depth=30).single_cells(mutations, [1, 2], seed=3, errors=SingleCellErrors())
    assert with_none["carried"].all()
    assert with_none["mutation"].equals(plain["mutation"])


def test_dropout_loses_each_copy_with_its_chance(tumour: ta.Population) -> None:
    """Of heterozygous sites (1-d)d show no mutant copy, d(1-d) no other, and d^2 nothing."""
    mutations, chance = drawn(tumour), 0.3
    rows = np.arange(0, 2_000, 10)
    reads = ta.Sequencing(depth=1e4).single_cells(
        mutations, rows, seed=4, errors=SingleCellErrors(dropout=chance)
    )
    assert reads["carried"].all()
    n = reads.height
    for found, expected in (
        ((reads["depth"] == 0).sum(), chance**2),
        ((reads["vaf"] == 0).sum(), chance * (1 - chance)),
        ((reads["vaf"] == 1).sum(), chance * (1 - chance)),
    ):
        assert found / n == pytest.approx(expected, abs=5 * (expected * (1 - expected) / n) ** 0.5)


def test_false_positives_are_mutations_that_the_cell_has_not(tumour: ta.Population) -> None:
    mutations, chance = drawn(tumour), 0.01
    rows = np.arange(0, 2_000, 50)
    reads = ta.Sequencing(depth=100).single_cells(
        mutations, rows, seed=4, errors=SingleCellErrors(false_positives=chance)
    )
    others = sum(mutations.table.height - mutations.of_cell(int(row)).size for row in rows)
    wrong = reads.filter(~pl.col("carried"))
    assert wrong.height == pytest.approx(others * chance, abs=5 * (others * chance) ** 0.5)
    for row, own in wrong.group_by("cell"):
        assert not set(own["mutation"]) & set(mutations.of_cell(int(row[0])))
    assert wrong["vaf"].mean() == pytest.approx(0.5, abs=0.02)
    again = ta.Sequencing(depth=100).single_cells(
        mutations, rows, seed=4, errors=SingleCellErrors(false_positives=chance)
    )
    assert again.equals(reads)


@pytest.mark.parametrize("wrong", [{"dropout": -0.1}, {"false_positives": 1.5}, {"dropout": "often"}])
def test_errors_are_chances(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="from 0 to 1"):
        SingleCellErrors(**wrong)  # type: ignore[arg-type]
