"""The shipped batch of resistance before treatment agrees with the closed form."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats
from tumor_abm._base.toml import read_toml
from tumor_abm.batch import BatchStudy, run_batch

from tools.resistance import closed_form, figure, shares

SHIPPED = Path(__file__).parents[1] / "experiments" / "batches" / "preexisting_resistance.toml"


@pytest.mark.slow
def test_shares_of_resistant_tumours_are_those_of_the_closed_form(tmp_path: Path) -> None:
    tables = read_toml(SHIPPED)
    study = BatchStudy.from_dict(tables | {"seed": 2, "set": {"population.replicates": 60}}, file=SHIPPED)
    study.check()
    told = shares(run_batch(study, tmp_path / "out", jobs=1))
    assert told.height == 15
    assert told["expected"].to_list() == [
        closed_form(*row) for row in told.select("death", "mutation").rows()
    ]
    # Where some tumours have resistance and others have none, counts are binomial.
    chi_square, points = 0.0, 0
    for row in told.iter_rows(named=True):
        p, n = row["expected"], row["tumours"]
        assert n == 60
        if 5 < n * p < n - 5:
            chi_square += (row["share"] - p) ** 2 / (p * (1 - p) / n)
            points += 1
    assert points >= 8
    assert stats.chi2.sf(chi_square, points) > 1e-6
    assert len(figure(told).axes[0].lines) >= 6
