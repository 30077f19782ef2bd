"""What a treatment leaves of a tumour, whichever engine holds its cells."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tumor_abm import run_experiment
from tumor_abm.config import Experiment

DECISIVE = Path(__file__).parent / "browser" / "decisive.toml"
DAY = 112
"""Fewer than fifty of 200,000 individuals are left by then."""
FLAT = {"dimensions": 2, "neighbourhood": "moore", "placement": "push", "depth": 10}
ENGINES: dict[str, dict[str, Any]] = {
    "clones": {},
    "cells": {"engine": "cells", "most_cells": 200_000},
    "lattice": {"engine": "lattice", "most_cells": 200_000, "lattice": FLAT},
}


@cache
def left(engine: str) -> np.ndarray:
    """Return log10 of the cells of twelve patients on `DAY` of a drug that hardly anything resists."""
    tables = tomllib.loads(DECISIVE.read_text()) | ENGINES[engine]
    short = {"patients": 12, "trajectory_every_days": 14, "horizon_months": 6}
    cells = run_experiment(Experiment.from_dict(tables | short))["trajectory"].filter(pl.col("day") == DAY)
    return np.log10(cells["cells"].to_numpy() + 1.0)


@pytest.mark.parametrize(("engine", "least", "most"), [("cells", -0.5, 0.5), ("lattice", -0.5, 1.0)])
def test_engines_agree_on_residual_disease(engine: str, least: float, most: float) -> None:
    assert np.median(left("clones")) < 6.0
    # Individuals that were lost left a hundredth and a tenth of it. On a lattice what is left has room of its
    # own, and is more by a factor that docs/decisions tells.
    assert least < np.median(left(engine)) - np.median(left("clones")) < most
