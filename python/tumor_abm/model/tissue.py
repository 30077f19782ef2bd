"""Cells that are taken of a patient's tumour, by whatever engine it is held."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tumor_abm._base.arguments import core_refusals
from tumor_abm._base.frames import frame
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Aim, Rows
from tumor_abm.evolution.passages import drawn
from tumor_abm.model.bare import Bare
from tumor_abm.model.lines import Descent, Point, tree_of

if TYPE_CHECKING:
    import tumor_abm._core as _core
    from tumor_abm.model.tumor_model import TumorModel

_COUNTED = {"sample": pl.String, "day": pl.Float64, "clone": pl.UInt64, "cells": pl.UInt64}
_HELD = {**_COUNTED, "remembered": pl.Int64, "kind": pl.UInt32}
_AXES = ("x", "y", "z")


class SampledTumour(ABC):
    """A patient's tumour, of which cells are taken; the patient keeps them.

    Parameters
    ----------
    model
        Made with ``clone_genealogy=True``.
    """

    def __init__(self, model: TumorModel) -> None:
        self._model = model

    @classmethod
    def of(cls, model: TumorModel) -> SampledTumour:
        """Return that of a patient.

        Raises
        ------
        InputError
            The model does not record the genealogy.
        """
        if model.engine != "clones" and not isinstance(model._core, Bare):
            return HeldTissue(model)
        _ = model.all_clones
        return CountedTissue(model)

    @abstractmethod
    def take(self, sample: str, cells: int, place: Aim | None, rng: np.random.Generator) -> int:
        """Take cells of today at random, or of a place; how many are taken."""

    @abstractmethod
    def found(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the tree of all that was taken, and the cells of each sample: see `CloneSamples`."""


class CountedTissue(SampledTumour):
    """A tumour of counted clones. They have no places."""

    def __init__(self, model: TumorModel) -> None:
        super().__init__(model)
        self._taken: list[pl.DataFrame] = []

    def take(self, sample: str, cells: int, place: Aim | None, rng: np.random.Generator) -> int:
        """Draw cells without replacement from the clones."""
        if place is not None:
            raise InputError('place: found one; allowed: with engine="lattice", whose cells have places')
        living = self._model.clones.select("clone", "cells")
        there = living["cells"].to_numpy().astype(np.int64)
        counts = pl.Series("cells", drawn(there, min(cells, int(there.sum())), rng), dtype=pl.UInt64)
        table = living.select("clone", counts).filter(pl.col("cells") > 0)
        name, day = pl.lit(sample).alias("sample"), pl.lit(self._model.day).alias("day")
        self._taken.append(table.select(name, day, "clone", "cells"))
        return int(counts.sum())

    def found(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the sampled clones with those that they descend from, and the cells of each."""
        table = pl.concat([pl.DataFrame(schema=_COUNTED), *self._taken])
        return _ancestors(self._model.all_clones, table["clone"]), table


class HeldTissue(SampledTumour):
    """A tumour of individuals, with counted cells of what is too small for them beside.

    Individuals have places on a lattice, counted cells have none.
    """

    def __init__(self, model: TumorModel) -> None:
        super().__init__(model)
        if self._core.individuals() is None:
            raise InputError("clone_genealogy: found False; allowed: True, so that cells can be sampled")
        self._taken: list[pl.DataFrame] = []

    @property
    def _core(self) -> _core.Patient:
        patient = self._model._core
        assert not isinstance(patient, Bare)  # that has no genealogy
        return patient

    def take(self, sample: str, cells: int, place: Aim | None, rng: np.random.Generator) -> int:
        """Draw real cells without replacement, or take the individuals of a place."""
        core = self._core
        recorded, counted = core.individuals(), frame(core.counted())
        assert recorded is not None  # asked for at the beginning
        held = frame(recorded)
        clones = np.zeros(counted.height, dtype=np.int64)
        if place is None:
            there = np.concatenate([counted["cells"].to_numpy(), np.full(held.height, self._model.scale)])
            counts = drawn(there.astype(np.int64), min(cells, int(there.sum())), rng)
            clones, individuals = counts[: counted.height], counts[counted.height :]
        else:
            individuals = np.zeros(held.height, dtype=np.int64)
            individuals[_in_place(place, held, cells, rng)] = 1
        rows = np.flatnonzero(individuals)
        with core_refusals():
            before = core.remember(rows.astype(np.uint32).tobytes())
        axes = [axis for axis in _AXES if axis in held.columns]
        of_held = held[rows].with_columns(
            remembered=pl.Series(before + np.arange(rows.size), dtype=pl.Int64),
            cells=pl.Series(individuals[rows], dtype=pl.UInt64),
        )
        of_counted = counted.with_columns(cells=pl.Series(clones, dtype=pl.UInt64)).filter(
            pl.col("cells") > 0
        )
        both = pl.concat([of_counted, of_held], how="diagonal")
        name, day = pl.lit(sample).alias("sample"), pl.lit(self._model.day).alias("day")
        self._taken.append(both.select(name, day, "clone", "remembered", "kind", "cells", *axes))
        return int(both["cells"].sum())

    def found(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the tree of the sampled cells, and these one by one, with their places if they have some."""
        lines = self._core.lines()
        assert lines is not None  # else nothing could be taken
        descent = Descent.of(lines)
        taken = pl.concat([pl.DataFrame(schema=_HELD), *self._taken], how="diagonal")
        individual = taken["remembered"].is_not_null()
        elements = np.empty(taken.height, dtype=np.int64)
        elements[individual.to_numpy()] = descent.remembered[taken["remembered"].drop_nulls().to_numpy()]
        elements[~individual.to_numpy()] = descent.clones(taken["clone"].drop_nulls())
        keys: list[Point] = list(zip(elements.tolist(), taken["day"].to_list(), strict=True))
        points = dict(zip(keys, taken["kind"].to_list(), strict=True))
        tree, row_of = tree_of(descent, points, self._model.genotype_alterations)
        clone = pl.Series("clone", [row_of[key] for key in keys], dtype=pl.UInt64)
        axes = [axis for axis in _AXES if axis in taken.columns]
        return tree, taken.select("sample", "day", clone, "cells", *axes)


def _in_place(place: Aim, held: pl.DataFrame, cells: int, rng: np.random.Generator) -> Rows:
    """Rows of the individuals of a place, at most so many; none where the place is empty."""
    if not held.height:
        return np.empty(0, dtype=np.int64)
    if not any(axis in held.columns for axis in _AXES):
        raise InputError('place: found one; allowed: with engine="lattice", whose cells have places')
    rows = place.of_at_most(held.height).in_tumour(held).choose(held, rng)
    return rows if rows.size <= cells else np.sort(rng.choice(rows, cells, replace=False))


def _ancestors(clones: pl.DataFrame, sampled: pl.Series) -> pl.DataFrame:
    """Return sampled clones and those that they descend from."""
    parents = dict(clones.select("clone", "parent").iter_rows())
    kept: set[int] = set()
    for clone in sampled.unique():
        line: int | None = clone
        while line is not None and line not in kept:
            if line not in parents:
                raise InputError(f"clone_genealogy: the parent {line} of a clone is not known")
            kept.add(line)
            line = parents[line]
    chosen = clones.filter(pl.col("clone").is_in(sorted(kept))).sort("clone")
    return chosen.select("clone", "parent", "alterations", "born_day", "died_day", "origins")
