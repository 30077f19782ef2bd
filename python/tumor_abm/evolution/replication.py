"""Many independent populations through phases of growth and treatment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

import tumor_abm._core as _core
from tumor_abm._base import seeds
from tumor_abm._base.arguments import MOST_THREADS, core_refusals, count, one_of, positive, real, truth, whole
from tumor_abm._base.frames import frame
from tumor_abm._base.memory import afford
from tumor_abm.errors import InputError
from tumor_abm.evolution.genealogy import with_trees
from tumor_abm.evolution.rates import (
    Engine,
    Rates,
    afford_cells,
    as_json,
    engine_options,
    initial_cells,
    step_days,
)
from tumor_abm.evolution.space import Space
from tumor_abm.evolution.trait import Trait

_BYTES_PER_ROW, _BYTES_PER_TYPE, _BYTES_PER_CELL_OF_TREE = 400, 80, 200
"""Of a replicate and phase: in the core, and as it becomes a table."""


@dataclass(frozen=True, kw_only=True)
class Until:
    """When a phase ends: at the first condition that holds.

    Conditions are looked at before every step, in the order of the attributes, so a stop on
    ``total`` overshoots by at most the births of one step.

    Attributes
    ----------
    total
        At least so many living cells.
    counts
        Type to number: at least so many living cells of that type.
    below
        At most so many living cells (but at least one).
    extinct
        No living cell. With ``extinct=False`` an extinct population waits for ``day``; without a
        ``day`` extinction always ends the phase, since nothing can change any more.
    day
        So many days since the phase began.
    """

    total: int | float | None = None
    counts: Mapping[int, int | float] = field(default_factory=dict)
    below: int | float | None = None
    extinct: bool = True
    day: float | None = None

    def _resolve(self, place: str) -> dict[str, Any]:
        day = None if self.day is None else real(f"{place}.day", self.day, "finite and at least 0 days")
        if not isinstance(self.counts, Mapping):
            raise InputError(
                f"{place}.counts: found {self.counts!r}; allowed: a table of type to number of cells"
            )
        if not isinstance(self.extinct, bool | np.bool_):
            raise InputError(f"{place}.extinct: found {self.extinct!r}; allowed: True, False")
        return {
            "total": None if self.total is None else count(f"{place}.total", self.total),
            "counts": [
                (whole(f"{place}.counts key", kind, 0, 2**32 - 1), count(f"{place}.counts[{kind}]", cells))
                for kind, cells in self.counts.items()
            ],
            "below": None if self.below is None else count(f"{place}.below", self.below),
            "extinct": truth("until.extinct", self.extinct),
            "day": day,
        }

    def _cells(self) -> int:
        """Cells that a phase must reach, unless they die out."""
        alone = self.total is not None and self.day is None and self.below is None and not self.counts
        return int(self.total or 0) if alone else 0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of time under constant rates, e.g. one treatment.

    Attributes
    ----------
    division, death
        Per day, one per type; ``None`` keeps the rates of the phase before.
    mutation, switching, drug_division, drug_death
        As in `Population`; ``None`` keeps those of the phase before.
    until
        When the phase ends. Days are counted from the start of the phase.
    """

    division: ArrayLike | None = None
    death: ArrayLike | None = None
    mutation: ArrayLike | None = None
    switching: ArrayLike | None = None
    drug_division: ArrayLike | None = None
    drug_death: ArrayLike | None = None
    until: Until = field(default_factory=Until)


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """Phases repeated in order until a rule of their own holds, e.g. 7 days on and 7 days off.

    Attributes
    ----------
    phases
        Run in order, then from the first again.
    until
        When the cycling ends; looked at before every step, whatever phase is running.
    """

    phases: Sequence[Phase]
    until: Until


