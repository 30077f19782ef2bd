"""Cells that were sampled at different times, remembered by their tumour: one genealogy for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tumor_abm._base.arguments import core_refusals, must_be
from tumor_abm._base.frames import frame
from tumor_abm.errors import InputError
from tumor_abm.evolution.biopsy import Biopsy
from tumor_abm.evolution.genealogy import Genealogy
from tumor_abm.evolution.passages import CellSample

if TYPE_CHECKING:
    import tumor_abm._core as _core

_CELLS = {"sample": pl.String, "sampled_day": pl.Float64, "clone": pl.UInt64, "type": pl.UInt32}


class Remembering(ABC):
    """A population that keeps the descent of cells that were sampled."""

    _core: _core.Population
    _samples: list[dict[str, Any]]

    @property
    @abstractmethod
    def day(self) -> float:
        """Days passed."""

    @property
    @abstractmethod
    def dt(self) -> float:
        """Step in days."""

    def remember(self, name: str, cells: Biopsy | CellSample) -> None:
        """Keep the descent of cells that were looked at, whatever becomes of them; `remembered` tells it.

        Parameters
        ----------
        name
            Of the sample; another for each.
        cells
            What `biopsy` or `sample` took since the last step; remember them before they are removed.

        Raises
        ------
        InputError
            The genealogy is not recorded, or the name is taken.
        """
        must_be("name", name, str)
        must_be("cells", cells, Biopsy, CellSample)
        if self._core.genealogy() is None or cells.cells is None:
            raise InputError("remember: no genealogy is recorded; allowed: with genealogy=True")
        if any(sample["sample"] == name for sample in self._samples):
            raise InputError(f"name: found {name!r} twice; allowed: another name for each sample")
        told = cells.cells.select("clone", "type").to_dict(as_series=False)
        with core_refusals():
            self._core.remember(cells.cells["cell"].to_numpy().astype(np.uint32).tobytes())
        self._samples = [*self._samples, {"sample": name, "sampled_day": self.day, **told}]

    @property
    def remembered(self) -> Genealogy:
        """How all remembered cells descend from each other.

        Its ``cells`` have ``node, sample, sampled_day, clone, type``; `Genealogy.samples` gives the rows
        of each sample. A cell that was sampled twice, or that has descendants among the others, is a node of
        its own, which need be no tip. Mutations that are drawn on this genealogy are those of all samples.

        Raises
        ------
        InputError
            No cells are remembered.
        """
        if not self._samples:
            raise InputError("remembered: no cells are; allowed: after remember(...)")
        recorded = self._core.genealogy()
        assert recorded is not None  # else nothing could be remembered
        nodes, _, remembered = recorded
        told = [pl.DataFrame(sample).cast(_CELLS) for sample in self._samples]  # type: ignore[arg-type]
        node = pl.Series("node", np.frombuffer(remembered, dtype=np.uint32))
        cells = pl.concat(told).select(node, *_CELLS)
        return Genealogy._of_nodes(frame(nodes), cells, self.day, self.dt)
