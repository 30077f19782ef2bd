"""Populations of cell types with explicit rates: what theory and clonal-evolution studies need."""

from __future__ import annotations

import copy
import json
import math
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from tumor_abm import _core
from tumor_abm._frames import frame
from tumor_abm.biopsy import Biopsy, Shape, take
from tumor_abm.genealogy import Genealogy, with_trees
from tumor_abm.space import Space

Engine = Literal["clones", "cells", "lattice"]

_ENGINES = ("clones", "cells", "lattice")


def _rates(name: str, values: ArrayLike, types: int) -> list[float]:
    array = np.asarray(values, dtype=float)
    if array.shape != (types,):
        raise ValueError(f"{name}: found shape {array.shape}; allowed: one rate per type, ({types},)")
    _all_finite(name, array)
    return [float(rate) for rate in array]


def _matrix(name: str, values: ArrayLike | None, types: int) -> list[list[float]]:
    array = np.zeros((types, types)) if values is None else np.asarray(values, dtype=float)
    if array.shape != (types, types):
        raise ValueError(f"{name}: found shape {array.shape}; allowed: ({types}, {types}), one row per type")
    _all_finite(name, array)
    return [[float(value) for value in row] for row in array]


def _all_finite(name: str, array: NDArray[np.float64]) -> None:
    for index in np.argwhere(~(np.isfinite(array) & (array >= 0))):
        place = name + "".join(f"[{i}]" for i in index)
        raise ValueError(f"{place}: found {array[tuple(index)]}; allowed: finite and at least 0")


