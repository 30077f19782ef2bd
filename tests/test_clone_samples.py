"""The clones of a treated patient: their genealogy, and samples at diagnosis, progressions and autopsy."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import tskit
import tumor_abm as ta
from tumor_abm import InputError
from tumor_abm.evolution.clonal_input import pyclone_vi
from tumor_abm.evolution.maf import maf
from tumor_abm.model.clone_samples import CloneSamples, Taking, sample_through_treatment


@pytest.fixture(scope="module")
def model() -> ta.TumorModel:
    return ta.TumorModel(rng=3, clone_genealogy=True, collect_every_days=0, horizon_months=60.0)


@pytest.fixture(scope="module")
def samples(model: ta.TumorModel) -> CloneSamples:
    return sample_through_treatment(model, cells=20_000, seed=1)


@pytest.fixture(scope="module")
def mutations(samples: CloneSamples) -> pl.DataFrame:
    return samples.mutations(truncal=10, passengers_per_day=0.05, seed=2)


def test_the_patient_is_the_same_with_and_without_a_genealogy(
    model: ta.TumorModel, samples: CloneSamples
) -> None:
    plain = ta.TumorModel(rng=3, collect_every_days=0, horizon_months=60.0)
    plain.run()
    assert plain.outcomes.equals(model.outcomes)
    assert plain.clones.equals(model.clones)
    with pytest.raises(InputError, match="all_clones: not kept"):
        _ = plain.all_clones


def test_there_is_a_sample_at_each_moment(model: ta.TumorModel, samples: CloneSamples) -> None:
    progressions = (model.outcomes["end_reason"] == "progression").sum()
    names = samples.cells["sample"].unique(maintain_order=True).to_list()
    assert progressions >= 1
    assert names == ["diagnosis", *(f"progression {k + 1}" for k in range(progressions)), "autopsy"]
    sizes = dict(samples.cells.group_by("sample").agg(pl.col("cells").sum()).iter_rows())
    assert sizes["diagnosis"] == 20_000
    assert sizes["autopsy"] == min(20_000, model.cells)
    assert max(sizes.values()) == 20_000  # fewer where fewer live
    days = samples.cells.filter(pl.col("sample").str.starts_with("progression"))["day"].unique().to_list()
    ends = model.outcomes.filter(pl.col("end_reason") == "progression")["end_day"].to_list()
    assert sorted(days) == sorted(ends)


@pytest.mark.parametrize("every", [0, -7, "weekly", float("inf")])
def test_samples_cannot_be_taken_at_odd_intervals(every: object) -> None:
    with pytest.raises(InputError, match="every_days: found"):
        Taking(cells=10, every_days=every)  # type: ignore[arg-type]


def test_every_clone_goes_back_to_the_first_cell(model: ta.TumorModel, samples: CloneSamples) -> None:
    clones = samples.clones
    assert clones["parent"].null_count() == 1
    known = set(clones["clone"])
    assert set(clones["parent"].drop_nulls()) <= known
    assert set(samples.cells["clone"]) <= known
    born = dict(clones.select("clone", "born_day").iter_rows())
    assert all(born[parent] <= born[clone] for clone, parent in clones.select("clone", "parent").rows()[1:])
    ever = model.all_clones
    assert ever["clone"].n_unique() == ever.height > clones.height
    assert ever.filter(pl.col("died_day").is_null())["cells"].sum() == model.cells


def test_drivers_are_what_a_clone_has_and_its_parent_lacks(
    samples: CloneSamples, mutations: pl.DataFrame
) -> None:
    carried = {
        clone: set(names) for clone, names in samples.clones.select("clone", "alterations").iter_rows()
    }
    drivers = mutations.filter(pl.col("origin") == "driver")
    assert drivers.height > 0
    parent = dict(samples.clones.select("clone", "parent").iter_rows())
    for clone, alteration in drivers.select("clone", "type").iter_rows():
        assert alteration in carried[clone] - carried.get(parent[clone], set())


def test_carriers_are_the_sampled_cells_of_the_clone_and_its_descendants(
    samples: CloneSamples, mutations: pl.DataFrame
) -> None:
    reads = samples.reads(ta.Sequencing(depth=500), mutations, seed=3)
    truncal = reads.filter(pl.col("origin") == "truncal")
    sizes = dict(samples.cells.group_by("sample").agg(pl.col("cells").sum()).iter_rows())
    assert truncal["carriers"].to_list() == [sizes[name] for name in truncal["sample"]]
    parent = dict(samples.clones.select("clone", "parent").iter_rows())
    row = reads.filter((pl.col("origin") == "driver") & (pl.col("carriers") > 0)).row(-1, named=True)
    below = 0
    for clone, cells in (
        samples.cells.filter(pl.col("sample") == row["sample"]).select("clone", "cells").iter_rows()
    ):
        line: int | None = clone
        while line is not None and line != row["clone"]:
            line = parent[line]
        below += cells if line is not None else 0
    assert row["carriers"] == below


def test_reads_go_into_a_maf_and_into_programs(samples: CloneSamples, mutations: pl.DataFrame) -> None:
    reads = samples.reads(ta.Sequencing(depth=500, purity=0.3), mutations, seed=3)
    of_all = samples.cells["sample"].n_unique()
    assert reads.group_by("mutation").len()["len"].unique().to_list() == [of_all]
    assert pyclone_vi(reads, purity=0.3, true=True)["sample_id"].n_unique() == of_all
    first = reads.filter(pl.col("sample") == "diagnosis")
    table = maf(first, tumour="patient 0", sample="diagnosis")
    assert table.height == first["called"].sum() > 0


def test_trees_tell_clone_genotype_sample_and_provenance(samples: CloneSamples, model: ta.TumorModel) -> None:
    sequence = samples.tree_sequence()
    assert sequence.num_samples == samples.cells.height
    tree = sequence.first()
    for node, clone in enumerate(samples.clones.iter_rows(named=True)):
        told = sequence.node(node).metadata
        assert (told["clone"], told["alterations"]) == (clone["clone"], clone["alterations"])
        parent = tree.parent(node)
        if clone["parent"] is not None:
            assert sequence.node(parent).metadata["clone"] == clone["parent"]
    sampled = [sequence.node(node).metadata for node in sequence.samples()]
    assert [told["cells"] for told in sampled] == samples.cells["cells"].to_list()
    assert {sequence.population(k).metadata["name"] for k in range(sequence.num_populations)} == set(
        samples.cells["sample"]
    )
    record = json.loads(sequence.provenance(0).record)
    tskit.validate_provenance(record)
    assert (record["parameters"]["seed"], record["parameters"]["patient"]) == (model.seed, 0)


def test_newick_has_every_clone_and_the_days_between(samples: CloneSamples) -> None:
    text = samples.newick()
    assert text.endswith(";")
    assert text.count(":") == samples.clones.height
    last = samples.clones.row(-1, named=True)
    born = dict(samples.clones.select("clone", "born_day").iter_rows())
    assert f"{last['clone']}:{last['born_day'] - born[last['parent']]:.10g}" in text


def test_samples_depend_on_their_seed_alone(samples: CloneSamples) -> None:
    again = ta.TumorModel(rng=3, clone_genealogy=True, collect_every_days=0, horizon_months=60.0)
    assert sample_through_treatment(again, cells=20_000, seed=1).cells.equals(samples.cells)


def test_a_saved_model_still_knows_its_clones(tmp_path) -> None:
    model = ta.TumorModel(rng=4, clone_genealogy=True, collect_every_days=0)
    model.run(30)
    model.save(tmp_path / "x")
    again = ta.TumorModel.load(tmp_path / "x")
    assert again.all_clones.equals(model.all_clones)
    assert np.array_equal(model.fork().all_clones["clone"], model.all_clones["clone"])
