"""The engines against the law in plain Python (`tests/reference.py`), and against each other.

Small populations by tables of counts, which see a wrong rate, a wrong order of events or a wrong
convention; larger ones, through growth, mutation and treatment, by the energy distance.
"""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from reference import Colony, Law, Tumour, lives
from verification.samples import energy_p, table_p

ENGINES = pytest.mark.parametrize("engine", ["clones", "cells", "lattice"], scope="session")

# Type 1 is type 0 after the first, silent, of two hits, type 2 after both; type 3 is a reversible state.
HITS = [[0, 0.2, 0, 0], [0, 0, 0.25, 0], [0, 0, 0, 0], [0, 0.1, 0, 0]]
TURNS = [[0, 0, 0, 0.15], [0, 0, 0, 0], [0, 0, 0, 0.05], [0.3, 0, 0.1, 0]]
STILL = [[0.0] * 4] * 4
SMALL = Law(division=(0.3, 0.3, 0.35, 0.1), death=(0.1, 0.1, 0.12, 0.05), mutation=HITS, switching=TURNS)
SMALL_TREATED = dataclasses.replace(SMALL, division=(0.1, 0.1, 0.35, 0.1), death=(0.35, 0.35, 0.12, 0.1))
RARE = [[0, 0.03, 0, 0], [0, 0, 0.05, 0], [0, 0, 0, 0], [0, 0.02, 0, 0]]
LARGE = Law(
    division=(0.14, 0.14, 0.16, 0.05),
    death=(0.08, 0.08, 0.1, 0.04),
    mutation=RARE,
    switching=[[0, 0, 0, 0.02], [0, 0, 0, 0], [0, 0, 0, 0.01], [0.05, 0, 0, 0]],
)
LARGE_TREATED = dataclasses.replace(LARGE, death=(0.2, 0.2, 0.1, 0.06))
# In space, with death, so that rooms open while events go on.
FLAT = Law(division=(0.38, 0.3), death=(0.08, 0.12), mutation=[[0, 0.2], [0, 0]], switching=[[0, 0], [0, 0]])
FLAT_TREATED = dataclasses.replace(FLAT, death=(0.4, 0.12), division=(0.1, 0.38))
RULES = {
    "1-D, rule B": {"dimensions": 1},
    "1-D, rule C": {"dimensions": 1, "placement": "any_free"},
    "2-D, 4 neighbours, rule B": {"dimensions": 2, "mutant": "placed"},
    "2-D, 4 neighbours, rule C": {"dimensions": 2, "placement": "any_free"},
    "2-D, 8 neighbours, rule B": {"dimensions": 2, "neighbourhood": "moore"},
    "2-D, 4 neighbours, push to depth 2": {"dimensions": 2, "placement": "push", "depth": 2},
    "3-D, 6 neighbours, rule C": {"dimensions": 3, "placement": "any_free", "mutant": "placed"},
}


def rates(law):
    names = ("division", "death", "mutation", "switching")
    return {name: getattr(law, name) for name in names}


def counted(tumours, initial, phases, seed):
    """Counts of every type and divisions, at the end of each phase: a row a tumour."""
    rng = random.Random(seed)
    types = len(initial)
    return [
        tuple(
            x
            for at_end in lives(tumour, initial, phases, rng)
            for x in (*at_end.counts(types), at_end.divisions)
        )
        for tumour in tumours
    ]


def replicated(simulate, replicates, initial, phases, columns=("n_", "divisions"), **options):
    """The same from an engine."""
    (steps, law), *others = phases
    runs = simulate(
        replicates=replicates,
        initial=list(initial),
        **rates(law),
        until=ta.Until(day=steps, extinct=False),
        treatment=[ta.Phase(**rates(law), until=ta.Until(day=steps, extinct=False)) for steps, law in others],
        phases="all",
        **options,
    )
    wanted = [name for start in columns for name in runs.columns if name.startswith(start)]
    values = runs.select(pl.col(wanted).cast(pl.Int64)).to_numpy()
    return values.reshape(replicates, len(phases) * len(wanted))


def agreed(finding, name, what, p, found, expected="the plain law", compared="engine, plain law"):
    finding(
        name,
        section="10_reference",
        what=what,
        source="the law, in plain Python",
        expected=expected,
        found=f"p = {p:.2g} ({found})",
        tolerance="p > 1e-06",
        passed=p > 1e-6,
        compared=compared,
    )


def test_the_plain_law_is_the_exact_law(case, seed):
    rng, exact = random.Random(seed), case("ENUM-DT-20-convA")
    p = exact.params
    law = Law(
        division=(p["S_div"], p["R_div"]),
        death=(p["S_die"], p["R_die"]),
        mutation=[[0, p["u"]], [0, 0]],
        switching=[[0, 0], [0, 0]],
    )
    place = {(s, r): i for i, (s, r, _) in enumerate(exact.expected)}
    seen = np.zeros(len(place) + 1)
    for _ in range(30_000):
        (tumour,) = lives(Tumour(), (2, 0), [(3, law)], rng)
        seen[place.get(tuple(tumour.counts(2)), len(place))] += 1
    listed = [probability for _, _, probability in exact.expected]
    exact.check_law(seen, [*listed, 1 - sum(listed)], engine="reference")


