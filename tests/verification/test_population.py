"""Populations and replicates as a user meets them: reproducible, controllable, plain about bad input."""

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm import theory

GROWING = {
    "division": [0.14, 0.14],
    "death": [0.13, 0.13],
    "mutation": [[0, 1e-3], [0, 0]],
    "initial": [1, 0],
}


def grow(**options):
    return ta.replicate(
        **{
            "replicates": 300,
            **GROWING,
            "until": ta.Until(total=2_000),
            "restart_on_extinction": True,
            "treatment": ta.Phase(death=[0.17, 0.13], until=ta.Until(counts={1: 100})),
            "phases": "all",
            "seed": 5,
            **options,
        }
    )


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_result_is_the_same_for_any_number_of_threads(engine):
    written = [grow(engine=engine, threads=threads).write_ipc(None).getvalue() for threads in (1, 2, 4)]
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_result_is_the_same_for_the_same_seed_only(engine):
    assert grow(engine=engine).equals(grow(engine=engine))
    assert not grow(engine=engine).equals(grow(engine=engine, seed=6))


def test_first_replicates_do_not_depend_on_how_many_follow():
    assert grow(replicates=20).equals(grow().head(40))


@pytest.mark.parametrize("engine", ["clones", "cells", "lattice"])
def test_a_population_is_the_first_replicate(engine):
    law = {**GROWING, "engine": engine, "initial": [1000, 0], "seed": 7, "max_clones": 100}
    drug = {"death": [0.2, 0.1], "switching": [[0, 0.02], [0.1, 0]]}
    runs = ta.replicate(
        replicates=1,
        **law,
        until=ta.Until(day=50),
        treatment=ta.Phase(**drug, until=ta.Until(day=30)),
        phases="all",
    )
    population = ta.Population(**law)
    for phase, steps in enumerate((50, 30)):
        if phase == 1:
            population.set_rates(**drug)
        population.step(steps)
        assert population.day == runs["day"][phase]
        assert list(population.counts) == [runs["n_0"][phase], runs["n_1"][phase]]
        assert population.divisions == runs["divisions"][phase]


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_stepping_one_by_one_or_at_once_is_the_same(engine):
    law = {**GROWING, "engine": engine, "initial": [1000, 0], "seed": 3}
    at_once, one_by_one = ta.Population(**law), ta.Population(**law)
    at_once.step(60)
    for _ in range(60):
        one_by_one.step()
    assert at_once.clones.equals(one_by_one.clones)
    assert at_once.day == one_by_one.day == 60


def test_a_drawn_seed_is_kept_and_repeats_the_run():
    first = ta.Population(**{**GROWING, "initial": [500, 0]})
    again = ta.Population(**{**GROWING, "initial": [500, 0]}, seed=first.seed)
    first.step(30)
    again.step(30)
    assert np.array_equal(first.counts, again.counts)
    assert ta.Population(**GROWING).seed != first.seed


def test_restarts_condition_on_detection():
    runs = grow(phases="last", treatment=())
    assert set(runs["stopped_by"]) == {"total"}
    assert (runs["n_0"] + runs["n_1"]).min() >= 2_000
    assert runs["attempts"].max() > 1
    once = grow(phases="last", treatment=(), restart_on_extinction=False)
    assert set(once["attempts"]) == {1}
    assert set(once["stopped_by"]) == {"total", "extinct"}


def test_giving_up_names_the_replicate_and_the_attempts():
    with pytest.raises(ValueError, match="replicate 0: all 7 attempts"):
        ta.replicate(
            replicates=1,
            division=[0.0],
            death=[0.2],
            initial=[1],
            until=ta.Until(total=10),
            restart_on_extinction=True,
            max_attempts=7,
            seed=1,
        )


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_phases_follow_each_other_and_count_their_own_days(engine):
    runs = ta.replicate(
        engine=engine,
        replicates=20,
        division=[0.14],
        death=[0.13],
        initial=[10_000],
        until=ta.Until(day=30),
        treatment=[
            ta.Phase(death=[0.2], until=ta.Until(day=20)),
            ta.Phase(death=[0.1], until=ta.Until(day=5)),
        ],
        phases="all",
        seed=2,
    )
    assert runs["day"].to_list() == [30.0, 50.0, 55.0] * 20
    assert runs["phase"].to_list() == [0, 1, 2] * 20
    size = runs["n_0"].to_numpy().reshape(20, 3).mean(axis=0)
    growth = [1.01**30, 0.94**20, 1.04**5]
    assert size == pytest.approx(10_000 * np.cumprod(growth), rel=0.02)


