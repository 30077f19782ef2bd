"""How many clones of mutants there are, and resistance under drug pulses."""

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.slow
def test_number_of_resistant_clones_at_detection_is_poisson(case, simulate, p_of_law):
    mean = case("CLONES-RES-MEAN")
    mean.check_formula(theory.mean_resistant_clones(1e4, 3e-4, 0.14, 0.1))
    # dt = 0.1 overshoots by 0.2% and sees clones of the last step before they can die: 0.02 together.
    runs = simulate(
        replicates=5_000,
        division=[0.14, 0.14],
        death=[0.1, 0.1],
        mutation=[[0, 3e-4], [3e-4, 0]],
        initial=[1, 0],
        dt=0.1,
        until=ta.Until(total=10_000),
        restart_on_extinction=True,
        max_clones=10_000,
    )
    mean.check_mean(runs["clones_1"])
    counts = runs["clones_1"].to_numpy().astype(int)
    # A Poisson count has the variance of its mean; the overshoot adds less than 1% to it.
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.01 + 4.5 * np.sqrt(2 / counts.size))


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.parametrize("dt", [0.25, 0.05])
def test_clones_without_death_are_one_more_than_the_mutations(simulate, p_of_law, dt):
    # Every division makes a clone with probability u and none is lost: exact at every step length.
    runs = simulate(
        replicates=20_000,
        division=[1.0],
        death=[0.0],
        mutation=[[0.05]],
        initial=[1],
        dt=dt,
        until=ta.Until(total=200),
        max_clones=10_000,
    )
    divisions = runs["divisions"].to_numpy().astype(float)
    clones = runs["clones_0"].to_numpy().astype(float) - 1
    standard = (clones - 0.05 * divisions) / np.sqrt(0.05 * 0.95 * divisions)
    assert abs(standard.mean()) < 4.5 / np.sqrt(runs.height)
    assert standard.var() == pytest.approx(1, abs=4.5 * np.sqrt(2.2 / runs.height))


def pulses(case, simulate, engine, **options):
    p = case.params
    closed_form = theory.pulsed_failure(
        division=p["b"],
        resistant_death=p["d_R"],
        mutation=p["u"],
        phases=[(p["on"], p["d_on"]), (p["off"], p["d_off"])],
        cells=p["S0"],
    )
    case.check_formula(closed_form, 1e-9)
    return simulate(
        replicates=24_000 if engine == "clones" else 10_000,
        division=[p["b"], p["b"]],
        death=[p["d_on"], p["d_R"]],
        mutation=[[0, p["u"]], [0, 0]],
        initial=[p["S0"], 0],
        **options,
    )


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.slow
def test_resistance_under_continuous_dosing(case, simulate, engine):
    # The 86 seconds without drug in 14 days are left out. Survival of a lineage under constant rates
    # is the same for every dt.
    dosing = case("PULSE-continuous")
    runs = pulses(dosing, simulate, engine, until=ta.Until(counts={1: 120}))
    dosing.check_mean(runs["stopped_by"] == "count_1")


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.slow
def test_resistance_under_a_week_on_and_a_week_off(case, simulate, engine):
    # dt = 0.25 declines faster on the drug: 0.0017 less failure, within the 0.002 allowed.
    dosing = case("PULSE-pulsed7-7")
    p, week = dosing.params, ta.Until(day=7)
    cycle = ta.Cycle(
        phases=[
            ta.Phase(death=[p["d_on"], p["d_R"]], until=week),
            ta.Phase(death=[p["d_off"], p["d_R"]], until=week),
        ],
        until=ta.Until(counts={1: 120}),
    )
    runs = pulses(dosing, simulate, engine, dt=0.25, until=ta.Until(day=0), treatment=cycle)
    dosing.check_mean(runs["stopped_by"] == "count_1")


def test_pulses_of_equal_strength_are_continuous_dosing():
    options = {"division": 0.14, "resistant_death": 0.12, "mutation": 2e-4, "cells": 3000}
    assert theory.pulsed_failure(phases=[(3, 0.17), (4, 0.17)], **options) == pytest.approx(
        theory.pulsed_failure(phases=[(14, 0.17)], **options), rel=1e-12
    )
    # Without mutation declining cells leave nothing, and growing cells what a birth-death process leaves.
    options |= {"mutation": 0, "cells": 1}
    assert theory.pulsed_failure(phases=[(7, 0.22), (7, 0.13)], **options) < 1e-300
    assert theory.pulsed_failure(phases=[(7, 0.13)], **options) == pytest.approx(1 / 14)