@pytest.fixture(scope="module")
def small(seed_of):
    phases = [(3, SMALL), (2, SMALL_TREATED)]
    return phases, counted((Tumour() for _ in range(12_000)), (2, 0, 0, 0), phases, seed_of("small"))


# Engines that hold cells keep every clone apart: the limit means nothing to them.
@pytest.mark.parametrize(
    ("engine", "max_clones"),
    [("clones", 1), ("clones", 10_000), ("cells", 10_000), ("lattice", 10_000)],
    scope="session",
)
def test_small_tumours_with_two_hits_and_turns(finding, simulate, engine, small, max_clones):
    phases, plain = small
    ours = replicated(simulate, 100_000, (2, 0, 0, 0), phases, max_clones=max_clones)
    types = 4
    # The joint law of four types before treatment and after it, each with the divisions.
    for moment, columns in (("growth", slice(0, types + 1)), ("treatment", slice(types + 1, None))):
        p = table_p((tuple(row[columns]) for row in ours.tolist()), (row[columns] for row in plain))
        apart = "merged" if max_clones == 1 else "apart"
        what = f"four types and divisions after {moment}, two hits and reversible turns, clones {apart}"
        agreed(finding, "REFERENCE-SMALL", what, p, "chi-square, 100,000 and 12,000 tumours")


@pytest.fixture(scope="module")
def large(seed_of):
    phases = [(40, LARGE), (20, LARGE_TREATED)]
    return phases, counted((Tumour() for _ in range(250)), (20, 0, 0, 0), phases, seed_of("large"))


@ENGINES
def test_larger_tumours_through_growth_and_treatment(finding, simulate, engine, large, seed):
    phases, plain = large
    ours = replicated(simulate, len(plain), (20, 0, 0, 0), phases, max_clones=10)
    p = energy_p(np.log1p(ours), np.log1p(np.array(plain)), np.random.default_rng(seed))
    what = "four types and divisions after 40 days of growth and 20 of treatment"
    agreed(finding, "REFERENCE-LARGE", what, p, f"energy distance, {len(plain)} tumours each")


@pytest.fixture(scope="module")
def clone_numbers(seed_of):
    """Living clones of each type after growth and after treatment, without reversible turns."""
    growth, treated = (dataclasses.replace(law, switching=STILL) for law in (LARGE, LARGE_TREATED))
    phases, rng, rows = [(40, growth), (20, treated)], random.Random(seed_of("clones")), []
    for _ in range(250):
        row = []
        for tumour in lives(Tumour(), (20, 0, 0, 0), phases, rng):
            clones = {(cell.kind, cell.clone) for cell in tumour.cells.values()}
            row += [sum(kind == k for kind, _ in clones) for k in range(4)]
        rows.append(row)
    return phases, np.array(rows)


@ENGINES
def test_living_clones_of_larger_tumours(finding, simulate, engine, clone_numbers, seed):
    phases, plain = clone_numbers
    ours = replicated(simulate, len(plain), (20, 0, 0, 0), phases, columns=("clones_",), max_clones=10_000)
    p = energy_p(np.log1p(ours), np.log1p(plain), np.random.default_rng(seed))
    what = "living clones of each type after growth and after treatment"
    agreed(finding, "REFERENCE-CLONES", what, p, f"energy distance, {len(plain)} tumours each")


@pytest.mark.engine("lattice")
@pytest.mark.parametrize("rule", RULES)
def test_small_colonies_follow_their_rule(finding, seed, rule):
    # Long steps: what happens within a step, and in which order, shows.
    phases = [(5, FLAT), (2, FLAT_TREATED)]
    plain = counted((Colony(**RULES[rule]) for _ in range(3_000)), (1, 0), phases, seed)

    def simulate(**options):
        return ta.replicate(engine="lattice", space=ta.Space(**RULES[rule]), seed=seed, threads=2, **options)

    ours = replicated(simulate, 50_000, (1, 0), phases)
    for moment, columns in (("growth", slice(0, 3)), ("treatment", slice(3, None))):
        p = table_p((tuple(row[columns]) for row in ours.tolist()), (row[columns] for row in plain))
        what = f"two types and divisions after {moment}, {rule}"
        agreed(finding, "REFERENCE-RULES", what, p, "chi-square, 50,000 and 3,000 colonies")


@ENGINES
def test_mutants_turn_from_the_step_after_their_birth(simulate):
    # All daughters mutate into a type that turns back at once, or would if they were asked.
    runs = simulate(
        replicates=500,
        division=[0.5, 0.0],
        death=[0.0, 0.0],
        mutation=[[0, 1.0], [0, 0]],
        switching=[[0, 0], [50.0, 0]],
        initial=[1, 0],
        until=ta.Until(day=1),
    )
    assert runs["n_1"].sum() == runs["divisions"].sum() > 150


