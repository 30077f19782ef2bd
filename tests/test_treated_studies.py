"""Studies whose tumours are treated, and populations with the rates of a patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm import InputError
from tumor_abm.evolution.population import Population
from tumor_abm.model.rates import rates_of
from tumor_abm.study import Study, run_study, summarise, write_mutations, write_trees

WELL_MIXED = {
    "types": ["sensitive", "resistant"],
    "division": [0.5, 0.5],
    "death": [0.2, 0.2],
    "mutation": [[0.01, 2e-3], [0, 0.01]],
}
WRITTEN: dict[str, Any] = {
    "title": "Treated",
    "question": "What does treatment leave?",
    "seed": 3,
    "replicates": 2,
    "cells": 2_000,
    "whole_tumour_cells": 300,
    "genome": {"mutations_per_division": 2, "truncal": 5},
    "scenario": [
        {"name": "untreated", **WELL_MIXED},
        {
            "name": "treated",
            **WELL_MIXED,
            "treatment": [
                {"death": [0.9, 0.2], "until": {"day": 15}},
                {"death": [0.2, 0.2], "until": {"total": 3_000}},
            ],
        },
        {
            "name": "treated, 2-D",
            **WELL_MIXED,
            "space": {"dimensions": 2},
            "treatment": [{"death": [0.9, 0.2], "until": {"day": 10}}],
        },
    ],
    "biopsy": [{"name": "core", "cells": 100}],
}


def test_treatment_selects_and_the_tumour_is_sampled_after_it(tmp_path: Path) -> None:
    results = run_study(Study.from_dict(WRITTEN), tmp_path / "out", jobs=1)
    tumours = results["tumours"]
    treated = tumours.filter(scenario="treated")
    assert (treated["cells"] >= 3_000).all()
    untreated = tumours.filter(scenario="untreated")
    assert treated["first_type_fraction"].max() < untreated["first_type_fraction"].min()
    assert (treated["day"] > untreated["day"].max()).all()
    history = (
        results["history"].filter(scenario="treated", replicate=0).group_by("day").agg(pl.col("cells").sum())
    )
    sizes = history.sort("day")["cells"].to_numpy()
    grown = int(np.argmax(sizes >= 2_000))
    assert sizes[grown:].min() < 2_000 <= sizes[grown]  # it shrinks, and grows again
    assert set(results["variants"]["sample"]) == {"whole tumour", "core"}
    assert summarise(results).height == 3
    write_mutations(results, tmp_path / "maf")
    write_trees(results, tmp_path / "trees")


def test_scenarios_without_treatment_are_as_in_a_study_without_any(tmp_path: Path) -> None:
    alone = run_study(
        Study.from_dict(WRITTEN | {"scenario": WRITTEN["scenario"][:1]}), tmp_path / "a", jobs=1
    )
    beside = run_study(Study.from_dict(WRITTEN), tmp_path / "b", jobs=1)
    assert "cured" not in alone["tumours"].columns
    for name in alone.tables:
        kept = beside[name].filter(scenario="untreated").drop("cured", strict=False)
        assert kept.equals(alone[name])


def test_tumours_that_die_out_under_treatment_are_counted_and_grown_again(tmp_path: Path) -> None:
    cure = {"name": "cure", **WELL_MIXED, "mutation": [[0, 1e-4], [0, 0]]}
    cure["treatment"] = [{"division": [0.01, 0.5], "death": [1.5, 0.2], "until": {"day": 30}}]
    results = run_study(
        Study.from_dict(WRITTEN | {"scenario": [cure], "cells": 1_000, "biopsy": []}), tmp_path / "a", jobs=1
    )
    assert (results["tumours"]["attempts"] > results["tumours"]["cured"]).all()
    assert results["tumours"]["cured"].sum() > 0
    assert (results["tumours"]["first_type_fraction"] == 0).all()


def test_a_tumour_that_is_always_cured_is_an_error(tmp_path: Path) -> None:
    cure = {"name": "cure", **WELL_MIXED, "mutation": [[0, 0], [0, 0]], "treatment": [
        {"division": [0.01, 0.01], "death": [1.9, 1.9], "until": {"day": 60}}
    ]}  # fmt: skip
    small = WRITTEN | {
        "scenario": [cure],
        "cells": 100,
        "whole_tumour_cells": 10,
        "biopsy": [],
        "replicates": 1,
    }
    with pytest.raises(InputError, match="100 tumours in a row died out under treatment"):
        run_study(Study.from_dict(small), tmp_path / "a", jobs=1)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ({"death": [0.9], "until": {"day": 1}}, r"treatment\[0\].death: found 1; allowed: 2, one per type"),
        ({"death": [-1, 0], "until": {"day": 1}}, r"treatment\[0\].death: found a number below 0"),
        ({"death": [9, 9], "until": {"day": 1}}, "dt_days = 0.25 is too long"),
        ({"death": [0.9, 0.2]}, r"treatment\[0\].until: missing"),
        ({"until": {"counts": {"2": 5}}}, "allowed: types from 0 to 1"),
        ({"drug_death": [1, 1], "until": {"day": 1}}, "allowed with space"),
        ({"mutation": [[0]], "until": {"day": 1}}, r"treatment\[0\].mutation"),
    ],
)
def test_phases_that_make_no_sense_are_refused(phase: dict[str, Any], message: str) -> None:
    scenario = {"name": "x", **WELL_MIXED, "treatment": [phase]}
    with pytest.raises(InputError, match=message):
        Study.from_dict(WRITTEN | {"scenario": [scenario]})


def test_a_rule_that_is_never_met_is_an_error(tmp_path: Path) -> None:
    scenario = {"name": "x", **WELL_MIXED, "treatment": [{"death": [0.9, 0.1], "until": {"below": 1}}]}
    with pytest.raises(InputError, match=r"treatment\[0\].until: not met after"):
        run_study(Study.from_dict(WRITTEN | {"scenario": [scenario]}), tmp_path / "a", jobs=1)


@pytest.fixture(scope="module")
def model() -> ta.TumorModel:
    return ta.TumorModel(rng=3, collect_every_days=0)


def test_a_population_lives_by_the_rates_of_a_patient(model: ta.TumorModel) -> None:
    rates = rates_of(model, least_fraction=1e-6)
    genotypes = model.genotypes.sort("cells", descending=True).head(len(rates.types))
    assert list(rates.types) == genotypes["genotype"].to_list()
    assert rates.division.tolist() == genotypes["division"].to_list()
    assert rates.death.tolist() == genotypes["death"].to_list()
    known = ta.knowledge.Knowledge.shipped().alterations
    carried = [set(names) for names in genotypes["alterations"]]
    for i, j in np.argwhere(rates.mutation > 0):
        (gained,) = carried[j] - carried[i]
        assert carried[i] < carried[j]
        assert rates.mutation[i, j] == known[gained].origin.per_division.value
    assert (rates.switching > 0).any()
    population = rates.population(cells=1_000, seed=1)
    assert isinstance(population, Population)
    assert population.counts.sum() == 1_000
    # The founder type is almost all of it: its growth is that of the rates.
    big = rates.population(cells=1_000_000, seed=1)
    big.step(30)
    growth = np.log(big.counts.sum() / 1e6) / 30
    assert growth == pytest.approx(rates.division[0] - rates.death[0], abs=1e-3)


def test_rates_follow_the_drugs_of_the_day(model: ta.TumorModel) -> None:
    treated = model.fork()
    treated.run(30)
    before, after = rates_of(model), rates_of(treated)
    at = after.types.index(before.types[0])
    assert after.division[at] < 0.5 * before.division[0]


def test_what_has_no_genotypes_has_no_such_rates(model: ta.TumorModel) -> None:
    bare = ta.TumorModel.of_population(ta.Population(division=[0.2], death=[0.1], initial=[10], seed=1))
    with pytest.raises(InputError, match="explicit rates"):
        rates_of(bare)
    with pytest.raises(InputError, match="cells"):
        rates_of(model).population(cells=0, seed=1)
