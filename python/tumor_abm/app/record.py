"""What was seen of a patient, day by day."""

from __future__ import annotations

import copy
from typing import Any

import polars as pl

from tumor_abm.model import TumorModel
from tumor_abm.plots.course import Course

_ROOM = 1.4


class Record:
    """Keeps, for every day a model has lived, what the figures draw.

    Parameters
    ----------
    model
        The patient; today is noted at once.

    Attributes
    ----------
    founder
        Genotype of the first cell.
    """

    def __init__(self, model: TumorModel) -> None:
        self.founder = str(model.covariates["founder"])
        self._states: list[tuple[float, int, int, float, float, float]] = []
        self._clones: list[tuple[float, str, int]] = []
        self._taken: list[tuple[float, str, float]] = []
        self._lines: list[_Segment] = []
        self._clones.append((model.day, self.founder, 0))  # the founder comes first in every figure
        self.note(model)

    def note(self, model: TumorModel) -> None:
        """Note the state of today."""
        day = model.day
        self._states.append((day, model.line, model.cells, model.volume_cm3, model.sld_mm, model.neutrophils))
        living = model.genotypes
        self._clones.extend(
            (day, genotype, cells)
            for genotype, cells in zip(living["genotype"], living["cells"], strict=True)
        )
        self._taken.extend((day, drug, relative) for drug, relative in model.concentrations.items())
        self.note_line(model)

    @property
    def reference_volume_cm3(self) -> float:
        """Volume of a tumour that fills the picture: well above that of enrolment, and all since."""
        first, most = self._states[0][3], max(state[3] for state in self._states)
        return max(_ROOM * first, most, 1e-9)

    def note_line(self, model: TumorModel) -> None:
        """Note which line runs today, and what is given in it."""
        line, regimen, day = model.line, model.regimen, model.day
        running = self._lines[-1] if self._lines else None
        if running and running.end_day is None:
            if (running.line, running.regimen) == (line, regimen):
                return
            running.end_day = day
            if running.start_day == day:
                self._lines.pop()
        if line:
            self._lines.append(_Segment(line, regimen, day, model.dosings))

    def earlier_regimens(self, today: str) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return what lines began with, the first first, but for the regimen of today: name and dosings."""
        began = {segment.line: segment for segment in reversed(self._lines)}
        given = {segment.regimen: segment.dosings for segment in reversed(began.values())}
        return [(regimen, dosings) for regimen, dosings in given.items() if regimen and regimen != today]

    def twin(self) -> Record:
        """Return a copy that goes its own way from here."""
        other = copy.copy(self)
        other._states, other._clones = self._states.copy(), self._clones.copy()
        other._taken, other._lines = self._taken.copy(), [copy.copy(line) for line in self._lines]
        return other

    def course(self, model: TumorModel) -> Course:
        """Return all that was noted, and the records of `model`, as tables."""
        kept = ["patient", "arm"]
        return Course(
            states=_frame(
                self._states,
                {
                    "day": pl.Float64,
                    "line": pl.Int64,
                    "cells": pl.Float64,
                    "volume_cm3": pl.Float64,
                    "sld_mm": pl.Float64,
                    "neutrophils": pl.Float64,
                },
            ),
            clones=_frame(self._clones, {"day": pl.Float64, "genotype": pl.String, "cells": pl.Float64}),
            concentrations=_frame(
                self._taken, {"day": pl.Float64, "drug": pl.String, "relative": pl.Float64}
            ),
            lines=_frame(
                [(each.line, each.regimen, each.start_day, each.end_day) for each in self._lines],
                {"line": pl.Int64, "regimen": pl.String, "start_day": pl.Float64, "end_day": pl.Float64},
            ),
            assessments=model.assessments.drop(kept, strict=False),
            liquid_biopsies=model.liquid_biopsies.drop(kept, strict=False),
            events=model.events.drop(kept, strict=False),
            detection_limit=model.limit_of_detection,
        )


class _Segment:
    """A stretch under one regimen; `end_day` is None while it runs."""

    def __init__(self, line: int, regimen: str, start_day: float, dosings: list[dict[str, Any]]) -> None:
        self.line, self.regimen, self.start_day, self.dosings = line, regimen, start_day, dosings
        self.end_day: float | None = None


def _frame(rows: list[tuple[object, ...]] | list, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:  # type: ignore[type-arg]
    return pl.DataFrame(rows, schema=schema, orient="row")