def replicate(
    *,
    replicates: int,
    until: Until,
    division: ArrayLike,
    death: ArrayLike,
    initial: Sequence[int] | NDArray[np.integer[Any]],
    mutation: ArrayLike | None = None,
    switching: ArrayLike | None = None,
    treatment: Phase | Cycle | Sequence[Phase | Cycle] = (),
    restart_on_extinction: bool = False,
    dt: float = 1.0,
    seed: int | None = None,
    engine: Engine = "clones",
    max_clones: int = 1,
    trait: Trait | None = None,
    space: Space | None = None,
    places: ArrayLike | None = None,
    drug_division: ArrayLike | None = None,
    drug_death: ArrayLike | None = None,
    threads: int | None = None,
    genealogy: bool = False,
    sample: int | None = None,
    phases: Literal["last", "all"] = "last",
    max_attempts: int = 1_000_000,
    progress: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Run many independent populations through the same phases, in parallel.

    The first phase runs under the rates of the call until `until`; then the phases of `treatment`
    follow, each until its own rule. The result is the same for any number of threads.

    Parameters
    ----------
    replicates
        Number of populations.
    until
        End of the first phase, e.g. ``Until(total=1_000_000)`` for detection.
    treatment
        What follows: a `Phase`, a `Cycle`, or several.
    restart_on_extinction
        Begin again from day 0 when the first phase ends in extinction: condition on detection.
    max_clones
        As in `Population`; 1 pools the clones of a type, which is fastest and leaves totals exact.
    threads
        Number of threads; all processors when ``None``.
    genealogy
        Keep how the cells at the end descend from each other, in the columns ``nodes`` and
        ``cells``; `Genealogy.of_replicates` reads them.
    sample
        So many cells of each replicate, drawn without replacement, of which the genealogy is; all
        of them when ``None``.
    phases
        ``"last"``: one row per replicate, at the end. ``"all"``: one row per replicate and phase
        (``phase`` 0 is growth; a `Cycle` counts as one).
    max_attempts
        Restarts before giving up.
    progress
        Called about 20 times a second with the number of finished replicates.
    division, death, mutation, switching, initial, dt, seed, engine, trait, space, places, drug_division, \
drug_death
        As in `Population`.

    Returns
    -------
    polars.DataFrame
        ``replicate, phase, stopped_by, day, divisions, attempts, n_0, n_1, ..., clones_0, ...``:
        ``stopped_by`` is ``total``, ``count_<type>``, ``below``, ``extinct``, ``day`` or
        ``too_many_cells`` (more than the engine can go on with: the replicate ends there); ``day`` and
        ``divisions`` count from the first cell of the successful attempt. With `genealogy` also ``nodes``
        and ``cells``, lists of the rows of `Genealogy`.

    Raises
    ------
    InputError
        As in `Population`, or a rule that can never hold.
    KeyboardInterrupt
        On Ctrl-C, at once.
    """
    rates = Rates.of(division, death, mutation, switching, drug_division, drug_death)
    if not isinstance(until, Until):
        raise InputError(f"until: found {until!r}; allowed: Until(total=..., counts=..., day=...)")
    one_of("phases", phases, ("last", "all"))
    if sample is not None and not genealogy:
        raise InputError(f"sample: found {sample}; allowed: with genealogy=True only")
    if genealogy and phases == "all":
        raise InputError("genealogy: found True with phases='all'; allowed: phases='last'")
    stages = _listed(treatment)
    founders = initial_cells(initial, len(rates.division))
    design = {
        "rates": rates,
        "initial": founders,
        "dt": step_days(dt),
        "engine": engine_options(engine, max_clones, trait, space, places, genealogy),
        "seed": seeds.seed_of(seeds.drawn() if seed is None else seed),
        "trees": {"sample": None if sample is None else positive("sample", sample)} if genealogy else None,
        "until": until._resolve("until"),
        "treatment": list(_stages(stages, rates)),
        "restart_on_extinction": truth("restart_on_extinction", restart_on_extinction),
        "max_attempts": positive("max_attempts", max_attempts),
    }
    wanted, workers = count("replicates", replicates), _threads(threads)
    largest = max(sum(founders), until._cells())
    afford_cells("initial" if largest == sum(founders) else "until.total", largest, engine, genealogy)
    in_tree = (largest if sample is None else int(sample)) if genealogy else 0
    row = _BYTES_PER_ROW + _BYTES_PER_TYPE * len(founders)
    afford("replicates", wanted, wanted * (row * (1 + len(stages)) + _BYTES_PER_CELL_OF_TREE * in_tree))
    with core_refusals():
        outcomes, trees = _core.replicate(as_json(design), wanted, workers, phases == "all", progress)
    tables = [frame(table) for table in (outcomes, *(trees or ()))]
    del outcomes, trees  # the streams need not be held any longer
    return with_trees(*tables, dt=step_days(dt)) if len(tables) > 1 else tables[0]


def _threads(threads: int | None) -> int:
    if threads is None:
        return min(os.cpu_count() or 1, MOST_THREADS)
    return whole("threads", threads, 1, MOST_THREADS)


def _listed(treatment: Phase | Cycle | Sequence[Phase | Cycle]) -> list[Phase | Cycle]:
    if isinstance(treatment, Phase | Cycle):
        return [treatment]
    if not isinstance(treatment, list | tuple):
        raise InputError(f"treatment: found {treatment!r}; allowed: Phase, Cycle, or a list of them")
    return list(treatment)


def _stages(stages: Sequence[Phase | Cycle], rates: Rates) -> Any:
    for s, stage in enumerate(stages):
        place = f"treatment[{s}]"
        if not isinstance(stage, Phase | Cycle):
            raise InputError(f"{place}: found {type(stage).__name__}; allowed: Phase, Cycle")
        cycle = isinstance(stage, Cycle)
        phases = []
        if not isinstance(stage.until, Until):
            raise InputError(f"{place}.until: found {stage.until!r}; allowed: Until(...)")
        for p, phase in enumerate(_phases(stage, place)):
            given = {name: value for name, value in vars(phase).items() if name != "until"}
            if not isinstance(phase.until, Until):
                raise InputError(f"{place}.phases[{p}].until: found {phase.until!r}; allowed: Until(...)")
            rates = rates.changed(**given)
            phases.append({"rates": rates, "until": phase.until._resolve(f"{place}.phases[{p}].until")})
        yield {
            "phases": phases,
            "repeat_until": stage.until._resolve(f"{place}.until") if cycle else None,
        }


def _phases(stage: Phase | Cycle, place: str) -> Sequence[Phase]:
    if isinstance(stage, Phase):
        return [stage]
    phases = stage.phases
    if not isinstance(phases, list | tuple) or not all(isinstance(phase, Phase) for phase in phases):
        raise InputError(f"{place}.phases: found {phases!r}; allowed: a list of Phase(...)")
    return phases
