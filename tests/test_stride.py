"""Cells that live through several days at once: nearly the same lives, several times faster."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from lifelines.statistics import logrank_test
from tumor_abm import run_experiment
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError

WRITTEN: dict[str, Any] = {
    "title": "Two lines",
    "question": "How long?",
    "seed": 20_260_417,
    "patients": 120,
    "horizon_months": 60,
    "arm": [
        {"name": "x", "line": [{"regimen": ["letrozole", "palbociclib"]}, {"regimen": ["paclitaxel"]}]},
    ],
}


def outcomes(stride_days: int, **more: Any) -> pl.DataFrame:
    return run_experiment(Experiment.from_dict({**WRITTEN, **more, "stride_days": stride_days})).outcomes


def test_strides_of_a_week_change_outcomes_no_more_than_chance() -> None:
    stepped, strode = outcomes(1), outcomes(7, seed=7)
    for line in (1, 2):
        a, b = (found.filter(line=line) for found in (stepped, strode))
        assert min(a.height, b.height) > 60
        tested = logrank_test(a["pfs_months"], b["pfs_months"], a["pfs_event"], b["pfs_event"])
        assert tested.p_value > 1e-6


def test_the_same_strides_give_the_same_lives() -> None:
    few = {"patients": 5}
    assert outcomes(7, **few).equals(outcomes(7, **few))
    assert not outcomes(7, **few).equals(outcomes(1, **few))


@pytest.mark.parametrize("more", [{"engine": "cells"}, {"dt_days": 0.5}])
def test_only_counted_cells_in_steps_of_a_day_can_stride(more: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="stride_days: found 7; allowed: 1; more with the engine clones"):
        Experiment.from_dict({**WRITTEN, **more, "stride_days": 7})
    assert Experiment.from_dict({**WRITTEN, **more}).to_core()["stride_days"] == 1
