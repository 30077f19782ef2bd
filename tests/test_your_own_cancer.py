"""The page on other cancers: its file runs, its pieces are those of the example, its errors are real."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.files import read_knowledge
from tumor_abm.run.experiment import run_experiment

ROOT = Path(__file__).parents[1]
LUNG = ROOT / "experiments" / "other_cancers" / "egfr_lung" / "knowledge"
PAGE = (ROOT / "docs" / "your_own_cancer.md").read_text(encoding="utf-8")
FIRST, *PIECES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
EXPERIMENT = tomllib.loads(FIRST)


def test_a_drug_a_node_and_a_resistance_take_less_than_sixty_lines() -> None:
    assert len(FIRST.splitlines()) < 60
    shipped = Knowledge.shipped()
    for key, known in (
        ("effect", shipped.pathway.effects),
        ("target", shipped.pathway.targets),
        ("node", shipped.pathway.nodes),
        ("drug", shipped.drugs),
        ("alteration", shipped.alterations),
    ):
        assert set(EXPERIMENT[key]) - set(known), f"no new {key}"


def test_the_new_drug_slows_cells_and_the_new_mutation_undoes_it() -> None:
    known = Experiment.from_dict(EXPERIMENT).knowledge
    patient = known.populations["after_cdk46_inhibitor"].median_cells | {"er_dependence": 0.2}
    division = Explanation(known).numbers(
        patient,
        treatments=[{}, {"ulixertinib": 1.0}],
        genotypes=[[], ["MAPK1 mutation"]],
        nodes=["division"],
    )[..., 0]
    assert division[1, 0] < division[0, 0]
    assert division[1, 1] > division[1, 0]


def test_the_file_of_the_page_runs() -> None:
    results = run_experiment(EXPERIMENT | {"patients": 10}, jobs=1)
    given = results["outcomes"].filter(pl.col("regimen").str.contains("ulixertinib"))
    assert given.height == 10


def within(part: Any, whole: Any) -> bool:
    if isinstance(whole, Mapping) and not isinstance(part, Mapping):  # a number may be bare
        return bool(part == whole.get("value"))
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            key in whole and within(value, whole[key]) for key, value in part.items()
        )
    return bool(part == whole)


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_pieces_of_the_lung_network_are_those_of_the_example(piece: str) -> None:
    assert within(tomllib.loads(piece), read_knowledge(LUNG).tables)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pathway", "(1 - drug.egfr_reversible)", "(1 - drug.egfr_reversibel)"),
        ("pathway", "min(drug.kill * alteration.kill_fold, 1)", "drug.kill * alteration.kill_fold"),
        ("pathway", "[node.egfr]", '[node.spare]\nlabel = "s"\nformula = "signal"\n[node.egfr]'),
        ("alterations", "reversible_fold = { value = 100.0, low = 30.0,", "reversible_fold = { value = 0.5,"),
        ("drugs", "[drug.gefitinib.effects.egfr_reversible]", "[drug.gefitinib.effects.egfr]"),
        ("sources", "[source]\n", 'replaces = ["drug"]\n[source]\n'),
    ],
)
def test_errors_look_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str
) -> None:
    shutil.copytree(LUNG, tmp_path / "knowledge")
    monkeypatch.chdir(tmp_path)
    path = Path("knowledge") / f"{file}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        Knowledge.shipped().with_file("knowledge")
    assert f"    {refused.value}\n" in PAGE
