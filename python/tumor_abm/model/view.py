"""What can be seen of a patient between two steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base.frames import frame
from tumor_abm._base.html import facts
from tumor_abm._base.sinks import terminal_text
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Drug
from tumor_abm.model.bare import Bare, Core
from tumor_abm.model.lattice_space import LatticeSpace
from tumor_abm.model.sites import Sites


class PatientView:
    """A patient as seen today, and what is written down so far; all read from the core."""

    _core: Core
    _about: dict[str, Any]
    _first_day: float
    _drugs: Mapping[str, Drug]
    _today: dict[str, Any] | None
    _genotypes: pl.DataFrame | None
    _history: list[tuple[float, str, int]]
    seed: int
    random: Random

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {text}" for name, text in self._facts().items())
        return f"{type(self).__name__}({terminal_text(told)})"

    def _repr_html_(self) -> str:
        return facts(type(self).__name__, self._facts())

    def _facts(self) -> dict[str, str]:
        told = {
            "patient": str(self.patient),
            "arm": self.arm,
            "day": f"{self.day:g}" + (f" of {self.horizon_day:g}" if math.isfinite(self.horizon_day) else ""),
            "line": f"{self.line} ({self.regimen})" if self.line else "",
            "cells": f"{self.cells:,}",
            "status": self.status,
        }
        return {name: text for name, text in told.items() if text}

    # --- today -------------------------------------------------------------------------------

    def _see(self, key: str) -> Any:
        if self._today is None:
            self._today = self._core.today()
        return self._today[key]

    @property
    def day(self) -> float:
        """Days since enrolment."""
        return self._core.day

    @property
    def steps(self) -> int:
        """Steps taken since the model was made."""
        return round((self.day - self._first_day) / self.dt)

    @steps.setter
    def steps(self, counted: int) -> None:
        """Leave counting to the core: Mesa counts calls, also of a step that is interrupted."""

    @property
    def dt(self) -> float:
        """Step in days."""
        return float(self._about["dt"])

    @property
    def patient(self) -> int:
        """Number of the patient."""
        return int(self._about["patient"])

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return str(self._about["arm"])

    @property
    def engine(self) -> str:
        """Which engine holds the cells."""
        return str(self._about["engine"])

    @property
    def scale(self) -> int:
        """Real cells that an individual of the engine stands for; 1 with ``clones``."""
        return int(self._about["scale"])

    @property
    def limit_of_detection(self) -> float | None:
        """Variant allele fraction below which liquid biopsies report nothing; ``None`` without them."""
        limit: float | None = self._about["limit_of_detection"]
        return limit

    @property
    def sites(self) -> Sites | None:
        """Lattice sites of the tumour; ``None`` with the other engines."""
        found = self._core.sites()
        if found is None:
            return None
        origin, shape, genotypes = found
        return Sites(tuple(origin), np.frombuffer(genotypes, dtype=np.uint16).reshape(shape))

    @property
    def space(self) -> LatticeSpace | None:
        """The lattice as a grid that Mesa's ``SpaceRenderer`` draws; ``None`` with the other engines."""
        sites, plane = self.sites, self.section()
        if sites is None or plane is None:
            return None
        return LatticeSpace(plane, sites.origin[:2], self.genotype_alterations, self.random)

    @property
    def genotype_names(self) -> list[str]:
        """Names of the genotypes met so far; those that differ in silent hits only share one."""
        return self._core.genotype_names()

    @property
    def genotype_alterations(self) -> list[tuple[str, ...]]:
        """Alterations of the genotypes met so far, as `genotype_names`; those of the founder are first."""
        return [tuple(carried) for carried in self._core.genotype_alterations()]

    def section(self, axis: str = "z", at: int = 0) -> NDArray[np.uint16] | None:
        """Cut through the lattice.

        Parameters
        ----------
        axis, at
            The plane ``axis = at``, in lattice coordinates; a 2-D lattice is shown whole.

        Returns
        -------
        numpy.ndarray
            As `Sites.genotype`; ``None`` without a lattice.
        """
        sites = self.sites
        if sites is None or sites.genotype.ndim < 3:
            return None if sites is None else sites.genotype
        if not isinstance(axis, str) or axis not in ("x", "y", "z"):
            raise InputError(key="axis", found=axis, allowed=["x", "y", "z"])
        index = "xyz".index(axis)
        place = at - sites.origin[index]
        if not 0 <= place < sites.genotype.shape[index]:
            return np.zeros(np.delete(sites.genotype.shape, index), dtype=np.uint16)
        cut: NDArray[np.uint16] = np.take(sites.genotype, place, axis=index)
        return cut

    @property
    def horizon_day(self) -> float:
        """Last day of follow-up, if nothing ends it before."""
        return float(self._about["horizon_day"])

    @property
    def status(self) -> str:
        """``followed``, ``dead`` or ``censored``."""
        return self._core.status

    @property
    def line(self) -> int:
        """Line of therapy, from 1; 0 when none runs."""
        return int(self._see("line"))

    @property
    def regimen(self) -> str:
        """Drugs of the line, in words."""
        return str(self._see("regimen"))

    @property
    def cells(self) -> int:
        """Living tumour cells."""
        return self._core.cells

    @property
    def volume_cm3(self) -> float:
        """Volume of the tumour: living and dead cells, and stroma."""
        return float(self._see("volume_cm3"))

    @property
    def sld_mm(self) -> float:
        """Sum of longest diameters, without measurement error."""
        return float(self._see("sld_mm"))

    @property
    def scan(self) -> dict[str, Any] | None:
        """What the last scan showed: ``day, line, sld_mm, sld_change, new_lesions, response``."""
        scan: dict[str, Any] | None = self._see("scan")
        return scan

    @property
    def neutrophils(self) -> float:
        """Neutrophils, 1e9 per litre."""
        return float(self._see("neutrophils"))

    @property
    def shed_per_day(self) -> float:
        """Tumour DNA shed into plasma today, genome equivalents."""
        return float(self._see("shed_per_day"))

    @property
    def ctdna(self) -> dict[str, float]:
        """Variant allele fraction per gene in the last liquid biopsy; 0 below detection."""
        return dict(self._see("ctdna"))

    @property
    def drugs(self) -> pl.DataFrame:
        """Drugs of the line and those still in the body.

        ``drug``, ``dose`` (relative to standard), ``state`` (``taken``, ``off day``, ``held``,
        ``stopped``), ``held_for``, ``concentration`` (average of the last day, in the drug's unit) and
        ``relative_concentration`` (1: steady state at the standard dose).
        """
        return frame(self._core.drugs())

    @property
    def dosings(self) -> list[dict[str, Any]]:
        """Drugs of the running line, each as a table that `TumorModel.intervene` takes."""
        regimen: list[dict[str, Any]] = self._core.regimen()
        return regimen

    @property
    def concentrations(self) -> dict[str, float]:
        """Average concentration of the last day, relative to steady state at the standard dose."""
        table = self.drugs
        return dict(zip(table["drug"], table["relative_concentration"], strict=True))

    @property
    def living_clones(self) -> int:
        """Number of living clones."""
        return len(self._core.clone_ids) // 8

    @property
    def clones(self) -> pl.DataFrame:
        """Living clones, oldest first.

        ``clone, parent, genotype, alterations, born_day, cells, fraction, division, death``: days since
        enrolment, rates per day under the drugs of the last doses.
        """
        return frame(self._core.clones()).drop("kind", "origins", strict=False)

    @property
    def all_clones(self) -> pl.DataFrame:
        """Clones that live or ever lived, from the first cell on; with ``clone_genealogy=True`` only.

        ``clone, parent, genotype, alterations, born_day, died_day`` (null while it lives), ``cells`` and
        ``origins``: clones that were merged into it have no row, and are counted here.

        Raises
        ------
        InputError
            They were not kept.
        """
        extinct = None if isinstance(self._core, Bare) else self._core.extinct()
        if extinct is not None and self.engine != "clones":
            raise InputError(
                f'all_clones: found engine="{self.engine}"; allowed: "clones"; '
                "model.clone_samples tells how individuals that were sampled descend from each other"
            )
        if extinct is None:
            raise InputError("all_clones: not kept; allowed: a patient with clone_genealogy=True")
        living = frame(self._core.clones()).with_columns(pl.lit(None, pl.Float64).alias("died_day"))
        dead = frame(extinct).with_columns(pl.lit(0, pl.UInt64).alias("cells"))
        names = [name for name in living.columns if name in dead.columns]
        both = pl.concat([dead.select(names).cast(living.select(names).schema), living.select(names)])
        kinds = both["kind"]
        carried = pl.Series(self._core.genotype_alterations(), dtype=pl.List(pl.String))
        return both.select(
            "clone",
            "parent",
            pl.Series(self.genotype_names).gather(kinds).alias("genotype"),
            carried.gather(kinds).alias("alterations"),
            "born_day",
            "died_day",
            "cells",
            "origins",
        ).sort("clone")

    @property
    def genotypes(self) -> pl.DataFrame:
        """Living cells per genotype: ``genotype, alterations, cells, fraction, division, death``."""
        if self._genotypes is None:
            self._genotypes = frame(self._core.genotypes())
        return self._genotypes.clone()

    @property
    def covariates(self) -> dict[str, Any]:
        """What was drawn or given of the patient: a row of the table ``patients``."""
        return frame(self._core.covariates()).row(0, named=True)

    def snapshot(self) -> dict[str, Any]:
        """Return the patient as seen today, ready for JSON."""
        self._see("day")
        return {
            **self._about,
            **(self._today or {}),
            "seed": self.seed,
            "engine": self.engine,
            "living_clones": self.living_clones,
            "drugs": self.drugs.to_dicts(),
            "clones": self.clones.to_dicts(),
        }

    # --- records -----------------------------------------------------------------------------

    def records(self) -> dict[str, pl.DataFrame]:
        """Return what is written down so far: the tables of a batch run, of this patient alone."""
        return {name: frame(columns) for name, columns in self._core.records().items()}

    def _record(self, name: str) -> pl.DataFrame:
        return frame(self._core.records()[name])

    @property
    def outcomes(self) -> pl.DataFrame:
        """Lines that are over."""
        return self._record("outcomes")

    @property
    def overall(self) -> pl.DataFrame:
        """End of follow-up; empty before it."""
        return self._record("overall")

    @property
    def assessments(self) -> pl.DataFrame:
        """Scans."""
        return self._record("assessments")

    @property
    def liquid_biopsies(self) -> pl.DataFrame:
        """Liquid biopsies."""
        return self._record("liquid_biopsies")

    @property
    def composition(self) -> pl.DataFrame:
        """Cells per genotype at baseline, at progressions and at ends of lines."""
        return self._record("clones")

    @property
    def trajectory(self) -> pl.DataFrame:
        """State over time, as in a batch run."""
        return self._record("trajectory")

    @property
    def events(self) -> pl.DataFrame:
        """What happened, in words."""
        return self._record("events")

    @property
    def history(self) -> pl.DataFrame:
        """Cells per genotype at every collected day: ``day, genotype, alterations, cells``."""
        schema = {"day": pl.Float64, "genotype": pl.String, "cells": pl.UInt64}
        carried = dict(zip(self.genotype_names, self._core.genotype_alterations(), strict=True))
        table = pl.DataFrame(self._history, schema=schema, orient="row")
        alterations = [carried[name] for name in table["genotype"]]
        return table.insert_column(2, pl.Series("alterations", alterations, pl.List(pl.String)))
