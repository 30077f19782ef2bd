"""The joint law of two types, exactly, against clones kept apart, clones merged, and cells.

The exact law is composed from the generating function of one cell and one step, which knows
nothing of the engine. `POWER-CHI2` says how many replicates a chi-square test needs to see which
mistake; the tests here use 200,000.
"""

import numpy as np
import pytest
import tumor_abm as ta
from scipy import stats
from verification.samples import energy_p

REPLICATES = 200_000


def daughters_a(x, y, u):
    """At most one daughter mutates."""
    return (1 - u) * x * x + u * x * y


def daughters_b(x, y, u):
    """Each daughter mutates by itself: not our law."""
    return ((1 - u) * x + u * y) ** 2


def joint_law(*, steps, divide, die, u, start=2, daughters=daughters_a, grid=64):
    """P(S = s, R = r) after `steps`, from `start` cells of S; exact while S and R stay below `grid`."""
    roots = np.exp(-2j * np.pi * np.arange(grid) / grid)
    s, r = np.meshgrid(roots, roots, indexing="ij")
    for _ in range(steps):
        s, r = (
            die[0] + (1 - divide[0] - die[0]) * s + divide[0] * daughters(s, r, u),
            die[1] + (1 - divide[1] - die[1]) * r + divide[1] * r * r,
        )
    return np.fft.ifft2(s**start).real.clip(0)


def enum_law(**changes):
    law = {"steps": 3, "divide": (0.3, 0.4), "die": (0.2, 0.1), "u": 0.25}
    return joint_law(**(law | changes))


def listed(table, law):
    """Probabilities of the cells that a table lists, and of the rest."""
    inside = np.array([law[s, r] for s, r, _ in table])
    return np.append(inside, 1 - inside.sum())


def seen(table, runs):
    """Replicates in the cells that a table lists, and in the rest."""
    place = {(s, r): i for i, (s, r, _) in enumerate(table)}
    counts = np.zeros(len(table) + 1)
    for s, r, replicates in runs.group_by("n_0", "n_1").len().iter_rows():
        counts[place.get((s, r), len(table))] += replicates
    return counts


@pytest.fixture(scope="module")
def enum_table(case):
    return case("ENUM-DT-20-convA").expected


@pytest.fixture(scope="module")
def three_steps(simulate):
    def run(max_clones, engine="clones"):
        return simulate(
            engine=engine,
            space=ta.Space(dimensions=2, placement="push", depth=100) if engine == "lattice" else None,
            replicates=REPLICATES,
            division=[0.3, 0.4],
            death=[0.2, 0.1],
            mutation=[[0, 0.25], [0, 0]],
            initial=[2, 0],
            until=ta.Until(day=3, extinct=False),
            max_clones=max_clones,
        )

    return {"merged": run(1), "apart": run(10_000), "cells": run(1, "cells"), "lattice": run(1, "lattice")}


def test_exact_law_is_the_reference(case, enum_table):
    expected = [p for _, _, p in enum_table]
    case("ENUM-DT-20-convA").check_formula(listed(enum_table, enum_law())[:-1], 1e-9, expected)


@pytest.mark.parametrize(
    ("id_", "clones"),
    [
        ("ENUM-DT-20-convA", "cells"),
        ("ENUM-DT-20-convA", "apart"),
        ("ENUM-DT-20-convA", "lattice"),
        ("ENUM-DT-20-AGG", "merged"),
    ],
)
def test_three_steps_from_two_cells_follow_the_joint_law(case, enum_table, three_steps, id_, clones):
    engine = clones if clones in ("cells", "lattice") else "clones"
    case(id_).check_law(seen(enum_table, three_steps[clones]), listed(enum_table, enum_law()), engine=engine)


def p_of_equality(*tables):
    """p of the two-sample chi-square test of counts of replicates, rare cells left out."""
    tables = np.array(tables)
    return stats.chi2_contingency(tables[:, tables.sum(axis=0) >= 20]).pvalue


@pytest.mark.parametrize("other", ["merged", "cells", "lattice"])
def test_merging_clones_keeps_the_law_of_totals(enum_table, three_steps, other):
    assert p_of_equality(*(seen(enum_table, three_steps[clones]) for clones in (other, "apart"))) > 1e-6


def test_clones_are_merged_or_kept_apart(three_steps):
    assert three_steps["merged"]["clones_1"].max() == 1
    assert three_steps["apart"]["clones_1"].max() > 3


