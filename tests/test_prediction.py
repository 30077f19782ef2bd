"""Predictions: the estimates are those of lifelines, and the table is what it says."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize_scalar
from tumor_abm import trials
from tumor_abm.analysis.survival import cox_hazard_ratio, kaplan_meier
from tumor_abm.cli.main import BAD_INPUT, DONE, main
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.ensemble import Ensemble, Member
from tumor_abm.trials import Parts, Prediction, predict
from tumor_abm.trials.cohort import _first_alike, cohorts, is_followed_to_the_end
from tumor_abm.trials.prediction import _patients_seed
from tumor_abm.trials.sampling import Observed, hazard_ratio, interval, median, own_share, rate

SEED = 20_260_417
COLUMNS = [
    *("trial", "arm", "subset", "n", "pfs_median_months", "pfs_lo", "pfs_hi", "hr", "hr_lo", "hr_hi"),
    *("pfs6", "pfs12", "pfs18", "pfs24", "pfs36", "orr_pct", "pfs2_median_months", "os_median_months"),
]


def scanned(rng: np.random.Generator, patients: int, mean: float) -> Observed:
    """Events seen on scans, with many ties, and censoring in between."""
    seen = np.ceil(rng.exponential(mean, patients) / 1.84) * 1.84
    lost = rng.exponential(3 * mean, patients)
    return Observed(np.minimum(seen, lost), seen <= lost)


def likeliest_ratio(treated: Observed, control: Observed) -> float:
    """Maximise Efron's partial likelihood, written as in the textbooks."""
    people = [(t, bool(e), 1.0) for t, e in zip(treated.months, treated.event, strict=True)]
    people += [(t, bool(e), 0.0) for t, e in zip(control.months, control.event, strict=True)]

    def minus_log_likelihood(beta: float) -> float:
        total = 0.0
        for time in {t for t, event, _ in people if event}:
            tied = [x for t, event, x in people if event and t == time]
            at_risk = sum(math.exp(beta * x) for t, _, x in people if t >= time)
            of_tied = sum(math.exp(beta * x) for x in tied)
            total += beta * sum(tied)
            total -= sum(math.log(at_risk - gone / len(tied) * of_tied) for gone in range(len(tied)))
        return -total

    return math.exp(minimize_scalar(minus_log_likelihood, (-1.0, 1.0), tol=1e-10).x)


@pytest.mark.parametrize("patients", [3, 20, 200])
def test_the_quick_estimates_are_those_of_lifelines(patients):
    rng = np.random.default_rng(SEED)
    for _ in range(10):
        treated, control = scanned(rng, patients, 14.0), scanned(rng, patients, 8.0)
        curve = kaplan_meier(treated.months, treated.event)
        middle = median(treated)
        # Where the estimate is one half exactly, lifelines' rounding decides whether it counts as reached.
        if rate(treated, middle) != pytest.approx(0.5, abs=1e-12):
            assert middle == (curve.median or math.inf)
        for month in (6, 12, 24):
            np.testing.assert_allclose(rate(treated, month), curve.at([month])[0], rtol=1e-12)
        months = np.concatenate([treated.months, control.months])
        event = np.concatenate([treated.event, control.event])
        slow = cox_hazard_ratio(months, event, np.arange(2 * patients) < patients).hr
        quick = hazard_ratio(treated, control)
        assert (slow is None) == math.isnan(quick)
        if slow is not None:
            # lifelines stops once its steps are small; the likelihood itself is the sharper oracle.
            assert quick == pytest.approx(slow, rel=1e-3)
            assert quick == pytest.approx(likeliest_ratio(treated, control), rel=1e-4)


def test_an_interval_keeps_what_was_not_reached():
    assert interval(np.arange(1.0, 1001.0)) == (25.0, 975.0)
    low, high = interval(np.array([1.0] * 90 + [math.inf] * 10))
    assert (low, high) == (1.0, math.inf)


def test_chance_differences_between_parameter_sets_are_not_taken_for_true_ones():
    rng = np.random.default_rng(SEED)
    sizes = np.full(200, 50)
    alike = [rng.binomial(50, 0.5, 200) / 50 for _ in range(5)]
    assert own_share(alike, [sizes] * 5) < 0.4
    apart = [rng.binomial(50, rng.uniform(0.1, 0.9, 200)) / 50 for _ in range(5)]
    assert own_share(apart, [sizes] * 5) > 0.9


