"""Shipped studies of one question each: they are sound, and what is drawn of them is what they found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm._base.toml import read_toml
from tumor_abm.batch import BatchStudy, load_batch, run_batch
from tumor_abm.config import Experiment
from tumor_abm.model.patient_samples import write_samples
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results
from tumor_abm.study import Study, run_study

from tools import ctdna, doses, ranking, spectra

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
BATCHES = sorted((EXPERIMENTS / "batches").glob("*.toml"))
SAMPLED = EXPERIMENTS / "samples" / "ctdna_and_clones.toml"
STUDY = EXPERIMENTS / "evolution" / "neutral_or_selected.toml"


@pytest.mark.parametrize("file", BATCHES, ids=lambda file: file.stem)
def test_every_shipped_batch_is_sound(file: Path) -> None:
    study = load_batch(file)
    assert study.runs >= 15
    assert study.written.seed == 1


@pytest.mark.slow
def test_what_moves_the_ranking_is_told_of_every_parameter(tmp_path: Path) -> None:
    file = EXPERIMENTS / "batches" / "what_moves_the_ranking.toml"
    tables = read_toml(file) | {"points": 2}
    tables["set"] |= {"patients": 12, "stride_days": 7}
    batch = run_batch(BatchStudy.from_dict(tables, file=file), tmp_path / "out", jobs=1)
    names = [axis["name"] for axis in tables["axis"]]
    axes = ranking.figure(batch).axes[0]
    assert sorted(label.get_text() for label in axes.get_yticklabels()) == sorted(names)
    assert all(f"| {name} |" in ranking.table_of(batch) for name in names)
    told = ranking.ranking(batch).row(0, named=True)
    assert told["points"] == batch.points.height == 2 * (len(names) + 1)
    assert told["lowest"] <= told["median"] <= told["highest"]
    assert (
        told["reversed"] == batch.summary().filter(pl.col("value") > 1, measure="PFS2", statistic="hr").height
    )


def test_loss_is_compared_patient_by_patient(tmp_path: Path) -> None:
    file = EXPERIMENTS / "batches" / "dose_and_schedule.toml"
    tables = read_toml(file) | {"replicates": 2, "set": {"patients": 20, "stride_days": 7}}
    batch = run_batch(BatchStudy.from_dict(tables, file=file), tmp_path / "out", jobs=1)
    assert len(doses.figures(batch)) == 2
    assert doses.table_of(batch).count("\n") == 2 + batch.points.height
    common = "ESR1 Y537S"  # loss of RB1 is too rare for so few
    told = batch.summary().filter(measure=f"{common}, line 1", statistic="carried_pct").sort("point")
    tumours = (told["value"] * told["n"] / 100).to_numpy()
    assert tumours.max() > 0
    rows = doses.lost_more_often(batch, common)
    assert rows["more"].to_numpy() == pytest.approx(100 * (tumours - tumours[0]) / 40)
    assert rows.row(0) == (0, 0.0, 0.0)
    assert (rows["error"] > 0).sum() > 0


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, pl.DataFrame]:
    tables = read_toml(SAMPLED) | {"patients": 4, "horizon_months": 18}
    results = run_experiment(Experiment.from_dict(tables), jobs=1)
    samples = write_samples(results, tmp_path_factory.mktemp("samples"))
    return results, ctdna.compared(results, samples["sampled_mutations"])


def test_plasma_reads_what_the_shares_of_cells_let_expect(sampled: tuple[Results, pl.DataFrame]) -> None:
    results, beside = sampled
    genomes, depth = (results.experiment["liquid_biopsy_panel"][0][key] for key in ("genomes", "depth"))
    # Two binomial draws: of genomes by the clone, and of reads by the allele. Where the first draws all cells
    # of a small tumour there is less chance, never more.
    variance = pl.col("expected") * (1 / depth + 1 / genomes)
    away = (pl.col("vaf") - pl.col("expected")).abs() / variance.sqrt()
    frequent = beside.filter(pl.col("expected") > 0.01)
    assert frequent.height > 20
    assert frequent.select(away.max()).item() < 5
    assert beside["share"].is_between(0, 1).all()
    assert beside.filter(pl.col("expected") < 1e-6)["called"].sum() == 0


def test_one_patient_is_drawn_with_all_samples(sampled: tuple[Results, pl.DataFrame]) -> None:
    results, beside = sampled
    patient = ctdna.shown_patient(beside)
    above, below = ctdna.figure(results, beside, patient, 0.001).axes
    months = beside.filter(patient=patient)["day"].unique().sort() / (365.25 / 12)
    assert any(
        np.allclose(line.get_xdata(), months) for line in below.lines if len(line.get_xdata()) == len(months)
    )
    assert above.get_yscale() == below.get_yscale() == "log"
    rows = ctdna.agreement(beside)
    assert sum(int(row[1]) for row in rows) == beside.filter(pl.col("share") >= ctdna.ABUNDANT).height


def test_frequent_mutations_are_counted_from_the_spectrum(tmp_path: Path) -> None:
    tables = read_toml(STUDY) | {"replicates": 2, "cells": 2_000, "whole_tumour_cells": 200, "biopsy": []}
    results = run_study(Study.from_dict(tables), tmp_path / "out", jobs=1)
    for scenario in ("Neutral, 2-D", "Selected, well mixed"):
        counted = spectra.frequent(results, scenario)
        for replicate, cells in (
            results["tumours"].filter(scenario=scenario).select("replicate", "cells").rows()
        ):
            own = results["spectrum"].filter(scenario=scenario, replicate=replicate)
            inside = own.filter(pl.col("carriers") >= 0.1 * cells, pl.col("carriers") < cells)
            assert counted[replicate] == pytest.approx(inside["mutations"].sum())
    figure = spectra.figure(results)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(spectra.GROWTHS)
    assert all(len(axes.lines) == 2 * 2 + 1 for axes in figure.axes)
    assert spectra.table_of(results).count("\n") == 1 + len(spectra.GROWTHS)


def test_what_the_first_cell_carried_all_cells_carry_on_every_day(
    sampled: tuple[Results, pl.DataFrame],
) -> None:
    results, beside = sampled
    found = 0
    for patient in range(4):
        model = ta.TumorModel(results.experiment, patient=patient, collect_every_days=0)
        first = model.clones.filter(pl.col("parent").is_null())["alterations"].explode().drop_nulls()
        for alteration in set(first) & set(beside["type"]):
            found += 1
            assert beside.filter(patient=patient, type=alteration)["share"].min() == pytest.approx(1)
    assert found
