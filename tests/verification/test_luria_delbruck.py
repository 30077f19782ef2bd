"""Mutants in a growing population, counted when it reaches a size.

The engine overshoots the size by at most the births of one step. Each step length says what this
and the discretisation do to the result.
"""

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory

WELL_MIXED = pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
EVERY = pytest.mark.parametrize("engine", ["clones", "cells", "lattice"], scope="session")


def grow(simulate, *, u, until, dt, replicates, division=(1.0, 1.0), death=(0.0, 0.0), **options):
    return simulate(
        replicates=replicates,
        division=list(division),
        death=list(death),
        mutation=[[0, u], [0, 0]],
        initial=[1, 0],
        dt=dt,
        until=until,
        **options,
    )


@pytest.fixture(scope="module")
def thousand_cells(simulate, engine):
    # dt = 0.004 overshoots by 2 cells of 1000: 0.3 standard errors of P(R = 0).
    replicates = {"clones": 120_000, "cells": 30_000, "lattice": 24_000}[engine]
    return grow(simulate, u=1e-3, until=ta.Until(total=1000), dt=0.004, replicates=replicates)


@pytest.mark.dear
@EVERY
@pytest.mark.slow
def test_a_population_is_free_of_mutants_if_no_division_made_one(case, thousand_cells):
    free = case("LD-P0-A")
    free.check_formula(theory.mutant_free(1000, 1e-3))
    free.check_mean(thousand_cells["n_1"] == 0)


@EVERY
@pytest.mark.slow
def test_mutants_among_a_thousand_cells_follow_the_exact_chain(case, thousand_cells):
    law = case("LD-EXACT-M1000")
    pmf = theory.luria_delbruck_pmf(1000, 1e-3, len(law.expected) - 2)
    law.check_formula(pmf, 1e-9, law.expected[:-1])
    law.check_counts(thousand_cells["n_1"])


@EVERY
@pytest.mark.slow
def test_mean_number_of_mutants_among_a_thousand_cells(case, thousand_cells):
    mean = case("LD-MEAN-M1000")
    mean.check_formula(theory.luria_delbruck_mean(1000, 1e-3), 1e-8)
    mean.check_mean(thousand_cells["n_1"])


@WELL_MIXED
@pytest.mark.parametrize("dt", [0.5, 0.1])
def test_every_division_counts_once_at_any_step_length(simulate, dt):
    # Without death N - 1 divisions made N cells, whatever the steps: no bias from dt is left.
    runs = grow(simulate, u=1e-3, until=ta.Until(total=1000), dt=dt, replicates=60_000)
    cells = (runs["n_0"] + runs["n_1"]).to_numpy().astype(float)
    assert np.array_equal(runs["divisions"].to_numpy(), cells - 1)
    free = (1 - 1e-3) ** (cells - 1)
    surprise = (runs["n_1"].to_numpy() == 0) - free
    assert abs(surprise.mean()) < 4.5 * np.sqrt((free * (1 - free)).mean() / runs.height)


@WELL_MIXED
@pytest.mark.slow
def test_mutants_of_a_large_population_follow_lea_and_coulson(case, simulate, engine):
    law = case("LD-LEACOULSON-m1")
    pmf = theory.lea_coulson_pmf(1.0, len(law.expected) - 2)
    law.check_formula(pmf, 1e-10, law.expected[:-1])
    # dt = 0.005 overshoots by 0.25%: 0.3 standard errors of P(R = 0).
    replicates = 10_000 if engine == "clones" else 1_500
    runs = grow(simulate, u=5e-5, until=ta.Until(total=20_000), dt=0.005, replicates=replicates)
    law.check_counts(runs["n_1"])


@pytest.mark.dear
@WELL_MIXED
@pytest.mark.slow
def test_a_biopsy_of_a_fifth_finds_no_mutant(case, simulate, engine):
    none = case("LD-PLATING")
    none.check_formula(theory.plated_none(2.0, 0.2))
    # dt = 0.005 overshoots by 0.25%: 0.3 standard errors.
    replicates = 20_000 if engine == "clones" else 15_000
    runs = grow(simulate, u=1e-4, until=ta.Until(total=20_000), dt=0.005, replicates=replicates)
    # Each of the mutants escapes a binomial biopsy with probability 0.8.
    none.check_mean(0.8 ** runs["n_1"].to_numpy().astype(float))


@WELL_MIXED
@pytest.mark.slow
def test_mutants_that_grow_twice_as_fast(case, simulate, engine):
    law = case("LD-FITNESS-rho0.5")
    pmf = theory.compound_poisson_pmf(1.0, theory.clone_sizes_with_fitness(0.5, len(law.expected) - 2))
    law.check_formula(pmf, 1e-10, law.expected[:-1])
    # At dt = 0.004 the ratio of growth rates is 0.501 and the overshoot 0.2%.
    runs = grow(
        simulate,
        u=1e-4,
        division=(1.0, 2.0),
        until=ta.Until(counts={0: 10_000}),
        dt=0.004,
        replicates=10_000 if engine == "clones" else 1_000,
    )
    law.check_counts(runs["n_1"])


@pytest.fixture(scope="module")
def turnover(engine, simulate):
    # dt = 0.05 overshoots by 0.25%: 0.0008 of the 0.006 allowed to the formula.
    return grow(
        simulate,
        u=2e-5,
        division=(1.0, 1.0),
        death=(0.9, 0.9),
        until=ta.Until(total=10_000),
        dt=0.05,
        replicates=30_000 if engine == "clones" else 4_000,
        restart_on_extinction=True,
    )


