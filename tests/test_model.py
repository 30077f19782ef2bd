"""The Mesa model: the patient of a batch run, stepped, with what Mesa users expect."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm
from tumor_abm import CloneAgent, InputError, TumorModel, run_experiment
from tumor_abm.config import Experiment

EXPERIMENT: dict[str, Any] = {
    "title": "Two strategies",
    "question": "Does it matter?",
    "seed": 11,
    "patients": 20,
    "horizon_months": 30,
    "trajectory_every_days": 7,
    "liquid_biopsy": {"genes": ["ESR1"]},
    "arm": [
        {"name": "first", "line": [{"regimen": ["letrozole", "palbociclib"]}, {"regimen": ["fulvestrant"]}]},
        {"name": "second", "line": [{"regimen": ["letrozole"]}, {"regimen": ["capecitabine"]}]},
    ],
}


@pytest.fixture(scope="module")
def batch() -> tumor_abm.Results:
    return run_experiment(EXPERIMENT)


def model(**arguments: Any) -> TumorModel:
    return TumorModel(EXPERIMENT, **{"patient": 3, **arguments})


def same_state(one: TumorModel, other: TumorModel) -> bool:
    return one._core.save() == other._core.save()


@pytest.mark.parametrize(("patient", "arm"), [(17, "first"), (17, "second"), (3, "first")])
def test_a_stepped_patient_is_that_of_the_batch_run(batch: tumor_abm.Results, patient: int, arm: str) -> None:
    stepped = model(patient=patient, strategy=arm)
    of_patient = (pl.col("patient") == patient) & (pl.col("arm") == arm)
    expected = batch.trajectory.filter(of_patient)
    seen = [(stepped.day, stepped.cells, stepped.volume_cm3, stepped.sld_mm, stepped.neutrophils)]
    while stepped.running:
        stepped.step()
        if stepped.day % 7 == 0 and stepped.running:
            seen.append((stepped.day, stepped.cells, stepped.volume_cm3, stepped.sld_mm, stepped.neutrophils))
    assert seen == expected.select("day", "cells", "volume_cm3", "sld_mm", "neutrophils").rows()
    for name, table in stepped.records().items():
        assert table.equals(batch[name].filter(of_patient), null_equal=True), name
    assert stepped.covariates == batch.patients.filter(pl.col("patient") == patient).row(0, named=True)


def test_half_day_steps_give_the_batch_run_too() -> None:
    tables = {**EXPERIMENT, "dt_days": 0.5, "patients": 2, "horizon_months": 6}
    batch = run_experiment(tables)
    stepped = TumorModel(tables, patient=1)
    stepped.step()
    assert stepped.day == 0.5
    stepped.run()
    of_patient = (pl.col("patient") == 1) & (pl.col("arm") == "first")
    for name, table in stepped.records().items():
        assert table.equals(batch[name].filter(of_patient), null_equal=True), name


def test_it_just_works() -> None:
    plain = TumorModel(rng=4)
    plain.step()
    assert (plain.day, plain.running, plain.status, plain.line) == (1.0, True, "followed", 1)
    assert plain.regimen == "letrozole + palbociclib"
    assert plain.cells == sum(agent.cells for agent in plain.agents) > 1e6
    assert json.loads(json.dumps(plain.snapshot()))["cells"] == plain.cells


def test_the_end_of_follow_up_stops_it() -> None:
    short = model(horizon_months=2)
    short.run()
    assert not short.running
    assert short.status == "censored"
    assert short.day == pytest.approx(2 * 30.4375, abs=1)
    before = short._core.save()
    short.step()
    assert short._core.save() == before
    assert short.overall.height == 1
    with pytest.raises(InputError, match="follow-up is over"):
        short.intervene("fulvestrant")


def test_agents_are_the_living_clones() -> None:
    patient = model()
    for _ in range(40):
        patient.step()
        clones = patient.clones
        assert sorted(agent.unique_id for agent in patient.agents) == clones["clone"].sort().to_list()
    agents = patient.agents
    assert agents.agg("cells", sum) == patient.cells
    most = max(agents.get("fraction"))
    (agent,) = agents.select(lambda agent: agent.fraction == most)
    assert isinstance(agent, CloneAgent)
    row = clones.filter(pl.col("clone") == agent.unique_id).row(0, named=True)
    assert (agent.cells, agent.genotype, agent.parent) == (row["cells"], row["genotype"], row["parent"])
    assert (agent.division, agent.death) == (row["division"], row["death"])
    assert agent.net == agent.division - agent.death
    assert sum(agents.get("fraction")) == pytest.approx(1)
    assert agents.groupby("genotype").count().keys() == set(patient.genotypes["genotype"])


def test_a_data_collector_records_model_and_agents() -> None:
    patient = model(model_reporters={"burden": "cells"}, agent_reporters={"cells": "cells"})
    patient.run(5)
    of_model = patient.datacollector.get_model_vars_dataframe()
    assert of_model["burden"].iloc[-1] == patient.cells
    assert len(of_model) == 6
    of_agents = patient.datacollector.get_agent_vars_dataframe()
    assert of_agents.loc[patient.steps]["cells"].sum() == patient.cells


def test_the_default_collection_and_history_follow_the_days() -> None:
    patient = model(collect_every_days=7)
    patient.run(21)
    collected = patient.datacollector.get_model_vars_dataframe()
    assert collected["day"].tolist() == [0, 7, 14, 21]
    cells = patient.history.group_by("day", maintain_order=True).agg(pl.col("cells").sum())["cells"]
    assert cells.to_list() == collected["cells"].tolist()


def test_a_dropped_model_is_freed() -> None:
    patient = TumorModel(rng=1, agent_reporters={"cells": "cells"})
    patient.run(3)
    assert len(patient.agents) > 0
    gone = weakref.ref(patient)
    del patient
    gc.collect()
    assert gone() is None


def test_seeds_of_every_kind() -> None:
    assert same_state(TumorModel(rng=5), TumorModel(rng="5"))
    assert same_state(TumorModel(seed=5), TumorModel(rng=np.int64(5)))
    assert TumorModel(rng=np.random.default_rng(1)).seed == TumorModel(rng=np.random.default_rng(1)).seed
    assert TumorModel(rng=np.random.SeedSequence(1)).seed == TumorModel(rng=np.random.SeedSequence(1)).seed
    assert TumorModel().seed != TumorModel().seed
    for wrong in ("five", -1, 2.5, True):
        with pytest.raises(InputError, match="rng: found"):
            TumorModel(rng=wrong)
    with pytest.raises(InputError, match="not both"):
        TumorModel(rng=1, seed=1)


def test_a_fork_is_a_twin_until_treatment_differs() -> None:
    one = model(patient=4)
    one.run(30)
    twin = one.fork()
    assert same_state(one, twin)
    one.run(60)
    twin.run(60)
    assert same_state(one, twin)
    assert one.history.equals(twin.history)
    treated = twin.fork(["fulvestrant"])
    assert (treated.regimen, twin.regimen) == ("fulvestrant", "letrozole + palbociclib")
    treated.run(60)
    twin.run(60)
    assert treated.cells != twin.cells
    assert treated.outcomes["end_reason"].to_list() == ["rule"]


def test_a_saved_model_goes_on_exactly(tmp_path: Path) -> None:
    one = model()
    one.run(45)
    one.intervene(["fulvestrant"], new_line=True)
    one.run(3)
    one.save(tmp_path / "patient.tumor")
    other = TumorModel.load(tmp_path / "patient.tumor")
    one.run()
    other.run()
    assert same_state(one, other)
    assert one.history.equals(other.history)
    assert one.steps == other.steps
    first, second = (m.datacollector.get_model_vars_dataframe() for m in (one, other))
    assert first.equals(second)
    assert list(tmp_path.iterdir()) == [tmp_path / "patient.tumor"]


def test_files_that_are_no_saved_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(InputError, match="cannot be read"):
        TumorModel.load(path)
    model().save(path)
    whole = path.read_bytes()
    for bad in (b"", b"hello", whole[: len(whole) // 2], whole[:200] + b"\0\0\0\0" + whole[204:]):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="x: no saved model"):
            TumorModel.load(path)
    with pytest.raises(InputError, match="cannot be written"):
        model().save(tmp_path / "no" / "folder")


def test_bytes_of_another_format_are_refused() -> None:
    whole = model()._core.save()
    for bad, message in [
        (b"", "no saved patient"),
        (b"x" * 100, "no saved patient"),
        (whole[:8] + b"\xff\0\0\0" + whole[12:], "format 255"),
        (whole[:-3], "cut off or damaged"),
        (whole[:500] + b"\xff" + whole[501:], "cut off or damaged"),
    ]:
        with pytest.raises(ValueError, match=message):
            tumor_abm._core.Patient.load(bad)


def test_treatment_by_hand_is_given_and_written_down() -> None:
    patient = model()
    patient.run(10)
    patient.intervene(["fulvestrant", {"drug": "palbociclib", "dose": 0.8}])
    assert patient.regimen == "fulvestrant + palbociclib 80%"
    assert patient.line == 1
    patient.run(2)
    assert patient.concentrations["fulvestrant"] > 0
    patient.hold("palbociclib")
    patient.add("alpelisib")
    assert patient.drugs.filter(pl.col("drug") == "palbociclib")["held_for"].item() == "by hand"
    patient.resume()
    patient.stop("alpelisib")
    said = patient.events.filter(pl.col("event") == "intervention")["detail"].to_list()
    assert said == [
        "now on fulvestrant + palbociclib 80%",
        "hold palbociclib",
        "now on fulvestrant + palbociclib 80% + alpelisib",
        "resume palbociclib",
        "now on fulvestrant + palbociclib 80%",
    ]
    patient.intervene("capecitabine", new_line=True)
    assert patient.line == 2
    assert patient.outcomes["end_reason"].to_list() == ["rule"]


def test_treatment_that_cannot_be_is_refused_and_changes_nothing() -> None:
    patient = model()
    patient.run(10)
    before = patient._core.save()
    for act, message in [
        (lambda: patient.intervene([]), "found no drug"),
        (lambda: patient.intervene(["palbocilib"]), 'did you mean "palbociclib"'),
        (lambda: patient.intervene(["letrozole", "letrozole"]), "named twice"),
        (lambda: patient.intervene(["letrozole", "palbociclib"]), "already"),
        (lambda: patient.add("letrozole"), "taken already"),
        (lambda: patient.stop("fulvestrant"), "not taken"),
        (lambda: patient.hold("fulvestrant"), "not taken"),
        (lambda: patient.hold("x"), "drug: found"),
        (lambda: patient.resume(), "not on hold"),
        (lambda: patient.follow([]), "no line"),
        (lambda: patient.follow([["x"]]), "not a known drug"),
        (lambda: patient.intervene([{"drug": "letrozole", "dose": 1000.0}]), "dose"),
    ]:
        with pytest.raises(InputError, match=message):
            act()
        assert patient._core.save() == before


def test_arguments_that_make_no_sense_are_refused() -> None:
    for arguments, message in [
        ({"strategy": "third"}, 'strategy: found "third"'),
        ({"strategy": 2}, "from 0 to 1"),
        ({"strategy": ["palbocilib"]}, 'did you mean "palbociclib"'),
        ({"strategy": [["letrozole", "letrozole"]]}, "regimen"),
        ({"covariates": {"turnover": 2.0}}, "covariates.turnover"),
        ({"covariates": {"turn": 0.5}}, "did you mean"),
        ({"covariates": {"visceral": "yes"}}, "covariates.visceral"),
        (
            {"covariates": {"diagnosis_volume_cm3": 300, "lethal_volume_cm3": 200}},
            "above the volume at",
        ),
        ({"founder": ["ESR1 Y537X"]}, "ESR1 Y537"),
        ({"founder": "ESR1 Y537S"}, "a list of alterations"),
        ({"patient": -1}, "patient: found -1"),
        ({"mutation_rate": -1}, "mutation_rate"),
        ({"population": "nobody"}, "nobody"),
        ({"collect_every_days": -1}, "collect_every_days"),
    ]:
        with pytest.raises(InputError, match=message):
            model(**arguments)


def test_what_is_given_of_a_patient_is_what_it_has() -> None:
    given = {"turnover": 0.6, "net_growth_per_day": 0.02, "visceral": True, "target_lesions": 2}
    patient = model(covariates=given, founder=["PIK3CA H1047R"] if _known("PIK3CA H1047R") else [])
    found = patient.covariates
    assert found["turnover"] == 0.6
    assert found["net_growth_per_day"] == 0.02
    assert found["visceral"]
    assert found["target_lesions"] == 2
    drawn = model().covariates
    assert found["er_dependence"] == drawn["er_dependence"]


def _known(alteration: str) -> bool:
    return alteration in Experiment.from_dict(EXPERIMENT).knowledge.alterations


def test_more_mutation_gives_more_genotypes() -> None:
    def genotypes(fold: float) -> int:
        return sum(model(patient=i, mutation_rate=fold).genotypes.height for i in range(5))

    assert genotypes(0.0) < genotypes(1.0) < genotypes(30.0)


def test_a_rule_decides_at_every_assessment() -> None:
    asked = []

    def adaptive(patient: TumorModel) -> list[str] | None:
        asked.append(patient.day)
        if patient.line == 0:
            patient.intervene(["letrozole", "palbociclib"])
            return None
        change = patient.scan["sld_change"] if patient.scan else None
        if change is None:
            return None
        return [] if change < -0.05 else ["letrozole", "palbociclib"]

    dependent = {"bone_only": False, "er_dependence": 0.9, "net_growth_per_day": 0.006}  # it shrinks
    patient = model(strategy=adaptive, horizon_months=18, covariates=dependent, progression_from="baseline")
    assert patient.line == 1
    assert asked == [0]
    patient.run()
    scans = patient.assessments["day"].to_list()
    assert [day for day in asked if day in scans] == scans
    said = patient.events.filter(pl.col("event") == "intervention")["detail"].to_list()
    assert "hold letrozole + palbociclib" in said


def test_scans_are_made_around_the_planned_days() -> None:
    def days(**assessment: Any) -> list[int]:
        tables = {**EXPERIMENT, "assessment": {"calendar": [{"every_weeks": 8}], **assessment}}
        scans = run_experiment(tables).assessments.filter(line=1)
        found: list[int] = scans["day"].to_list()
        return found

    assert {day % 56 for day in days(window_days=0)} == {0}
    offs = [(day + 28) % 56 - 28 for day in days()]
    assert min(offs) < 0 < max(offs)
    assert max(map(abs, offs)) <= 7
    wide = [(day + 28) % 56 - 28 for day in days(window_days=14)]
    assert 7 < max(map(abs, wide)) <= 14


def test_an_assessment_hook_sees_every_scan() -> None:
    seen: list[dict[str, Any] | None] = []
    patient = model(on_assessment=lambda patient: seen.append(patient.scan))
    patient.run()
    assert [scan["day"] for scan in seen[1:] if scan] == patient.assessments["day"].to_list()


@pytest.mark.parametrize("engine", ["cells", "lattice"])
def test_individuals_live_the_life_of_the_batch_run_too(engine: str) -> None:
    tables = {**EXPERIMENT, "engine": engine, "most_cells": 20_000, "patients": 3, "horizon_months": 10}
    batch = run_experiment(tables)
    stepped = TumorModel(tables, patient=2)
    assert stepped.engine == engine
    assert stepped.scale > 1000
    stepped.run()
    of_patient = (pl.col("patient") == 2) & (pl.col("arm") == "first")
    for name, table in stepped.records().items():
        assert table.equals(batch[name].filter(of_patient), null_equal=True), name
    assert run_experiment(batch.experiment).trajectory.equals(batch.trajectory)


@pytest.mark.parametrize("engine", ["cells", "lattice"])
def test_individuals_are_copied_and_saved_exactly(engine: str, tmp_path: Path) -> None:
    one = model(engine=engine, cells=20_000)
    one.run(40)
    one.save(tmp_path / "x")
    other, twin = TumorModel.load(tmp_path / "x"), one.fork()
    for each in (one, other, twin):
        each.run(60)
    assert same_state(one, other)
    assert same_state(one, twin)
    assert sum(agent.cells for agent in one.agents) == one.cells


def test_a_lattice_can_be_seen() -> None:
    flat = model(engine="lattice", cells=20_000)
    sites = flat.sites
    assert sites is not None
    assert sites.genotype.ndim == 2
    held = np.unique(sites.genotype[sites.genotype > 0] - 1)
    assert {flat.genotype_names[k] for k in held} <= set(flat.genotypes["genotype"])
    held_cells = int((sites.genotype > 0).sum()) * flat.scale
    # What has fewer than 100 individuals is counted and stands on no site.
    counted = len(flat.genotypes) - len(held)
    assert 0 <= flat.cells - held_cells <= counted * 100 * flat.scale
    solid = model(engine="lattice", cells=20_000, space=tumor_abm.Space(dimensions=3))
    assert solid.sites is not None
    assert solid.section().ndim == 2  # type: ignore[union-attr]
    assert (solid.section() > 0).any()  # type: ignore[operator]
    assert model().sites is None


def test_drugs_that_reach_only_the_rim_kill_less() -> None:
    def left(reach: tumor_abm.Reach | None) -> float:
        patient = model(
            engine="lattice",
            cells=50_000,
            strategy=["letrozole"],
            covariates={"er_dependence": 0.9},
            space=tumor_abm.Space(dimensions=2, neighbourhood="moore", placement="any_free", drug=reach),
        )
        before = patient.cells
        patient.run(60)
        return patient.cells / before

    rim, deeper, everywhere = left(tumor_abm.Reach(length=1)), left(tumor_abm.Reach(length=2)), left(None)
    assert rim > 1.3 * everywhere
    assert rim > deeper > everywhere


def test_an_unknown_engine_or_too_many_cells_are_refused() -> None:
    for arguments, message in [
        ({"engine": "cell"}, "did you mean"),
        ({"engine": "cells", "cells": 10**9}, "most_cells"),
        ({"engine": "lattice", "space": "flat"}, "space: found"),
    ]:
        with pytest.raises(InputError, match=message):
            model(**arguments)
