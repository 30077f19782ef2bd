"""A grown tumour led through phases of treatment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from tumor_abm.errors import InputError
from tumor_abm.evolution.population import Population
from tumor_abm.study.phases import PhaseOfRates, StopRule

_NOTED_FROM = 0.1
"""Change of size from which on a moment is noted for the history."""


def treat(
    population: Population,
    phases: Sequence[PhaseOfRates],
    snapshots: list[pl.DataFrame],
    within_days: float,
    most_cells: int,
    stopped: Callable[[], bool],
) -> bool:
    """Step a population through phases, and tell whether any cell is left.

    Parameters
    ----------
    population
        Stepped in place.
    phases
        One after the other. In each a rule says when it ends; extinction always ends treatment.
    snapshots
        Sizes of clones at some moments, to which those of treatment are added.
    within_days
        Days of a phase beyond which something is wrong with its rule.
    most_cells
        Cells beyond which something is, too.
    stopped
        Asked at every step; once it says yes, `KeyboardInterrupt` is raised.
    """
    noted = int(population.counts.sum())
    for k, phase in enumerate(phases):
        begun = population.day
        rates = {key: getattr(phase, key) for key in PhaseOfRates.model_fields if key != "until"}
        population.set_rates(**rates)
        while not _ended(phase.until, population, begun):
            population.step()
            total = int(population.counts.sum())
            if total == 0:
                return False
            if stopped():
                raise KeyboardInterrupt
            if population.day - begun > within_days or total > most_cells:
                problem = f"not met after {population.day - begun:g} days, at {total} cells"
                allowed = f"a rule that is met within {within_days:g} days, below {most_cells} cells"
                raise InputError(f"{problem}; allowed: {allowed}", key=f"treatment[{k}].until")
            if abs(total - noted) > _NOTED_FROM * noted:
                noted = total
                snapshots.append(snapshot(population))
        snapshots.append(snapshot(population))
    return True


def snapshot(population: Population) -> pl.DataFrame:
    """Return the sizes of the living clones: ``day, clone, cells``."""
    clones = population.clones.select("clone", "cells")
    return clones.select(pl.lit(population.day).alias("day"), pl.all())


def _ended(until: StopRule, population: Population, begun: float) -> bool:
    """Look at the conditions of a phase, as `tumor_abm.Until` has them."""
    counts = population.counts
    total = int(counts.sum())
    return (
        (until.total is not None and total >= until.total)
        or any(counts[int(kind)] >= cells for kind, cells in until.counts.items())
        or (until.below is not None and total <= until.below)
        or (until.day is not None and population.day - begun >= until.day - 1e-9)
    )
