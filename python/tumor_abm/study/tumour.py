"""One tumour of a study: grown, sampled, sequenced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs

from tumor_abm._base.seeds import derive, stream
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Aim, Biopsy, RandomCells, Shape, take
from tumor_abm.evolution.genealogy import Genealogy
from tumor_abm.evolution.mutations import Mutations
from tumor_abm.evolution.neutrality import inverse_simpson, neutral_fit
from tumor_abm.evolution.population import Population
from tumor_abm.evolution.sequencing import PLOIDY, Sequencing, SingleCellErrors
from tumor_abm.evolution.space import Space
from tumor_abm.study.study import WHOLE, PlannedBiopsy, Scenario, Study
from tumor_abm.study.treating import snapshot, treat

MOST_ATTEMPTS = 10_000
MOST_CURED = 100
_MOST_GROWN, _MOST_TREATED = 20, 1_000_000
"""Times its size before treatment that a tumour may grow to in a phase, and cells that it may in any case."""
_KEPT_APART = 1_000_000_000
_LEAST_CARRIERS = 2
_LEAST_SHOWN = 0.005
_MOST_SHOWN = 40

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class _Grown:
    population: Population
    attempts: int
    cured: int
    history: pl.DataFrame


def simulate(study: Study, scenario: int, replicate: int, stopped: Callable[[], bool]) -> Tables:
    """Grow one tumour and read it.

    It depends on the study's seed, the name of the scenario and the replicate alone.

    Parameters
    ----------
    stopped
        Asked now and then; once it says yes, `KeyboardInterrupt` is raised.

    Returns
    -------
    dict
        Tables ``tumours, clones, history, cells, spectrum, variants, single_cells, nodes,
        sampled_cells``, each with the columns ``scenario`` and ``replicate``.
    """
    law = study.written.scenario[scenario]
    grown = _grow(study, law, replicate, stopped)
    population = grown.population
    genealogy, cells = population.genealogy, population.cells
    seeds = _seeds(study, law, replicate, 1_000_000).generate_state(4 + len(study.written.biopsy)).tolist()
    samples = _samples(study, law, cells, seeds[3:])
    # Passengers of cells that nobody looks at need no drawing.
    rows = np.unique(np.concatenate([sample.rows for sample in samples.values()]))
    looked_at = genealogy.restrict(rows)
    genome = study.written.genome
    mutations = Mutations.draw(
        looked_at,
        genome.mutations_per_division,
        truncal=genome.truncal,
        clones=population.all_clones,
        least_carriers=1 if study.written.sequencing.single_cells else _LEAST_CARRIERS,
        seed=seeds[0],
    )
    places = {name: np.searchsorted(rows, sample.rows) for name, sample in samples.items()}
    variants = _variants(study, mutations, places, seeds[1])
    tables = {
        "tumours": _tumour(study, grown, genealogy, variants),
        "clones": population.all_clones,
        "history": grown.history,
        "cells": cells if replicate == 0 and law.space is not None else cells.clear(),
        "spectrum": _spectrum(genealogy, genome.mutations_per_division),
        "variants": variants,
        "single_cells": _single_cells(study, mutations, places[WHOLE], seeds[2]),
        "nodes": looked_at.nodes,
        "sampled_cells": _sampled(looked_at, samples, places),
    }
    named = [pl.lit(law.name).alias("scenario"), pl.lit(replicate, pl.UInt32).alias("replicate")]
    return {name: _in_space(table).select(*named, pl.all()) for name, table in tables.items()}


def _seeds(study: Study, law: Scenario, replicate: int, attempt: int) -> np.random.SeedSequence:
    return derive(study.seed, law.name, replicate, attempt)


def _grow(study: Study, law: Scenario, replicate: int, stopped: Callable[[], bool]) -> _Grown:
    """Grow a tumour to its size and treat it, again from the start when it goes extinct."""
    cured = 0
    for attempt in range(MOST_ATTEMPTS):
        seed = int(_seeds(study, law, replicate, attempt).generate_state(1, np.uint64)[0])
        grown = _grow_once(study, law, seed, stopped)
        if grown is None:
            continue
        population, snapshots = grown
        if _treat(study, law, population, snapshots, stopped):
            history = _history(pl.concat(snapshots), population.all_clones, study.written.cells)
            return _Grown(population, attempt + 1, cured, history)
        cured += 1
        if cured == MOST_CURED:
            problem = f"{MOST_CURED} tumours in a row died out under treatment; none is left to be sampled"
            raise InputError(problem, file=study.file, key=f'scenario "{law.name}"')
    raise InputError(
        f"{MOST_ATTEMPTS} tumours in a row went extinct", file=study.file, key=f'scenario "{law.name}"'
    )


def _treat(
    study: Study,
    law: Scenario,
    population: Population,
    snapshots: list[pl.DataFrame],
    stopped: Callable[[], bool],
) -> bool:
    written = study.written
    try:
        return treat(
            population,
            law.treatment,
            snapshots,
            within_days=written.within_days,
            most_cells=max(_MOST_GROWN * written.cells, _MOST_TREATED),
            stopped=stopped,
        )
    except InputError as error:
        raise InputError(f"{error}", file=study.file, key=f'scenario "{law.name}"') from error


def _grow_once(
    study: Study, law: Scenario, seed: int, stopped: Callable[[], bool]
) -> tuple[Population, list[pl.DataFrame]] | None:
    written = study.written
    population = Population(
        engine="cells" if law.space is None else "lattice",
        division=law.division,
        death=law.death,
        mutation=law.mutation,
        initial=[1] + [0] * (len(law.types) - 1),
        dt=written.dt_days,
        seed=seed,
        space=None if law.space is None else Space(**law.space.model_dump()),
        max_clones=10_000 if law.space is None else _KEPT_APART,
        genealogy=True,
        keep_extinct=True,
    )
    total, snapshots = 1, [snapshot(population)]
    # Snapshots at sizes that make the radius of a ball, or the logarithm of a size, rise evenly.
    sizes = iter(_sizes(written.cells, written.snapshots, law))
    next_size = next(sizes)
    while total < written.cells:
        population.step()
        total = int(population.counts.sum())
        if total == 0:
            return None
        if stopped():
            raise KeyboardInterrupt
        if population.day > written.within_days:
            raise InputError(
                f"grew to {total} of {written.cells} cells only in {written.within_days:g} days; "
                "allowed: fewer cells, or a longer within_days",
                file=study.file,
                key=f'scenario "{law.name}"',
            )
        while total >= next_size and total < written.cells:
            snapshots.append(snapshot(population))
            next_size = next((size for size in sizes if size > total), written.cells)
    snapshots.append(snapshot(population))
    return population, snapshots


def _sizes(cells: int, snapshots: int, law: Scenario) -> list[float]:
    steps = np.arange(1, snapshots) / snapshots
    if law.space is None:
        return [float(size) for size in cells**steps]
    return [float(size) for size in cells * steps**law.space.dimensions if size > 1]


def _history(snapshots: pl.DataFrame, clones: pl.DataFrame, cells: int) -> pl.DataFrame:
    """Sizes of the clones that a Muller plot can show; all others are added up by type, without a clone."""
    largest = clones.filter(pl.col("peak") >= _LEAST_SHOWN * cells).top_k(_MOST_SHOWN, by="peak")
    shown = pl.concat([clones.filter(pl.col("parent").is_null()), largest])["clone"]
    return (
        snapshots.join(clones.select("clone", "type"), on="clone", how="left")
        .with_columns(pl.when(pl.col("clone").is_in(shown.implode())).then("clone"))
        .group_by("day", "clone", "type")
        .agg(pl.col("cells").sum())
        .sort("day", "clone", "type", nulls_last=True)
    )


def _samples(study: Study, law: Scenario, cells: pl.DataFrame, seeds: list[int]) -> dict[str, Biopsy]:
    whole: Shape = RandomCells(cells=min(study.written.whole_tumour_cells, cells.height))
    samples = {WHOLE: take(whole, cells, None, seed=seeds[0])}
    for sample, seed in zip(study.written.biopsy, seeds[1:], strict=True):
        there = sample.model_copy(update={"cells": min(sample.cells, cells.height)})
        samples[sample.name] = take(_shape(there, law, cells), cells, None, seed=seed)
    return samples


def _shape(sample: PlannedBiopsy, law: Scenario, cells: pl.DataFrame) -> Shape:
    if law.space is None:
        return RandomCells(cells=sample.cells)
    centre, direction = tuple(sample.centre), tuple(sample.direction)
    return Aim(shape=sample.shape, cells=sample.cells, centre=centre, direction=direction).in_tumour(cells)


def _variants(study: Study, mutations: Mutations, places: dict[str, np.ndarray], seed: int) -> pl.DataFrame:
    """Sequence every sample in bulk; the called mutations."""
    reading = study.written.sequencing
    sequencing = Sequencing(
        depth=reading.depth,
        purity=reading.purity,
        overdispersion=reading.overdispersion,
        least_reads=reading.least_reads,
        least_vaf=reading.least_vaf,
    )
    found = []
    for k, (name, rows) in enumerate(places.items()):
        reads = sequencing.bulk(mutations, rows, seed=seed + k).filter("called").drop("called")
        found.append(reads.select(pl.lit(name).alias("sample"), pl.all()))
    about = mutations.table.select("mutation", "origin", "type")
    estimate = (pl.col("vaf") * PLOIDY / reading.purity).clip(upper_bound=1.0)
    return (
        pl.concat(found)
        .join(about, on="mutation", how="left", maintain_order="left")
        .with_columns(
            estimate.alias("estimated_fraction"),
            (pl.col("mutation").len().over("mutation") - (pl.col("sample") == WHOLE).any().over("mutation"))
            .cast(pl.UInt32)
            .alias("biopsies"),
        )
    )


def _tumour(study: Study, grown: _Grown, genealogy: Genealogy, variants: pl.DataFrame) -> pl.DataFrame:
    """One row of numbers."""
    reading, population = study.written.sequencing, grown.population
    whole = variants.filter(pl.col("sample") == WHOLE)
    pure = whole["vaf"].to_numpy() / reading.purity
    fit = neutral_fit(pure, lowest=reading.fit_from, highest=reading.fit_to)
    clonal = whole["estimated_fraction"] >= reading.clonal_from
    in_biopsies = variants.filter(pl.col("sample") != WHOLE).unique("mutation")["biopsies"]
    everywhere = (in_biopsies == len(study.written.biopsy)).sum()
    return pl.DataFrame(
        {
            "attempts": grown.attempts,
            "day": population.day,
            "cells": int(population.counts.sum()),
            "divisions": population.divisions,
            "clones": population.clones.height,
            "types": int((population.counts > 0).sum()),
            "largest_type_fraction": float(population.counts.max() / population.counts.sum()),
            "first_type_fraction": float(population.counts[0] / population.counts.sum()),
            "diversity": inverse_simpson(population.clones["cells"]),
            "gamma": genealogy.gamma(),
            "neutral_r_squared": fit.r_squared,
            "neutral_area": fit.area,
            "neutral_kolmogorov_distance": fit.kolmogorov_distance,
            "neutral_mean_distance": fit.mean_distance,
            "mutation_rate": fit.mutation_rate,
            "mutations_fitted": fit.mutations,
            "clonal": int(clonal.sum()),
            "subclonal": int((~clonal).sum()),
            "in_all_biopsies": int(everywhere),
            "shared": int(((in_biopsies > 1) & (in_biopsies < len(study.written.biopsy))).sum()),
            "private": int((in_biopsies == 1).sum()),
            **({"cured": grown.cured} if any(law.treatment for law in study.written.scenario) else {}),
        }
    ).with_columns(cs.float().fill_nan(None))


def _spectrum(genealogy: Genealogy, mutations_per_division: float) -> pl.DataFrame:
    """Expect the site-frequency spectrum of all living cells on their genealogy."""
    spectrum = genealogy.site_frequency_spectrum(mutations_per_division)
    carriers = np.flatnonzero(spectrum)
    return pl.DataFrame(
        {"carriers": carriers.astype(np.uint32), "mutations": spectrum[carriers]},
        schema={"carriers": pl.UInt32, "mutations": pl.Float64},
    )


def _single_cells(study: Study, mutations: Mutations, rows: np.ndarray, seed: int) -> pl.DataFrame:
    reading = study.written.sequencing
    sequencing = Sequencing(
        depth=reading.depth, overdispersion=reading.overdispersion, least_reads=reading.least_reads
    )
    wanted = min(max(1, reading.single_cells), rows.size)
    chosen = np.sort(stream(seed).choice(rows, wanted, replace=False))
    rates = (reading.dropout, reading.false_positives)
    errors = SingleCellErrors(dropout=rates[0], false_positives=rates[1]) if any(rates) else None
    reads = sequencing.single_cells(mutations, chosen, seed=seed, errors=errors)
    return reads if reading.single_cells else reads.clear()


def _sampled(looked_at: Genealogy, samples: dict[str, Biopsy], places: dict[str, np.ndarray]) -> pl.DataFrame:
    """Every sampled cell with its sample and its node of the tree of all of them."""
    found = [
        looked_at.cells[rows]
        .select(pl.lit(name).alias("sample"), pl.all())
        .with_columns(sample.cells["cell"])
        for (name, sample), rows in zip(samples.items(), places.values(), strict=True)
    ]
    return pl.concat(found)


def _in_space(table: pl.DataFrame) -> pl.DataFrame:
    """Give tables of cells and clones three axes, whatever the scenario, so that they can be joined."""
    if "clone" not in table.columns or "origin" in table.columns or "day" in table.columns:
        return table
    table = table.drop("trait", "nutrient", "drug", strict=False)
    axes = ("x", "y", "z")
    places = [axis if axis in table.columns else pl.lit(None, pl.Int32).alias(axis) for axis in axes]
    return table.select(pl.exclude(axes), *places)
