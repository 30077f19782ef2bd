"""What is told for other programs: data sets with CDISC's names, CSV, times on treatment."""

from __future__ import annotations

import polars as pl
import pytest
from lived import MONTH_DAYS, lived
from tumor_abm.analysis.adam import adam, adtte
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.analysis.treatment_time import chemotherapies, regimens_of, time_on_regimens, time_to_next
from tumor_abm.cli.main import main
from tumor_abm.run.results import Results


@pytest.fixture(scope="module")
def full(results: Results) -> Results:
    return lived(results)


def test_medians_follow_from_adtte(results):
    table = compare(results).table
    names = {"PFSL1": "PFS1", "PFSL2": "PFS line 2", "PFS2": "PFS2", "OS": "OS"}
    times = adtte(results)
    assert set(times["PARAMCD"]) == set(names)
    for (code, arm), rows in times.group_by("PARAMCD", "TRT01P"):
        found = table.filter(endpoint=names[code], arm=arm).row(0, named=True)
        estimate = kaplan_meier(rows["AVAL"], rows["CNSR"] == 0)
        assert (estimate.n, estimate.events) == (found["n"], found["events"])
        assert estimate.median == found["median_months"]


def test_an_event_has_a_description_and_a_censored_time_a_reason(results):
    for row in adtte(results).iter_rows(named=True):
        assert (row["EVNTDESC"] is None) is (row["CNSR"] == 1)
        assert (row["CNSDTDSC"] is None) is (row["CNSR"] == 0)


@pytest.mark.parametrize(
    ("end", "event", "described", "why"),
    [
        ("progression", True, "PROGRESSION", None),
        ("death", True, "DEATH", None),
        ("toxicity", False, None, "LINE LEFT BY TOXICITY"),
        ("rule", False, None, "LINE LEFT BY A RULE"),
        ("completed", False, None, "LINE ENDED AS PLANNED"),
        ("censored", False, None, "END OF FOLLOW-UP OR LOST TO FOLLOW-UP"),
    ],
)
def test_reason_is_how_the_line_ended(results, end, event, described, why):
    outcomes = results.outcomes.with_columns(end_reason=pl.lit(end), pfs_event=pl.lit(event))
    times = adtte(Results(results.tables | {"outcomes": outcomes}, results.experiment, {}))
    first = times.filter(PARAMCD="PFSL1")
    assert first["EVNTDESC"].unique().to_list() == [described]
    assert first["CNSDTDSC"].unique().to_list() == [why]


def test_a_subject_is_a_patient_in_an_arm_and_twins_share_a_number(results):
    times = adtte(results).filter(PARAMCD="OS")
    assert times["USUBJID"].n_unique() == times.height == 120
    assert times["SUBJID"].n_unique() == 60


def test_scans_are_told_with_their_change_from_the_baseline_of_the_line(full):
    sets = adam(full)
    scans = sets["adtr"]
    assert scans.height == full.assessments.height
    told = scans.filter(pl.col("CHG").is_not_null())
    assert (told["AVAL"] - told["BASE"] - told["CHG"]).abs().max() < 1e-9
    assert (100 * told["CHG"] / told["BASE"] - told["PCHG"]).abs().max() < 1e-9
    best = sets["adrs"].filter(PARAMCD="BESTRESP")
    assert best.height == full.outcomes.height
    assert max(map(len, {*sets["adtte"]["PARAMCD"], *sets["adrs"]["PARAMCD"]})) <= 8


def test_time_on_a_regimen_is_that_of_its_lines(results):
    told = time_on_regimens(results)
    first = results.outcomes.filter(line=1, arm=results.control)
    row = told.filter(arm=results.control, regimen="regimen 1").row(0, named=True)
    days = first["end_day"] - first["start_day"]
    assert row["n"] == 60
    assert row["months_mean"] == pytest.approx(days.mean() / MONTH_DAYS)
    assert row["months_se"] == pytest.approx(days.std() / MONTH_DAYS / 60**0.5)
    second = told.filter(arm=results.control, regimen="regimen 2").row(0, named=True)
    assert second["months_of_all"] == pytest.approx(second["months_mean"] * second["n"] / 60)


def test_next_treatment_is_the_second_line_or_death(results):
    began = results.outcomes.filter(line=2, arm=results.control)
    row = time_to_next(results).filter(arm=results.control, measure="next treatment").row(0, named=True)
    alone = results.overall.filter(arm=results.control).join(began, on="patient", how="anti")
    assert row["n"] == 60
    assert row["events"] == began.height + alone["os_event"].sum()


def chemotherapy_and_endocrine() -> dict[str, object]:
    """Return two drugs, and their targets, as an experiment keeps them."""
    return {
        "drug": {
            "capecitabine": {"effects": {"antimetabolite": {}}},
            "letrozole": {"effects": {"estradiol": {}}},
        },
        "target": {"antimetabolite": {"therapy": "chemotherapy"}, "estradiol": {"therapy": "endocrine"}},
    }


def test_chemotherapy_is_found_by_what_the_drug_acts_on(results):
    known = chemotherapy_and_endocrine()
    assert chemotherapies(known) == ["capecitabine"]
    lines = [
        {"regimen": [{"drug": "letrozole"}]},
        {"regimen": [{"drug": "capecitabine"}, {"drug": "letrozole"}]},
    ]
    arms = [{"name": arm, "line": lines} for arm in results.arms]
    assert set(regimens_of({"arm": arms})) == {"letrozole", "capecitabine", "capecitabine + letrozole"}
    names = (
        pl.when(pl.col("line") == 1).then(pl.lit("letrozole")).otherwise(pl.lit("capecitabine + letrozole"))
    )
    outcomes = results.outcomes.with_columns(regimen=names)
    made = Results(results.tables | {"outcomes": outcomes}, results.experiment | {"arm": arms} | known, {})
    told = time_to_next(made)
    next_one, chemotherapy = (
        told.filter(measure=name).drop("measure") for name in ("next treatment", "chemotherapy")
    )
    assert chemotherapy.height == 2
    assert chemotherapy.equals(next_one)  # the second line is the chemotherapy


def test_regimens_that_the_experiment_does_not_name_are_not_guessed(results):
    made = Results(results.tables, results.experiment | chemotherapy_and_endocrine(), {})
    assert chemotherapies(made.experiment)
    assert time_to_next(made)["measure"].unique().to_list() == ["next treatment"]


def test_command_writes_the_data_sets_and_the_tables(full, tmp_path, capsys):
    full.save(tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "adam")]) == 0
    assert sorted(path.name for path in (tmp_path / "adam").iterdir()) == [
        "adrs.csv",
        "adtr.csv",
        "adtte.csv",
    ]
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "csv"), "--as", "tables"]) == 0
    for name in full.tables:
        assert (
            pl.read_csv(tmp_path / "csv" / f"{name}.csv", infer_schema_length=None).height
            == full[name].height
        )
    assert main(["export", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
