"""Effects in subgroups: that they are those of the patients in them, and that tests keep their level."""

from __future__ import annotations

import json

import arms
import numpy as np
import pandas as pd
import polars as pl
import pytest
from lifelines import CoxPHFitter
from scipy.stats import binom, f_oneway, ttest_ind
from tumor_abm import run_experiment
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.covariate import covariate_of, known_covariates
from tumor_abm.analysis.division import Cut, divisions
from tumor_abm.analysis.heterogeneity import heterogeneity, heterogeneity_of_few, holm
from tumor_abm.analysis.paired import Twins, gains, mean_difference
from tumor_abm.analysis.subgroups import subgroups
from tumor_abm.cli.main import main
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

ALPHA = 1e-6
LEVEL = 0.05
TRIALS = 500
ARMS = ("control", "new")


def trial(
    rng: np.random.Generator,
    patients: int = 240,
    *,
    ratios: tuple[float, float] = (0.6, 0.6),
    frailty: float = 0.0,
) -> Results:
    """A trial of two arms with hazard ratios of patients without and with a flag, and luck in common."""
    flag = rng.random(patients) < 0.5
    alike = np.exp(frailty * rng.normal(size=patients))
    lost = rng.uniform(10, 40, patients)
    outcomes = []
    for arm in ARMS:
        hazard = alike * np.where(flag, 0.15, 0.07)
        if arm == "new":
            hazard = hazard * np.where(flag, ratios[1], ratios[0])
        time = rng.exponential(1 / hazard)
        outcomes.append(
            pl.DataFrame(
                {
                    "patient": np.arange(patients),
                    "arm": [arm] * patients,
                    "line": [1] * patients,
                    "pfs_months": np.minimum(time, lost),
                    "pfs_event": time <= lost,
                    "end_reason": ["progression"] * patients,
                    "response": ["SD"] * patients,
                    "start_day": [0] * patients,
                }
            )
        )
    return of(
        pl.concat(outcomes), {"patient": np.arange(patients), "flag": flag, "size": rng.normal(size=patients)}
    )


def of(outcomes: pl.DataFrame, patients: dict[str, object]) -> Results:
    overall = outcomes.select(
        "patient",
        "arm",
        os_months="pfs_months",
        os_event="pfs_event",
        pfs2_months="pfs_months",
        pfs2_event="pfs_event",
    )
    tables = {"outcomes": outcomes, "overall": overall, "patients": pl.DataFrame(patients)}
    line = {"regimen": [{"drug": "letrozole"}]}
    arms = [{"name": arm, "line": [line]} for arm in ARMS]
    return Results(tables, {"control": "control", "arm": arms, "end_with_last_line": True}, {})


def first_line(results: Results) -> pl.DataFrame:
    return results.outcomes.select("patient", "arm", months="pfs_months", event="pfs_event")


@pytest.fixture(scope="module")
def made() -> Results:
    return trial(np.random.default_rng(7), frailty=0.7)


def test_effect_in_a_subgroup_is_that_of_its_patients_alone(made):
    effects, _ = subgroups(made, ["flag"])
    members = made.patients.filter("flag").select("patient")
    alone = Results(
        {name: table.join(members, on="patient", how="semi") for name, table in made.tables.items()},
        made.experiment,
        {},
    )
    whole = compare(alone).table.filter(arm="new", endpoint="PFS1").row(0, named=True)
    mine = effects.filter(level="yes").row(0, named=True)
    names = (
        "n",
        "hr",
        "hr_lo",
        "hr_hi",
        "paired_hr_lo",
        "paired_hr_hi",
        "median_months",
        "control_median_months",
    )
    assert [mine[name] for name in names] == [whole[name] for name in names]


def test_subgroups_of_a_covariate_are_all_patients_once(made):
    effects, tests = subgroups(made, ["flag", "size:-1:0.5"])
    assert effects.group_by("covariate").agg(pl.col("n").sum())["n"].to_list() == [240, 240]
    assert effects.filter(covariate="size")["level"].to_list() == ["< -1", "-1 to < 0.5", "≥ 0.5"]
    assert tests["n"].to_list() == [240, 240]


def test_interaction_is_that_of_a_stratified_cox_model(made):
    observed = first_line(made).join(made.patients, on="patient")
    data = pd.DataFrame(
        {
            "months": observed["months"].to_numpy(),
            "event": observed["event"].to_numpy(),
            "flag": observed["flag"].to_numpy().astype(int),
            "treated": (observed["arm"] == "new").to_numpy().astype(int),
        }
    )
    data["both"] = data["treated"] * data["flag"]
    model = CoxPHFitter().fit(data, "months", "event", strata=["flag"])
    _, tests = subgroups(made, ["flag"])
    assert tests["p"].item() == pytest.approx(model.summary.loc["both", "p"], rel=1e-5)