def test_trials_with_the_same_patients_share_them():
    groups = cohorts(("monaleesa_2", "monarch_3", "paloma_4", "paloma_3"))
    assert [group.files for group in groups] == [("monaleesa_2", "monarch_3"), ("paloma_4",), ("paloma_3",)]
    assert groups[0].name == cohorts(("monarch_3",))[0].name == "monaleesa_2"


WANTED = ["paloma_2", "sonia", "paloma_1"]


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    with Parts.claimed(tmp_path_factory.mktemp("parts")) as parts:
        return predict(WANTED, ensemble=Ensemble.defaults(), patients=40, jobs=2, parts=parts), parts


def test_the_table_has_a_row_per_arm_and_subset(some):
    table = some[0].table
    assert table.columns[: len(COLUMNS)] == COLUMNS
    paloma = table.filter(pl.col("trial") == "PALOMA-2")
    assert paloma.select("arm", "subset", "n").rows() == [
        ("L", "", 222),
        ("P+L", "", 444),
        paloma.row(2)[1:4],
    ]
    bone = paloma.row(2, named=True)
    assert (bone["arm"], bone["subset"]) == ("P+L bone-only", "bone-only")
    assert bone["n"] == pytest.approx(444 * bone["simulated"] / 40, abs=0.6)
    assert paloma["hr"].is_null().to_list() == [True, False, False]
    assert ((table["pfs_lo"] <= table["pfs_median_months"]) & (table["pfs_median_months"] > 0)).all()
    for name in ("pfs6", "pfs12", "orr_pct"):
        assert table[name].is_between(0, 100).all()
    # The update is the same trial.
    update = table.filter(pl.col("trial") == "PALOMA-2 38-mo update")
    assert update["pfs_median_months"].to_list() == paloma["pfs_median_months"].to_list()[:2]


def test_pfs2_rows_tell_pfs2(some):
    sonia = some[0].table.filter(pl.col("trial") == "SONIA")
    second = sonia.filter(pl.col("subset") == "PFS2")
    assert second["endpoint"].unique().to_list() == ["PFS2"]
    assert second["pfs_median_months"].to_list() == second["pfs2_median_months"].to_list()
    first = sonia.filter(pl.col("subset") == "PFS1")
    assert (first["pfs_median_months"] < first["pfs2_median_months"]).all()


def test_a_hazard_ratio_is_of_the_patients_who_live_both_arms(some):
    row = some[0].table.filter(pl.col("subset") == "bone-only").row(0, named=True)
    lived = some[0].observations.filter(pl.col("file") == "paloma_2")
    arms = [lived.filter(pl.col("arm") == name) for name in ("P+L, bone-only", "L")]
    one, other = (arm.join(arms[1 - i], on=["member", "patient"], how="semi") for i, arm in enumerate(arms))
    assert one.height == other.height < arms[1].height
    both = pl.concat([one, other])
    treated = np.arange(both.height) < one.height
    assert row["hr"] == cox_hazard_ratio(both["months"], both["event"], treated).hr


def test_a_prediction_goes_on_where_it_stopped_and_does_not_depend_on_threads(some):
    before, parts = some
    kept = sorted(parts.path.iterdir())
    assert len(kept) == 2
    shutil.rmtree(kept[0])
    again = predict(WANTED, ensemble=Ensemble.defaults(), patients=40, jobs=1, parts=parts)
    assert again.table.equals(before.table)
    assert again.observations.equals(before.observations)
    assert again.prevalence.equals(before.prevalence)


@pytest.mark.parametrize("table", ["observations", "prevalence"])
@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-100], lambda whole: whole[:200] + b"x" + whole[201:]]
)
def test_a_damaged_part_of_a_prediction_is_simulated_again(some, caplog, table, damage):
    before, parts = some
    file = sorted(parts.path.iterdir())[1] / f"{table}.parquet"
    file.write_bytes(damage(file.read_bytes()))
    again = predict(WANTED, ensemble=Ensemble.defaults(), patients=40, jobs=1, parts=parts)
    assert f"{table}.parquet" in caplog.text
    assert again.table.equals(before.table)
    assert again.prevalence.equals(before.prevalence)


