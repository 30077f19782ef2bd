"""What was seen of a patient, day by day."""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any, TypeVar

import numpy as np
import polars as pl

from tumor_abm._base.genotype import Genotype, named
from tumor_abm.app.growth import Growth
from tumor_abm.app.living import Living
from tumor_abm.model import TumorModel
from tumor_abm.plots.course import Course

CURE = "cure"
"""The event that no cell of the tumour is left."""

OVERTAKING = "overtaking"
"""The event that another genotype has become the largest."""

OF_A_GENOTYPE = ("alterations", "cells", "division", "death")
"""Columns of a model's genotypes that are noted."""

BY_HAND = "by hand"
"""Why a line ended that a therapist at the page has ended."""

_CLEARLY = 1.1  # by which factor a genotype must be larger to have overtaken another

_Row = TypeVar("_Row", bound=tuple[Any, ...])
_State = tuple[float, int, int, float, float, float]
_ROOM = 1.4
_MOST_PICTURES = 200
_A_MOMENT = 1e-6
_LEFT_OUT = ["patient", "arm"]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was noted on one day.

    Attributes
    ----------
    day
        Days since enrolment.
    line, regimen
        Line of therapy, 0 when none runs, and its drugs in words.
    cells
        Living tumour cells.
    volume_cm3, sld_mm
        Volume of the tumour, and sum of longest diameters.
    living
        Living genotypes: alterations, cells, and net growth per day, where that is known.
    concentrations
        Of each drug, relative to steady state at the standard dose.
    """

    day: float
    line: int
    regimen: str
    cells: int
    volume_cm3: float
    sld_mm: float
    living: list[tuple[Genotype, int, float | None]]
    concentrations: dict[str, float]


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
    growth
        What is known of the time before the first day.
    """

    def __init__(self, model: TumorModel) -> None:
        self.founder: Genotype = model.genotype_alterations[0]
        self._states: list[_State] = []
        self._clones = Living()
        self._taken: list[tuple[float, str, float]] = []
        self._lines: list[_Segment] = []
        self._left_by_hand: dict[int, float] = {}
        self._leaders: list[tuple[float, Genotype]] = []
        self._pictures: list[tuple[float, bytes]] = []
        self._told: tuple[pl.DataFrame, Any, pl.DataFrame] | None = None
        self.growth = Growth.of(model)
        self._clones.note(model.day, [(self.founder, 0, 0.0)])  # the founder comes first in every figure
        self.note(model)

    def note(self, model: TumorModel) -> None:
        """Note the state of today."""
        day = model.day
        self._states.append((day, model.line, model.cells, model.volume_cm3, model.sld_mm, model.neutrophils))
        living = [
            (tuple(carried), cells, division - death)
            for carried, cells, division, death in model.genotypes.select(OF_A_GENOTYPE).iter_rows()
        ]
        self._clones.note(day, living)
        self._note_leader(day, {genotype: cells for genotype, cells, _ in living})
        self._taken.extend((day, drug, relative) for drug, relative in model.concentrations.items())
        self.note_line(model)

    def _note_leader(self, day: float, cells: Mapping[Genotype, int]) -> None:
        """Note if another genotype has become the largest."""
        if not cells:
            return
        largest = max(cells, key=lambda genotype: cells[genotype])
        led = self._leaders[-1][1] if self._leaders else None
        if led is None or (largest != led and cells[largest] > _CLEARLY * cells.get(led, 0)):
            self._leaders.append((day, largest))

    @property
    def days(self) -> list[float]:
        """The days that were noted."""
        return [state[0] for state in self._states]

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
        """Return the events of the patient, cure and overtakings among them."""
        known, own = model.events, (self._leaders.copy(), self._cured, self._left_by_hand.copy())
        if self._told is None or self._told[1] != own or not self._told[0].equals(known):
            self._told = known, own, self._with_own_events(known)
        return self._told[2]

    def _with_own_events(self, known: pl.DataFrame) -> pl.DataFrame:
        known = known.drop(_LEFT_OUT, strict=False)
        ended_by_hand = (pl.col("event") == "line ended") & pl.col("line").is_in(list(self._left_by_hand))
        known = known.with_columns(
            pl.when(ended_by_hand).then(pl.lit(BY_HAND)).otherwise("detail").alias("detail")
        )
        rows = [
            (day, self._line_on(day), OVERTAKING, f"{self._called(largest)} overtook {self._called(led)}")
            for (_, led), (day, largest) in pairwise(self._leaders)
        ]
        if self._cured is not None:
            day, line, *_ = self._cured
            rows.append((day, line, CURE, "no cell of the tumour is left"))
        if not rows:
            return known
        added = pl.DataFrame(rows, schema=["day", "line", "event", "detail"], orient="row").cast(known.schema)
        return pl.concat([known, added]).sort("day", maintain_order=True)

    def outcomes(self, model: TumorModel) -> pl.DataFrame:
        """Return the lines that are over; of those that were ended at the page it is said."""
        if not self._left_by_hand:
            return model.outcomes
        by_hand = pl.col("line").is_in(list(self._left_by_hand))
        return model.outcomes.with_columns(
            pl.when(by_hand).then(pl.lit(BY_HAND)).otherwise("end_reason").alias("end_reason")
        )

    def _line_on(self, day: float) -> int:
        return next(line for noted, line, *_ in reversed(self._states) if noted <= day)

    def _called(self, genotype: Genotype) -> str:
        """Call a genotype by what it has gained."""
        if genotype == self.founder:
            return "the founder"
        gained = [part for part in genotype if part not in self.founder]
        return named(tuple(gained)) if gained else named(genotype)

    def keep_picture(self, day: float, drawn: bytes) -> None:
        """Keep a picture of the tumour on its lattice; of many, every other one of the older goes."""
        self._pictures = [*_up_to(self._pictures, day - _A_MOMENT), (day, drawn)]
        if len(self._pictures) > _MOST_PICTURES:
            self._pictures = [*self._pictures[:-1:2], self._pictures[-1]]

    def picture_by(self, day: float) -> bytes | None:
        """Return the last picture that was kept by a day."""
        kept = _up_to(self._pictures, day)
        return kept[-1][1] if kept else None

    def leave_by_hand(self, line: int) -> None:
        """Note that a line was ended by hand."""
        self._left_by_hand[line] = self.day

    def on(self, day: float) -> Seen:
        """Return what was noted by a day, on it or before; of days before the first, the growth."""
        if day < self._states[0][0]:
            return self._growing(day)
        at = max(bisect_right(self._states, day, key=_day) - 1, 0)
        noted, line, cells, volume_cm3, sld_mm, _ = self._states[at]
        taken = _up_to(self._taken, noted)[bisect_left(self._taken, noted, key=_day) :]
        regimen = next((each.regimen for each in reversed(self._lines) if each.start_day <= noted), "")
        return Seen(
            day=noted,
            line=line,
            regimen=regimen if line else "",
            cells=cells,
            volume_cm3=volume_cm3,
            sld_mm=sld_mm,
            living=[row for row in self._clones.on(noted) if row[1] > 0],
            concentrations={drug: relative for _, drug, relative in taken},
        )

    def _growing(self, day: float) -> Seen:
        """Return what is drawn of the growth before the first day."""
        known = [
            (genotype, round(float(self.growth.on(genotype, np.array([day]))[0])))
            for genotype in self.growth.cells
        ]
        cells = sum(number for _, number in known)
        share = cells / max(self._states[0][2], 1)
        return Seen(
            day=day,
            line=0,
            regimen="",
            cells=cells,
            volume_cm3=self._states[0][3] * share,
            sld_mm=self._states[0][4] * share ** (1 / 3),
            living=[(genotype, number, None) for genotype, number in known if number],
            concentrations={},
        )

    @property
    def reference_volume_cm3(self) -> float:
        """Volume of a tumour that fills the picture: well above that of enrolment, and all since."""
        sizes = [size_of(volume_cm3, cells) for _, _, cells, volume_cm3, *_ in self._states]
        first, most = sizes[0], max(sizes)
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

    @property
    def line_starts(self) -> list[float]:
        """Days on which lines of therapy began, the first first."""
        return list({each.line: each.start_day for each in reversed(self._lines)}.values())[::-1]

    @property
    def changed_in_line(self) -> bool:
        """Whether drugs or doses have changed within a line."""
        return len({each.line for each in self._lines}) < len(self._lines)

    @property
    def reduced(self) -> bool:
        """Whether a drug was given at another dose than the standard one."""
        return any(dosing.get("dose", 1.0) != 1.0 for each in self._lines for dosing in each.dosings)

    def earlier_regimens(self, today: str) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return what lines began with, the first first, but for the regimen of today: name and dosings."""
        began = {segment.line: segment for segment in reversed(self._lines)}
        given = {segment.regimen: segment.dosings for segment in reversed(began.values())}
        return [(regimen, dosings) for regimen, dosings in given.items() if dosings and regimen != today]

    def twin(self) -> Record:
        """Return a copy that goes its own way from here."""
        return self.until(self.day)

    def until(self, day: float) -> Record:
        """Return what was noted up to a day, to go its own way from there."""
        other = copy.copy(self)
        other._states = _up_to(self._states, day)
        other._clones, other._taken = self._clones.until(day), _up_to(self._taken, day)
        other._pictures = _up_to(self._pictures, day)
        other._leaders = _up_to(self._leaders, day)
        other._lines = [segment.until(day) for segment in self._lines if segment.start_day <= day]
        other._left_by_hand = {line: left for line, left in self._left_by_hand.items() if left <= day}
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
            clones=self._clones.table(),
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

    def until(self, day: float) -> _Segment:
        """Return what was known of it on a day."""
        known = copy.copy(self)
        if known.end_day is not None and known.end_day > day:
            known.end_day = None
        return known


def size_of(volume_cm3: float, cells: int) -> float:
    """Return what a tumour is drawn by: its volume; cells where none is known, of a bare population."""
    return volume_cm3 if volume_cm3 == volume_cm3 else float(cells)


def _up_to(rows: list[_Row], day: float) -> list[_Row]:
    """Return the rows of days up to one; they are in the order of their days."""
    return rows[: bisect_right(rows, day, key=_day)]


def _day(row: tuple[Any, ...]) -> float:
    return float(row[0])


def _frame(rows: Sequence[tuple[Any, ...]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")
