"""A population with explicit rates in the place of a patient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

import tumor_abm._core as _core
from tumor_abm.evolution.population import Population

_NUMBER, _COUNT, _TEXT = pl.Float64, pl.UInt64, pl.String
_OF_LIFE = {"patient": _COUNT, "arm": _TEXT}
_OF_LINE = {"line": pl.UInt32}
_OF_DAY = _OF_LINE | {"day": _COUNT}
_RECORDS: dict[str, dict[str, Any]] = {
    "outcomes": _OF_LINE
    | {"regimen": _TEXT, "start_day": _COUNT, "end_day": _COUNT, "end_reason": _TEXT}
    | {"pfs_months": _NUMBER, "pfs_event": pl.Boolean, "best_sld_change": _NUMBER, "response": _TEXT}
    | {"lowest_neutrophils": _NUMBER},
    "overall": {"os_months": _NUMBER, "os_event": pl.Boolean}
    | {"pfs2_months": _NUMBER, "pfs2_event": pl.Boolean},
    "assessments": _OF_DAY
    | {"sld_mm": _NUMBER, "sld_change": _NUMBER, "new_lesions": _COUNT, "response": _TEXT},
    "liquid_biopsies": _OF_DAY | {"gene": _TEXT, "vaf": _NUMBER},
    "clones": _OF_DAY
    | {"moment": _TEXT, "genotype": _TEXT, "alterations": pl.List(_TEXT)}
    | {"cells": _COUNT, "fraction": _NUMBER},
    "trajectory": {"day": _COUNT, "line": pl.UInt32, "cells": _COUNT}
    | {"volume_cm3": _NUMBER, "sld_mm": _NUMBER, "neutrophils": _NUMBER},
    "events": {"day": _COUNT, "line": pl.UInt32, "event": _TEXT, "detail": _TEXT},
}


class Bare:
    """What a model asks of its core, answered by a population without a clinic.

    Parameters
    ----------
    population
        Its state is copied.
    horizon_day
        Last day.
    seed
        Of a random stream of its own; by default that of the population.
    """

    scans = 0

    def __init__(self, population: Population, horizon_day: float, *, seed: int | None = None) -> None:
        self._population = population.fork(seed=seed)
        self._horizon_day = horizon_day

    def fork(self, seed: int | None = None) -> Bare:
        """Return a copy of the whole state, which goes on with its random stream or one of its own."""
        return Bare(self._population, self._horizon_day, seed=seed)

    def saved(self) -> tuple[bytes, dict[str, Any]]:
        """Return the state of the core, random stream included, and the rest, fit for JSON."""
        core, notes = self._population._saved()
        return core, {"population": notes, "horizon_day": self._horizon_day}

    @classmethod
    def restored(cls, core: bytes, notes: dict[str, Any]) -> Bare:
        """Go on from what `saved` returned."""
        return cls(Population._restored(core, notes["population"]), notes["horizon_day"])

    def step(self, steps: int = 1) -> None:
        """Take steps of `dt`."""
        self._population.step(steps)

    def intervene(self, decision_json: str) -> None:
        """Refuse: explicit rates know no drugs."""
        raise ValueError("intervention: a population with explicit rates takes no drugs; use set_rates")

    def set_rates(self, **rates: Any) -> None:
        """Replace rates, as `Population.set_rates` does."""
        self._population.set_rates(**rates)

    def about(self) -> dict[str, Any]:
        """Return what is constant."""
        return {
            "patient": 0,
            "arm": "explicit rates",
            "dt": self._population.dt,
            "horizon_day": self._horizon_day,
            "engine": self._population.engine,
            "scale": 1,
            "limit_of_detection": None,
        }

    def today(self) -> dict[str, Any]:
        """Return the population as seen now; it has no clinic."""
        clinic = {"line": 0, "regimen": "", "scan": None, "ctdna": {}}
        sizes = dict.fromkeys(("volume_cm3", "sld_mm", "neutrophils", "shed_per_day"), math.nan)
        return {"day": self.day, "status": self.status, "cells": self.cells, **clinic, **sizes}

    @property
    def day(self) -> float:
        """Days passed."""
        return self._population.day

    @property
    def status(self) -> str:
        """``censored`` at extinction or at the last day."""
        over = self.cells == 0 or self.day >= self._horizon_day
        return "censored" if over else "followed"

    @property
    def cells(self) -> int:
        """Living cells."""
        return int(self._population.counts.sum())

    @property
    def clone_ids(self) -> bytes:
        """Ids of the living clones."""
        return self._population.clones["clone"].to_numpy().tobytes()

    def clones(self) -> bytes:
        """Return living clones as the core does; the type stands for the genotype and its alteration."""
        table, rates = self._population.clones, self._population.rates
        kinds = table["type"]
        carried = pl.Series(self.genotype_alterations(), dtype=pl.List(pl.String))
        of_types = {name: pl.Series(np.asarray(rates[name], dtype=float)) for name in ("division", "death")}
        return _stream(
            table.select(
                "clone",
                "parent",
                kind="type",
                genotype=carried.list.first().gather(kinds),
                alterations=carried.gather(kinds),
                born_day="born_day",
                cells="cells",
                fraction=pl.col("cells") / max(1, self.cells),
                **{name: rate.gather(kinds) for name, rate in of_types.items()},
            )
        )

    def genotypes(self) -> bytes:
        """Return living cells per type, with its rates, as the core does."""
        clones = pl.read_ipc_stream(self.clones())
        return _stream(
            clones.group_by("genotype", maintain_order=True).agg(
                pl.col("alterations").first(),
                pl.col("cells", "fraction").sum(),
                pl.col("division", "death").first(),
            )
        )

    def composition(self) -> list[tuple[str, int]]:
        """Return living cells per type."""
        counted = zip(self.genotype_names(), self._population.counts, strict=True)
        return [(name, int(cells)) for name, cells in counted if cells]

    def genotype_names(self) -> list[str]:
        """Return a name per type."""
        return [f"type {kind}" for kind in range(len(self._population.counts))]

    def genotype_alterations(self) -> list[list[str]]:
        """Return the name of each type as the one alteration that it has."""
        return [[name] for name in self.genotype_names()]

    def drugs(self) -> bytes:
        """Return no drugs, in the columns of a patient's."""
        texts = dict.fromkeys(("drug", "state", "held_for"), pl.String)
        numbers = dict.fromkeys(("dose", "concentration", "relative_concentration"), pl.Float64)
        return _stream(pl.DataFrame(schema={**texts, **numbers}))

    def regimen(self) -> list[dict[str, Any]]:
        """Return no drugs."""
        return []

    def covariates(self) -> bytes:
        """Return the number alone."""
        return _stream(pl.DataFrame({"patient": [0]}, schema={"patient": pl.UInt64}))

    def records(self) -> dict[str, bytes]:
        """Return no records, in the columns of a patient's."""
        return {name: _stream(pl.DataFrame(schema=_OF_LIFE | own)) for name, own in _RECORDS.items()}

    def sites(self) -> tuple[list[int], list[int], bytes] | None:
        """Return origin, shape and types of the box of sites that holds the cells."""
        if self._population.engine != "lattice":
            return None
        cells = self._population.cells
        axes = [axis for axis in ("x", "y", "z") if axis in cells.columns]
        places = cells.select(axes).to_numpy()
        if not len(places):
            return [0] * len(axes), [1] * len(axes), np.zeros(1, dtype=np.uint16).tobytes()
        low = places.min(axis=0)
        box = np.zeros(places.max(axis=0) - low + 1, dtype=np.uint16)
        box[tuple((places - low).T)] = cells["type"].to_numpy() + 1
        return low.tolist(), list(box.shape), box.tobytes()


def _stream(table: pl.DataFrame) -> bytes:
    """Write a table as the core does."""
    return table.write_ipc_stream(None).getvalue()


Core = _core.Patient | Bare
