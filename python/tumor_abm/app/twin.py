"""One tumour on the page: a model, what was seen of it, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumor_abm._base.genotype import Genotype
from tumor_abm.app.record import Record
from tumor_abm.errors import InputError
from tumor_abm.model import TumorModel
from tumor_abm.plots import tumour as pictures
from tumor_abm.plots.course import Course, plot_course
from tumor_abm.plots.genotypes import OTHERS, Palette

Regimen = Sequence[str | dict[str, Any]]
"""Drugs given together: names, or tables as in an experiment."""

SHOWN_GENOTYPES = 6
"""Genotypes that the legend names; smaller ones are added up."""

_TAKEN = ("taken", "off day")
_MOST_KINDS = 249
_COLOURS_AT_FIRST = 8
_SEEN_FROM = 0.01
_SEEN_TOGETHER = 0.9
_ROOM = 1.1

_Cell = TypeVar("_Cell", np.uint8, np.float64)


@dataclass(frozen=True)
class LegendRow:
    """A genotype as the legend shows it.

    Attributes
    ----------
    name, genotype, colour
        Which one; no genotype where smaller ones are added up.
    cells, share
        Living cells, and their share.
    net_growth
        Division minus death today, per day.
    """

    name: str
    genotype: Genotype | None
    colour: str
    cells: float
    share: float
    net_growth: float | None


class Twin:
    """A patient on the page, who can be stepped, treated, forked and drawn.

    Parameters
    ----------
    model
        The patient.
    name
        Of the strategy, as the page says it.
    palette
        Colours of genotypes, shared by twins.
    record
        What was seen so far; begun today if there is none.

    Attributes
    ----------
    view
        From where a solid tumour is seen.
    cure_told
        Whether the page has said that no cell is left.
    """

    def __init__(
        self, model: TumorModel, name: str, palette: Palette | None = None, record: Record | None = None
    ) -> None:
        self.model, self.name = model, name
        self.palette = palette or Palette()
        self.record = record or Record(model)
        self.view = "surface"
        self.cure_told = False
        self._reach = self._reach_shown = 0
        self.palette.give(self.record.founder)
        self._give_colours(at_most=_COLOURS_AT_FIRST)

    def _give_colours(self, at_most: int | None = None) -> None:
        """Give colours to genotypes that are seen, or to the largest ones however rare."""
        living = self.model.genotypes.sort("cells", descending=True)
        larger = pl.col("fraction").cum_sum() - pl.col("fraction")
        seen = (pl.col("fraction") >= _SEEN_FROM) | (larger < _SEEN_TOGETHER)
        chosen = living.head(at_most) if at_most else living.filter(seen)
        for carried in chosen["alterations"]:
            self.palette.give(tuple(carried))

    @property
    def founder(self) -> list[str]:
        """Alterations of the first cell."""
        return sorted(self.record.founder)

    @property
    def solid(self) -> bool:
        """Whether the tumour has three dimensions to look at."""
        sites = self.model.sites
        return sites is not None and sites.genotype.ndim == 3

    def advance(self, days: int) -> None:
        """Live so many days, or until follow-up ends.

        What interrupts it (see `interruption`) leaves the twin on the day that it has reached.
        """
        steps_per_day = max(1, round(1 / self.model.dt))
        taken = round(self.model.day / self.model.dt)
        last = (taken // steps_per_day + days) * steps_per_day
        try:
            while True:
                whole = taken % steps_per_day == 0 or not self.model.running
                if whole and self.model.day > self.record.day:
                    self.record.note(self.model)
                if taken >= last or not self.model.running:
                    return
                self.model.step()
                taken += 1
        finally:
            self._give_colours()

    def fork(self, name: str, strategy: Any = None) -> Twin:
        """Return a twin with the same past, from today on under another strategy."""
        model, record = self.model.fork(strategy), self.record.twin()
        record.note_line(model)
        twin = Twin(model, name, self.palette, record)
        twin.cure_told = self.cure_told
        return twin

    def course(self) -> Course:
        """Return all that was seen so far."""
        return self.record.course(self.model)

    def figure(self, *, columns: int, width_in: float, height_in: float | None = None) -> Figure:
        """Draw the course so far."""
        return plot_course(
            self.course(), self.palette, columns=columns, width_in=width_in, height_in=height_in
        )

    def legend(self) -> list[LegendRow]:
        """Return the genotypes from the most to the least frequent."""
        living = self.model.genotypes.sort("cells", descending=True)
        rows = [
            LegendRow(
                name=row["genotype"],
                genotype=tuple(row["alterations"]),
                colour=self.palette[tuple(row["alterations"])],
                cells=row["cells"],
                share=row["fraction"],
                net_growth=row["division"] - row["death"],
            )
            for row in living.head(SHOWN_GENOTYPES).iter_rows(named=True)
        ]
        rest = living.slice(SHOWN_GENOTYPES)
        if rest.height:
            cells, share = float(rest["cells"].sum()), float(rest["fraction"].sum())
            rows.append(LegendRow(f"{rest.height} more", None, "#FFFFFF", cells, share, None))
        return rows

    def give(self, drugs: Regimen, *, new_line: bool) -> None:
        """Give these drugs and no others from today on.

        Raises
        ------
        InputError
            They are taken already, or cannot be given.
        """
        running = {dosing["drug"]: dosing for dosing in self.model.dosings}
        taken = {
            row["drug"]
            for row in self.model.drugs.to_dicts()
            # A pause for neutropenia ends by itself: to give the drug again would not end it.
            if row["state"] in _TAKEN or row["held_for"] == "neutrophils"
        }
        wanted = [{"drug": drug, "dose": 1.0} if isinstance(drug, str) else drug for drug in drugs]
        if taken == {dosing["drug"] for dosing in wanted} and all(
            running[dosing["drug"]].items() >= dosing.items() for dosing in wanted
        ):
            raise InputError(f"{self.model.regimen} is taken already; choose other drugs")
        self.model.intervene(list(drugs), new_line=new_line)
        self.record.note_line(self.model)

    def picture(self, pixels: int = pictures.PIXELS) -> bytes:
        """Draw the tumour of today as PNG."""
        sites = self.model.sites
        if sites is None:
            return self._disc(pixels)
        codes, colours = self._ranked(sites.genotype)
        if codes.ndim == 2:
            return pictures.section(self._placed(codes, sites.origin, 0), colours, pixels)
        if self.view == "section":
            middle = min(max(-sites.origin[2], 0), codes.shape[2] - 1)
            return pictures.section(self._placed(codes[:, :, middle], sites.origin, 0), colours, pixels)
        seen, heights = pictures.from_above(codes)
        placed = self._placed(seen, sites.origin, 0), self._placed(heights, sites.origin, np.nan)
        return pictures.surface(placed[1], placed[0], colours, pixels)

    def _ranked(self, genotype: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], list[str]]:
        """Recode sites so that rarer genotypes have higher codes; return codes, and colours by code."""
        largest = self.model.genotypes.sort("cells", descending=True).head(_MOST_KINDS)
        living = [tuple(carried) for carried in largest["alterations"]]
        rank = {carried: code for code, carried in enumerate(living, 1)}
        kinds = self.model.genotype_alterations
        code_of = np.array([0, *(rank.get(carried, len(living) + 1) for carried in kinds)], dtype=np.uint8)
        return code_of[genotype], [*(self.palette[carried] for carried in living), OTHERS]

    def _placed(self, plane: NDArray[_Cell], origin: tuple[int, ...], free: float) -> NDArray[_Cell]:
        """Put a plane ``(x, y)`` of the tumour where it lies in a square that shows all it ever took."""
        ends = [(low, low + size) for low, size in zip(origin, plane.shape, strict=False)]
        self._reach = max(self._reach, *(max(-low, high) for low, high in ends))
        if self._reach_shown < self._reach:
            self._reach_shown = int(self._reach * _ROOM) + 1
        whole = np.full((2 * self._reach_shown,) * 2, free, dtype=plane.dtype)
        (left, right), (bottom, top) = [
            (low + self._reach_shown, high + self._reach_shown) for low, high in ends
        ]
        whole[left:right, bottom:top] = plane
        return np.ascontiguousarray(whole.T[::-1])

    def _disc(self, pixels: int) -> bytes:
        living = self.model.genotypes.sort("cells", descending=True)
        parts = living.select("fraction", "alterations").iter_rows()
        rows = [(share, self.palette[tuple(carried)]) for share, carried in parts]
        rest = sum(share for share, _ in rows[_MOST_KINDS:])
        ordered = sorted([*rows[:_MOST_KINDS], (rest, OTHERS)], key=lambda row: row[1])
        diameter = (self.model.volume_cm3 / self.record.reference_volume_cm3) ** (1 / 3)
        return pictures.disc(
            [share for share, _ in ordered], [colour for _, colour in ordered], float(diameter), pixels
        )