def _count(name: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= 2**53:
        raise ValueError(f"{name}: found {value!r}; allowed: a whole number from 0 to 2^53")
    return int(value)


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(63)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"seed: found {seed!r}; allowed: a whole number from 0 to 2^64 - 1")
    return int(seed)


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: found {value!r}; allowed: a whole number of at least 1")
    return int(value)


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A continuous trait that cells inherit, e.g. their sensitivity to a drug.

    The trait is the natural logarithm of a factor on one rate of the cell. Founders have 0; at a
    division the new daughter (the one that may mutate) differs from its mother by a normal amount.

    Attributes
    ----------
    rate
        ``"division"`` or ``"death"``: the rate that is multiplied by ``exp(trait)``.
    drift
        Standard deviation of the change at a division.
    limit
        The trait stays within this distance of 0. Without a limit a growing population finds ever
        faster cells, until a step is too long for one of them; that is an error.
    """

    rate: Literal["division", "death"] = "division"
    drift: float
    limit: float | None = None

    def _resolve(self) -> dict[str, Any]:
        if self.rate not in ("division", "death"):
            raise ValueError(f"trait.rate: found {self.rate!r}; allowed: 'division', 'death'")
        if not (math.isfinite(self.drift) and self.drift >= 0):
            raise ValueError(f"trait.drift: found {self.drift}; allowed: finite and at least 0")
        limit = None if self.limit is None else float(self.limit)
        if limit is not None and not (math.isfinite(limit) and limit >= 0):
            raise ValueError(f"trait.limit: found {limit}; allowed: finite and at least 0, or None")
        return {"rate": self.rate, "drift": float(self.drift), "limit": limit}


def _engine(
    engine: str,
    max_clones: int,
    trait: Trait | None,
    space: Space | None,
    places: ArrayLike | None,
    genealogy: bool = False,
) -> dict[str, Any]:
    """Which engine runs, with its options, as the core reads it."""
    if engine not in _ENGINES:
        raise ValueError(f"engine: found {engine!r}; allowed: {', '.join(map(repr, _ENGINES))}")
    kept_apart = _positive("max_clones", max_clones)
    if engine != "cells" and trait is not None:
        raise ValueError("trait: found one; allowed: with engine='cells' only")
    if engine == "clones" and genealogy:
        raise ValueError("genealogy: found True; allowed: engine='cells', 'lattice'; clones are counts")
    if engine == "lattice":
        lattice = space or Space()
        return {
            "lattice": {
                "space": lattice._resolve(),
                "places": lattice._places(places),
                "max_clones": kept_apart,
                "genealogy": bool(genealogy),
            }
        }
    for name, found in (("space", space), ("places", places)):
        if found is not None:
            raise ValueError(
                f"{name}: found one; allowed: with engine='lattice' only, the others are well mixed"
            )
    if engine == "clones":
        return {"clones": {"max_clones": kept_apart}}
    heritable = None if trait is None else trait._resolve()
    return {"cells": {"heritable": heritable, "genealogy": bool(genealogy)}}


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
        if self.day is not None and not (math.isfinite(self.day) and self.day >= 0):
            raise ValueError(f"{place}.day: found {self.day}; allowed: finite and at least 0 days")
        return {
            "total": None if self.total is None else _count(f"{place}.total", self.total),
            "counts": [
                (_count(f"{place}.counts key", kind), _count(f"{place}.counts[{kind}]", cells))
                for kind, cells in self.counts.items()
            ],
            "below": None if self.below is None else _count(f"{place}.below", self.below),
            "extinct": self.extinct,
            "day": None if self.day is None else float(self.day),
        }


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


@dataclass(kw_only=True)
class _Rates:
    division: list[float]
    death: list[float]
    mutation: list[list[float]]
    switching: list[list[float]]
    drug_division: list[float] | None
    drug_death: list[float] | None

    @classmethod
    def of(
        cls,
        division: ArrayLike,
        death: ArrayLike,
        mutation: ArrayLike | None,
        switching: ArrayLike | None,
        drug_division: ArrayLike | None,
        drug_death: ArrayLike | None,
    ) -> _Rates:
        types = np.asarray(division, dtype=float).size

        def with_drug(name: str, values: ArrayLike | None) -> list[float] | None:
            return None if values is None else _rates(name, values, types)

        return cls(
            division=_rates("division", division, types),
            death=_rates("death", death, types),
            mutation=_matrix("mutation", mutation, types),
            switching=_matrix("switching", switching, types),
            drug_division=with_drug("drug_division", drug_division),
            drug_death=with_drug("drug_death", drug_death),
        )

    def changed(self, **given: ArrayLike | None) -> _Rates:
        return _Rates.of(**vars(self) | {name: value for name, value in given.items() if value is not None})


def _json(value: object) -> str:
    return json.dumps(value, default=vars, allow_nan=False)


class Population:
    """Cells of one or more types that divide, die and mutate at explicit rates.

    In each step of `dt` days every living cell divides with probability ``division * dt``, dies
    with probability ``death * dt``, or stays; the three exclude each other. At a division at most
    one daughter mutates (convention A of Bozic et al. 2013, eLife 2:e00747).

    Parameters
    ----------
    division, death
        Rates per day, shape ``(types,)``.
    mutation
        Shape ``(types, types)``; ``[i][j]`` is the probability per division of ``i`` that one
        daughter is the first cell of a new clone of type ``j``. The diagonal is allowed: neutral
        new clones of the same type.
    switching
        Shape ``(types, types)``; ``[i][j]`` is the hazard per day that a cell of ``i`` turns
        reversibly into ``j``.
    initial
        Cells of each type at day 0, shape ``(types,)``.
    dt
        Step in days.
    seed
        Names the random streams; drawn, and kept in `seed`, when ``None``.
    engine
        ``"clones"``: cells of one origin and type are a count. ``"cells"``: every cell is an
        individual, up to 2^32 - 2 of them. Both follow the same law. ``"lattice"``: every cell has a
        place and needs room to divide; see `Space`.
    max_clones
        Living clones of one type that are kept apart; beyond it new clones join the smallest.
        Totals keep their law. The engine ``"cells"`` keeps every clone apart.
    trait
        A heritable trait of the cells; with engine ``"cells"`` only.
    space
        The lattice; with engine ``"lattice"`` only. By default 3-D, rule B.
    places
        Where the founders are, shape ``(sum(initial), dimensions)``, those of type 0 first; each is
        a clone of its own. By default those of a type are one clone, as near to the origin as they
        can be. With engine ``"lattice"`` only.
    drug_division, drug_death
        Rates per day of cells that the drug reaches in full, shape ``(types,)``; by default, no
        drug, `division` and `death`. A cell that only a share of it reaches (see `Space`) has
        rates in between, in proportion.
    genealogy
        Record how the living cells descend from each other; with engines ``"cells"`` and
        ``"lattice"``.
    keep_extinct
        Remember clones that die out, for `all_clones`.

    Raises
    ------
    ValueError
        A rate is negative or not finite, a shape is wrong, or ``(division + death) * dt > 0.5``.

    Examples
    --------
    >>> pop = Population(division=[0.14, 0.12], death=[0.13, 0.11],
    ...                  mutation=[[0, 1e-4], [0, 0]], initial=[100, 0], seed=1)
    >>> pop.step(10)
    >>> pop.day
    10.0
    """

    def __init__(
        self,
        *,
        division: ArrayLike,
        death: ArrayLike,
        mutation: ArrayLike | None = None,
        switching: ArrayLike | None = None,
        initial: Sequence[int] | NDArray[np.integer[Any]],
        dt: float = 1.0,
        seed: int | None = None,
        engine: Engine = "clones",
        max_clones: int = 10_000,
        trait: Trait | None = None,
        space: Space | None = None,
        places: ArrayLike | None = None,
        drug_division: ArrayLike | None = None,
        drug_death: ArrayLike | None = None,
        genealogy: bool = False,
        keep_extinct: bool = False,
    ) -> None:
        self.seed = _seed(seed)
        self._rates = _Rates.of(division, death, mutation, switching, drug_division, drug_death)
        self._dt = _dt(dt)
        self._engine = engine
        self._core = _core.Population(
            _json(self._rates),
            _initial(initial, len(self._rates.division)),
            self._dt,
            _json(_engine(engine, max_clones, trait, space, places, genealogy)),
            self.seed,
            bool(keep_extinct),
        )
        self._keeps_extinct = bool(keep_extinct)

    def fork(self) -> Population:
        """Return a copy of the whole state, random stream included."""
        twin = copy.copy(self)
        twin._core = self._core.fork()
        return twin

    @property
    def dt(self) -> float:
        """Step in days."""
        return self._dt

    @property
    def engine(self) -> Engine:
        """Which engine holds the cells."""
        return self._engine

    @property
    def rates(self) -> dict[str, list[float]]:
        """The rates in force, per day and type: ``division``, ``death``."""
        return {"division": list(self._rates.division), "death": list(self._rates.death)}

    def step(self, steps: int = 1) -> None:
        """Take `steps` steps of the law; can be interrupted with Ctrl-C."""
        self._core.step(_count("steps", steps))

    def set_rates(
        self,
        *,
        division: ArrayLike | None = None,
        death: ArrayLike | None = None,
        mutation: ArrayLike | None = None,
        switching: ArrayLike | None = None,
        drug_division: ArrayLike | None = None,
        drug_death: ArrayLike | None = None,
    ) -> None:
        """Replace the rates that are given (drugs on, drugs off)."""
        rates = self._rates.changed(
            division=division,
            death=death,
            mutation=mutation,
            switching=switching,
            drug_division=drug_division,
            drug_death=drug_death,
        )
        self._core.set_rates(_json(rates))
        self._rates = rates

    @property
    def day(self) -> float:
        """Days passed: steps times `dt`."""
        return self._core.day

    @property
    def divisions(self) -> int:
        """Divisions so far."""
        return self._core.divisions

    @property
    def counts(self) -> NDArray[np.uint64]:
        """Living cells per type, shape ``(types,)``."""
        return np.frombuffer(self._core.counts, dtype=np.uint64).copy()

    @property
    def clones(self) -> pl.DataFrame:
        """Living clones: ``clone, parent, type, born_day, cells, origins, peak``.

        ``parent`` is null for founders, ``origins`` counts the clones merged into the row, ``peak``
        is the most cells the clone had after any step. The engine ``"lattice"`` adds the place of
        birth, ``x, y, z``.
        """
        return frame(self._core.clones)

    @property
    def all_clones(self) -> pl.DataFrame:
        """Clones that live or ever lived, as `clones`, with ``died_day`` (null while they live).

        With ``keep_extinct=True`` only. Clones that were merged into others (`max_clones`) are not
        among them.

        Raises
        ------
        ValueError
            They were not kept.
        """
        if not self._keeps_extinct:
            raise ValueError("all_clones: not kept; allowed: with keep_extinct=True")
        extinct = frame(self._core.extinct)
        living = self.clones.with_columns(pl.lit(None, pl.Float64).alias("died_day"))
        columns = [name for name in living.columns if name != "died_day"]
        columns.insert(columns.index("born_day") + 1, "died_day")
        return pl.concat([extinct.cast(living.schema), living]).select(columns).sort("clone")

    @property
    def cells(self) -> pl.DataFrame:
        """Every living cell, in no order: ``clone, type, trait``, or ``clone, type, x, y, z`` in space.

        Where nutrients or the drug reach only so far, the columns ``nutrient`` and ``drug`` give
        the shares that reach the cell.

        Raises
        ------
        ValueError
            The engine holds no cells.
        """
        cells = self._core.cells
        if cells is None:
            raise ValueError(
                "cells: the engine 'clones' counts cells and holds none; allowed: engine='cells', 'lattice'"
            )
        return frame(cells)

    @property
    def genealogy(self) -> Genealogy:
        """How the living cells descend from each other; with ``genealogy=True`` only.

        Raises
        ------
        ValueError
            It was not recorded.
        """
        genealogy = self._genealogy()
        if genealogy is None:
            raise ValueError("genealogy: not recorded; allowed: with genealogy=True")
        return genealogy

    def biopsy(self, shape: Shape, *, seed: int | None = None) -> Biopsy:
        """Look at the cells of a part of the tumour, which keeps them.

        Parameters
        ----------
        shape
            A `Sphere` or a `Needle` of a lattice, or `RandomCells`.
        seed
            Of numpy's generator, for random cells.

        Returns
        -------
        Biopsy
            The cells, with their rows in `cells`, and their genealogy if it was recorded.

        Raises
        ------
        ValueError
            The engine holds no cells, or none with a place, or too few.
        """
        return take(shape, self.cells, self._genealogy(), seed=seed)

    def _genealogy(self) -> Genealogy | None:
        recorded = self._core.genealogy()
        if recorded is None:
            return None
        nodes, living = recorded
        return Genealogy._of(frame(nodes), living, self.cells, self.day, self._dt)


def _initial(initial: Sequence[int] | NDArray[np.integer[Any]], types: int) -> list[int]:
    if not isinstance(initial, Sequence | np.ndarray) or len(initial) != types:
        raise ValueError(f"initial: found {initial!r}; allowed: one number of cells per type, {types}")
    return [_count(f"initial[{i}]", cells) for i, cells in enumerate(initial)]


def _dt(dt: float) -> float:
    if not (math.isfinite(dt) and dt > 0):
        raise ValueError(f"dt: found {dt}; allowed: finite and above 0 days")
    return float(dt)


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
        ``stopped_by`` is ``total``, ``count_<type>``, ``below``, ``extinct`` or ``day``; ``day``
        and ``divisions`` count from the first cell of the successful attempt. With `genealogy` also
        ``nodes`` and ``cells``, lists of the rows of `Genealogy`.

    Raises
    ------
    ValueError
        As in `Population`, or a rule that can never hold.
    KeyboardInterrupt
        On Ctrl-C, at once.
    """
    rates = _Rates.of(division, death, mutation, switching, drug_division, drug_death)
    if not isinstance(until, Until):
        raise ValueError(f"until: found {until!r}; allowed: Until(total=..., counts=..., day=...)")
    if phases not in ("last", "all"):
        raise ValueError(f"phases: found {phases!r}; allowed: 'last', 'all'")
    if sample is not None and not genealogy:
        raise ValueError(f"sample: found {sample}; allowed: with genealogy=True only")
    if genealogy and phases == "all":
        raise ValueError("genealogy: found True with phases='all'; allowed: phases='last'")
    stages = [treatment] if isinstance(treatment, Phase | Cycle) else list(treatment)
    design = {
        "rates": rates,
        "initial": _initial(initial, len(rates.division)),
        "dt": _dt(dt),
        "engine": _engine(engine, max_clones, trait, space, places, genealogy),
        "seed": _seed(seed),
        "trees": {"sample": None if sample is None else _positive("sample", sample)} if genealogy else None,
        "until": until._resolve("until"),
        "treatment": list(_stages(stages, rates)),
        "restart_on_extinction": bool(restart_on_extinction),
        "max_attempts": _positive("max_attempts", max_attempts),
    }
    outcomes, trees = _core.replicate(
        _json(design),
        _count("replicates", replicates),
        _positive("threads", (os.cpu_count() or 1) if threads is None else threads),
        phases == "all",
        progress,
    )
    if trees is None:
        return frame(outcomes)
    return with_trees(frame(outcomes), *map(frame, trees), dt=_dt(dt))


def _stages(stages: Sequence[Phase | Cycle], rates: _Rates) -> Any:
    for s, stage in enumerate(stages):
        place = f"treatment[{s}]"
        if not isinstance(stage, Phase | Cycle):
            raise ValueError(f"{place}: found {type(stage).__name__}; allowed: Phase, Cycle")
        cycle = isinstance(stage, Cycle)
        phases = []
        for p, phase in enumerate(stage.phases if isinstance(stage, Cycle) else [stage]):
            given = {name: value for name, value in vars(phase).items() if name != "until"}
            rates = rates.changed(**given)
            phases.append({"rates": rates, "until": phase.until._resolve(f"{place}.phases[{p}].until")})
        yield {
            "phases": phases,
            "repeat_until": stage.until._resolve(f"{place}.until") if cycle else None,
        }
