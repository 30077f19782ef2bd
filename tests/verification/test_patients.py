"""Whole patients against exact laws, as the tables of an experiment show them.

The patients of a cohort differ in nothing but chance (`cohorts.py`), so that theory says what their
tables must look like: resistant cells at diagnosis, fractions of mutant DNA in blood, the end of
follow-up, new lesions.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from scipy import stats
from tumor_abm import theory
from verification.cohorts import DEATH, DIVISION, MARKER, drug, experiment, population
from verification.ledger import within
from verification.samples import chi_square_p

pytestmark = [pytest.mark.engine("patients"), pytest.mark.slow]

# How cells are held: counted, or as individuals of which each stands for some fifty cells.
HELD = {"counted": {}, "individuals": {"engine": "cells", "most_cells": 10_000}}
MUTATION = 2e-5
PATIENTS = 6_500


@pytest.fixture(scope="module")
def lived(seed_of):
    """Run a cohort with a seed of its own."""

    def run(name, tables, patients):
        return ta.run_experiment(tables, patients=patients, seed=seed_of("patients", name), jobs=2)

    return run


@pytest.fixture(scope="module")
def patient_finding(finding):
    """Record a row of this section."""

    def record(case, what, source, **comparison):
        finding(case, section="12_patients", what=what, source=source, **comparison)

    return record


def p_value(p, replicates):
    """How a row shows a p-value."""
    return {"found": f"p = {p:.2g} ({replicates})", "tolerance": "p > 1e-06", "passed": p > 1e-6}


def estimate(found, expected, error, replicates):
    """How a row shows an estimate with its standard error."""
    return {
        "expected": expected,
        "found": f"{found:.6g} ({replicates}, {(found - expected) / error:+.2f} SE)",
        "tolerance": within(4.5 * error, expected, "4.5 SE"),
        "passed": abs(found - expected) <= 4.5 * error,
    }


# --- at diagnosis ----------------------------------------------------------------------------


def diagnosed(lived, name, mutation=MUTATION, **options):
    """Patients at diagnosis, with the number of cells that carry the marker."""
    people = population(diagnosed_at_cm3=2e-4, lethal_at_cm3=2e-3)
    # Steps of a quarter of a day: at those of a day clones are a percent larger than in continuous time.
    tables = experiment(people, mutation=mutation, dt_days=0.25, horizon_months=0.1, **options)
    results = lived(f"diagnosed {name}", tables, PATIENTS)
    found = results["clones"].filter(moment="baseline", genotype=MARKER)
    patients = results.patients.join(found.select("patient", marked="cells"), on="patient", how="left")
    return patients.with_columns(pl.col("marked").fill_null(0))


@pytest.fixture(scope="module")
def at_diagnosis(lived):
    return {name: diagnosed(lived, name, **options) for name, options in HELD.items()}


def p_of_marked(patients):
    """p of the law of marked cells: a Poisson number of clones, each of which grew and may have died."""
    clones = MUTATION * theory.mean_divisions(patients["cells"].mean(), DIVISION, DEATH)
    law = theory.compound_poisson_pmf(clones, theory.clone_sizes_with_death(DEATH / DIVISION, 60))
    seen = np.bincount(np.minimum(patients["marked"].to_numpy().astype(int), 61), minlength=62)
    return chi_square_p(seen, np.append(law, 1 - law.sum()))


@pytest.mark.parametrize("held", HELD)
def test_resistant_cells_of_patients_at_diagnosis(patient_finding, at_diagnosis, held):
    patients = at_diagnosis[held]
    patient_finding(
        "PATIENT-RESISTANT",
        f"cells with a neutral mutation at diagnosis, {patients['cells'].mean():,.0f} {held}",
        "Keller and Antal 2015, J Stat Mech P01011",
        expected="compound Poisson law over 62 values",
        **p_value(p_of_marked(patients), f"chi-square, {patients.height:,} patients"),
    )


@pytest.mark.parametrize("held", HELD)
def test_patients_tumours_survive_as_often_as_branching_processes(patient_finding, at_diagnosis, held):
    attempts = at_diagnosis[held]["growth_attempts"].cast(int)
    survival = 1 - DEATH / DIVISION
    error = np.sqrt(1 - survival) / survival / np.sqrt(attempts.len())
    patient_finding(
        "PATIENT-ATTEMPTS",
        f"mean attempts until a tumour survives, cells {held}",
        "Kendall 1948, Ann Math Stat 19:1",
        **estimate(attempts.mean(), 1 / survival, error, f"{attempts.len():,} patients"),
    )


@pytest.mark.parametrize("held", HELD)
def test_time_to_diagnosis_of_patients(patient_finding, at_diagnosis, held):
    patients = at_diagnosis[held]
    # The law holds for surviving tumours at the size at which they are found; steps slow growth by 0.25%.
    growth = DIVISION - DEATH
    slower = growth / theory.step_growth_rate(DIVISION, DEATH, 0.25)
    expected = slower * theory.detection_time_mean(DIVISION, DEATH, patients["cells"].mean())
    # Chance among the first hundred individuals: so much variance of the logarithm of their number later.
    variance = 0.0 if held == "counted" else (DIVISION + DEATH) / growth / 100
    expected += variance / 2 / growth
    spread = np.hypot(theory.detection_time_sd(DIVISION, DEATH), np.sqrt(variance) / growth)
    error = spread / np.sqrt(patients.height)
    patient_finding(
        "PATIENT-GROWTH",
        f"mean days from one cell to diagnosis, cells {held}",
        "Athreya and Ney 1972, Branching Processes",
        **estimate(patients["growth_days"].mean(), expected, error, f"{patients.height:,} patients"),
    )


def test_individuals_that_stand_for_many_cells_have_the_law_of_counted_cells(patient_finding, at_diagnosis):
    counted, individuals = (at_diagnosis[name]["marked"].to_numpy() for name in HELD)
    # Numbers that occur, so that no class is empty.
    edges = np.unique(np.quantile(counted, np.linspace(0, 1, 21)[1:-1], method="inverted_cdf"))
    table = [
        np.bincount(np.searchsorted(edges, of), minlength=edges.size + 1) for of in (counted, individuals)
    ]
    patient_finding(
        "PATIENT-SCALE",
        "cells with a mutation at diagnosis, individuals of 49 cells against counted cells",
        "the same law, whatever the scale",
        expected="patients whose cells are counted",
        compared="patients, patients",
        **p_value(stats.chi2_contingency(table).pvalue, f"chi-square, {counted.size:,} patients each"),
    )


# --- blood -----------------------------------------------------------------------------------


def vaf_moments(share, copies):
    """Mean, variance and fourth central moment of m/T: m binomial(T, share), T Poisson(copies), 0/0 = 0."""
    total = np.arange(1, int(copies.max() + 12 * np.sqrt(copies.max())) + 20)
    none, pq = np.exp(-copies), share * (1 - share)
    # Means of 1/T, 1/T^2, 1/T^3 where there are any copies.
    one, two, three = (stats.poisson(copies[:, None]).pmf(total) @ (1 / total[:, None] ** [1, 2, 3])).T
    second = pq * one + none * share**2
    fourth = 3 * pq**2 * two + pq * (1 - 6 * pq) * three + none * share**4
    return share * (1 - none), second, fourth


@pytest.fixture(scope="module")
def sampled(lived):
    """Fractions of mutant DNA on the day of enrolment, and what they should be in the mean."""
    assay = {"plasma_ml": 4.0, "body_plasma_ml": 3_000.0, "background_per_ml": 10.0, "half_life_h": 1.0}
    people = population(
        diagnosed_at_cm3=0.2,
        shedding={"median": 0.1, "sigma": 0.0, "low": 0.01, "high": 1.0},
        founder={MARKER: 1.0},
    )
    biopsy = {"genes": ["MARKER"], "limit_of_detection": 0.0, **assay}
    results = lived("sampled", experiment(people, horizon_months=0.1, liquid_biopsy=biopsy), 10_000)
    vaf = results["liquid_biopsies"].filter(day=0).join(results.patients, on="patient").sort("patient")
    # Of the cells of the day before, DEATH died; so many were there for each of today.
    deaths = vaf["cells"].to_numpy() * DEATH / (1 + DIVISION - DEATH)
    tumour = deaths * 0.1 * (1 / np.log(2) / 24) / assay["body_plasma_ml"] * assay["plasma_ml"]
    copies = 2 * (tumour + assay["background_per_ml"] * assay["plasma_ml"])
    return vaf["vaf"].to_numpy(), tumour / copies, copies


def test_mutant_dna_in_the_blood_of_patients(patient_finding, sampled):
    vaf, share, copies = sampled
    mean, variance, fourth = vaf_moments(share, copies)
    source = "shed copies are Poisson among Poisson copies of normal DNA"
    patient_finding(
        "PATIENT-CTDNA",
        f"mean variant allele fraction of a truncal mutation, in {copies.mean():.0f} copies",
        source,
        **estimate(vaf.mean(), mean.mean(), np.sqrt(variance.mean() / vaf.size), f"{vaf.size:,} patients"),
    )
    spread = np.mean((vaf - mean) ** 2)
    error = np.sqrt(np.mean(fourth - variance**2) / vaf.size)
    patient_finding(
        "PATIENT-CTDNA",
        "variance of the variant allele fraction",
        source,
        **estimate(spread, variance.mean(), error, f"{vaf.size:,} patients"),
    )


# --- the end of follow-up --------------------------------------------------------------------

DEATHS, LOSSES, MONTHS = 0.4, 0.3, 24.0


def test_deaths_from_other_causes_and_losses_to_follow_up_are_exponential(patient_finding, lived):
    people = population(
        diagnosed_at_cm3=1e-5,
        lethal_at_cm3=1e5,
        other_death_per_year=DEATHS,
        loss_to_follow_up_per_year=LOSSES,
    )
    overall = lived("followed", experiment(people, horizon_months=MONTHS), 11_000)["overall"]
    days = (overall["os_months"] * 30.4375).round().to_numpy()
    died = overall["os_event"].cast(bool).to_numpy()
    rate, end = (DEATHS + LOSSES) / 365.25, np.ceil(MONTHS * 30.4375)
    # The end is noted on the first morning after it, so these are laws of whole days.
    edges = np.append(np.arange(0, end, 73), end - 1)
    left = np.exp(-rate * edges)
    law = np.concatenate([-np.diff(left) * share / (DEATHS + LOSSES) for share in (DEATHS, LOSSES)])
    at = np.searchsorted(edges, days, side="left") - 1
    last = edges.size - 1
    cell = np.where(at == last, 2 * last, np.where(died, at, last + at))
    # On the last morning deaths still count; they are with the rest.
    seen = np.bincount(cell.astype(int), minlength=2 * last + 1)
    patient_finding(
        "PATIENT-FOLLOW-UP",
        "day and kind of the end: death from another cause, loss to follow-up, end of the study",
        "competing exponential laws",
        expected=f"{DEATHS} and {LOSSES} a year, law over {law.size + 1} values",
        **p_value(chi_square_p(seen, np.append(law, 1 - law.sum())), f"chi-square, {days.size:,} patients"),
    )
    expected = DEATHS / (DEATHS + LOSSES) * -np.expm1(-rate * end)
    patient_finding(
        "PATIENT-FOLLOW-UP",
        "share of patients who die from another cause within two years",
        "competing exponential laws",
        **estimate(
            died.mean(),
            expected,
            np.sqrt(expected * (1 - expected) / died.size),
            f"{died.size:,} patients",
        ),
    )


# --- new lesions -----------------------------------------------------------------------------

# A visible lesion has so many cells, and each such number of new cells seeds this many others.
LESION_CELLS, SEEDING = 2e8, 1.0


@pytest.fixture(scope="module")
def seeded(lived):
    """New lesions found by the third scan, and what the course of each tumour should have seeded."""
    kill = {"max": 1.0, "ic50": 1.0, "hill": 1.0}
    line = {"until": {"progression": False}}
    shrinks = {"regimen": [{"drug": "killer", "dose": 0.5}], "holiday": {"on_weeks": 4, "off_weeks": 40}}
    arms = {"grows": {"regimen": ["placebo"]}, "shrinks": shrinks}
    people = population(
        diagnosed_at_cm3=1.0,
        lethal_at_cm3=1e5,
        seeding={"median": SEEDING, "sigma": 0.0, "low": 0.0, "high": 2.0},
    )
    tables = experiment(
        people,
        horizon_months=5.75,
        trajectory_every_days=1,
        imaging={"new_lesion_cells": LESION_CELLS},
        assessment={"calendar": [{"every_weeks": 8}], "window_days": 0},
        drug={"placebo": drug(), "killer": drug(half_life_h=2.0, effects={"kill": kill})},
        arm=[{"name": name, "line": [{**line, **treated}]} for name, treated in arms.items()],
    )
    results = lived("seeded", tables, 4_000)
    course = (
        results["trajectory"].filter(pl.col("day") <= 168).sort("day").with_columns(pl.col("cells").cast(int))
    )
    cells = course.group_by("arm", "patient").agg(
        new=pl.col("cells").max() - pl.col("cells").first(), grown=pl.col("cells").diff().clip(0).sum()
    )
    lesions = results["assessments"].filter(pl.col("day") <= 168).group_by("arm", "patient")
    found = lesions.agg(found=pl.col("new_lesions").sum(), scans=pl.len())
    assert (found["scans"] == 3).all()
    return found.join(cells, on=["arm", "patient"], validate="1:1")


@pytest.mark.parametrize(("arm", "course"), [("grows", "only grow"), ("shrinks", "shrink, then grow back")])
def test_new_lesions_are_poisson_given_how_a_tumour_grew(patient_finding, seeded, arm, course):
    found, new = (seeded.filter(arm=arm)[column].to_numpy().astype(float) for column in ("found", "new"))
    mean = SEEDING * new / LESION_CELLS
    source = "Poisson, driven by growth beyond what the tumour ever was"
    most = 60
    law = stats.poisson(mean[:, None]).pmf(np.arange(most)).mean(axis=0)
    seen = np.bincount(np.minimum(found, most).astype(int), minlength=most + 1)
    patient_finding(
        "PATIENT-LESIONS",
        f"new lesions on three scans, in tumours that {course}",
        source,
        expected=f"Poisson, mean {mean.mean():.3g}",
        **p_value(chi_square_p(seen, np.append(law, 1 - law.sum())), f"chi-square, {found.size:,} patients"),
    )
    patient_finding(
        "PATIENT-LESIONS",
        f"mean number of new lesions, in tumours that {course}",
        source,
        **estimate(found.mean(), mean.mean(), np.sqrt(mean.mean() / found.size), f"{found.size:,} patients"),
    )


def test_new_lesions_would_show_that_regrowth_seeds_them_too(patient_finding, seeded):
    new, grown = (seeded.filter(arm="shrinks")[column].to_numpy() for column in ("new", "grown"))
    right, wrong = (SEEDING * cells.mean() / LESION_CELLS for cells in (new, grown))
    error = np.sqrt(right / new.size)
    power = stats.norm.sf(4.5 - (wrong - right) / error)
    patient_finding(
        "PATIENT-LESIONS",
        "mean number of new lesions, if growth back to what was seen made some too: the test must see it",
        "normal approximation",
        expected=f"{wrong:.4g} instead of {right:.4g}",
        found=f"power {power:.6g}",
        tolerance="> 0.99, at 4.5 SE",
        passed=power > 0.99,
        engine="design",
    )
