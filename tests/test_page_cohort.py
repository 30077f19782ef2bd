"""A finished run on the page: its patients, and the one that is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import solara
import tumor_abm as ta
from page_session import lived
from tumor_abm.analysis import survival
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.cohort_card import CohortCard, curve_svg
from tumor_abm.app.session import Session
from tumor_abm.errors import InputError

PATIENTS = 12


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "timing"
    ta.run_experiment(experiment(), out, patients=PATIENTS, jobs=1)
    return out


@pytest.fixture(scope="module")
def catalogue(directory: Path) -> Catalogue:
    return Catalogue.of(directory)


def experiment() -> dict[str, Any]:
    letrozole, fulvestrant = {"regimen": ["letrozole"]}, {"regimen": ["fulvestrant"]}
    return {
        "title": "two orders",
        "question": "which first?",
        "seed": 5,
        "arm": [
            {"name": "letrozole first", "line": [letrozole, fulvestrant]},
            {"name": "fulvestrant first", "line": [fulvestrant, letrozole]},
        ],
    }


def test_the_patient_that_is_opened_lives_as_in_the_run(catalogue: Catalogue, directory: Path) -> None:
    session = Session(catalogue)
    session.days_per_frame.value = 28
    lived(
        session,
        lambda: session.open_patient(7, "fulvestrant first"),
        session.play,
    )
    shown = session.pictures.value[0].facts["outcomes"]
    run = ta.Results.load(directory).outcomes.filter(patient=7, arm="fulvestrant first")
    assert [row["pfs_months"] for row in shown] == run["pfs_months"].to_list()
    assert session.begun is not None
    assert session.is_of_cohort(session.begun)


def test_a_patient_who_is_changed_is_no_patient_of_the_run(catalogue: Catalogue) -> None:
    session = Session(catalogue)
    lived(session, lambda: session.choose(mutation_rate=10.0), session.reset)
    assert session.begun is not None
    assert not session.is_of_cohort(session.begun)


def test_the_page_opens_with_a_patient_of_the_run_under_its_seed(catalogue: Catalogue) -> None:
    setup = Session(catalogue).setup.value
    assert (setup.patient in catalogue.cohort.patients, setup.seed) == (True, "5")


def test_every_patient_is_listed_with_the_lines_of_the_run(catalogue: Catalogue, directory: Path) -> None:
    rows = catalogue.cohort.lives("letrozole first")
    run = ta.Results.load(directory).outcomes.filter(arm="letrozole first")
    assert sorted(row["patient"] for row in rows) == list(range(PATIENTS))
    months = [row["months"] for row in rows]
    assert months == sorted(months, reverse=True)
    for row in rows:
        assert len(row["bars"]) == run.filter(patient=row["patient"]).height


def test_a_patient_lies_where_the_curve_of_the_arm_says(catalogue: Catalogue) -> None:
    cohort, arm = catalogue.cohort, "letrozole first"
    observed = cohort.observed(arm)
    estimate = survival.kaplan_meier(observed["months"], observed["event"])
    for patient, months, event in observed.iter_rows():
        place = cohort.place(arm, patient)
        assert (place.months, place.event) == (months, event)
        assert place.free_pct == pytest.approx(100 * float(estimate.at([months])[0]), nan_ok=True)
    assert 'class="tumor-place"' in curve_svg(
        estimate, cohort.place(arm, int(observed["patient"][-1])), "PFS"
    )
    assert 'class="tumor-place"' not in curve_svg(estimate, None, "PFS")


def test_the_card_shows_the_run(catalogue: Catalogue) -> None:
    session = Session(catalogue)
    lived(session)
    _, rendered = solara.render(CohortCard(session, catalogue.cohort), handle_error=False)
    rendered.close()


def test_what_is_no_run_of_one_set_of_parameters_is_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a finished result"):
        Catalogue.of(tmp_path)
    results = ta.Results.load(directory)
    tables = {name: results[name] for name in results.tables}
    tables["overall"] = tables["overall"].with_columns(set=pl.lit(1))
    ta.Results(tables, results.experiment, results.provenance).save(tmp_path / "sets")
    with pytest.raises(InputError, match=r"several sets of parameters"):
        Catalogue.of(tmp_path / "sets")
