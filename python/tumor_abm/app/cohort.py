"""The patients of a finished run: what each lived through, and where one lies among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.analysis.between_sets import SET
from tumor_abm.analysis.endpoints import OS, PFS1, PFS_FROM_START, Endpoint
from tumor_abm.analysis.survival import KaplanMeier, kaplan_meier
from tumor_abm.errors import InputError
from tumor_abm.plots.shown_patients import spread_out
from tumor_abm.plots.swimmer import colour_of_line
from tumor_abm.run.results import Results

MOST_SHOWN = 60
"""Patients that are listed; of more, those who lie evenly from the longest to the shortest time."""


@dataclass(frozen=True)
class Place:
    """Where a patient lies in an arm.

    Attributes
    ----------
    months, event
        The patient's time, and whether it ended with the event.
    free_pct
        Patients of the arm without the event at that time, by Kaplan and Meier.
    """

    months: float
    event: bool
    free_pct: float


class FinishedRun:
    """A finished run as the page shows it.

    Parameters
    ----------
    name
        Of the run.
    results
        Of an experiment.
    """

    def __init__(self, name: str, results: Results) -> None:
        self.name, self.results = name, results
        self._observed: dict[str, pl.DataFrame] = {}
        self._curves: dict[str, KaplanMeier] = {}

    @classmethod
    def of(cls, directory: Path) -> FinishedRun:
        """Open the directory of a run.

        Raises
        ------
        InputError
            It holds no finished run of an experiment, or its patients lived by several sets of parameters.
        """
        results = Results.load(directory)
        if "arm" not in results.experiment:
            raise InputError("not the run of an experiment: it has no arms", file=directory)
        if SET in results.scan("overall").collect_schema():
            raise InputError(
                "the patients of this run lived by several sets of parameters, which the page cannot give "
                "them; run the experiment without --ensemble",
                file=directory,
            )
        return cls(directory.resolve().name, results)

    @cached_property
    def patients(self) -> frozenset[int]:
        """Numbers of the patients."""
        enrolled = self.results.scan("overall").select(pl.col("patient").unique()).collect()
        return frozenset(enrolled["patient"])

    def endpoint(self, arm: str) -> Endpoint:
        """Return what is timed in an arm: PFS of the first line, where it has a meaning."""
        experiment = self.results.experiment
        timed = (each for each in (PFS1, PFS_FROM_START, OS) if each.undefined(experiment, arm) is None)
        return next(timed, PFS1)

    def observed(self, arm: str) -> pl.DataFrame:
        """Return ``patient, months, event`` of an arm, the longest time first."""
        if arm not in self._observed:
            rows = self.endpoint(arm).observations(self.results).filter(pl.col("arm").cast(pl.String) == arm)
            self._observed[arm] = rows.drop("arm").sort("months", "patient", descending=[True, False])
        return self._observed[arm]

    def curve(self, arm: str) -> KaplanMeier:
        """Return the estimate of an arm."""
        if arm not in self._curves:
            observed = self.observed(arm)
            self._curves[arm] = kaplan_meier(observed["months"], observed["event"])
        return self._curves[arm]

    def place(self, arm: str, patient: int) -> Place | None:
        """Return where a patient lies in an arm; ``None`` if nothing was timed."""
        own = self.observed(arm).filter(patient=patient)
        if own.is_empty():
            return None
        _, months, event = own.row(0)
        return Place(months, event, 100 * float(self.curve(arm).at([months])[0]))

    def lives(self, arm: str, patient: int | None = None) -> list[dict[str, Any]]:
        """Return patients of an arm, the longest time first, each with the lines lived through.

        Parameters
        ----------
        arm
            Name of the arm.
        patient
            One who is listed in any case.

        Returns
        -------
        list
            ``patient``, ``months``, ``event``, and ``bars``: ``from`` and ``until`` in months, ``colour``,
            and what is said of the line.
        """
        observed = self.observed(arm)
        listed = spread_out(observed, MOST_SHOWN)["patient"].to_list()
        rows = observed.filter(pl.col("patient").is_in([*listed, *([] if patient is None else [patient])]))
        bars = self._bars(arm, rows["patient"].to_list())
        return [
            {"patient": number, "months": round(months, 1), "event": event, "bars": bars.get(number, [])}
            for number, months, event in rows.select("patient", "months", "event").iter_rows()
        ]

    def _bars(self, arm: str, patients: list[int]) -> dict[int, list[dict[str, Any]]]:
        lines = (
            self.results.scan("outcomes")
            .filter((pl.col("arm").cast(pl.String) == arm) & pl.col("patient").is_in(patients))
            .select(
                "patient", "line", pl.col("regimen", "end_reason").cast(pl.String), "start_day", "end_day"
            )
            .sort("patient", "line")
            .collect()
        )
        bars: dict[int, list[dict[str, Any]]] = {}
        for patient, line, regimen, reason, start, end in lines.iter_rows():
            bar = {
                "from": round(start / DAYS_PER_MONTH, 2),
                "until": round(end / DAYS_PER_MONTH, 2),
                "colour": colour_of_line(line),
                "said": f"line {line}: {regimen}, {reason}",
            }
            bars.setdefault(patient, []).append(bar)
        return bars