def test_welch_of_two_and_of_three_groups_is_that_of_scipy():
    rng = np.random.default_rng(3)
    groups = [rng.normal(shift, scale, n) for shift, scale, n in ((0, 1, 8), (0.4, 2, 15), (0.2, 0.5, 6))]
    for some in (groups[:2], groups):
        means = [group.mean() for group in some]
        errors = [group.std(ddof=1) / np.sqrt(group.size) for group in some]
        p = heterogeneity_of_few(means, errors, [group.size for group in some])
        assert p == pytest.approx(f_oneway(*some, equal_var=False).pvalue, rel=1e-9)
    assert heterogeneity_of_few(means[:2], errors[:2], [8, 15]) == pytest.approx(
        ttest_ind(*groups[:2], equal_var=False).pvalue, rel=1e-9
    )


def test_one_subgroup_differs_from_none():
    assert heterogeneity([0.3], [0.1]) is None
    assert heterogeneity_of_few([0.3], [0.1], [9]) is None


def test_holm_multiplies_the_least_by_all_and_keeps_the_order():
    assert holm([0.5, 0.001, None, 0.02]) == pytest.approx([0.5, 0.003, None, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_many_tests_are_adjusted_together(made):
    _, tests = subgroups(made, ["flag", "size"])
    assert tests["p_holm"].to_list() == holm(tests["p"].to_list())
    assert (tests["p_holm"] >= tests["p"]).all()


def within_level(p_values: list[float]) -> bool:
    """Whether as many p-values fall below the level as a test of that level has, at alpha."""
    rejected = sum(p < LEVEL for p in p_values)
    lo, hi = binom.ppf(ALPHA / 2, len(p_values), LEVEL), binom.isf(ALPHA / 2, len(p_values), LEVEL)
    return bool(lo <= rejected <= hi)


@pytest.mark.dear
@pytest.mark.parametrize(
    ("frailty", "columns"), [(0.0, ("p", "mean_p")), (1.0, ("paired_p", "mean_paired_p"))]
)
def test_interaction_tests_reject_at_their_level_where_there_is_no_interaction(frailty, columns):
    rng = np.random.default_rng(2026)
    tests = pl.concat(
        subgroups(trial(rng, frailty=frailty, ratios=(1.0, 1.0)), ["flag"])[1] for _ in range(TRIALS)
    )
    for column in columns:
        assert within_level(tests[column].to_list()), (column, (tests[column] < LEVEL).mean())


def test_an_interaction_is_found():
    _, tests = subgroups(trial(np.random.default_rng(1), 1200, ratios=(1.0, 0.3)), ["flag", "size"])
    flag, size = tests["p"].to_list()
    assert flag < ALPHA < size


def test_mean_of_the_gains_is_the_difference_of_the_restricted_means(made):
    observed = first_line(made)
    own = gains(observed, "new", "control", 9.0)
    assert own["gain_months"].mean() == pytest.approx(
        mean_difference(Twins.of(observed, "new", "control"), 9.0).value, rel=1e-9
    )


def test_gain_of_the_uncensored_is_the_difference_of_their_times():
    observed = pl.DataFrame(
        {
            "patient": [0, 1, 2] * 2,
            "arm": ["control"] * 3 + ["new"] * 3,
            "months": [2.0, 5.0, 9.0, 4.0, 5.0, 3.0],
            "event": [True] * 6,
        }
    )
    assert gains(observed, "new", "control", 8.0)["gain_months"].to_list() == pytest.approx([2.0, 0.0, -5.0])


def test_gain_goes_with_what_it_depends_on(made):
    rng = np.random.default_rng(5)
    size = rng.normal(size=300)
    months = np.concatenate([np.full(300, 10.0), 10.0 + 3 * size])
    outcomes = pl.DataFrame(
        {
            "patient": [*range(300)] * 2,
            "arm": ["control"] * 300 + ["new"] * 300,
            "line": [1] * 600,
            "pfs_months": np.maximum(months, 0.5),
            "pfs_event": [True] * 600,
            "end_reason": ["progression"] * 600,
            "response": ["SD"] * 600,
            "start_day": [0] * 600,
        }
    )
    drawn = {"patient": range(300), "size": size, "other": rng.normal(size=300)}
    _, tests = subgroups(of(outcomes, drawn), ["size", "other"])
    assert tests["gain_rho"][0] > 0.8
    assert tests["gain_p"][0] < ALPHA < tests["gain_p"][1]


def test_markers_are_read_from_the_cells_at_enrolment():
    clones = pl.DataFrame(
        {
            "patient": [0, 0, 0, 1, 0, 0],
            "arm": ["control"] * 4 + ["new"] * 2,
            "moment": ["baseline"] * 5 + ["progression"],
            "alterations": [[], ["A1"], ["A2", "B1"], [], ["A1"], ["B1"]],
            "fraction": [0.9, 0.04, 0.06, 1.0, 0.04, 1.0],
        },
        schema_overrides={"alterations": pl.List(pl.String)},
    )
    alteration = {"A1": {"gene": "A"}, "A2": {"gene": "A"}, "B1": {"gene": "B"}}
    made = trial(np.random.default_rng(1), 3)
    experiment = made.experiment | {"alteration": alteration, "alterations": list(alteration)}
    results = Results({**made.tables, "clones": clones}, experiment, {})
    share = covariate_of(results, "a_share").values
    assert share["value"].to_list() == pytest.approx([10.0, 0.0, None])
    assert covariate_of(results, "A_at_baseline").values["value"].to_list() == [True, False, None]
    assert covariate_of(results, "A1_at_baseline").values["value"].to_list() == [False, False, None]
    (divided,) = divisions(results, ["A_at_baseline"])
    assert divided.unknown == 1


def test_every_covariate_that_is_told_can_be_asked_for(results):
    for name in known_covariates(results):
        assert covariate_of(results, name).values.columns == ["patient", "value"]


@pytest.mark.parametrize(
    ("by", "problem"),
    [
        (["sise"], r'by: found "sise"; allowed: .*did you mean "size"'),
        (["flag:1"], r"by: flag: found .*; allowed: no cuts"),
        (["size:x"], r'by: found "size:x"; allowed: NAME or NAME:CUT:CUT'),
        (["size:2:1"], r"by: size: .*each above the last"),
        ([Cut("size", (float("nan"),))], r"by: size: .*finite cuts"),
        (["flag", "flag"], r"by: .*every covariate once"),
        ("flag", r"by: found .*; allowed: list, tuple"),
        ([3], r"by: found 3; allowed: str, Cut"),
    ],
)
def test_what_divides_nobody_is_refused(made, by, problem):
    with pytest.raises(InputError, match=problem):
        compare(made, by=by)


def test_without_subgroups_nothing_is_said_of_them(made, tmp_path):
    compare(made).save(tmp_path)
    assert not (tmp_path / "subgroups.csv").exists()
    compare(made, by=["flag"]).save(tmp_path)
    assert pl.read_csv(tmp_path / "subgroups.csv").height == 2


def test_subgroups_of_few_patients_have_no_test_and_no_error():
    effects, tests = subgroups(trial(np.random.default_rng(1), 3), ["flag", "size", "response_in_control"])
    assert effects.height
    assert tests["p"].to_list() == [None] * 3


def test_command_prints_subgroups(results, tmp_path, capsys):
    results.save(tmp_path)
    assert main(["compare", str(tmp_path), "--by", "age:60", "--csv", str(tmp_path / "c.csv")]) == 0
    said = capsys.readouterr().out
    assert "in subgroups" in said
    assert "≥ 60" in said
    assert pl.read_csv(tmp_path / "c_subgroups.csv")["level"].unique().sort().to_list() == ["< 60", "≥ 60"]
    assert main(["compare", str(tmp_path), "--by", "age", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["covariate"] for row in told["interactions"]} == {"age"}


def test_command_says_what_is_no_covariate(results, tmp_path, capsys):
    results.save(tmp_path)
    assert main(["compare", str(tmp_path), "--by", "agee"]) == 2
    assert 'did you mean "age"' in capsys.readouterr().err


def test_what_is_so_or_not_divides_into_no_and_yes() -> None:
    population = {"base": "first_line_postmenopausal", "covariate": {"premenopausal": {"share": 0.5}}}
    results = run_experiment(arms.experiment(arms.arm("x", ["letrozole"]), population=population))
    told = covariate_of(results, "premenopausal").values["value"]
    assert told.dtype == pl.Boolean
    assert told.any()
    assert not told.all()
    assert covariate_of(results, "turnover").values["value"].dtype == pl.Float64
