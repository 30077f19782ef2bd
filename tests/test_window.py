"""Window trials: proliferation before and after days of treatment."""

from __future__ import annotations

import json

import pytest
from tumor_abm.cli import main
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.trials.window import Windows, run_windows

WINDOWS = Windows.shipped()


def test_every_window_is_a_row_of_the_table_and_of_what_is_known() -> None:
    rows = evidence.ki67()
    for arm in WINDOWS.arm:
        for day in arm.days:
            assert rows.filter(trial=arm.trial, regimen=arm.regimen, day=float(day)).height == 1, arm
        assert {dosing.drug for dosing in arm.drugs} <= Knowledge.shipped().drugs.keys()
    assert Knowledge.shipped().pathway.nodes[WINDOWS.node].output


def test_proliferation_falls_with_the_dose_and_comes_back_without_it() -> None:
    arm = {"trial": "IMPACT", "regimen": "anastrozole", "days": [14, 35]}
    treated = {"drug": "abemaciclib", "days": "1-14", "cycle_days": 70}
    written = {"node": WINDOWS.node, "arrested_at": WINDOWS.arrested_at, "population": WINDOWS.population}
    found = {
        dose: run_windows(
            Windows.model_validate({**written, "arm": [{**arm, "drugs": [{**treated, "dose": dose}]}]}),
            patients=8,
        )["change_pct"].to_list()
        for dose in (0.2, 1.0)
    }
    assert found[1.0][0] < found[0.2][0] < -5
    assert found[1.0][1] > found[1.0][0] + 20


def test_the_same_seed_gives_the_same_table_and_a_part_is_part_of_it() -> None:
    one = run_windows(trials=["neoMONARCH", "POP"], patients=3, seed=4)
    assert one.equals(run_windows(trials=["neoMONARCH", "POP"], patients=3, seed=4))
    assert one.filter(trial="POP").equals(run_windows(trials=["POP"], patients=3, seed=4))
    assert (one["arrest_pct"].is_between(0, 100)).all()


def test_an_unknown_trial_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="IMPAKT"):
        run_windows(trials=["IMPAKT"])
    assert main(["window", "IMPAKT"]) == 2
    assert "IMPACT" in capsys.readouterr().err


def test_the_command_prints_and_writes(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["window", "POP", "--patients", "2", "--json", "--csv", str(tmp_path / "t.csv")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["windows"]
    assert row["published_arrest_pct"] == 70.0
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").startswith("trial,regimen,day")
