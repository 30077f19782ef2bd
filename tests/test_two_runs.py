"""Two runs side by side."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from arms import arm, experiment
from tumor_abm import Results, run_experiment
from tumor_abm.analysis.paired import Twins, hazard_ratio
from tumor_abm.analysis.two_runs import differences, two_runs
from tumor_abm.cli.main import main
from tumor_abm.errors import InputError


def run(dose: float = 1.0, seed: int = 3, other: str = "letrozole alone") -> Results:
    both = arm("both", ["letrozole", {"drug": "palbociclib", "dose": dose}])
    return run_experiment(experiment(both, arm(other, ["letrozole"]), seed=seed))


@pytest.fixture(scope="module")
def full() -> Results:
    return run()


@pytest.fixture(scope="module")
def half() -> Results:
    return run(dose=0.5)


def test_what_differs_is_told_by_its_place(full: Results, half: Results) -> None:
    found = two_runs(full, half).differences
    assert found.rows() == [("arm[both].line[0].regimen[1].dose", "1.0", "0.5")]


def test_tables_are_matched_by_name_and_lists_by_place() -> None:
    one = {"a": {"b": [1, 2]}, "arm": [{"name": "x", "n": 1}, {"name": "y", "n": 2}], "line": [{"k": 1}]}
    other = {
        "a": {"b": [1, 3]},
        "arm": [{"name": "y", "n": 2}, {"name": "x", "n": 1}],
        "line": [{"k": 1}, {"k": 2}],
    }
    assert differences(one, other).rows() == [("a.b", "[1, 2]", "[1, 3]"), ("line[1].k", None, "2")]


def test_the_same_patients_are_compared_as_twins(full: Results, half: Results) -> None:
    found = two_runs(full, half)
    assert found.same_patients
    row = found.table.filter(arm="both", endpoint="PFS1").row(0, named=True)
    seen = [
        results.outcomes.filter(arm="both", line=1).select(
            "patient", arm=pl.lit(name), months="pfs_months", event="pfs_event"
        )
        for name, results in (("full", full), ("half", half))
    ]
    expected = hazard_ratio(Twins.of(pl.concat(seen), "half", "full"))
    assert (row["hr"], row["paired_hr_lo"]) == (expected.value, expected.paired_lo)
    alone = found.table.filter(arm="letrozole alone", endpoint="PFS1").row(0, named=True)
    assert (alone["hr"], alone["paired_hr_lo"], alone["rmst_difference"]) == (1.0, 1.0, 0.0)


def test_other_patients_are_compared_as_strangers(full: Results) -> None:
    found = two_runs(full, run(seed=4))
    row = found.table.filter(arm="both", endpoint="PFS1").row(0, named=True)
    assert not found.same_patients
    assert row["hr_lo"] < row["hr"] < row["hr_hi"]
    assert row["paired_hr_lo"] is None
    assert row["rmst_difference_lo"] < row["rmst_difference"] < row["rmst_difference_hi"]


def test_arms_of_one_run_alone_are_named(full: Results) -> None:
    found = two_runs(full, run(other="nothing like it"))
    assert (found.arms, found.only) == (["both"], (["letrozole alone"], ["nothing like it"]))


def test_runs_that_share_no_arm_are_refused(full: Results) -> None:
    other = run_experiment(experiment(arm("c", ["letrozole"]), patients=3))
    with pytest.raises(
        InputError, match="share no arm by name: the first has both, letrozole alone; the second has c"
    ):
        two_runs(full, other)


def test_what_has_no_arms_is_refused(full: Results) -> None:
    with pytest.raises(InputError, match="the second is no run of an experiment with arms"):
        two_runs(full, Results({}, {"scenario": [{"name": "a"}]}, {}))


def test_the_page_tells_both(
    full: Results, half: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full.save(tmp_path / "full")
    half.save(tmp_path / "half")
    assert (
        main(["report", str(tmp_path / "full"), str(tmp_path / "half"), "--out", str(tmp_path / "out")]) == 0
    )
    assert "side_by_side.html" in capsys.readouterr().out
    page = (tmp_path / "out" / "side_by_side.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "arm[both].line[0].regimen[1].dose" in page
    assert all(f"<h3>{name}</h3>" in page for name in ("full", "half"))
    assert "src=" not in page


def test_the_command_says_what_cannot_be(
    full: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full.save(tmp_path / "full")
    one = str(tmp_path / "full")
    assert main(["report", one, str(tmp_path / "none")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
    assert main(["report", one, one, "--by", "visceral"]) == 2
    assert "by: found" in capsys.readouterr().err
