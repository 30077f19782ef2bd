"""The page of evidence: what was published against what is simulated, and predictions alone of the others."""

from __future__ import annotations

import re
from typing import get_args

import polars as pl
import pytest
from tumor_abm.calibration.parameters import Plan
from tumor_abm.calibration.problem import Problem
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.trials import Prediction, load, names, predict, rows
from tumor_abm.trials.published import KEYS

from tools.evidence import fingerprint, write_evidence
from tools.markdown import WIDTH
from tools.use import FITTED, PRACTICE, with_use

SETS = Ensemble(
    members=(Member(overrides={"pathway.e2f_hill": 3.5}), Member(overrides={"pathway.e2f_hill": 4.5}))
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    wanted = ["monaleesa_2", "persevera", "epik_b5", "mayo_after_cdk46i", "meridian", "snap"]
    prediction = predict(wanted, ensemble=SETS, patients=12, jobs=2)
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
    assert figures == [f"evidence_{of}.png" for of in ("first_line", "after_cdk46", "first_chemotherapy")]
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
    assert "| MONALEESA-2 | R+L |  | 12 | 73% |" in page


def test_rows_stand_by_what_they_were_used_for(written):
    _, page, _ = written
    of_trial = {
        "MONALEESA-2": "What was fitted",
        "EPIK-B5": "What was fitted",
        "SNAP (IBCSG 42-12)": "Not fitted yet",
        "Mayo real-world": "In practice",
        "persevERA": "Predictions",
    }
    for trial, title in of_trial.items():
        row, elsewhere = f"\n| {trial} |", page.replace(section(page, "What the model gets wrong"), "")
        assert row in section(page, title)
        assert row not in elsewhere.replace(section(page, title), "")
    later = section(page, "Not fitted yet").split("\n### ")
    assert [part.split("\n")[0] for part in later[1:]] == [
        *("After a CDK4/6 inhibitor", "Chemotherapy", "One drug of each class", "Rates")
    ]
    assert "| SNAP (IBCSG 42-12) |" in later[2]


def test_what_counts_as_fitted_are_the_rows_of_the_plans():
    simulated = pl.DataFrame(
        [
            {key: getattr(row, key) for key in KEYS} | {"file": file}
            for file in names()
            for row in rows(load(file))
        ]
    )
    used = with_use(evidence.trials().join(simulated, on=KEYS, maintain_order="left"))
    fitted = used.filter(use=FITTED).select("trial", "arm", "subset")
    plans = [Problem.shipped(plan) for plan in get_args(Plan)]
    assert set(fitted.iter_rows()) == {
        (target.trial, target.arm, target.subset) for plan in plans for target in plan.targets
    }
    assert set(used.filter(use=PRACTICE)["role"]) == {evidence.IN_PRACTICE}


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


def test_prevalence_is_told_beside_that_of_studies_blood_and_tissue_apart(written):
    _, page, _ = written
    told = section(page, "Which alterations carry resistance")
    (rb1,) = (line for line in told.splitlines() if line.startswith("| RB1 | after it with a CDK4/6"))
    assert rb1.endswith("| ctDNA 10 (8-14); tissue 10 (4-22), 10 |")


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
