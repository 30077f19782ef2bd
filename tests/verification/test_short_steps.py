"""Short steps tend to continuous time at first order, measured: halving dt halves the error.

The law of steps is exact for every engine (`test_birth_death.py`); here its moments, and what the
engines themselves give, meet the closed forms of continuous time.
"""

from __future__ import annotations

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory

STEPS = np.array([0.8, 0.4, 0.2, 0.1])


def slope_of(errors, steps=STEPS):
    """Order of convergence: slope of the logarithm of the error over that of the step."""
    return float(np.polyfit(np.log(steps), np.log(np.abs(errors)), 1)[0])


def first_order(finding, name, what, errors, allowed, engine, steps=STEPS):
    slope = slope_of(errors, steps)
    finding(
        name,
        section="11_steps",
        what=what,
        source="closed forms of continuous time",
        expected="slope 1",
        found=f"slope {slope:.3f} for dt from {steps.max()} to {steps.min()}",
        tolerance=f"± {allowed:.2g}",
        passed=abs(slope - 1) < allowed,
        engine=engine,
    )


def test_moments_of_the_law_of_steps_converge_at_first_order(finding):
    b, d, t, n = 0.14, 0.08, 24.0, 20
    exact = theory.mean_cells(b, d, t, n), theory.variance_cells(b, d, t, n)
    mean, variance, extinct, resistant = [], [], [], []
    u = 0.01
    # Mutants at rate b u of the sensitive, which grow at b (1 - u) - d.
    sensitive = n * np.exp((b * (1 - u) - d) * t)
    for dt in STEPS:
        steps = round(t / dt)
        mean.append(theory.galton_watson_mean(b * dt, d * dt, steps, n) - exact[0])
        variance.append(theory.galton_watson_variance(b * dt, d * dt, steps, n) - exact[1])
        extinct.append(
            theory.galton_watson_pmf(b * dt, d * dt, steps, largest=0)[0] - theory.extinction_by(b, d, t)
        )
        law = {"division": [b, b], "death": [d, d], "mutation": [[0, u], [0, 0]]}
        counts = theory.mean_counts(**law, initial=[n, 0], steps=steps, dt=dt)
        resistant.append(counts[1] - (exact[0] - sensitive))
    for what, errors in (
        ("mean number of cells", mean),
        ("variance of the number of cells", variance),
        ("probability of extinction by a day", extinct),
        ("mean number of mutants", resistant),
    ):
        # The next order shifts the slope by about r dt.
        first_order(finding, "STEPS-LAW", what, errors, 0.05, "theory")


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_engines_grow_as_continuous_time_says_at_first_order(finding, simulate, engine):
    # Fast growth, so that the error of the step is many standard errors of the engine.
    b, d, t, steps = 0.5, 0.05, 4.0, STEPS / 4
    cells, replicates = {"clones": (10**12, 20), "cells": (200_000, 20)}[engine]
    errors, noise = [], []
    for dt in steps:
        runs = simulate(
            replicates=replicates, division=[b], death=[d], initial=[cells], dt=dt, until=ta.Until(day=t)
        )
        grown = np.log(runs["n_0"].to_numpy() / cells)
        errors.append(grown.mean() - (b - d) * t)
        spread = np.sqrt(theory.variance_cells(b, d, t) / cells / replicates) / np.exp((b - d) * t)
        noise.append(spread / abs(errors[-1]))
    # ln(1 + r dt)/dt - r = -r^2 dt/2 (1 - 2/3 r dt + ...): the next order lowers the slope by
    # 2/3 r (0.2 - 0.025)/ln 8 = 0.025. Noise shifts it by what the fit makes of it.
    x = np.log(steps) - np.log(steps).mean()
    allowed = 0.03 + 4.5 * float(np.sqrt(np.sum((x * noise) ** 2)) / np.sum(x**2))
    first_order(finding, "STEPS-ENGINE", "growth rate of large populations", errors, allowed, engine, steps)


@pytest.mark.engine("lattice")
@pytest.mark.slow
def test_crowded_growth_tends_to_continuous_time_at_first_order(finding, case, simulate):
    time, steps = case("LAT-2D-VN4-B-TIME"), np.array([0.4, 0.2])
    p, replicates = time.params, 60_000
    errors = []
    for dt in steps:
        runs = simulate(
            engine="lattice",
            replicates=replicates,
            division=[p["b"]],
            death=[p["d"]],
            initial=[1],
            dt=dt,
            until=ta.Until(total=p["N"]),
            space=ta.Space(dimensions=2),
        )
        errors.append(runs["day"].mean() - time.expected)
    noise = time.tolerance["sd"] / np.sqrt(replicates) / np.abs(errors)
    # The next order shifts the slope by about dt.
    allowed = 0.25 + 4.5 * float(np.hypot(*noise)) / np.log(2)
    first_order(finding, "STEPS-LATTICE", "mean time to six cells, rule B", errors, allowed, "lattice", steps)