def test_two_predictions_do_not_write_to_one_file(tmp_path, capsys):
    with Parts.claimed(tmp_path / "out.parquet.parts"):
        assert main(["predict", "FALCON", "--out", str(tmp_path / "out.parquet")]) == BAD_INPUT
    assert "is writing here" in capsys.readouterr().err


def test_a_kept_prediction_with_a_flipped_byte_is_refused(some, tmp_path):
    some[0].save(tmp_path)
    assert Prediction.load(tmp_path).table.equals(some[0].table)
    file = tmp_path / "observations.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"holds no predictions .*observations\.parquet: damaged"):
        Prediction.load(tmp_path)


def test_a_trial_has_its_own_patients_whatever_else_is_predicted(some):
    alone = predict(["paloma_1"], ensemble=Ensemble.defaults(), patients=40, jobs=2)
    together = some[0].observations.filter(pl.col("file") == "paloma_1")
    assert alone.observations.sort("arm", "patient").equals(together.sort("arm", "patient"))
    months = {
        file: some[0].observations.filter((pl.col("file") == file) & (pl.col("arm") == "L"))["os_months"]
        for file in ("paloma_1", "paloma_2")
    }
    assert not months["paloma_1"].equals(months["paloma_2"])


def test_survival_is_asked_where_it_was_published_or_is_to_be_predicted_and_pfs2_where_a_row_tells_it():
    asked = {file: is_followed_to_the_end(file) for file in ("paloma_2", "persevera", "sonia", "dawna_1")}
    assert asked == {"paloma_2": True, "persevera": True, "sonia": True, "dawna_1": False}


def test_follow_up_ends_where_nothing_more_is_asked_and_all_that_is_asked_stays(monkeypatch):
    told = predict(["dawna_1"], ensemble=Ensemble.defaults(), patients=20)
    monkeypatch.setattr("tumor_abm.trials.cohort.is_followed_to_the_end", lambda file: True)
    whole = predict(["dawna_1"], ensemble=Ensemble.defaults(), patients=20)
    later = [f"{endpoint}_{part}" for endpoint in ("pfs2", "os") for part in ("months", "event")]
    medians = ["pfs2_median_months", "os_median_months"]
    assert told.table.drop(medians).equals(whole.table.drop(medians))
    assert told.observations.drop(later).equals(whole.observations.drop(later))
    assert told.prevalence.equals(whole.prevalence)
    assert told.table.select(medians).null_count().row(0) == (told.table.height,) * 2
    assert told.observations.select(later).null_count().row(0) == (told.observations.height,) * 4
    assert whole.observations["os_event"].any()


def test_a_prediction_does_not_depend_on_what_lies_in_the_folder(some, tmp_path, monkeypatch):
    folder = tmp_path / "experiments" / "trials"
    folder.mkdir(parents=True)
    for name in ("dawna_2", "paloma_1", "zzz"):  # the same patients; the first by name gives them their name
        shutil.copy(trials.files()["paloma_1" if name == "zzz" else name], folder / f"{name}.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tumor_abm.config.named.FOLDER", folder)
    _first_alike.cache_clear()
    try:
        alone = predict(["paloma_1"], ensemble=Ensemble.defaults(), patients=40, jobs=2)
    finally:
        _first_alike.cache_clear()
    together = some[0].observations.filter(pl.col("file") == "paloma_1")
    assert alone.observations.sort("arm", "patient").equals(together.sort("arm", "patient"))


def test_patients_of_a_trial_stay_who_they_are_when_the_model_changes():
    cohort = cohorts(("paloma_1",))[0]
    changed = Knowledge.shipped().with_numbers({"pathway.e2f_hill": 3.5})
    assert cohort.name == "dawna_2"
    seed = _patients_seed(1, cohort, 0)
    specs = [json.loads(cohort.spec(knowledge, seed)) for knowledge in (Knowledge.shipped(), changed)]
    assert specs[0] != specs[1]
    assert specs[0]["seed"] == specs[1]["seed"] == seed == 3_592_612_607
    assert _patients_seed(1, cohort, 1) != seed != _patients_seed(2, cohort, 0)


