"""Neutrophils of whole patients against the equations of Friberg et al. 2002, solved by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tumor_abm as ta
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from verification.cohorts import always, drug, experiment, population

pytestmark = pytest.mark.engine("patients")

# Friberg et al. 2002, J Clin Oncol 20:4713, neutrophils (cited from memory): baseline, 1e9 per litre; mean
# transit time, h; feedback; slope per micromolar. Then one course of about the usual dose: area under the
# curve, micromolar hours; half-life, h; days.
PUBLISHED = {
    "docetaxel": (5.05, 88.7, 0.161, 8.58, 5.9, 12.0, (1,)),
    "paclitaxel": (5.20, 127.0, 0.230, 2.21, 17.0, 20.0, (1,)),
    "etoposide": (5.45, 135.0, 0.174, 0.126, 500.0, 6.0, (1, 2, 3)),
}
DOSES = (0.5, 1.0, 2.0)
FOLLOWED = 40


def seen(seed, name, dose):
    """Return neutrophils of a patient on each morning after one course."""
    baseline, transit, feedback, slope, area, half_life, days = PUBLISHED[name]
    # Averaged over the day of one dose, so that `slope` is per micromolar.
    average = area / len(days) / 24
    cytotoxic = drug(
        half_life_h=half_life,
        t_max_h=0.0,
        steady_state=average,
        route="iv",
        schedule={"days": list(days), "cycle_days": 100},
        neutrophil_slope=slope * average,
    )
    people = population(diagnosed_at_cm3=1.0, lethal_at_cm3=1e5, neutrophils=always(baseline))
    rules = {"mean_transit_h": transit, "feedback": feedback, "hold_below": 0.0, "resume_at": 0.0}
    tables = experiment(
        people, horizon_months=6.0, drug={"cytotoxic": cytotoxic}, neutropenia={"model": True, **rules}
    )
    line = {"regimen": [{"drug": "cytotoxic", "dose": dose}], "until": {"progression": False}}
    model = ta.TumorModel(tables, strategy=[line], rng=seed, collect_every_days=0)
    counts = [model.neutrophils]
    for _ in range(FOLLOWED):
        model.step()
        counts.append(model.neutrophils)
    return np.array(counts)


def solved(name, dose):
    """Return the same from the equations."""
    baseline, transit, feedback, slope, area, half_life, days = PUBLISHED[name]
    rate, elimination = 4 / transit, math.log(2) / half_life
    peak = dose * area / len(days) * elimination

    def change(hour, pools):
        stem, first, second, third, blood = pools
        level = sum(peak * math.exp(-elimination * (hour - at)) for at in given if hour >= at)
        growth = (1 - slope * level) * (baseline / blood) ** feedback
        return rate * np.array(
            [stem * (growth - 1), stem - first, first - second, second - third, third - blood]
        )

    given = [24 * (day - 1) for day in days]
    counts, pools, hour = [baseline], np.full(5, baseline), 0.0
    # Day by day, so that no step of the solver runs over a dose.
    for day in range(1, FOLLOWED + 1):
        pools = solve_ivp(change, (hour, 24 * day), pools, method="LSODA", rtol=1e-9, atol=1e-12).y[:, -1]
        counts.append(pools[4])
        hour = 24.0 * day
    return np.array(counts)


def nadir(counts):
    """Day and depth of the nadir, between mornings by a cubic spline."""
    curve = CubicSpline(np.arange(counts.size), np.log(counts))
    days = np.linspace(0, counts.size - 1, 100_000)
    lowest = curve(days).argmin()
    return days[lowest], math.exp(curve(days[lowest]))


@pytest.mark.parametrize("name", PUBLISHED)
def test_neutrophils_have_the_nadir_of_the_published_model(finding, seed, name):
    found = [nadir(seen(seed, name, dose)) for dose in DOSES]
    expected = [nadir(solved(name, dose)) for dose in DOSES]
    for what, place in (("day", 0), ("depth, 1e9 per litre,", 1)):
        ours, theirs = ([values[place] for values in both] for both in (found, expected))
        finding(
            "FRIBERG-NADIR",
            section="12_patients",
            what=f"{what} of the nadir after half, one and two doses of {name}",
            source="Friberg et al. 2002, J Clin Oncol 20:4713, solved by LSODA",
            expected=theirs,
            found=ours,
            tolerance="rel 3%",
            passed=np.allclose(ours, theirs, rtol=0.03, atol=0),
        )


@pytest.mark.parametrize("name", PUBLISHED)
def test_neutrophils_follow_the_published_model_day_by_day(finding, seed, name):
    apart = max(np.abs(seen(seed, name, dose) / solved(name, dose) - 1).max() for dose in DOSES)
    finding(
        "FRIBERG-COURSE",
        section="12_patients",
        what=f"largest distance over {FOLLOWED} mornings, half to two doses of {name}",
        source="Friberg et al. 2002, J Clin Oncol 20:4713, solved by LSODA",
        expected=0.0,
        found=apart,
        tolerance="abs 0.03",
        passed=apart < 0.03,
    )
