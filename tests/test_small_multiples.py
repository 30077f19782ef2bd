"""Small multiples of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tumor_abm as ta
from tumor_abm import InputError
from tumor_abm.batch.batch_study import BatchStudy
from tumor_abm.batch.run import run_batch

WRITTEN: dict[str, Any] = {
    "title": "Births and deaths",
    "question": "How do they add up?",
    "seed": 3,
    "population": {
        "replicates": 20,
        "division": [0.3, 0.3],
        "death": [0.05, 0.05],
        "mutation": [[0, 0.01], [0, 0]],
        "initial": [10, 0],
        "until": {"day": 20},
    },
    "axis": [
        {"name": "death", "path": "population.death[0]", "values": [0.05, 0.1, 0.15]},
        {"name": "birth", "path": "population.division[0]", "values": [0.25, 0.3]},
    ],
}


def test_a_panel_shows_one_value_of_the_other_axis_on_the_same_scale(tmp_path: Path) -> None:
    batch = run_batch(BatchStudy.from_dict(WRITTEN), tmp_path / "out", jobs=1)
    panels = ta.plots.plot_small_multiples(batch, "death", "birth", "n_1").axes
    for axes, birth in zip(panels, (0.25, 0.3), strict=True):
        own = batch.summary().filter(measure="n_1", birth=birth).sort("death").select("death", "value")
        assert axes.lines[0].get_xydata().tolist() == [list(row) for row in own.rows()]
        assert axes.get_title(loc="left") == f"birth = {birth:g}"
    assert panels[0].get_ylim() == panels[1].get_ylim()
    with pytest.raises(InputError, match=r'by: found "death"; allowed: "birth"'):
        ta.plots.plot_small_multiples(batch, "death", "death", "n_1")
