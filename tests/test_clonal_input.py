"""Several samples of one tumour, and the input of programs that infer its clones from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from scipy import stats
from tumor_abm import InputError
from tumor_abm.evolution.clonal_input import conipher, pyclone_vi, write_clonal_input
from tumor_abm.evolution.maf import maf

DEPTH, PURITY = 200.0, 0.8


@pytest.fixture(scope="module")
def mutations() -> ta.Mutations:
    tumour = ta.Population(
        engine="cells",
        division=[0.5, 0.7],
        death=[0.1, 0.1],
        mutation=[[0.0, 0.01], [0, 0]],
        initial=[1, 0],
        dt=0.25,
        seed=11,
        genealogy=True,
        keep_extinct=True,
    )
    while tumour.counts.sum() < 600:
        tumour.step()
    return ta.Mutations.draw(tumour.genealogy, 3.0, truncal=5, clones=tumour.all_clones, seed=1)


@pytest.fixture(scope="module")
def samples() -> dict[str, np.ndarray]:
    return {"left": np.arange(0, 60), "right": np.arange(300, 340), "one cell": np.array([500])}


@pytest.fixture(scope="module")
def reads(mutations: ta.Mutations, samples: dict[str, np.ndarray]) -> pl.DataFrame:
    return ta.Sequencing(depth=DEPTH, purity=PURITY).samples(mutations, samples, seed=2)


def test_every_mutation_of_any_sample_is_read_in_all(
    mutations: ta.Mutations, samples: dict[str, np.ndarray], reads: pl.DataFrame
) -> None:
    anywhere = np.flatnonzero(sum(mutations.carriers(rows) for rows in samples.values()))
    for name, rows in samples.items():
        own = reads.filter(pl.col("sample") == name)
        assert np.array_equal(own["mutation"], anywhere)
        assert np.array_equal(own["carriers"], mutations.carriers(rows)[anywhere])
        about = mutations.table[anywhere].drop("mutation")
        assert own.select(about.columns).equals(about)


def test_where_nobody_carries_a_mutation_there_is_depth_and_no_mutant_read(reads: pl.DataFrame) -> None:
    absent = reads.filter(pl.col("carriers") == 0)
    assert absent.height > 1_000
    assert absent["alt_reads"].max() == 0
    assert not absent["called"].any()
    depth = absent["depth"].to_numpy()
    assert abs(depth.mean() - DEPTH) < 4.9 * np.sqrt(DEPTH / depth.size)


def test_mutant_reads_follow_the_carriers_of_their_own_sample(reads: pl.DataFrame) -> None:
    some = reads.filter(pl.col("carriers") > 0)
    p = some["cancer_cell_fraction"].to_numpy() * PURITY / 2
    n = some["depth"].to_numpy().astype(float)
    z = (some["alt_reads"].to_numpy() - n * p).sum() / np.sqrt((n * p * (1 - p)).sum())
    assert abs(z) < stats.norm.isf(1e-6)


def test_a_mutation_has_one_place_in_all_samples_and_in_a_maf(reads: pl.DataFrame) -> None:
    table = pyclone_vi(reads, purity=PURITY)
    assert table.group_by("mutation_id").len()["len"].unique().to_list() == [3]
    called = reads.filter(pl.col("called").any().over("mutation"))
    assert table["mutation_id"].n_unique() == called["mutation"].n_unique()
    left = reads.filter(pl.col("sample") == "left")
    written = maf(left, tumour="t", sample="left")
    places = written.select(pl.format("1:{}", "Start_Position").alias("place"))["place"]
    assert set(places) <= set(table["mutation_id"])
    other = conipher(reads, case="t", purity=PURITY).select(pl.format("{}:{}", "CHR", "POS").alias("place"))
    assert other["place"].to_list() == table["mutation_id"].to_list()


def test_columns_are_those_that_the_programs_ask_for(reads: pl.DataFrame, tmp_path: Path) -> None:
    table = pyclone_vi(reads, purity=PURITY)
    assert table.columns == [
        *("mutation_id", "sample_id", "ref_counts", "alt_counts"),
        *("major_cn", "minor_cn", "normal_cn", "tumour_content"),
    ]
    first = table.row(0, named=True)
    assert (first["major_cn"], first["minor_cn"], first["normal_cn"], first["tumour_content"]) == (
        1,
        1,
        2,
        0.8,
    )
    write_clonal_input(table, tmp_path / "pyclone.tsv")
    assert pl.read_csv(tmp_path / "pyclone.tsv", separator="\t").height == table.height
    table = conipher(reads, case="case", purity=PURITY)
    assert table.columns == [
        *("CASE_ID", "SAMPLE", "CHR", "POS", "REF", "ALT", "REF_COUNT", "VAR_COUNT", "DEPTH"),
        *("COPY_NUMBER_A", "COPY_NUMBER_B", "ACF", "PLOIDY"),
    ]
    assert table["SAMPLE"].unique(maintain_order=True).to_list() == [
        "case_left",
        "case_right",
        "case_one cell",
    ]
    assert (table["REF_COUNT"] + table["VAR_COUNT"] == table["DEPTH"]).all()


def test_the_truth_is_told_on_request_alone(mutations: ta.Mutations, reads: pl.DataFrame) -> None:
    table = pyclone_vi(reads, true=True)
    known = ["true_node", "true_clone", "true_cancer_cell_fraction"]
    assert table.columns[-3:] == known
    drivers = mutations.table.filter(pl.col("origin") == "driver")["clone"]
    assert set(table["true_clone"].drop_nulls()) <= set(drivers)
    assert table["true_node"].drop_nulls().len() > 100
    assert not set(known) & set(conipher(reads, case="t").columns)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda reads, _: pyclone_vi(reads, purity=0), "purity: found 0; allowed: above 0, up to 1"),
        (lambda reads, _: pyclone_vi(reads.drop("depth")), "reads: found a table without depth"),
        (lambda reads, _: conipher(reads, case=3), "case: found 3; allowed: str"),
        (lambda _, m: ta.Sequencing().samples(m, {}, seed=1), "samples: found []; allowed: at least one"),
    ],
)
def test_what_is_wrong_is_said(call, said: str, reads: pl.DataFrame, mutations: ta.Mutations) -> None:
    with pytest.raises(InputError) as error:
        call(reads, mutations)
    assert said in str(error.value)