def test_as_many_clones_live_of_cells_as_of_counts(three_steps):
    clones = [
        np.bincount(three_steps[of]["clones_1"].to_numpy().astype(int), minlength=20)
        for of in ("apart", "cells")
    ]
    assert p_of_equality(*clones) > 1e-6


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_small_steps_give_the_joint_law_of_continuous_time(case, simulate):
    law = case("ENUM-CT")
    p, dt = law.params, 0.01
    # The law at this dt has a chi-square distance of 1.1e-5 a replicate: 1 where the test spreads by 12.
    runs = simulate(
        replicates=100_000,
        division=[p["b_S"], p["b_R"]],
        death=[p["d_S"], p["d_R"]],
        mutation=[[0, p["u"]], [0, 0]],
        initial=[p["S0"], p["R0"]],
        dt=dt,
        until=ta.Until(day=p["t"], extinct=False),
    )
    expected = [probability for _, _, probability in law.expected]
    law.check_law(seen(law.expected, runs), [*expected, 1 - sum(expected)])


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.parametrize("dt", [0.5, 0.1])
def test_joint_law_is_exact_at_every_step_length(case, simulate, p_of_law, dt):
    law = case("ENUM-CT")
    p = law.params
    runs = simulate(
        replicates=100_000,
        division=[p["b_S"], p["b_R"]],
        death=[p["d_S"], p["d_R"]],
        mutation=[[0, p["u"]], [0, 0]],
        initial=[p["S0"], p["R0"]],
        dt=dt,
        until=ta.Until(day=p["t"], extinct=False),
        max_clones=3,
    )
    exact = joint_law(
        steps=round(p["t"] / dt),
        divide=(p["b_S"] * dt, p["b_R"] * dt),
        die=(p["d_S"] * dt, p["d_R"] * dt),
        u=p["u"],
        grid=128,
    )
    assert p_of_law(seen(law.expected, runs), listed(law.expected, exact)) > 1e-6


MISTAKES = {
    "conv B instead of A": {"daughters": daughters_b},
    "u 10% too high": {"u": 0.275},
    "death drawn before birth (not exclusive)": {"divide": (0.3 * 0.8, 0.4 * 0.9)},
    "one step too many": {"steps": 4},
    "birth prob +2%": {"divide": (0.306, 0.408)},
    "resistant daughter uses sensitive rates": {"divide": (0.3, 0.3), "die": (0.2, 0.2)},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_replicates_are_enough_to_see_mistakes(case, enum_table, mistake):
    right, wrong = listed(enum_table, enum_law()), listed(enum_table, enum_law(**MISTAKES[mistake]))
    distance = np.sum((wrong - right) ** 2 / right)
    threshold = stats.chi2.isf(1e-6, right.size - 1)
    power = stats.ncx2.sf(threshold, right.size - 1, REPLICATES * distance)
    enough = case("POWER-CHI2")
    assert enough.expected[mistake] < REPLICATES
    enough.record(
        what=f"power of the chi-square test at {REPLICATES:,} replicates: {mistake}",
        expected=f"0.99 at {enough.expected[mistake]:,} replicates",
        found=power,
        tolerance="> 0.99",
        passed=power > 0.99,
    )


@pytest.mark.slow
@pytest.mark.parametrize("other", ["clones", "cells"])
def test_larger_tumours_are_alike_whether_clones_are_merged_or_not(case, simulate, seed, other):
    calibration = case("TWOSAMPLE-CALIBRATION")
    size, repeats, name = 150, 40, "clones merged" if other == "clones" else other

    def tumours(u, max_clones, engine="clones"):
        runs = simulate(
            engine=engine,
            replicates=repeats * size,
            division=[0.14, 0.16],
            death=[0.13, 0.13],
            mutation=[[0, u], [0, 0]],
            initial=[200, 0],
            until=ta.Until(day=150),
            max_clones=max_clones,
        )
        return np.log1p(runs.select("n_0", "n_1").to_numpy().astype(float)).reshape(repeats, size, 2)

    rng = np.random.default_rng(seed)
    apart = tumours(0.01, 100)
    merged, doubled = tumours(0.01, 1, other), tumours(0.02, 1, other)
    # A twentieth of 400 permutations is exceeded when p is above 0.05.
    alike, unlike = (
        [energy_p(a, b, rng, permutations=400) <= 0.05 for a, b in zip(apart, sample, strict=True)]
        for sample in (merged, doubled)
    )
    # 0.15 is 4.4 standard errors of a fraction of 0.05 in 40.
    for what, found, expected, allowed in (
        ("the same law", np.mean(alike), calibration.expected[0], 0.15),
        ("u doubled", np.mean(unlike), calibration.expected[1], 0.0),
    ):
        calibration.record(
            what=f"fraction of p <= 0.05, clones apart against {name}: {what}",
            expected=expected,
            found=f"{found:.3g} (40 repeats of 150 tumours)",
            tolerance=f"± {allowed}",
            passed=abs(found - expected) <= allowed,
        )
