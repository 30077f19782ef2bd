"""The examples run, small, and do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import polars as pl

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


def test_the_rule_pauses_at_a_response() -> None:
    continuous, by_rule = example("adaptive_therapy").main(months=24)
    assert continuous.events.filter(pl.col("event") == "intervention").is_empty()
    changes = by_rule.events.filter(pl.col("event") == "intervention")["detail"].to_list()
    assert changes[0] == "now on letrozole"
    shrunk = by_rule.assessments.filter(pl.col("sld_change") <= -0.3)["day"].min()
    assert by_rule.events.filter(pl.col("event") == "intervention")["day"][0] == shrunk
    assert by_rule.outcomes["regimen"][0] == "letrozole + palbociclib"
