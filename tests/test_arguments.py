"""Arguments of calls: what has no meaning or no room is refused; numbers of numpy are numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from tumor_abm import Cycle, InputError, Phase, Population, Reach, Space, Trait, Until, replicate
from tumor_abm._base import memory as _memory

ONE: dict[str, Any] = {"division": [0.2], "death": [0.1], "initial": [10]}


def grow(**arguments: Any) -> object:
    return replicate(**{"replicates": 2, "seed": 1, "until": Until(day=5), **ONE, **arguments})


def population(**arguments: Any) -> Population:
    return Population(**{"seed": 1, **ONE, **arguments})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grow(until=5), "until: found 5; allowed: Until"),
        (lambda: grow(until=Until(counts=[5])), r"until.counts: found \[5\]; allowed: a table"),
        (lambda: grow(until=Until(counts={"x": 5})), "until.counts key: found 'x'"),
        (lambda: grow(until=Until(counts={-1: 5})), "until.counts key: found -1"),
        (lambda: grow(until=Until(day="x")), "until.day: found 'x'"),
        (lambda: grow(until=Until(day=1 + 2j)), r"until.day: found \(1\+2j\)"),
        (lambda: grow(until=Until(extinct="no")), "until.extinct: found 'no'"),
        (lambda: grow(treatment=5), "treatment: found 5"),
        (lambda: grow(treatment=[5]), r"treatment\[0\]: found int"),
        (lambda: grow(treatment=Phase(until=5)), r"treatment\[0\].until: found 5"),
        (lambda: grow(treatment=Cycle(phases=5, until=Until())), r"treatment\[0\].phases: found 5"),
        (lambda: grow(treatment=Cycle(phases=[5], until=Until())), r"treatment\[0\].phases: found \[5\]"),
        (lambda: grow(replicates="x"), "replicates: found 'x'"),
        (lambda: grow(threads=10**6), "threads: found 1000000; allowed: a whole number from 1 to 1024"),
        (lambda: grow(seed=1.5), "seed: found 1.5"),
        (lambda: grow(dt="x"), "dt: found 'x'"),
        (lambda: population(trait=5), "trait: found 5; allowed: Trait"),
        (lambda: population(space=5, engine="lattice"), "space: found 5; allowed: Space"),
        (lambda: population(engine=5), "engine: found 5"),
        (
            lambda: population(division=[0.1 + 0.1j]),
            r"division: found \[\(0.1\+0.1j\)\]; allowed: real numbers",
        ),
        (lambda: population(division=["x"]), r"division: found \['x'\]"),
        (lambda: population(division=[[0.1], [0.1, 0.2]]), "division: found .* in rows of one length"),
        (lambda: population(mutation=5j), "mutation: found 5j"),
        (lambda: population(initial=5), "initial: found 5"),
        (lambda: population(initial={1}), "initial: found"),
        (lambda: population(dt=None), "dt: found None"),
        (lambda: population(dt=1j), "dt: found 1j"),
        (lambda: population(division=np.full(10**6, 0.1), death=np.full(10**6, 0.1)), "1000000 types"),
        (lambda: population(engine="cells", trait=Trait(drift="x")), "trait.drift: found 'x'"),
        (lambda: population(engine="cells", trait=Trait(drift=0.1, limit=1j)), "trait.limit: found 1j"),
        (
            lambda: population(engine="lattice", space=Space(drug=Reach(length=1j))),
            "space.drug.length: found 1j",
        ),
        (lambda: population(engine="lattice", space=Space(dimensions=[3])), "space.dimensions"),
        (lambda: population(engine="lattice", places=[[1], [1, 2]]), "places: found"),
        (lambda: population().step("x"), "steps: found 'x'"),
        (lambda: population().set_rates(death=["x"]), r"death: found \['x'\]"),
        (lambda: ta.Sphere(centre=(0, 0, 0), radius="x"), "sphere.radius: found 'x'"),
        (lambda: ta.Sequencing(depth="x"), "sequencing.depth: found x"),
        (lambda: ta.TumorModel(covariates=5), "covariates: found 5"),
        (lambda: ta.TumorModel(founder=5), "founder: found 5"),
    ],
)
def test_wrong_types_are_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


READS = pl.DataFrame({"mutation": [0]})
FRAME: Any = pl.DataFrame({"x": [1]})
SERIES: Any = pl.Series([1, 2])


@pytest.mark.parametrize("odd", [FRAME, SERIES, np.arange(2), np.array(None)])
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda odd: grow(phases=odd), "phases: found"),
        (lambda odd: grow(engine=odd), "engine: found"),
        (lambda odd: population(engine="cells", trait=Trait(rate=odd, drift=0.1)), "trait.rate: found"),
        (lambda odd: population(engine="lattice", space=Space(placement=odd)), "space.placement: found"),
        (lambda odd: population(engine="lattice", space=Space(dimensions=odd)), "space.dimensions: found"),
        (
            lambda odd: population(engine="lattice", space=Space(drug=Reach(length=1, profile=odd))),
            "space.drug.profile: found",
        ),
        (lambda odd: tissue().genealogy.newick(lengths=odd), "lengths: found"),
    ],
)
def test_what_cannot_be_compared_is_no_choice(
    call: Callable[[Any], object], message: str, odd: object
) -> None:
    with pytest.raises(InputError, match=message):
        call(odd)


def tissue() -> Population:
    grown = population(engine="cells", genealogy=True, initial=[50])
    grown.step(3)
    return grown


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tissue().biopsy(5), "shape: found 5; allowed: Sphere, Needle, RandomCells"),  # type: ignore[arg-type]
        (lambda: tissue().biopsy(ta.RandomCells(cells=2), seed=1.5), "seed: found 1.5"),  # type: ignore[arg-type]
        (lambda: tissue().genealogy.mutate(1.0, seed=-1), "seed: found -1"),
        (lambda: tissue().genealogy.mutate(1.0, seed=b"x"), "seed: found b'x'"),  # type: ignore[arg-type]
        (lambda: tissue().genealogy.mutate(1e300, seed=1), "mutations_per_division: .* needs about"),
        (lambda: tissue().genealogy.lines(["x"]), r"days: found \['x'\]"),
        (lambda: tissue().genealogy.descendants(5), "nodes: found 5; allowed: Series"),  # type: ignore[arg-type]
        (lambda: tissue().genealogy.restrict([[0]]), "cells: found"),  # type: ignore[arg-type]
        (lambda: tissue().genealogy.restrict([[0], [1, 2]]), "cells: found"),  # type: ignore[arg-type]
        (lambda: list(ta.Genealogy.of_replicates(5)), "outcomes: found 5; allowed: DataFrame"),  # type: ignore[arg-type]
        (
            lambda: list(ta.Genealogy.of_replicates(READS)),
            "outcomes: found a table without day, nodes, cells",
        ),
        (lambda: ta.Needle(through=(0, 0), direction=5j, cells=3), "needle.direction: found 5j"),  # type: ignore[arg-type]
        (lambda: ta.Mutations.draw(5, 1.0, seed=1), "genealogy: found 5; allowed: Genealogy"),  # type: ignore[arg-type]
        (lambda: ta.Sequencing().bulk(5, seed=1), "mutations: found 5; allowed: Mutations"),  # type: ignore[arg-type]
        (lambda: ta.maf.maf(READS, tumour="a", sample="b"), "reads: found a table without origin"),
        (lambda: ta.maf.write_maf(READS, 5), "path: found 5; allowed: a path"),
        (lambda: ta.neutrality.neutral_fit(5), r"vaf: found shape \(\)"),
        (lambda: ta.neutrality.neutral_fit([0.1], highest=1e19), "0 < lowest < highest <= 1"),
        (lambda: ta.compare(5), "results: found 5; allowed: Results"),  # type: ignore[arg-type]
        (lambda: ta.plots.plot_kaplan_meier(5, "PFS1"), "results: found 5; allowed: Results"),
        (lambda: ta.Results.load(5), "directory: found 5; allowed: a path"),  # type: ignore[arg-type]
        (lambda: ta.Results({}, {}, {})[[]], r"table: found \[\]"),  # type: ignore[index]
        (lambda: ta.run_experiment(5), "experiment: found 5; allowed: str, Path, Experiment, Mapping"),  # type: ignore[arg-type]
        (lambda: ta.run_experiment("paloma_2", resume=FRAME), "resume: found"),
        (lambda: ta.run_experiment("paloma_2", 5), "out: found 5; allowed: a path"),  # type: ignore[arg-type]
        (lambda: ta.load_experiment(5), "file: found 5; allowed: a path"),  # type: ignore[arg-type]
        (lambda: ta.load_experiment("x\0y"), "file: found .* allowed: a path"),
        (lambda: ta.survival.kaplan_meier(["x"], [True]), r"durations: found \['x'\]"),
        (lambda: ta.survival.kaplan_meier([1], [[1], [2, 3]]), "events: allowed: true or false"),
        (lambda: ta.trials.find([5]), "wanted: found 5; allowed: str"),
        (lambda: ta.prediction.predict(["paloma_2"], ensemble=5), "ensemble: found 5; allowed: Ensemble"),
        (lambda: ta.prediction.predict(["paloma_2"], jobs="x"), "jobs: found 'x'"),
        (lambda: ta.prediction.predict(["paloma_2"], seed=-1), "seed: found -1"),
        (
            lambda: ta.prediction.predict(["paloma_2"], patients=2**63),
            "patients: found 9223372036854775808; allowed: a whole number from 1 to 10000000",
        ),
        (
            lambda: ta.prediction.predict(["paloma_2"], patients=10**7),
            "patients: found 10000000; .* needs about .* [GT]B, and .* free",
        ),
        (
            lambda: ta.run_experiment("paloma_2", patients=10**7),
            "patients: found 10000000; .* needs about .* [GT]B, and .* free",
        ),
        (lambda: ta.trials.load("paloma_2", afterwards=5), "afterwards: found 5; allowed: bool"),
        (lambda: ta.TumorModel(rng=1).intervene(5), "drugs: found 5; allowed: a drug, or a list of drugs"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(rng=1, collect_every_days=10**400), "collect_every_days: found 10"),
        (lambda: ta.TumorModel(rng=1).save(""), "cannot be written: it has no name"),
        (
            lambda: ta.maf.write_maf(READS, "no/such/folder"),
            "folder: cannot be written: No such file",
        ),
        (lambda: grow(until=Until(day=10**400)), "until.day: found 1000"),
        (
            lambda: grow(restart_on_extinction=pl.DataFrame()),
            "restart_on_extinction: found shape: ",
        ),
        (lambda: grow(until=Until(extinct=[])), r"until.extinct: found \[\]; allowed: True, False"),  # type: ignore[arg-type]
        (lambda: population(engine="cells", genealogy=pl.DataFrame()), "genealogy: found shape: "),
        (lambda: population(keep_extinct="no"), "keep_extinct: found 'no'; allowed: True or False"),
        (lambda: ta.TumorModel(mutation_rate=10**400), "mutation_rate: found 1000"),
        (lambda: ta.TumorModel(population=len), "population: found .*; allowed: str, Mapping"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(founder=0.0), "founder: found 0.0; allowed: a list of alterations"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(founder=[[]]), r"founder: found \[\[\]\]; allowed: a list of alterations"),  # type: ignore[list-item]
        (lambda: ta.TumorModel(rng=1).follow(5), "strategy: found 5; allowed: a list of lines"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(rng=1).intervene("x", new_line=5), "new_line: found 5"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(rng=1).save(5), "path: found 5; allowed: a path"),  # type: ignore[arg-type]
        (lambda: ta.TumorModel(rng=1).save("x" * 300), "cannot be written: File name too long"),
    ],
)
def test_wrong_things_are_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_one_trial_needs_no_list() -> None:
    assert ta.trials.find("PALOMA-2") == ta.trials.find(["PALOMA-2"])


def test_numbers_of_numpy_are_numbers() -> None:
    whole, real = np.int64, np.float32
    plain = grow(until=Until(day=4, counts={0: 1_000}), max_clones=3, threads=2)
    given = grow(
        replicates=whole(2),
        seed=whole(1),
        until=Until(day=real(4), counts={whole(0): whole(1_000)}, extinct=np.True_),
        max_clones=whole(3),
        threads=whole(2),
        initial=np.array([10]),
        dt=real(1),
    )
    assert isinstance(plain, pl.DataFrame)
    assert plain.equals(given)  # type: ignore[arg-type]
    space = Space(dimensions=whole(2), placement="push", depth=whole(3), nutrient=Reach(length=real(5)))  # type: ignore[arg-type]
    population(engine="lattice", space=space, initial=[whole(10)]).step(whole(3))
    population(engine="cells", trait=Trait(drift=real(0.1), limit=whole(1))).step(2)
    patient = ta.TumorModel(
        patient=whole(3), strategy=whole(0), engine="cells", cells=whole(10_000), rng=whole(1)
    )
    patient.run(whole(2))
    assert patient.day == 2
    assert ta.run_experiment(
        "experiments/chemotherapy_timing.toml", patients=whole(2), seed=whole(3), jobs=whole(1)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: grow(replicates=10**12),
            "replicates: found 1000000000000; .* needs about .* TB, and .* free",
        ),
        (
            lambda: grow(engine="cells", genealogy=True, until=Until(total=10**12)),
            r'until.total: found "1,000,000,000,000 cells"; .* needs about 32 TB',
        ),
        (
            lambda: grow(engine="cells", genealogy=True, replicates=10**8, sample=10**6),
            "replicates: found 100000000; .* needs about",
        ),
    ],
)
def test_what_needs_more_memory_than_there_is_is_refused_with_both(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_founders_need_room_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "room", lambda: 3_000_000_000)
    said = r'initial: found "1,000,000,000 cells"; .* this needs about 4 GB, and 3 GB are free'
    for call in (grow, population):
        with pytest.raises(InputError, match=said):
            call(engine="cells", initial=[10**9])


def test_room_is_that_of_the_machine_or_less() -> None:
    assert 10**7 < _memory.room() < 10**14


LIMITED = """
import resource, sys
import tumor_abm as ta
population = ta.Population(division=[0.3, 0.3], death=[0.05, 0.05], seed=1, initial=[100_000, 0], {arguments})
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 300_000_000, now + 300_000_000))
try:
    population.step(1_000)
