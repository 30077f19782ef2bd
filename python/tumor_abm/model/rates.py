"""The rates of a patient's cells, as a population with explicit rates has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.arguments import must_be, real, whole
from tumor_abm._base.seeds import seed_of, stream
from tumor_abm.errors import InputError
from tumor_abm.evolution.passages import drawn
from tumor_abm.evolution.population import Population
from tumor_abm.evolution.rates import Engine
from tumor_abm.knowledge import Alteration, Knowledge
from tumor_abm.knowledge.quantity import Quantity
from tumor_abm.model.bare import Bare
from tumor_abm.model.tumor_model import TumorModel


@dataclass(frozen=True, eq=False)
class PatientRates:
    """What the genotypes of a patient do today, under the drugs of today.

    Attributes
    ----------
    types
        Names of genotypes, the most frequent first; a number for each type of a population.
    cells
        Living cells of each.
    division, death
        Per day, of each.
    mutation
        ``[i][j]``: probability per division of ``i`` that one daughter is of ``j``, where ``j`` has one
        alteration more, gained in one hit.
    switching
        ``[i][j]``: hazard per day that a cell of ``i`` turns into ``j``, which has a reversible state on or
        off that ``i`` has not.
    """

    types: tuple[str, ...]
    cells: NDArray[np.uint64]
    division: NDArray[np.float64]
    death: NDArray[np.float64]
    mutation: NDArray[np.float64]
    switching: NDArray[np.float64]

    def population(
        self, *, cells: int, seed: int, engine: Engine = "clones", dt: float = 1.0, genealogy: bool = False
    ) -> Population:
        """Return a population of so many of the patient's cells, drawn at random, with these rates.

        Parameters
        ----------
        cells
            At most all that live.
        seed
            Of the draw and of the population.
        engine, dt, genealogy
            As in `Population`.
        """
        everybody = self.cells.astype(np.int64)
        wanted = whole("cells", cells, 1, int(everybody.sum()))
        initial = drawn(everybody, wanted, stream(seed_of(seed)))
        return Population(
            engine=engine,
            division=self.division,
            death=self.death,
            mutation=self.mutation,
            switching=self.switching,
            initial=initial,
            dt=dt,
            seed=seed,
            genealogy=genealogy,
        )


def rates_of(
    model: TumorModel, *, least_fraction: float = 0.0, known: Mapping[str, Alteration] | None = None
) -> PatientRates:
    """Read the rates of a patient's cells.

    Parameters
    ----------
    model
        A patient. Before the first dose these are the rates without drugs.
    least_fraction
        Leave out genotypes of a smaller share of the cells.
    known
        Alterations by name, as knowledge has them; those that come with the package when ``None``.

    Notes
    -----
    What today's cells do not have is not among the types. First hits of alterations that take two are no
    genotypes, so alterations by two hits do not arise here.

    Raises
    ------
    InputError
        The model has no genotypes, or nobody lives.
    """
    must_be("model", model, TumorModel)
    known = Knowledge.shipped().alterations if known is None else known
    least = real("least_fraction", least_fraction, "from 0 to 1")
    if isinstance(model._core, Bare):
        raise InputError(key="model", found="explicit rates", allowed="a patient")
    kept = model.genotypes.filter(pl.col("fraction") >= least).sort("cells", descending=True)
    if kept.is_empty():
        raise InputError(key="least_fraction", found=least, allowed="some genotype has this share")
    carried = [frozenset(names) for names in kept["alterations"].to_list()]
    mutation, switching = np.zeros((2, len(carried), len(carried)))
    for i, one in enumerate(carried):
        for j, other in enumerate(carried):
            if len(one ^ other) == 1:
                origin = known[next(iter(one ^ other))].origin
                gained = one < other
                mutation[i, j] = _value(origin.per_division) if gained else 0.0
                switching[i, j] = _value(origin.on_per_day if gained else origin.off_per_day)
    return PatientRates(
        types=tuple(kept["genotype"]),
        cells=kept["cells"].to_numpy(),
        division=kept["division"].to_numpy(),
        death=kept["death"].to_numpy(),
        mutation=mutation,
        switching=switching,
    )


def _value(quantity: Quantity | None) -> float:
    return 0.0 if quantity is None else quantity.value