def test_a_cycle_repeats_its_phases_until_its_own_rule():
    on, off = ta.Phase(death=[0.2], until=ta.Until(day=7)), ta.Phase(death=[0.13], until=ta.Until(day=7))
    options = {
        "replicates": 50,
        "division": [0.14],
        "death": [0.13],
        "initial": [10**9],
        "until": ta.Until(day=0),
        "seed": 4,
    }
    cycled = ta.replicate(**options, treatment=ta.Cycle(phases=[on, off], until=ta.Until(day=70)))
    assert set(cycled["day"]) == {70.0}
    assert set(cycled["phase"]) == {1}
    spelled_out = ta.replicate(**options, treatment=[on, off] * 5)
    assert cycled["n_0"].equals(spelled_out["n_0"])
    # 35 days on the drug and 35 off it: cells are so many that chance hardly matters.
    assert cycled["n_0"].mean() == pytest.approx(1e9 * 0.94**35 * 1.01**35, rel=1e-3)
    # The rule of the cycle may end it in the middle of a phase.
    for days in (3, 10):
        ended = ta.replicate(**options, treatment=ta.Cycle(phases=[on, off], until=ta.Until(day=days)))
        assert set(ended["day"]) == {float(days)}
    small = ta.replicate(**options, treatment=ta.Cycle(phases=[on, off], until=ta.Until(below=10**8)))
    assert set(small["stopped_by"]) == {"below"}
    assert small["n_0"].max() <= 10**8


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_adaptive_dosing_stops_at_half_and_resumes_at_baseline(engine):
    start = 10**6 if engine == "clones" else 10**5
    runs = ta.replicate(
        engine=engine,
        replicates=10,
        division=[0.14],
        death=[0.13],
        initial=[start],
        until=ta.Until(day=0),
        treatment=[
            ta.Phase(death=[0.2], until=ta.Until(below=start // 2)),
            ta.Phase(death=[0.13], until=ta.Until(total=start)),
        ],
        phases="all",
        seed=9,
    )
    assert runs["stopped_by"].to_list() == [
        "total" if phase == 2 else "below" if phase else "day" for phase in runs["phase"]
    ]
    assert (runs.filter(phase=1)["n_0"] <= start // 2).all()
    assert (runs.filter(phase=2)["n_0"] >= start).all()


def test_stop_rules_hold_in_their_order():
    runs = ta.replicate(
        replicates=1,
        division=[0.1, 0.1],
        death=[0.0, 0.0],
        initial=[50, 50],
        until=ta.Until(total=100, counts={1: 50}, day=0),
        seed=1,
    )
    assert runs["stopped_by"].to_list() == ["total"]
    assert runs["day"].to_list() == [0.0]


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_an_extinct_population_waits_for_the_day_if_told_to(engine):
    options = {
        "engine": engine,
        "replicates": 200,
        "division": [0.0],
        "death": [0.3],
        "initial": [1],
        "seed": 1,
    }
    waiting = ta.replicate(**options, until=ta.Until(day=40, extinct=False))
    assert set(waiting["day"]) == {40.0}
    assert set(waiting["stopped_by"]) == {"day"}
    ended = ta.replicate(**options, until=ta.Until(day=40))
    assert set(ended["stopped_by"]) == {"extinct"}
    assert ended["day"].mean() == pytest.approx(1 / 0.3, abs=4.5 * np.sqrt(0.7) / 0.3 / np.sqrt(200))


def test_rates_can_be_changed_between_steps():
    population = ta.Population(division=[0.14], death=[0.13], initial=[10**9], seed=1)
    population.step(10)
    population.set_rates(death=[0.2])
    population.step(10)
    population.set_rates(division=[0.0], death=[0.0])
    population.step(10)
    assert population.day == 30
    assert population.counts[0] == pytest.approx(1e9 * 1.01**10 * 0.94**10, rel=1e-3)


def test_a_rejected_change_leaves_the_population_as_it_was():
    population = ta.Population(division=[0.14], death=[0.13], initial=[10**6], seed=1)
    twin = ta.Population(division=[0.14], death=[0.13], initial=[10**6], seed=1)
    for wrong in ({"death": [9.0]}, {"division": [-1.0]}, {"mutation": [[1.5]]}):
        with pytest.raises(ValueError, match=r"found|would do"):
            population.set_rates(**wrong)
    population.step(5)
    twin.step(5)
    assert np.array_equal(population.counts, twin.counts)


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_clones_add_up_and_know_their_parents(engine):
    population = ta.Population(
        engine=engine,
        division=[0.3, 0.3],
        death=[0.1, 0.1],
        mutation=[[0.01, 0.02], [0, 0.01]],
        initial=[100, 0],
        seed=11,
    )
    population.step(30)
    clones = population.clones
    by_type = clones.group_by("type").agg(cells=pl.col("cells").sum())
    assert dict(by_type.iter_rows()) == dict(enumerate(population.counts.tolist()))
    assert clones["clone"].is_unique().all()
    assert clones["cells"].min() > 0
    children = clones.filter(pl.col("parent").is_not_null())
    assert children.height >= clones.height - 1
    assert (children["parent"] < children["clone"]).all()
    assert clones["born_day"].is_between(0, 30).all()
    assert (clones["origins"] == 1).all()


def test_merging_never_exceeds_the_limit_and_counts_origins():
    population = ta.Population(
        division=[0.3, 0.3],
        death=[0.0, 0.0],
        mutation=[[0, 0.2], [0, 0]],
        initial=[100, 0],
        seed=12,
        max_clones=5,
    )
    population.step(20)
    mutants = population.clones.filter(type=1)
    assert mutants.height == 5
    # Without death every mutant ever born is the origin of a living clone or was merged into one.
    assert mutants["origins"].sum() > 100
    assert mutants["cells"].sum() == population.counts[1] >= mutants["origins"].sum()


SWITCHING = {"division": [0.14, 0.14], "death": [0.13, 0.13], "switching": [[0, 0.02], [0.08, 0]]}


def test_reversible_switching_settles_at_the_ratio_of_hazards():
    # A step turns a cell with probability 1 - exp(-hazard dt), once: the ratio is exact in the steps.
    for dt in (1.0, 0.05):
        on, off = -np.expm1(-0.02 * dt), -np.expm1(-0.08 * dt)
        population = ta.Population(**SWITCHING, initial=[10**10, 0], dt=dt, seed=13)
        population.step(round(100 / dt))
        relaxed = 1 - ((1 - on - off) ** round(100 / dt))
        share = population.counts[1] / population.counts.sum()
        assert share == pytest.approx(on / (on + off) * relaxed, abs=4.5e-5)
    # At the smaller step this is the ratio of the hazards in continuous time.
    assert share == pytest.approx(0.02 / (0.02 + 0.08), rel=2e-3)


@pytest.mark.parametrize("engine", ["clones", "cells"])
def test_switching_alone_neither_makes_nor_loses_cells(engine):
    population = ta.Population(
        engine=engine,
        division=[0.0] * 3,
        death=[0.0] * 3,
        switching=[[0, 0.5, 0.1], [0.2, 0, 0], [0, 3.0, 0]],
        initial=[10**6, 0, 5],
        seed=14,
    )
    for _ in range(50):
        population.step()
        assert population.counts.sum() == 10**6 + 5
    assert population.divisions == 0


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_mean_grows_the_same_with_and_without_switching(simulate):
    runs = simulate(replicates=20_000, **SWITCHING, initial=[10, 0], until=ta.Until(day=50))
    total = (runs["n_0"] + runs["n_1"]).to_numpy().astype(float)
    mean = theory.galton_watson_mean(0.14, 0.13, 50, 10)
    error = np.sqrt(theory.galton_watson_variance(0.14, 0.13, 50, 10) / runs.height)
    assert abs(total.mean() - mean) < 4.5 * error
    # Cells switch independently of each other, so that shares follow the chain of one cell.
    on, off = -np.expm1([-0.02, -0.08])
    share = on / (on + off) * (1 - (1 - on - off) ** 50)
    assert abs(runs["n_1"].mean() - mean * share) < 4.5 * error


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"division": [-0.1, 0.1]}, r"division\[0\]: found -0.1"),
        ({"death": [0.1, float("nan")]}, r"death\[1\]: found nan"),
        ({"death": [0.1, float("inf")]}, r"death\[1\]: found inf"),
        ({"division": [0.1]}, r"death: found shape \(2,\).*\(1,\)"),
        ({"division": [[0.1, 0.1]]}, r"division: found shape \(1, 2\)"),
        ({"mutation": [[0, 1e-3]]}, r"mutation: found shape \(1, 2\).*\(2, 2\)"),
        ({"mutation": [[0, -1e-3], [0, 0]]}, r"mutation\[0\]\[1\]: found -0.001"),
        ({"mutation": [[0.6, 0.6], [0, 0]]}, r"mutation\[0\].*1\.2"),
        ({"mutation": [[0, float("nan")], [0, 0]]}, r"mutation\[0\]\[1\]: found nan"),
        ({"switching": [[0, -0.1], [0, 0]]}, r"switching\[0\]\[1\]: found -0.1"),
        ({"switching": [0.1, 0.1]}, r"switching: found shape \(2,\)"),
        ({"initial": [1]}, r"1"),
        ({"initial": [-1, 0]}, r"initial\[0\]: found -1"),
        ({"initial": [1.5, 0]}, r"initial\[0\]: found 1.5"),
        ({"dt": 0.0}, r"dt: found 0.0"),
        ({"dt": -1.0}, r"dt: found -1.0"),
        ({"dt": float("nan")}, r"dt: found nan"),
        ({"dt": 2.0}, r"dt = 2 .*type 0.*0\.54.*dt <= 1\.85"),
        ({"death": [0.1, 0.4]}, r"dt = 1 .*type 1.*dt <= 0\.92"),
        ({"seed": -1}, r"seed: found -1"),
        ({"max_clones": 0}, r"max_clones: found 0"),
        ({"engine": "abacus"}, r"engine: found 'abacus'; allowed: 'clones', 'cells'"),
        ({"trait": ta.Trait(drift=0.1)}, r"trait: found one; allowed: with engine='cells' only"),
        ({"engine": "cells", "trait": ta.Trait(drift=-0.1)}, r"trait\.drift: found -0\.1"),
        ({"engine": "cells", "trait": ta.Trait(drift=0.1, limit=-1)}, r"trait\.limit: found -1"),
        ({"engine": "cells", "trait": ta.Trait(drift=0.1, rate="size")}, r"trait\.rate: found 'size'"),
        ({"engine": "cells", "initial": [2**32, 0]}, r"more than 2863311530 cells.*\"clones\""),
        ({"engine": "cells", "dt": 2.0}, r"dt = 2 .*type 0.*0\.54.*dt <= 1\.85"),
    ],
)
def test_bad_input_is_refused_by_name(wrong, message):
    law = {**GROWING, "initial": [10, 0], "seed": 1, **wrong}
    with pytest.raises(ValueError, match=message):
        ta.Population(**law)
    with pytest.raises(ValueError, match=message):
        ta.replicate(replicates=1, until=ta.Until(day=3), **law)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"until": ta.Until(counts={2: 5})}, r"until.counts: found 2; allowed: types 0 to 1"),
        ({"until": ta.Until(total=-1)}, r"until.total: found -1"),
        ({"until": ta.Until(day=float("nan"))}, r"until.day: found nan"),
        ({"until": ta.Until(day=-3)}, r"until.day: found -3"),
        ({"until": ta.Until(extinct=False)}, r"until: no condition"),
        ({"replicates": -1}, r"replicates: found -1"),
        ({"threads": -1}, r"threads: found -1"),
        ({"phases": "first"}, r"phases: found 'first'"),
        ({"treatment": [3]}, r"treatment\[0\]: found int"),
        ({"treatment": ta.Phase(death=[0.9, 0.1], until=ta.Until(day=1))}, r"dt = 1 .*type 0.*dt <= 0\.48"),
        ({"treatment": ta.Cycle(phases=[], until=ta.Until(day=1))}, r"treatment\[0\]: no phase"),
        (
            {"treatment": ta.Cycle(phases=[ta.Phase(until=ta.Until(day=0))], until=ta.Until(day=1))},
            r"treatment\[0\].*must last",
        ),
        ({"treatment": [ta.Phase(until=ta.Until(counts={7: 1}))]}, r"treatment\[0\].*found 7"),
    ],
)
def test_bad_designs_are_refused_before_the_first_step(wrong, message):
    with pytest.raises(ValueError, match=message):
        ta.replicate(**{"replicates": 1, "until": ta.Until(day=3), "seed": 1, **GROWING, **wrong})


def test_the_step_that_is_suggested_would_do():
    rates = {"division": [0.14, 0.2], "death": [0.13, 0.11], "initial": [1, 1], "seed": 1}
    with pytest.raises(ValueError, match="would do") as refusal:
        ta.Population(**rates, dt=2.0)
    suggested = float(str(refusal.value).split("dt <= ")[1].split(" ")[0])
    ta.Population(**rates, dt=suggested)
