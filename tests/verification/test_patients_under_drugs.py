"""What patients run of pharmacology and response, against the cases of `test_pharmacology.py`.

A patient has day averages of concentrations, rates that follow from them, and scans; here they are
read from `TumorModel` and from the tables of an experiment.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from verification.cohorts import DIVISION, drug, experiment, population

pytestmark = pytest.mark.engine("patients")

SIZED = population(diagnosed_at_cm3=1.0, lethal_at_cm3=1e5)


def treated(seed, drugs, regimen, **options):
    """One patient on a regimen, some of whose drugs are defined here."""
    tables = experiment(SIZED, horizon_months=24.0, drug={"placebo": drug(), **drugs})
    return ta.TumorModel(tables, strategy=[{"regimen": regimen}], rng=seed, collect_every_days=0, **options)


def killed(model):
    """Share of dividing cells that die instead, once concentrations are steady."""
    model.run(30)
    return 1 - model.genotypes["division"][0] / DIVISION


def test_day_averages_of_a_patient_are_those_of_the_oral_curve(case, seed):
    curve = case("PK-ORAL-SS")
    p = curve.params
    ka, ke, hours = p["ka"], p["ke"], 24 * np.array([1, 2, 5, 30])
    level = p["F"] * p["dose"] / p["V"]
    # Daily doses add up: the average of day n is the area under one dose over n days, by the day.
    area = (1 - np.exp(-ke * hours)) / ke - (1 - np.exp(-ka * hours)) / ka
    expected = level * ka / (ka - ke) * area / 24
    kinetics = {"half_life_h": math.log(2) / ke, "t_max_h": math.log(ka / ke) / (ka - ke)}
    # The steady state that a dose of this level keeps.
    swallowed = drug(**kinetics, steady_state=level / (24 * ke))
    model = treated(seed, {"swallowed": swallowed}, ["swallowed"])
    found = []
    for until in hours / 24:
        model.run(until - model.day)
        found.append(model.drugs.filter(drug="swallowed")["concentration"][0])
    curve.record(
        what="average concentration on days 1, 2, 5 and 30 in a patient: the area under the curve",
        expected=expected,
        found=found,
        tolerance="rel 1e-06",
        passed=np.allclose(found, expected, rtol=1e-6, atol=0),
    )


def test_hill_effect_in_a_patient(case, seed):
    landmarks = case("PD-HILL-POINTS")
    p = landmarks.params
    kill = {"max": p["Emax"], "ic50": p["EC50"], "hill": p["h"]}
    known = {"killer": drug(half_life_h=2.0, steady_state=p["EC50"], effects={"kill": kill})}
    ninth = 9 ** (1 / p["h"])
    regimens = [["placebo"], *([{"drug": "killer", "dose": dose}] for dose in (1.0, ninth, 1 / ninth))]
    found = [killed(treated(seed, known, regimen)) for regimen in regimens]
    landmarks.record(
        what="share of dividing cells that a drug kills in a patient, at these average concentrations",
        found=found,
        tolerance="abs 1e-09",
        passed=np.allclose(found, landmarks.expected, rtol=0, atol=1e-9),
    )


def test_bliss_effects_in_a_patient(case, seed):
    bliss = case("PD-BLISS")
    kill = {"kill": {"max": 1.0, "ic50": 1.0, "hill": 1.0}}
    known = {name: drug(half_life_h=2.0, effects=kill) for name in ("first", "second")}
    doses = [bliss.params[share] / (1 - bliss.params[share]) for share in ("fa", "fb")]
    regimen = [{"drug": name, "dose": dose} for name, dose in zip(known, doses, strict=True)]
    found = killed(treated(seed, known, regimen))
    bliss.record(
        what="share of dividing cells that two drugs kill in a patient",
        found=found,
        tolerance="abs 1e-09",
        passed=abs(found - bliss.expected) < 1e-9,
    )


def test_diameters_of_a_patient_are_those_of_balls(case, seed):
    sizes = case("SIZE-DIAMETER")
    model = treated(seed, {}, ["placebo"], covariates={"target_lesions": 1, "target_share": 1.0})
    ratios = []
    for _ in range(100):
        model.step()
        ratios.append(model.sld_mm / (6e3 * model.volume_cm3 / math.pi) ** (1 / 3))
    away = max(abs(ratio - 1) for ratio in ratios)
    sizes.record(
        what="diameter of a patient's only lesion over that of a ball of its volume, on 100 days",
        expected=1,
        found=f"1 to within {away:.1g}",
        tolerance="rel 1e-09",
        passed=away < 1e-9,
    )


@pytest.mark.slow
def test_progression_of_patients_is_seen_on_the_next_scan(case, seed):
    scans = case("RESP-SCANPFS")
    interval = scans.params["interval"]
    # Tumours that grow at different speeds, scanned without error and on the planned days.
    people = population(
        diagnosed_at_cm3=30.0,
        lethal_at_cm3=1e5,
        net_growth_per_day={"median": 0.01, "sigma": 0.5, "low": 0.003, "high": 0.03},
        seeding={"median": 1e-9, "sigma": 0.0, "low": 0.0, "high": 1.0},
    )
    tables = experiment(
        people,
        horizon_months=24.0,
        trajectory_every_days=1,
        imaging={"measurement_sigma": 0.0},
        assessment={"calendar": [{"every_weeks": interval / 7}], "window_days": 0},
    )
    results = ta.run_experiment(tables, patients=400, seed=seed, jobs=2)
    course = results["trajectory"].sort("patient", "day")
    first = pl.col("sld_mm").first().over("patient")
    grown = course.filter(pl.col("sld_mm") >= pl.max_horizontal(1.2 * first, first + 5))
    due = grown.group_by("patient").agg(due=(pl.col("day").min() / interval).ceil() * interval)
    seen = results.outcomes.filter(end_reason="progression").join(due, on="patient")
    assert seen["due"].n_unique() >= 3
    agree = (seen["end_day"] == seen["due"]).sum()
    scans.record(
        what="patients whose progression is seen on the first scan on or after its day",
        expected="400 of 400",
        found=f"{agree} of {results.patients.height}",
        tolerance="exact",
        passed=agree == results.patients.height == 400,
    )
