"""What was seen of a patient, day by day."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import polars as pl

from tumor_abm._base.genotype import Genotype, named
from tumor_abm.model import TumorModel
from tumor_abm.plots.course import Course

CURE = "cure"
"""The event that no cell of the tumour is left."""

_State = tuple[float, int, int, float, float, float]
_ROOM = 1.4
_LEFT_OUT = ["patient", "arm"]


class Record:
    """Keeps, for every day a model has lived, what the figures draw.

    Parameters
    ----------
    model
        The patient; today is noted at once.

    Attributes
    ----------
    founder
        Alterations of the first cell.
    """

    def __init__(self, model: TumorModel) -> None:
        self.founder: Genotype = model.genotype_alterations[0]
        self._states: list[_State] = []
        self._clones: list[tuple[float, Genotype, int]] = []
        self._taken: list[tuple[float, str, float]] = []
        self._lines: list[_Segment] = []
        self._clones.append((model.day, self.founder, 0))  # the founder comes first in every figure
        self.note(model)

    def note(self, model: TumorModel) -> None:
        """Note the state of today."""
        day = model.day
        self._states.append((day, model.line, model.cells, model.volume_cm3, model.sld_mm, model.neutrophils))
        living = model.genotypes.select("alterations", "cells")
        self._clones.extend((day, tuple(carried), cells) for carried, cells in living.iter_rows())
        self._taken.extend((day, drug, relative) for drug, relative in model.concentrations.items())
        self.note_line(model)

    @property
    def day(self) -> float:
        """The last day that was noted."""
        return self._states[-1][0]

    @property
    def cured_day(self) -> float | None:
        """The first of the days without a living cell; ``None`` while there is one."""
        return self._cured[0] if self._cured else None

    @property
    def _cured(self) -> _State | None:
        """The state on that day."""
        without = takewhile(lambda state: state[2] == 0, reversed(self._states))
        return min(without, default=None)

    def events(self, model: TumorModel) -> pl.DataFrame:
        """Return the events of the patient, cure among them."""
        known = model.events.drop(_LEFT_OUT, strict=False)
        if self._cured is None:
            return known
        day, line, *_ = self._cured
        cure = {"day": [day], "line": [line], "event": [CURE], "detail": ["no cell of the tumour is left"]}
        row = pl.DataFrame(cure).cast(known.schema)
        return pl.concat([known, row]).sort("day", maintain_order=True)

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
            clones=_frame(
                [(day, named(genotype), genotype, cells) for day, genotype, cells in self._clones],
                {
                    "day": pl.Float64,
                    "genotype": pl.String,
                    "alterations": pl.List(pl.String),
                    "cells": pl.Float64,
                },
            ),
            concentrations=_frame(
                self._taken, {"day": pl.Float64, "drug": pl.String, "relative": pl.Float64}
            ),
            lines=_frame(
                [(each.line, each.regimen, each.start_day, each.end_day) for each in self._lines],
                {"line": pl.Int64, "regimen": pl.String, "start_day": pl.Float64, "end_day": pl.Float64},
            ),
            assessments=model.assessments.drop(_LEFT_OUT, strict=False),
            liquid_biopsies=model.liquid_biopsies.drop(_LEFT_OUT, strict=False),
            events=self.events(model),
            detection_limit=model.limit_of_detection,
        )


class _Segment:
    """A stretch under one regimen; `end_day` is None while it runs."""

    def __init__(self, line: int, regimen: str, start_day: float, dosings: list[dict[str, Any]]) -> None:
        self.line, self.regimen, self.start_day, self.dosings = line, regimen, start_day, dosings
        self.end_day: float | None = None


def _frame(rows: Sequence[tuple[Any, ...]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")
