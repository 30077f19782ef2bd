"""One tumour on the page: a model, what was seen of it, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tumor_abm._base.genotype import Genotype, named
from tumor_abm.app.checkpoints import Checkpoints
from tumor_abm.app.deed import Kind
from tumor_abm.app.record import OF_A_GENOTYPE, Record, Seen, size_of
from tumor_abm.errors import InputError
from tumor_abm.model import TumorModel
from tumor_abm.model.sites import Sites
from tumor_abm.plots import tumour as pictures
from tumor_abm.plots.course import Course
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
    checkpoints
        Earlier states; begun today if there are none.

    Attributes
    ----------
    view
        From where a solid tumour is seen.
    cure_told
        Whether the page has said that no cell is left.
    """

    def __init__(
        self,
        model: TumorModel,
        name: str,
        palette: Palette | None = None,
        record: Record | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.model, self.name = model, name
        self.palette = palette or Palette()
        self.record = record or Record(model)
        self.checkpoints = checkpoints or Checkpoints(model)
        self.view = "surface"
        self.cure_told = False
        self._reach = self._reach_shown = 0
        self.palette.give(self.record.founder)
        self._give_colours(at_most=_COLOURS_AT_FIRST)

    def _give_colours(self, at_most: int | None = None) -> None:
        """Give colours to genotypes that are seen or in the legend, or to the largest ones however rare."""
        living = self._living()
        total, larger = max(sum(cells for _, cells, _ in living), 1), 0.0
        for place, (genotype, cells, _) in enumerate(living[:at_most]):
            is_seen = cells / total >= _SEEN_FROM or larger < _SEEN_TOGETHER or place < SHOWN_GENOTYPES
            if not (at_most or is_seen):
                break  # nor are the smaller ones
            self.palette.give(genotype)
            larger += cells / total

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
        """Live so many days, or until follow-up ends, as `reach` does."""
        self.reach(self.model.day + days)

    def reach(self, day: float) -> None:
        """Live up to a day, or until follow-up ends.

        What interrupts it (see `interruption`) leaves the twin on the day that it has reached.
        """
        steps_per_day = max(1, round(1 / self.model.dt))
        taken, last = round(self.model.day / self.model.dt), round(day / self.model.dt)
        try:
            while True:
                whole = taken % steps_per_day == 0 or not self.model.running
                if whole and self.model.day > self.record.day:
                    self.record.note(self.model)
                    self.checkpoints.note(self.model)
                if taken >= last or not self.model.running:
                    return
                self.model.step()
                taken += 1
        finally:
            self._give_colours()

    def note(self) -> None:
        """Note today, which was reached from elsewhere."""
        self.record.note(self.model)
        self._give_colours()

    def fork(self, name: str, strategy: Any = None) -> Twin:
        """Return a twin with the same past, from today on under another strategy."""
        model, record = self.model.fork(strategy), self.record.twin()
        if strategy is not None:
            record.leave_by_hand(self.model.line)
        record.note_line(model)
        twin = Twin(model, name, self.palette, record, self.checkpoints.until(model.day))
        twin.checkpoints.fix(model)
        twin.cure_told = self.cure_told
        return twin

    def until(self, day: float) -> Twin:
        """Return this twin as it was on a day that it has lived."""
        if day >= self.model.day:
            return self
        model = self.checkpoints.before(day)
        record = self.record.until(model.day)
        twin = Twin(model, self.name, self.palette, record, self.checkpoints.until(model.day))
        twin.reach(day)
        twin.view = self.view
        twin.cure_told = twin.record.cured_day is not None
        return twin

    def treat(self, kind: Kind, what: Regimen) -> None:
        """Do something by hand, from today on.

        Raises
        ------
        InputError
            It cannot be done.
        """
        if kind in ("line", "change"):
            self.give(what, new_line=kind == "line")
        elif kind == "stop":
            self.stop(str(what[0]))
        elif kind == "hold":
            self.model.hold(*map(str, what))
        else:
            self.model.resume(*map(str, what))
        self.record.note_line(self.model)
        self.checkpoints.fix(self.model)

    def stop(self, drug: str) -> None:
        """Give one drug less; the last one of a line is held, for the line goes on."""
        taken = [dosing["drug"] for dosing in self.model.dosings]
        if taken == [drug]:
            self.model.hold(drug)
        else:
            self.model.stop(drug)

    def course(self) -> Course:
        """Return all that was seen so far."""
        return self.record.course(self.model)

    def legend(self) -> list[LegendRow]:
        """Return the genotypes from the most to the least frequent."""
        return self._legend(self._living())

    def legend_on(self, seen: Seen) -> list[LegendRow]:
        """Return the legend of an earlier day."""
        return self._legend(sorted(seen.living, key=_cells, reverse=True))

    def _legend(self, ordered: Sequence[tuple[Genotype, int, float | None]]) -> list[LegendRow]:
        total = max(sum(cells for _, cells, _ in ordered), 1)
        rows = [
            LegendRow(named(genotype), genotype, self.palette[genotype], cells, cells / total, net)
            for genotype, cells, net in ordered[:SHOWN_GENOTYPES]
        ]
        rest = sum(cells for _, cells, _ in ordered[SHOWN_GENOTYPES:])
        if rest:
            more = len(ordered) - SHOWN_GENOTYPES
            rows.append(LegendRow(f"{more} more", None, "#FFFFFF", rest, rest / total, None))
        return rows

    @property
    def individuals(self) -> int | None:
        """Cells, real ones, that have a place on the lattice today; ``None`` without a lattice."""
        sites = self.model.sites
        return None if sites is None else int(np.count_nonzero(sites.genotype)) * self.model.scale

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
        left = self.model.line
        self.model.intervene(list(drugs), new_line=new_line)
        if new_line:
            self.record.leave_by_hand(left)

    def picture(self, pixels: int = pictures.PIXELS) -> bytes:
        """Draw the tumour of today as PNG: cells that are counted only as dots, those with a place there."""
        sites = self.model.sites
        if sites is not None and sites.genotype.any():
            drawn = self._lattice(sites, pixels)
        else:
            size = size_of(self.model.volume_cm3, self.model.cells)
            drawn = self._disc(self._living(), size, pixels)
        if sites is not None:
            self.record.keep_picture(self.model.day, drawn)
        return drawn

    def picture_on(self, seen: Seen, pixels: int = pictures.PIXELS) -> bytes:
        """Draw the tumour of an earlier day; of a lattice, the last picture that was drawn by then."""
        kept = self.record.picture_by(seen.day)
        if kept is not None:
            return kept
        living = sorted(seen.living, key=_cells, reverse=True)
        return self._disc(living, size_of(seen.volume_cm3, seen.cells), pixels)

    def _lattice(self, sites: Sites, pixels: int) -> bytes:
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
        living = [genotype for genotype, _, _ in self._living()[:_MOST_KINDS]]
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

    def _living(self) -> list[tuple[Genotype, int, float]]:
        """Return the genotypes of today, the most frequent first, with cells and net growth per day."""
        columns = self.model.genotypes.select(OF_A_GENOTYPE).iter_rows()
        rows = [(tuple(carried), cells, division - death) for carried, cells, division, death in columns]
        return sorted(rows, key=_cells, reverse=True)

    def _disc(self, ordered: Sequence[tuple[Genotype, int, float | None]], size: float, pixels: int) -> bytes:
        rows = [(float(cells), self.palette[genotype]) for genotype, cells, _ in ordered]
        rest = sum(cells for cells, _ in rows[_MOST_KINDS:])
        shown = sorted([*rows[:_MOST_KINDS], (rest, OTHERS)], key=lambda row: row[1])
        diameter = (size / self.record.reference_volume_cm3) ** (1 / 3)
        return pictures.disc(
            [share for share, _ in shown], [colour for _, colour in shown], float(diameter), pixels
        )


def _cells(row: tuple[Genotype, int, float | None]) -> int:
    return row[1]
