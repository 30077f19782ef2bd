"""Patients of a real trial, read off its curves, beside simulated ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lifelines.statistics import logrank_test
from scipy.stats import kstest
from tumor_abm import Results
from tumor_abm.analysis.observed import fit, read_observed
from tumor_abm.cli.main import main
from tumor_abm.errors import InputError


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def like(results: Results, scale: float = 1.0) -> pl.DataFrame:
    """The simulated patients themselves, as if they had been observed."""
    first = results.outcomes.filter(line=1)
    return first.select("arm", months=pl.col("pfs_months") * scale, event="pfs_event")


def test_a_file_is_read(tmp_path: Path) -> None:
    text = "\ufeffArm;Time;Event;site\nA;3.5;1;x\nB;0;FALSE;y\n\n"
    assert read_observed(written(tmp_path / "a.csv", text)).rows() == [("A", 3.5, True), ("B", 0.0, False)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,arm\n1,A\n", "columns: found"),
        ("time,event,arm,time\n1,1,A,2\n", "each once"),
        ("time,event,arm\n", "holds no patient"),
        ("time,event,arm\n1,1,A\nsoon,1,A\n", 'line 3, time: found "soon"'),
        ("time,event,arm\n-1,1,A\n", "line 2, time"),
        ("time,event,arm\nnan,1,A\n", "line 2, time"),
        ("time,event,arm\n1,2,A\n", 'line 2, event: found "2"; allowed: 1 (event) or 0 (censored)'),
        ("time,event,arm\n1,1, \n", "line 2, arm"),
        ("time,event,arm\n1,1\n", "line 2: found 2 fields; allowed: 3"),
        ("", "columns: found"),
    ],
)
def test_what_is_no_table_of_patients_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_observed(written(tmp_path / "a.csv", text))
    assert said in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "a.csv"))


def test_the_test_is_that_of_lifelines(results: Results) -> None:
    other = like(results, 0.6)
    found = fit(results, other, "PFS1").row(0, named=True)
    arm = found["arm"]
    ours, theirs = like(results).filter(arm=arm), other.filter(arm=arm)
    test = logrank_test(ours["months"], theirs["months"], ours["event"], theirs["event"])
    assert found["p"] == pytest.approx(test.p_value)
    assert found["hr"] < 1  # the observed fare worse, so the simulated have the lower hazard
    assert found["observed_median_months"] == pytest.approx(0.6 * found["simulated_median_months"])


def test_patients_of_one_law_are_told_apart_at_the_level(make_results: object) -> None:
    rng = np.random.default_rng(8)
    simulated = make_results(200, ("only",))  # type: ignore[operator]
    months, event = (like(simulated)[name].to_numpy() for name in ("months", "event"))
    p = []
    for _ in range(300):
        drawn, of = rng.permutation(months.size), months.size // 2
        one, other = drawn[:of], drawn[of:]
        outcomes = simulated.outcomes.filter(line=1)[one.tolist()]
        half = Results({**simulated.tables, "outcomes": outcomes}, simulated.experiment, {})
        observed = pl.DataFrame(
            {"arm": ["only"] * other.size, "months": months[other], "event": event[other]}
        )
        p.append(fit(half, observed)["p"].item())
    assert kstest(p, "uniform").pvalue > 1e-6


def test_arms_and_endpoints_that_are_none_are_refused(results: Results) -> None:
    with pytest.raises(InputError, match='arm: found "C"'):
        fit(results, pl.DataFrame({"arm": ["C"], "months": [1.0], "event": [True]}))
    with pytest.raises(InputError, match='found "PFS9"'):
        fit(results, like(results), "PFS9")


def test_the_command_tells_and_draws(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results.save(tmp_path / "run")
    observed = like(results).rename({"months": "time"}).with_columns(pl.col("event").cast(pl.Int8))
    observed.write_csv(tmp_path / "trial.csv")
    asked = ["compare", str(tmp_path / "run"), "--observed", str(tmp_path / "trial.csv")]
    assert main([*asked, "--figure", str(tmp_path / "fit.svg"), "--csv", str(tmp_path / "fit.csv")]) == 0
    assert "Simulated and observed patients" in capsys.readouterr().out
    assert (tmp_path / "fit.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert pl.read_csv(tmp_path / "fit.csv")["hr"].to_list() == pytest.approx([1.0, 1.0])
    assert main([*asked, "--json"]) == 0
    assert [row["endpoint"] for row in json.loads(capsys.readouterr().out)["fit"]] == ["PFS1", "PFS1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--observed", "none.csv"], "there is no such file"),
        (["--figure", "a.svg"], "name that, too"),
    ],
)
def test_the_command_says_what_cannot_be(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    results.save(tmp_path / "run")
    assert main(["compare", str(tmp_path / "run"), *more]) == 2
    assert said in capsys.readouterr().err
