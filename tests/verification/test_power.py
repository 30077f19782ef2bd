"""Each kind of test on the page rejects a stated mistake, at the level that the page uses.

The engine runs with a mistake in its rates, as often as in the test that must see it, and is compared
with the right law. `POWER-CHI2` says by computation what a chi-square test of a law sees, and
`test_plain_reference.py` what the energy distance does.
"""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from reference import Law, Tumour, lives
from scipy import stats
from tumor_abm import theory
from verification.cohorts import DEATH, DIVISION, MARKER, experiment, population
from verification.samples import chi_square_p, table_p

pytestmark = [pytest.mark.engine("design"), pytest.mark.slow]

TWO_TYPES = Law(
    division=(0.3, 0.35), death=(0.1, 0.12), mutation=[[0, 0.2], [0, 0]], switching=[[0, 0.1], [0.2, 0]]
)


@pytest.fixture(scope="module")
def rejected(finding):
    """Record that a test rejects runs with a mistake."""

    def record(test, mistake, found, limit, *, passed):
        finding(
            "POWER",
            section="13_power",
            what=f"{test}: {mistake}",
            source="runs with a mistake, against the right law",
            expected="rejected",
            found=found,
            tolerance=limit,
            passed=passed,
        )

    return record


def rejects(p):
    """How a row shows a p-value that must be small."""
    return f"p = {p:.2g}", "p < 1e-06"


def plain(law, replicates, start, days, seed):
    """Both types and divisions of tumours of the plain law."""
    rng = random.Random(seed)
    ends = (next(iter(lives(Tumour(), start, [(days, law)], rng))) for _ in range(replicates))
    return [(*end.counts(2), end.divisions) for end in ends]


def engine(simulate, law, replicates, start, days):
    """The same of the engine `clones`."""
    runs = simulate(
        **dataclasses.asdict(law),
        engine="clones",
        replicates=replicates,
        initial=list(start),
        until=ta.Until(day=days, extinct=False),
    )
    return runs.select(pl.col("n_0", "n_1", "divisions").cast(pl.Int64)).rows()


def test_means_show_a_division_rate_that_is_a_percent_too_high(case, simulate, seed, rejected):
    mean = case("GW-DT-MEAN")
    allowed, repeats = mean.allowed(30_000), 5
    away = []
    for repeat in range(repeats):
        runs = simulate(
            engine="clones",
            replicates=30_000,
            division=[0.14 * 1.01],
            death=[0.13],
            initial=[10],
            until=ta.Until(day=50),
            seed=seed + repeat,
        )
        away.append(abs(runs["n_0"].mean() - mean.expected))
    error = mean.tolerance["sd"] / np.sqrt(30_000)
    departure = theory.galton_watson_mean(0.14 * 1.01, 0.13, 50, 10) - mean.expected
    power = stats.norm.sf(4.5 - departure / error)
    seen = np.count_nonzero(np.array(away) > allowed)
    rejected(
        "mean against theory, 30,000 replicates",
        f"division 1% too high (computed power {power:.9g})",
        f"{seen} of {repeats}, the least by {min(away) / error:.1f} SE",
        "4.5 SE",
        passed=seen == repeats and power > 0.99,
    )


def test_a_table_of_counts_shows_a_mutation_rate_that_is_a_tenth_too_high(case, simulate, rejected):
    table = case("ENUM-DT-20-convA").expected
    law = np.array([p for *_, p in table])
    runs = simulate(
        engine="clones",
        replicates=200_000,
        division=[0.3, 0.4],
        death=[0.2, 0.1],
        mutation=[[0, 0.275], [0, 0]],
        initial=[2, 0],
        until=ta.Until(day=3, extinct=False),
    )
    place = {(s, r): i for i, (s, r, _) in enumerate(table)}
    seen = np.zeros(law.size + 1)
    for s, r, replicates in runs.group_by("n_0", "n_1").len().iter_rows():
        seen[place.get((s, r), law.size)] += replicates
    p = chi_square_p(seen, np.append(law, 1 - law.sum()))
    rejected(
        "chi-square test of a law, 200,000 replicates",
        "mutation a tenth too frequent",
        *rejects(p),
        passed=p < 1e-6,
    )


def test_two_tables_show_a_death_rate_that_is_a_tenth_too_low(simulate, seed, rejected):
    wrong = dataclasses.replace(TWO_TYPES, death=(0.09, 0.108))
    ours = engine(simulate, wrong, 100_000, (2, 0), 5)
    p = table_p(ours, plain(TWO_TYPES, 12_000, (2, 0), 5, seed))
    rejected(
        "chi-square test of two samples, 100,000 and 12,000 tumours",
        "death a tenth too rare",
        *rejects(p),
        passed=p < 1e-6,
    )


def test_patients_show_a_mutation_rate_that_is_a_quarter_too_high(seed, rejected):
    people = population(diagnosed_at_cm3=2e-4)
    tables = experiment(people, mutation=2.5e-5, dt_days=0.25, horizon_months=0.1)
    results = ta.run_experiment(tables, patients=5_000, seed=seed, jobs=2)
    marked = results["clones"].filter(moment="baseline", genotype=MARKER)["cells"].to_numpy().astype(int)
    clones = 2e-5 * theory.mean_divisions(results.patients["cells"].mean(), DIVISION, DEATH)
    law = theory.compound_poisson_pmf(clones, theory.clone_sizes_with_death(DEATH / DIVISION, 60))
    seen = np.bincount(np.minimum(marked, 61), minlength=62)
    seen[0] += 5_000 - marked.size
    p = chi_square_p(seen, np.append(law, 1 - law.sum()))
    rejected(
        "resistant cells of 5,000 patients at diagnosis",
        "mutation a quarter too frequent",
        *rejects(p),
        passed=p < 1e-6,
    )
