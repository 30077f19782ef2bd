"""The page of evidence: what was published against what is simulated, and predictions alone of the others."""

from __future__ import annotations

import re

import pytest
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.trials import Prediction, predict

from tools.evidence import fingerprint, write_evidence
from tools.markdown import WIDTH

SETS = Ensemble(
    members=(Member(overrides={"pathway.e2f_hill": 3.5}), Member(overrides={"pathway.e2f_hill": 4.5}))
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    prediction = predict(["monaleesa_2", "persevera"], ensemble=SETS, patients=12, jobs=2)
    prediction.save(folder / "kept")
    kept = Prediction.load(folder / "kept")
    assert kept.table.equals(prediction.table)
    files = write_evidence(kept, folder / "evidence.md", SETS)
    return files, (folder / "evidence.md").read_text(), prediction


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_placeholder_is_filled_and_every_figure_is_there(written):
    files, page, _ = written
    assert "{{" not in page
    assert max(map(len, page.splitlines())) <= WIDTH
    figures = re.findall(r"\(images/(\w+\.png)\)", page)
    assert figures == ["evidence_first_line.png"]
    assert {file.name for file in files} >= set(figures)
    assert all(file.stat().st_size > 1_000 for file in files)


def test_fitted_rows_show_what_was_published_and_whether_it_is_met(written):
    _, page, prediction = written
    row = next(line for line in section(page, "What was fitted").splitlines() if "| R+L |" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["MONALEESA-2", "R+L", "", "25.3 (23.0-30.3)"]
    simulated = prediction.table.row(1, named=True)
    median, low, high = (simulated[key] for key in ("pfs_median_months", "pfs_lo", "pfs_hi"))
    in_published = median is None or 23.0 <= median <= 30.3
    in_simulated = low is not None and low <= 25.3 and (high is None or high >= 25.3)
    words = {(True, True): "both", (True, False): "simulated", (False, True): "published"}
    if median is not None:
        assert cells[5] == words.get((in_published, in_simulated), "**neither**")
    assert "| MONALEESA-2 | R+L | 12 | 73% |" in page


def test_counts_of_what_is_inside_tell_how_much_of_them_is_chance(written):
    _, page, _ = written
    lines = section(page, "In short").splitlines()
    inside, others = next(line for line in lines if line.startswith("| Median PFS of the rows fitted")).split(
        "|"
    )[2:4]
    found, rows = (int(number) for number in re.findall(r"\d+", inside)[:2])
    low, high = (int(number) for number in others.split(" to "))
    assert rows == 2
    assert 0 <= low <= high <= rows
    assert low <= found <= high
    assert low < high  # of twelve patients


def test_trials_to_predict_appear_with_predictions_alone(written):
    _, page, _ = written
    predicted = section(page, "Predictions")
    assert predicted.count("| persevERA |") == 2
    assert "published" not in predicted.split("| trial |")[1]
    assert "persevERA" not in page.replace(predicted, "")
    assert not set(evidence.trials()["trial"]) & {"persevERA"}


def test_the_ensemble_stands_beside_its_ranges(written):
    _, page, _ = written
    assert "`pathway.e2f_hill`" in section(page, "Parameters")
    assert "an ensemble of 2 parameter sets" in page


def test_the_fingerprint_changes_with_any_number():
    known = Knowledge.shipped()
    other = known.with_numbers({"pathway.e2f_hill": known.pathway["e2f_hill"] + 1e-6})
    assert fingerprint(known) == fingerprint(Knowledge.shipped()) != fingerprint(other)