def test_parameter_sets_are_spread_over_the_patients():
    members = (
        Member(overrides={"pathway.e2f_hill": 3.5}, weight=1.0),
        Member(overrides={"pathway.e2f_hill": 4.5}, weight=3.0),
    )
    result = predict(["paloma_1"], ensemble=Ensemble(members=members), patients=20, jobs=2)
    sizes = result.observations.filter(pl.col("arm") == "L").group_by("member").len().sort("member")
    assert sizes["len"].to_list() == [5, 15]


def test_an_ensemble_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "ensemble.json"
    written = Ensemble(
        members=(Member(overrides={"pathway.e2f_hill": 3.5}, weight=2.0, loss=1.5),), provenance={"seed": 1}
    )
    written.save(file)
    assert Ensemble.load(file) == written


def test_the_ensemble_of_another_search_is_another_one_of_plausible_values():
    file = Path(__file__).parents[1] / "experiments" / "ensembles" / "another_search.json"
    shipped = [member.overrides for member in Ensemble.shipped().members]
    known = {".".join(map(str, path)): number for path, number in Knowledge.shipped().numbers().items()}
    for member in Ensemble.load(file).members:
        assert member.overrides.keys() < shipped[0].keys()  # chemotherapy was not searched for
        for name, value in member.overrides.items():
            assert all(value != one[name] for one in shipped), name
            low, high = known[name].low, known[name].high
            assert low is None or value >= low, name
            assert high is None or value <= high, name


def test_an_ensemble_is_extended_by_numbers_that_were_found_given_it():
    members = tuple(Member(overrides={"a": float(i), "b": 0.0}, weight=1.0 + i) for i in range(400))
    found = (Member(overrides={"b": 1.0}, weight=0.5), Member(overrides={"b": 2.0}, weight=1.5))
    whole = Ensemble(members=members).extended(Ensemble(members=found), seed=SEED)
    assert [member.overrides["a"] for member in whole.members] == [float(i) for i in range(400)]
    assert [member.weight for member in whole.members] == [member.weight for member in members]
    often = sum(member.overrides["b"] == 2.0 for member in whole.members)
    assert abs(often - 300) < 4.9 * math.sqrt(400 * 0.25 * 0.75)


def test_a_member_is_drawn_by_weight():
    heavy, light = Member(overrides={"a": 1.0}, weight=3.0), Member(overrides={"a": 2.0}, weight=1.0)
    drawn = [Ensemble(members=(heavy, light)).drawn(seed) for seed in range(2000)]
    assert abs(drawn.count(heavy) - 1500) < 4.9 * math.sqrt(2000 * 0.75 * 0.25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no ensemble"),
        ("{", "is no JSON"),
        ('{"format": 1, "members": []}', "at least one"),
        ('{"format": 1, "members": [{"overrides": {"a": "b"}}]}', "names and numbers"),
        ('{"format": 1, "members": [{"overrides": {"a": 1}, "weight": 0}]}', "above 0"),
        ('{"format": 1, "members": [{"overrides": {"a": 1}}, {"overrides": {}}]}', "same numbers"),
    ],
)
def test_mistakes_in_ensembles_are_named(tmp_path, text, said):
    file = tmp_path / "ensemble.json"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        Ensemble.load(file)


def test_the_command_writes_the_table_and_says_what_is_wrong(tmp_path, capsys):
    out = tmp_path / "new" / "predictions.parquet"
    keep = tmp_path / "kept"
    assert main(["predict", "FALCON", "--out", str(out), "--patients", "24", "--keep", str(keep)]) == DONE
    assert pl.read_parquet(out).columns[: len(COLUMNS)] == COLUMNS
    assert sorted(file.name for file in keep.iterdir()) == [
        *("SHA256SUMS", "observations.parquet", "predictions.parquet", "prevalence.parquet"),
        "provenance.json",
    ]
    assert [file.name for file in out.parent.iterdir()] == ["predictions.parquet"]
    assert "FALCON" in capsys.readouterr().out
    assert main(["predict", "FALCO", "--out", str(out)]) == BAD_INPUT
    assert "is no trial; allowed" in capsys.readouterr().err