def check_resistance(case, runs):
    p = case.params
    factor = theory.resistance_factor(
        division=p["b_S"], death=p["d_S"], resistant_division=p["b_R"], resistant_death=p["d_R"]
    )
    case.check_formula(theory.resistance_present(p["M"], p["u"], factor))
    case.check_mean(runs["n_1"] > 0)


@WELL_MIXED
@pytest.mark.slow
def test_resistance_at_detection_with_high_turnover(case, turnover):
    check_resistance(case("INM-neutral"), turnover)


@WELL_MIXED
@pytest.mark.slow
def test_divisions_until_detection_with_high_turnover(case, turnover):
    mean = case("DIV-COUNT-death")
    mean.check_formula(theory.mean_divisions(10_000, 1.0, 0.9))
    mean.check_mean(turnover["divisions"])


@WELL_MIXED
@pytest.mark.slow
def test_resistance_at_detection_with_moderate_turnover(case, simulate, engine):
    # dt = 0.01 overshoots by 0.25%: 0.0009 of the 0.006 allowed to the formula.
    runs = grow(
        simulate,
        u=5e-5,
        death=(0.5, 0.5),
        until=ta.Until(total=10_000),
        dt=0.01,
        replicates=20_000 if engine == "clones" else 16_000,
        restart_on_extinction=True,
    )
    check_resistance(case("INM-neutral-half"), runs)


@pytest.mark.slow
def test_resistance_of_mutants_with_a_cost(simulate):
    # No case, but the same formula: mutants that grow half as fast.
    factor = theory.resistance_factor(division=1.0, death=0.5, resistant_division=0.75, resistant_death=0.5)
    runs = grow(
        simulate,
        u=5e-5,
        division=(1.0, 0.75),
        death=(0.5, 0.5),
        until=ta.Until(total=10_000),
        dt=0.01,
        replicates=10_000,
        restart_on_extinction=True,
    )
    p = theory.resistance_present(10_000, 5e-5, factor)
    assert abs((runs["n_1"] > 0).mean() - p) < 0.006 + 4.5 * np.sqrt(p * (1 - p) / runs.height)


@WELL_MIXED
@pytest.mark.slow
def test_mutants_at_detection_with_death(case, simulate, engine):
    law = case("LD-DEATH-LAW")
    clones = 4e-5 * theory.mean_divisions(10_000, 1.0, 0.8)
    pmf = theory.compound_poisson_pmf(clones, theory.clone_sizes_with_death(0.8, len(law.expected) - 2))
    law.check_formula(pmf, 1e-10, law.expected[:-1])
    # dt = 0.02 overshoots by 0.2%.
    runs = grow(
        simulate,
        u=4e-5,
        death=(0.8, 0.8),
        until=ta.Until(total=10_000),
        dt=0.02,
        replicates=6_000 if engine == "clones" else 1_000,
        restart_on_extinction=True,
    )
    law.check_counts(runs["n_1"])


@WELL_MIXED
@pytest.mark.slow
def test_mean_of_sensitive_cells_at_a_day(case, simulate):
    mean = case("LD-FIXEDTIME-S")
    mean.check_formula(theory.mean_cells(0.5 * 0.99, 0.3, 20, 10))
    # dt = 0.005 lowers the mean by 0.2%, a third of a standard error.
    runs = simulate(
        replicates=6_000,
        division=[0.5, 0.5],
        death=[0.3, 0.3],
        mutation=[[0, 0.01], [0, 0]],
        initial=[10, 0],
        dt=0.005,
        until=ta.Until(day=20),
    )
    mean.check_mean(runs["n_0"])


@EVERY
def test_mean_counts_of_two_types_are_powers_of_the_mean_matrix(case, simulate, engine):
    sensitive, resistant = case("LD-DT-MEAN-S"), case("LD-DT-MEAN-R")
    law = {"division": [0.14, 0.14], "death": [0.13, 0.13], "mutation": [[0, 0.02], [0, 0]]}
    means = theory.mean_counts(**law, initial=[50, 0], steps=100)
    sensitive.check_formula(means[0], 1e-10)
    resistant.check_formula(means[1], 1e-10)
    replicates = 6_500 if engine == "lattice" else 20_000
    runs = simulate(**law, replicates=replicates, initial=[50, 0], until=ta.Until(day=100))
    sensitive.check_mean(runs["n_0"])
    resistant.check_mean(runs["n_1"])


def test_limits_of_the_mutant_laws_agree():
    # Equal growth is the neutral law, with and without death; without death nothing is lost.
    neutral = 1 / (np.arange(1, 31) * np.arange(2, 32))
    np.testing.assert_allclose(theory.clone_sizes_with_fitness(1.0, 30)[1:], neutral)
    np.testing.assert_allclose(theory.clone_sizes_with_death(0.0, 30)[1:], neutral)
    np.testing.assert_allclose(theory.clone_sizes_with_death(1e-9, 30), [0, *neutral], atol=1e-9)
    assert theory.clone_sizes_with_death(0.9, 3000).sum() == pytest.approx(1, abs=1e-3)
    p0 = theory.compound_poisson_pmf(4.0, theory.clone_sizes_with_death(0.9, 0))[0]
    factor = theory.resistance_factor(division=1, death=0.9, resistant_division=1, resistant_death=0.9)
    assert p0 == pytest.approx(1 - theory.resistance_present(4 * 0.1, 1, factor))
    assert factor == pytest.approx(-np.log(0.1) / 0.9)
    assert theory.resistance_factor(division=1, death=0, resistant_division=1, resistant_death=0) == 1
    pmf = theory.luria_delbruck_pmf(200, 0.01, 200)
    assert pmf.sum() == pytest.approx(1)
    assert pmf @ np.arange(201) == pytest.approx(theory.luria_delbruck_mean(200, 0.01))
