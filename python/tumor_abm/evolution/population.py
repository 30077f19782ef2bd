"""Populations of cell types with explicit rates: what theory and clonal-evolution studies need."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

import tumor_abm._core as _core
from tumor_abm._base import seeds
from tumor_abm._base.archive import read_archive, write_archive
from tumor_abm._base.arguments import core_refusals, count, truth
from tumor_abm._base.frames import frame
from tumor_abm._base.html import facts
from tumor_abm._base.paths import path_of
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Biopsy, Shape, take
from tumor_abm.evolution.genealogy import Genealogy
from tumor_abm.evolution.passages import Passages
from tumor_abm.evolution.rates import (
    Engine,
    Rates,
    afford_cells,
    as_json,
    engine_options,
    initial_cells,
    step_days,
)
from tumor_abm.evolution.remembered import Remembering
from tumor_abm.evolution.space import Space
from tumor_abm.evolution.trait import Trait

_SHOWN_TYPES = 8
_STATE, _NOTES = "population.bin", "population.json"


class Population(Passages, Remembering):
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
        individual, up to 2.8e9 of them. Both follow the same law. ``"lattice"``: every cell has a
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
    InputError
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
        self.seed = seeds.seed_of(seeds.drawn() if seed is None else seed)
        self._rates = Rates.of(division, death, mutation, switching, drug_division, drug_death)
        self._dt = step_days(dt)
        options = engine_options(engine, max_clones, trait, space, places, genealogy)
        self._engine = engine
        founders = initial_cells(initial, len(self._rates.division))
        afford_cells("initial", sum(founders), engine, genealogy)
        with core_refusals():
            self._core = _core.Population(
                as_json(self._rates),
                founders,
                self._dt,
                as_json(options),
                self.seed,
                truth("keep_extinct", keep_extinct),
            )
        self._keeps_extinct = keep_extinct
        self._samples = []

    def __repr__(self) -> str:
        return f"Population({', '.join(f'{name} {text}' for name, text in self._facts().items())})"

    def _repr_html_(self) -> str:
        return facts("Population", self._facts())

    def _facts(self) -> dict[str, str]:
        counts = self.counts
        types = ", ".join(f"{count:,}" for count in counts[:_SHOWN_TYPES])
        more = ", ..." if counts.size > _SHOWN_TYPES else ""
        return {
            "engine": self.engine,
            "day": f"{self.day:g}",
            "cells": f"{int(counts.sum()):,} ({counts.size} types: {types}{more})",
            "divisions": f"{self.divisions:,}",
            "seed": str(self.seed),
        }

    def fork(self, *, seed: int | None = None) -> Self:
        """Return a copy of the whole state.

        Parameters
        ----------
        seed
            Of the random stream that the copy goes on with; by default that of this population, so that
            both have the same future.
        """
        twin = copy.copy(self)
        twin.seed = self.seed if seed is None else seeds.seed_of(seed)
        twin._core = self._core.fork(None if seed is None else twin.seed)
        return twin

    def __copy__(self) -> Population:
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self), _core=self._core.fork())
        return twin

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file, whole or not at all; `load` goes on exactly.

        Raises
        ------
        InputError
            The file cannot be written.
        """
        state, notes = self._saved()
        write_archive(path_of("path", path), {_STATE: state, _NOTES: json.dumps(notes).encode()})

    @classmethod
    def load(cls, path: str | Path) -> Population:
        """Go on from a file that `save` wrote.

        Raises
        ------
        InputError
            The file is missing, damaged, or from elsewhere.
        """
        path = path_of("path", path)
        members = read_archive(path, "population")
        try:
            return cls._restored(members[_STATE], json.loads(members[_NOTES]))
        except (KeyError, TypeError):
            raise InputError("no saved population", file=path) from None
        except InputError as error:
            raise error.in_file(path) from None
        except ValueError as error:
            raise InputError(str(error), file=path) from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes, as Mesa's ``batch_run`` and `multiprocessing` ask for."""
        return type(self)._restored, self._saved()

    def _saved(self) -> tuple[bytes, dict[str, Any]]:
        """Return the state of the core, and what is known of it on this side, fit for JSON."""
        notes = {name: value for name, value in vars(self).items() if name != "_core"}
        return self._core.save(), {**notes, "_rates": vars(self._rates)}

    @classmethod
    def _restored(cls, core: bytes, notes: dict[str, Any]) -> Population:
        """Go on from what `_saved` returned."""
        population = cls.__new__(cls)
        vars(population).update(notes, _rates=Rates(**notes["_rates"]), _core=_core.Population.load(core))
        return population

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
        """Take `steps` steps of the law.

        What stops it, Ctrl-C included, leaves the population as it was before the step under way.

        Raises
        ------
        InputError
            There are more cells than the engine can go on with, no memory for more, or a trait is too fast.
        """
        with core_refusals():
            self._core.step(count("steps", steps))

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
        with core_refusals():
            self._core.set_rates(as_json(rates))
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
        InputError
            They were not kept.
        """
        if not self._keeps_extinct:
            raise InputError("all_clones: not kept; allowed: with keep_extinct=True")
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
        InputError
            The engine holds no cells.
        """
        cells = self._core.cells
        if cells is None:
            raise InputError(
                "cells: the engine 'clones' counts cells and holds none; allowed: engine='cells', 'lattice'"
            )
        return frame(cells)

    @property
    def genealogy(self) -> Genealogy:
        """How the living cells descend from each other; with ``genealogy=True`` only.

        Raises
        ------
        InputError
            It was not recorded.
        """
        genealogy = self._genealogy()
        if genealogy is None:
            raise InputError("genealogy: not recorded; allowed: with genealogy=True")
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
        InputError
            The engine holds no cells, or none with a place, or too few.
        """
        return take(shape, self.cells, self._genealogy(), seed=seed)

    def _genealogy(self) -> Genealogy | None:
        with core_refusals():
            recorded = self._core.genealogy()
        if recorded is None:
            return None
        nodes, living, _ = recorded
        genealogy = Genealogy._of(frame(nodes), living, self.cells, self.day, self._dt)
        # Nodes of remembered cells alone are no part of it.
        return genealogy.restrict(np.arange(genealogy.cells.height)) if self._samples else genealogy