def shape(sites, kinds):
    """Size, mutants, contacts, extent, and how far out the mutants are."""
    sites, kinds = np.asarray(sites, dtype=float).reshape(-1, 2), np.asarray(kinds)
    if len(sites) == 0:
        return np.zeros(5)
    place = {tuple(site) for site in sites}
    contacts = sum(((x + 1, y) in place) + ((x, y + 1) in place) for x, y in place)
    out = ((sites - sites.mean(axis=0)) ** 2).sum(axis=1)
    mutants = kinds == 1
    outside = out[mutants].mean() if mutants.any() else 0.0
    return np.log1p([len(sites), mutants.sum(), contacts, out.mean(), outside])


@pytest.mark.engine("lattice")
@pytest.mark.parametrize("rule", ["2-D, 4 neighbours, rule B", "2-D, 4 neighbours, rule C"])
def test_shape_of_larger_colonies(finding, seed, rule):
    tumours, rng = 120, random.Random(seed)
    growth = dataclasses.replace(FLAT, division=(0.4, 0.36), death=(0.04, 0.04), mutation=[[0, 0.05], [0, 0]])
    treated = dataclasses.replace(growth, division=(0.1, 0.36), death=(0.3, 0.04))
    phases = [(14, growth), (8, treated)]
    plain, ours = np.zeros((tumours, 10)), np.zeros((tumours, 10))
    for i in range(tumours):
        plain[i] = np.concatenate(
            [
                shape(
                    [cell.site for cell in at_end.cells.values()],
                    [cell.kind for cell in at_end.cells.values()],
                )
                for at_end in lives(Colony(**RULES[rule]), (1, 0), phases, rng)
            ]
        )
        population = ta.Population(
            engine="lattice", space=ta.Space(**RULES[rule]), initial=[1, 0], seed=seed + i, **rates(growth)
        )
        seen = []
        for steps, law in phases:
            population.set_rates(**rates(law))
            population.step(steps)
            cells = population.cells
            seen.append(shape(cells.select("x", "y").to_numpy(), cells["type"].to_numpy()))
        ours[i] = np.concatenate(seen)
    p = energy_p(ours, plain, np.random.default_rng(seed))
    what = f"size, mutants, contacts and extent after growth and treatment, {rule}"
    agreed(finding, "REFERENCE-SHAPE", what, p, f"energy distance, {tumours} colonies each")


@pytest.fixture(scope="module")
def detected_as_clones(seed_of):
    return detected(seed_of("detected", "clones"), "clones")


def detected(seed, engine, replicates=200):
    """Day, divisions and mutants at 3,000 cells, and after 60 days of treatment."""
    space = {"space": ta.Space(placement="push", depth=100_000)} if engine == "lattice" else {}
    runs = ta.replicate(
        engine=engine,
        replicates=replicates,
        division=[0.14, 0.14],
        death=[0.1, 0.1],
        mutation=[[0, 2e-3], [0, 0]],
        initial=[1, 0],
        until=ta.Until(total=3_000),
        restart_on_extinction=True,
        treatment=ta.Phase(death=[0.18, 0.11], until=ta.Until(day=60, extinct=False)),
        phases="all",
        seed=seed,
        threads=2,
        **space,
    )
    values = runs.select(pl.col("day", "divisions", "n_0", "n_1").cast(pl.Float64)).to_numpy()
    return np.log1p(values).reshape(replicates, 8)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["cells", "lattice"], scope="session")
def test_engines_agree_on_larger_tumours(finding, engine, detected_as_clones, seed):
    p = energy_p(detected(seed, engine), detected_as_clones, np.random.default_rng(seed))
    what = "day, divisions and both types at 3,000 cells and after 60 days of treatment"
    agreed(
        finding,
        "EQUALITY-LARGE",
        what,
        p,
        "energy distance, 200 tumours each",
        expected="the engine `clones`",
        compared="engine, engine",
    )


@pytest.mark.engine("design")
@pytest.mark.slow
def test_the_energy_distance_shows_a_mutation_rate_that_is_doubled(finding, simulate, large, seed):
    _, plain = large
    doubled = dataclasses.replace(LARGE, mutation=[[2 * u for u in row] for row in RARE])
    phases = [(40, doubled), (20, dataclasses.replace(doubled, death=LARGE_TREATED.death))]
    ours = replicated(simulate, len(plain), (20, 0, 0, 0), phases, engine="clones")
    # Half of the tumours are enough.
    half = len(plain) // 2
    p = energy_p(np.log1p(ours[:half]), np.log1p(np.array(plain[:half])), np.random.default_rng(seed))
    finding(
        "POWER",
        section="13_power",
        what=f"energy distance, {half} tumours each (half of REFERENCE-LARGE): mutation twice as frequent",
        source="runs with a mistake, against the right law",
        expected="rejected",
        found=f"p = {p:.2g}",
        tolerance="p < 1e-06",
        passed=p < 1e-6,
    )