except ta.InputError as error:
    before = population.day, population.counts.tolist()
    assert "no memory for more than" in str(error), error
    try:
        population.step(1)
    except ta.InputError:
        assert (population.day, population.counts.tolist()) == before
    else:  # what the first try gave back was enough
        assert population.day == before[0] + 1
    print("refused", population.counts.sum() > 1_000_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize(
    "arguments",
    [
        'engine="cells", genealogy=True',
        'engine="cells", mutation=[[0.5, 0.5], [0.5, 0.5]]',
    ],
)
def test_cells_that_outgrow_the_memory_are_refused_and_stay_as_they_were(arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED.format(arguments=arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "refused True\n"), ran.stderr[-2000:]


def test_founders_of_many_types_are_not_taken_for_none() -> None:
    types = 2048
    with pytest.raises(InputError, match=r"more than 2\^53 cells in all"):
        Population(division=[0.1] * types, death=[0.1] * types, initial=[2**53] * types)


def test_a_replicate_beyond_all_numbers_leaves_the_others() -> None:
    rates: dict[str, Any] = {"division": [0.4], "death": [0.0], "initial": [1], "seed": 3}
    outcomes = replicate(replicates=300, until=Until(day=106), treatment=Phase(until=Until(day=1)), **rates)
    stopped = outcomes["stopped_by"].to_list()
    assert set(stopped) == {"day", "too_many_cells"}
    beyond = outcomes.filter(pl.col("stopped_by") == "too_many_cells")
    assert beyond["n_0"].to_numpy().min() > 2**53
    assert outcomes.filter(pl.col("stopped_by") == "day")["n_0"].to_numpy().max() <= 1.5 * 2**53


def test_cells_far_apart_on_a_lattice_with_reach_are_refused() -> None:
    far = 2**30
    space = Space(dimensions=3, nutrient=Reach(length=5))
    with pytest.raises(InputError, match="cells lie scattered over"):
        Population(
            division=[0.1],
            death=[0.1],
            initial=[2],
            engine="lattice",
            space=space,
            places=[[-far, -far, -far], [far, far, far]],
        )


def test_spectra_and_samples_of_nothing() -> None:
    grown = population(engine="cells", genealogy=True, initial=[50])
    grown.step(5)
    tree = grown.genealogy
    for seed in (None, 1):
        with pytest.raises(InputError, match="mutations_per_division: found -5"):
            tree.site_frequency_spectrum(-5, seed=seed)
    mutations = ta.Mutations.draw(tree, 1.0, seed=1)
    some = ta.Sequencing().single_cells(mutations, [0, 1], seed=1)
    none = ta.Sequencing().single_cells(mutations, [], seed=1)
    assert none.schema == some.schema
    assert none.height == 0
    assert ta.Sequencing().bulk(mutations, [], seed=1).height == 0
    assert tree.restrict([]).cells.height == 0
    for rows in ([0.5], [-1], [10**6], "x"):
        with pytest.raises(InputError, match=r"rows: found"):
            ta.Sequencing().single_cells(mutations, rows, seed=1)  # type: ignore[arg-type]


def test_modules_are_there_after_an_import_of_the_package() -> None:
    asked = "ta.maf.write_maf, ta.evolution.maf, ta.analysis.survival, ta.plots.plot_kaplan_meier"
    code = f"import tumor_abm as ta; {asked}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        ta.nonsense  # noqa: B018
