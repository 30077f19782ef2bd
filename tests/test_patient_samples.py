"""Experiments that sample patients: when, whom, how it is read, and what is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tskit
from tumor_abm import InputError
from tumor_abm.cli.main import main
from tumor_abm.config import Experiment
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.model.patient_samples import sampled_patients, tumour_fraction, write_samples
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results

WRITTEN: dict[str, Any] = {
    "title": "sampled",
    "question": "What do samples show?",
    "patients": 3,
    "seed": 4,
    "horizon_months": 24,
    "genome": {"truncal": 20, "passengers_per_day": 0.05},
    "biopsy": [{"name": "tissue", "patients": 1, "cells": 2000, "depth": 500, "purity": 0.6}],
    "liquid_biopsy_panel": [
        {
            "name": "panel",
            "patients": 2,
            "genes": ["PIK3CA", "FGFR1"],
            "moments": ["diagnosis", "progression"],
        }
    ],
    "arm": [
        {"name": "first", "line": [{"regimen": ["letrozole", "palbociclib"]}, {"regimen": ["fulvestrant"]}]},
        {"name": "second", "line": [{"regimen": ["letrozole"]}]},
    ],
}

LATTICE: dict[str, Any] = {"engine": "lattice", "most_cells": 200_000}
SPHERE: dict[str, Any] = {"name": "a", "shape": "sphere"}
PLACES: dict[str, Any] = LATTICE | {
    "patients": 2,
    "biopsy": [
        {"name": "core", "shape": "sphere", "cells": 200},
        {"name": "rim", "shape": "sphere", "centre": [0.8, 0.0], "radius": 0.3},
        {"name": "outside", "shape": "sphere", "centre": [5.0, 0.0], "radius": 0.3},
        {"name": "any", "cells": 1000},
    ],
}


@pytest.fixture(scope="module")
def results() -> Results:
    return run_experiment(WRITTEN, jobs=1)


@pytest.fixture(scope="module")
def written(
    results: Results, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, pl.DataFrame]]:
    directory = tmp_path_factory.mktemp("samples")
    return directory, write_samples(results, directory)


def test_patients_are_the_same_whether_they_are_sampled_or_not(results: Results) -> None:
    plain = {key: value for key, value in WRITTEN.items() if "biopsy" not in key and key != "genome"}
    without = run_experiment(plain, jobs=1)
    assert all(without[name].equals(results[name]) for name in results.tables)
    assert "biopsy" not in without.experiment
    assert "genome" not in without.experiment


def test_samples_are_those_of_the_moments_and_patients_asked_for(
    results: Results, written: tuple[Path, dict[str, pl.DataFrame]]
) -> None:
    cells = written[1]["sampled_cells"]
    progressed = results.outcomes.filter(pl.col("end_reason") == "progression")
    for patient in (0, 1):
        for arm in ("first", "second"):
            own = cells.filter(patient=patient, arm=arm)
            ends = progressed.filter(pl.col("patient") == patient, pl.col("arm") == arm)["end_day"]
            moments = {"diagnosis", *(f"progression {k}" for k in range(1, ends.len() + 1))}
            wanted = {f"panel, {moment}" for moment in moments}
            if patient == 0:
                wanted |= {f"tissue, {moment}" for moment in moments | {"autopsy"}}
            assert set(own["sample"]) == wanted
            at_progression = own.filter(pl.col("sample").str.starts_with("panel, progression"))["day"]
            assert sorted(at_progression.unique()) == sorted(ends)
    assert set(cells["patient"]) == {0, 1}


def test_a_panel_reads_its_genes_in_the_blood_of_the_day(
    written: tuple[Path, dict[str, pl.DataFrame]],
) -> None:
    mutations = written[1]["sampled_mutations"]
    panel = mutations.filter(of="panel")
    genes = {name: known.gene for name, known in Knowledge.shipped().alterations.items()}
    assert {genes[name] for name in panel["type"].unique()} <= {"PIK3CA", "FGFR1"}
    assert panel.height > 0
    assert panel["tumour_fraction"].is_between(0, 1, closed="none").all()
    of_day = panel.group_by("patient", "arm", "sample").agg(pl.col("tumour_fraction").n_unique())
    assert of_day["tumour_fraction"].unique().to_list() == [1]
    assert panel["tumour_fraction"].n_unique() > 1  # it follows what dies
    tissue = mutations.filter(of="tissue")
    assert tissue["tumour_fraction"].unique().to_list() == [0.6]
    assert tissue.filter(origin="truncal").group_by("arm", "sample").len()["len"].unique().to_list() == [20]


def test_a_panel_is_read_every_so_many_weeks_beside_the_moments(results: Results) -> None:
    """The patients are the same, the samples lie even, and a mutation is the same in all of them."""
    panel = {"name": "panel", "patients": 1, "moments": ["diagnosis"], "every_weeks": 8}
    often = run_experiment(WRITTEN | {"biopsy": [], "liquid_biopsy_panel": [panel]}, jobs=1)
    assert all(often[name].equals(results[name]) for name in results.tables)
    one = next(sampled_patients(often))
    last = results.overall.filter(patient=0, arm=one.arm)["os_months"][0] * 365.25 / 12
    days = one.samples.cells["day"].unique().sort().to_list()
    assert days == [day for day in range(0, 10_000, 56) if day <= last]
    assert one.samples.cells["sample"].unique(maintain_order=True).to_list() == [
        "panel, diagnosis",
        *(f"panel, day {day:g}" for day in days[1:]),
    ]
    assert one.reads["day"].unique().sort().to_list() == days
    for _, mutation in one.reads.group_by("mutation"):
        assert mutation.height == len(days)


def test_copies_of_a_locus_move_its_fraction(written: tuple[Path, dict[str, pl.DataFrame]]) -> None:
    """An amplified driver in all cells is read in p*7 of p*8 + (1-p)*2 copies."""
    mutations = written[1]["sampled_mutations"].filter(of="tissue")
    amplified = mutations.filter(type="FGFR1 amplification", cancer_cell_fraction=1.0)
    assert amplified.height > 0
    expected = 0.6 * 7 / (0.6 * 8 + 0.4 * 2)
    for vaf, depth in amplified.select("vaf", "depth").iter_rows():
        assert vaf == pytest.approx(expected, abs=5 * (expected * (1 - expected) / depth) ** 0.5)


def test_files_hold_what_the_tables_hold(written: tuple[Path, dict[str, pl.DataFrame]]) -> None:
    directory, tables = written
    stems = {f"patient_{patient}-{arm}" for patient in (0, 1) for arm in ("first", "second")}
    assert {path.name for path in (directory / "maf").iterdir()} == {f"{stem}.maf.gz" for stem in stems}
    called = tables["sampled_mutations"].filter(pl.col("called"), patient=0, arm="first")
    lines = gzip.decompress((directory / "maf" / "patient_0-first.maf.gz").read_bytes()).decode().splitlines()
    assert len(lines) - 2 == called.height > 0
    sequence = tskit.load(directory / "trees" / "patient_0-first.trees")
    record = json.loads(sequence.provenance(0).record)
    assert (record["parameters"]["patient"], record["parameters"]["arm"]) == (0, "first")
    told = [sequence.node(node).metadata for node in sequence.samples()]
    own = tables["sampled_cells"].filter(patient=0, arm="first")
    assert [(each["sample"], each["clone"], each["cells"]) for each in told] == own.select(
        "sample", "clone", "cells"
    ).rows()
    newick = (directory / "trees" / "patient_0-first.nwk").read_text()
    assert newick.count(":") == tables["sampled_clones"].filter(patient=0, arm="first").height


def test_samples_depend_on_the_experiment_alone(
    results: Results, written: tuple[Path, dict[str, pl.DataFrame]], tmp_path: Path
) -> None:
    results.save(tmp_path / "run")
    again = write_samples(Results.load(tmp_path / "run"), tmp_path / "samples")
    assert all(again[name].equals(table) for name, table in written[1].items())


def test_tumour_dna_is_diluted_as_in_the_liquid_biopsy_of_the_core() -> None:
    """What is shed stays for half_life / ln 2; where as much is there as of normal DNA, it is a half."""
    assay = Knowledge.shipped().assay
    per_day = assay.background_per_ml.value * assay.body_plasma_ml.value / (1.0 / 0.6931471805599453 / 24)
    assert tumour_fraction(per_day * 1.0 / assay.half_life_h.value, assay) == pytest.approx(0.5)
    assert tumour_fraction(0.0, assay) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"biopsy": [{"name": "a", "shape": "sphere"}]},
            r'biopsy\[0\].shape: found "sphere"; allowed: "random" with engine = "clones"',
        ),
        (
            {"engine": "cells", "biopsy": [{"name": "a", "shape": "needle"}]},
            r'biopsy\[0\].shape: found "needle"; allowed: "random" with engine = "cells"',
        ),
        (LATTICE | {"biopsy": [{"name": "a", "shape": "cube"}]}, r"biopsy\[0\].shape"),
        (LATTICE | {"biopsy": [SPHERE | {"radius": -1.0}]}, r"biopsy\[0\].radius"),
        (LATTICE | {"biopsy": [SPHERE | {"centre": [0.5]}]}, r"biopsy\[0\].centre"),
        (LATTICE | {"biopsy": [SPHERE | {"centre": [float("nan"), 0.0]}]}, r"biopsy\[0\].centre\[0\]"),
        (
            LATTICE | {"biopsy": [SPHERE | {"direction": [1.0, 0.0]}]},
            r'biopsy\[0\].*direction: allowed with shape = "needle"',
        ),
        (LATTICE | {"biopsy": [{"name": "a", "centre": [0.5, 0.0]}]}, "centre: allowed with shape"),
        (
            LATTICE | {"biopsy": [{"name": "a", "shape": "needle", "direction": [0.0, 0.0, 1.0]}]},
            r"biopsy\[0\].direction: points nowhere on a lattice of 2 dimensions",
        ),
        (
            {"biopsy": [{"name": "a", "lesion": 2}]},
            r"biopsy\[0\].*lesion: lesions have no clones of their own",
        ),
        ({"biopsy": [{"name": "a", "site": "liver"}]}, r"biopsy\[0\].*site: lesions have no clones of their"),
        ({"stride_days": 7}, "stride_days: found 7; allowed: 1 with"),
        ({"biopsy": [{"name": "a", "moments": ["birth"]}]}, r"biopsy\[0\].moments\[0\]"),
        ({"biopsy": [{"name": "a", "moments": ["autopsy"] * 2}]}, "found a moment twice"),
        ({"biopsy": [{"name": "panel"}]}, r'liquid_biopsy_panel\[0\].name: "panel" is named twice'),
        ({"liquid_biopsy_panel": [{"name": "a", "every_weeks": 0}]}, r"liquid_biopsy_panel\[0\].every_weeks"),
        ({"biopsy": [{"name": "a", "every_weeks": 8}]}, r'biopsy\[0\].*"every_weeks" is not a known key'),
        ({"biopsy": [{"name": "a", "purity": 0}]}, r"biopsy\[0\].purity"),
        ({"liquid_biopsy_panel": [{"name": "a", "genes": ["ESR9"]}]}, r"liquid_biopsy_panel\[0\].genes\[0\]"),
    ],
)
def test_what_cannot_be_sampled_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Experiment.from_dict(WRITTEN | change)


def test_biopsies_of_a_lattice_are_of_their_places(tmp_path: Path) -> None:
    """A radius takes all cells in it, and who finds none is told; two processes write the same bytes."""
    found = {}
    for jobs in (1, 2):
        directory = tmp_path / f"{jobs}"
        directory.mkdir()
        found[jobs] = write_samples(run_experiment(WRITTEN | PLACES, jobs=jobs), directory)
    for one in sorted((tmp_path / "1").rglob("*")):
        other = tmp_path / "2" / one.relative_to(tmp_path / "1")
        if one.is_file() and one.suffix != ".trees":  # tskit puts a unique name into each
            assert one.read_bytes() == other.read_bytes(), one
    tables = found[1]
    cells = tables["sampled_cells"].filter(patient=0, arm="first", day=0)
    sizes = dict(cells.group_by("sample").agg(pl.col("cells").sum()).iter_rows())
    assert (sizes["core, diagnosis"], sizes["any, diagnosis"]) == (200, 1000)
    assert 50 < sizes["rim, diagnosis"] < 10_000
    nothing = tables["sampled_nothing"]
    assert {(0, "first", "outside, diagnosis"), (1, "second", "outside, autopsy")} <= set(nothing.rows())
    assert not set(nothing["sample"]) - {"outside, diagnosis"} & set(cells["sample"])
    middle = cells.filter(sample="core, diagnosis").select(pl.mean("x", "y"))
    rim = cells.filter(sample="rim, diagnosis").select(pl.mean("x", "y"))
    assert rim["x"].item() - middle["x"].item() > 10
    reads = tables["sampled_mutations"].filter(patient=0, arm="first")
    assert reads.filter(sample="rim, diagnosis").height == reads["mutation"].n_unique()


def test_who_lived_by_several_sets_is_not_sampled() -> None:
    sets = Ensemble(members=[Member(overrides={"drug.palbociclib.effects.cdk46.ic50": 20.0})] * 3)
    shared = run_experiment(WRITTEN, jobs=1, ensemble=sets)
    with pytest.raises(InputError, match="without an ensemble"):
        next(sampled_patients(shared))


def test_the_command_writes_samples_and_a_finished_run_gives_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomli_w

    few = WRITTEN | {"patients": 1, "biopsy": [], "horizon_months": 6}
    (tmp_path / "x.toml").write_text(tomli_w.dumps(few))
    command = ["run", str(tmp_path / "x.toml"), "--out", str(tmp_path / "out"), "--no-figures", "--jobs", "1"]
    assert main(command) == 0
    assert "sampled_mutations" in capsys.readouterr().out
    first = (tmp_path / "out" / "samples" / "sampled_mutations.parquet").read_bytes()
    assert main(command) == 0
    assert (tmp_path / "out" / "samples" / "sampled_mutations.parquet").read_bytes() == first
