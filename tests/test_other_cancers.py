"""The worked example outside breast cancer: lung cancer resists as its network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tumor_abm.analysis.carried import carried_at
from tumor_abm.cli import main
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.quantity import citations
from tumor_abm.report import write_report
from tumor_abm.run.experiment import run_experiment
from tumor_abm.run.results import Results

from tests.test_pathway_is_data import words_of_one_cancer

LUNG = Path(__file__).parents[1] / "experiments" / "other_cancers" / "egfr_lung"
FILE = LUNG / "first_or_third_generation.toml"
KNOWN = Knowledge.shipped().with_file(LUNG / "knowledge")
ALSO_HERE: set[str] = set()
"""Words of breast cancer that are of lung cancer, too."""


@pytest.fixture(scope="module")
def results() -> Results:
    return run_experiment(FILE, patients=80, jobs=2)


def shares(results: Results, arm: str, line: int = 1) -> tuple[int, dict[str, float]]:
    """Tumours seen at progression, and the percentages that carry something."""
    found = carried_at(results, "progression").filter(arm=arm, line=line)
    return found["tumours"][0], dict(found.select("alteration", "carried_pct").iter_rows())


def test_it_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(FILE)]) == 0
    assert "egfr_lung" in capsys.readouterr().out


@pytest.mark.parametrize("arm", ["gefitinib first", "erlotinib first"])
def test_t790m_is_the_main_resistance_to_the_first_generation(results: Results, arm: str) -> None:
    tumours, carried = shares(results, arm)
    assert tumours > 40
    assert carried["EGFR T790M"] > 50
    assert carried["EGFR T790M"] == max(carried.values())
    assert carried.get("EGFR C797S", 0.0) < 5


def test_c797s_or_met_is_the_resistance_to_osimertinib(results: Results) -> None:
    tumours, carried = shares(results, "osimertinib first")
    assert tumours > 40
    assert carried.get("EGFR T790M", 0.0) < 5
    assert carried["EGFR C797S"] + carried["MET amplification"] > 50


def test_osimertinib_is_given_where_t790m_is_seen(results: Results) -> None:
    second = results["outcomes"].filter(arm="gefitinib first", line=2)
    assert set(second["regimen"]) <= {"osimertinib", "cisplatin + pemetrexed"}
    assert "osimertinib" in set(second["regimen"])


def test_cross_resistance_is_that_of_the_laboratory() -> None:
    """C797S alone stays sensitive to gefitinib; with T790M, nothing here helps (Niederst 2015)."""
    patient = KNOWN.populations["egfr_lung"].median_cells
    genotypes = [(), ("EGFR T790M",), ("EGFR C797S",), ("EGFR T790M", "EGFR C797S"), ("MET amplification",)]
    treatments = [{"gefitinib": 1.0}, {"osimertinib": 1.0}]
    numbers = Explanation(KNOWN).numbers(patient, treatments=treatments, genotypes=genotypes)
    grows = numbers[..., 0] > numbers[..., 1]
    assert np.array_equal(grows, [[False, True, False, True, True], [False, False, True, True, True]])


def test_every_number_has_a_source_a_range_or_a_reason() -> None:
    own = [*KNOWN.drugs.values(), *KNOWN.alterations.values()]
    numbers = {key: quantity for key, quantity in KNOWN.numbers().items() if key[0] in ("drug", "alteration")}
    assert [key for key, quantity in numbers.items() if not quantity.source] == []
    cited = {key for entry in own for _, keys in citations(entry) for key in keys}
    assert cited - {"assumed"} <= set(KNOWN.sources)
    assert all(entry.label for entry in own)


def test_its_report_says_nothing_of_breast_cancer(results: Results, tmp_path: Path) -> None:
    page = write_report(results, tmp_path).read_text(encoding="utf-8")
    told = page.split("<pre")[0]  # the experiment as resolved, laws that nothing reads included, stands below
    assert "Metastases in the brain" in told
    assert words_of_one_cancer(iter([told])) <= ALSO_HERE
