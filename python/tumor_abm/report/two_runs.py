"""The page of two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.files import write_whole
from tumor_abm._base.paths import path_of
from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.answers import Answer, answers
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.endpoints import endpoint
from tumor_abm.analysis.estimates_in_words import (
    hazard_ratio_text,
    median_text,
    p_text,
    signed_text,
)
from tumor_abm.analysis.two_runs import TwoRuns, two_runs
from tumor_abm.plots import plot_kaplan_meier
from tumor_abm.report.figures import ReportFigure
from tumor_abm.report.page import DrawnFigure, FigureDrawer, told
from tumor_abm.report.rendering import render
from tumor_abm.report.strip import Strip, strips
from tumor_abm.run.results import Results

FILE = "side_by_side.html"
_MOST_KEYS = 100
"""Keys in which experiments differ that the page shows."""
_MOST_LETTERS = 120


def write_two_runs(first: Results, second: Results, names: tuple[str, str], directory: str | Path) -> Path:
    """Write ``side_by_side.html`` of two runs into `directory` and return its path.

    Parameters
    ----------
    first, second
        Of experiments with at least one arm of the same name.
    names
        What the runs are called on the page; if both are called alike, they are numbered.
    directory
        Where to.

    Raises
    ------
    InputError
        They share no arm, or one is no run of an experiment.
    """
    must_be("names", names, tuple)
    found = two_runs(first, second)
    one, other = names if names[0] != names[1] else (f"{names[0]} (1)", f"{names[1]} (2)")
    path = path_of("directory", directory) / FILE
    page = render("two_runs.html", _parts(found, (one, other)))
    write_whole(path, lambda draft: draft.write_text(page, encoding="utf-8"))
    return path


def _parts(found: TwoRuns, names: tuple[str, str]) -> dict[str, Any]:
    runs = (found.first, found.second)
    title = " and ".join(dict.fromkeys(str(run.experiment.get("title", "Experiment")) for run in runs))
    patients = " and ".join(str(run.enrolled) for run in runs)
    return {
        "title": title,
        "question": " / ".join(dict.fromkeys(str(run.experiment.get("question", "")) for run in runs)),
        "facts": f"Two runs side by side: {names[0]} and {names[1]}; {patients} virtual patients",
        "whose": "These patients",
        "runs": [_told(run, name) for run, name in zip(runs, names, strict=True)],
        "differences": _differences(found, names),
        "arms": _arms(found, names),
        "figures": list(_figures(found, names)),
    }


def _told(run: Results, name: str) -> dict[str, Any]:
    comparison = compare(run)
    said: list[Answer] = answers(comparison)
    arms: list[Strip] = strips(run)
    return {"name": name, "answers": said, "strips": arms, "provenance": told(run.provenance)}


def _differences(found: TwoRuns, names: tuple[str, str]) -> Section:
    rows = [[key, *(_shortened(value) for value in values)] for key, *values in found.differences.iter_rows()]
    more = len(rows) - _MOST_KEYS
    remarks = [f"{more} more keys differ."] if more > 0 else []
    for name, alone in zip(names, found.only, strict=True):
        remarks += [f"Only {name} has: {', '.join(alone)}."] if alone else []
    note = (
        "Keys of the experiments as they were run." if rows else "The experiments are the same, key by key."
    )
    return Section(
        title="What differs",
        note=note,
        header=["Key", *names],
        rows=rows[:_MOST_KEYS],
        remarks=tuple(remarks),
    )


def _shortened(value: str | None) -> str:
    if value is None:
        return NOTHING
    return value if len(value) <= _MOST_LETTERS else f"{value[:_MOST_LETTERS]} …"


def _arms(found: TwoRuns, names: tuple[str, str]) -> Section:
    who = (
        "The patients are the same, so intervals are paired by patient: what the simulation knows."
        if found.same_patients
        else "The patients are others, so intervals are those of independent groups."
    )
    note = (
        f"Median months (95% CI), and {names[1]} against {names[0]}: hazard ratio, and "
        f"difference of the mean months without the event. {who}"
    )
    return Section(
        title="Arms of the same name",
        note=note,
        header=["Arm", "endpoint", *names, "HR (95% CI)", "p", "difference (95% CI)"],
        rows=[_row(row, paired=found.same_patients) for row in found.table.iter_rows(named=True)],
    )


def _row(row: dict[str, Any], *, paired: bool) -> list[str]:
    known = "paired_" if paired else ""
    difference = NOTHING
    if row["rmst_difference"] is not None:
        lo, hi = (signed_text(row[f"rmst_difference_{end}"]) for end in ("lo", "hi"))
        difference = f"{signed_text(row['rmst_difference'])} ({lo} to {hi})"
    return [
        row["arm"],
        row["endpoint"],
        *(
            median_text(*(row[f"{side}_{of}"] for of in ("median_months", "lo", "hi")))
            for side in ("first", "second")
        ),
        hazard_ratio_text(row["hr"], row[f"{known}hr_lo"], row[f"{known}hr_hi"]),
        p_text(row[f"{known}p"]),
        difference,
    ]


def _figures(found: TwoRuns, names: tuple[str, str]) -> Iterator[DrawnFigure]:
    """Draw the curves of both runs, a figure per endpoint and arm."""
    drawer = FigureDrawer(Path(), lambda drawn: None)
    for arm in found.arms:
        both = _together(found, names, arm)
        for name in found.table.filter(arm=arm)["endpoint"]:
            timed = endpoint(both, name)
            figure = ReportFigure(
                title=f"{arm}: {timed.name}",
                see="Where both curves lie on each other, what differs does not matter to this arm.",
                source="",
                draw=partial(plot_kaplan_meier, both, timed, titled=False),
            )
            yield drawer.draw(figure)


def _together(found: TwoRuns, names: tuple[str, str], arm: str) -> Results:
    """Return an arm of both runs as two arms of one, for figures alone.

    Patients of runs that are not of the same ones get numbers of their own, so that nothing pairs them.
    """
    arms: list[dict[str, Any]] = []
    tables: dict[str, list[pl.DataFrame]] = {"outcomes": [], "overall": []}
    apart = 0 if found.same_patients else _beyond(found.first)
    for run, name, shift in zip((found.first, found.second), names, (0, apart), strict=True):
        (written,) = (each for each in run.experiment["arm"] if each["name"] == arm)
        arms.append(written | {"name": name})
        for table, parts in tables.items():
            own = run.scan(table).filter(pl.col("arm").cast(pl.String) == arm)
            patient = pl.col("patient").cast(pl.Int64) + shift
            parts.append(own.with_columns(patient, arm=pl.lit(name)).collect())
    experiment = found.first.experiment | {"arm": arms, "control": names[0]}
    whole = {name: pl.concat(parts, how="diagonal_relaxed") for name, parts in tables.items()}
    return Results(whole, experiment, {})


def _beyond(run: Results) -> int:
    """Return a number that no patient of a run has, nor any after it."""
    return 1 + int(run.scan("overall").select(pl.col("patient").max()).collect().item() or 0)
