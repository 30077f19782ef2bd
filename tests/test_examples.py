"""The examples run, small, and do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import polars as pl
import tumor_abm as ta

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stepping_ends_with_the_line_or_follow_up() -> None:
    model = example("step_and_collect").main(months=24)
    assert model.line != 1 or not model.running
    collected = model.datacollector.get_model_vars_dataframe()
    assert collected["day"].iloc[1] == 28
    agents = model.datacollector.get_agent_vars_dataframe()
    assert {"genotype", "cells"} == set(agents.columns)


def test_a_sweep_has_a_row_per_patient_and_value() -> None:
    frame = example("sweep_a_parameter").main(patients=2, months=12)
    assert frame.height == 6
    mean = frame.group_by("mutation_rate", maintain_order=True).agg(pl.col("genotypes").mean())["genotypes"]
    assert mean.is_sorted()
    assert mean[0] < mean[2]


def test_the_rule_pauses_at_a_response_and_resumes_at_regrowth() -> None:
    table, changes = example("adaptive_therapy").main(patients=8)
    assert changes["strategy"].unique().to_list() == ["adaptive"]
    for patient, of_patient in changes.group_by("patient"):
        paused = of_patient.sort("day")["detail"].str.starts_with("hold").to_list()
        assert paused == [turn % 2 == 0 for turn in range(len(paused))], patient
    adaptive = table.filter(strategy="adaptive")
    # The rule acts in every patient who responds, and not once only.
    assert adaptive["pauses"].sum() + adaptive["resumptions"].sum() == changes.height
    assert (adaptive["resumptions"] > 0).sum() >= 2
    assert (adaptive["pauses"] > 1).sum() >= 2


def test_the_rule_decides_by_the_scan_of_the_day() -> None:
    rule = example("adaptive_therapy").adaptive
    by_rule = ta.TumorModel(
        strategy=rule, covariates={"er_dependence": 0.95, "bone_only": False}, rng=3, collect_every_days=0
    )
    by_rule.run()
    change = dict(by_rule.assessments.select("day", "sld_change").iter_rows())
    line = by_rule.outcomes.row(0, named=True)
    changed = by_rule.events.filter(pl.col("event") == "intervention", pl.col("day") < line["end_day"])
    assert changed.height > 0
    for day, detail in changed.select("day", "detail").iter_rows():
        assert change[day] <= -0.3 if detail.startswith("hold") else change[day] >= -0.2
    assert line["regimen"] == "letrozole + palbociclib"
