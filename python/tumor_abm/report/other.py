"""Pages of studies of evolution and of batches, and which page a directory gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import tomli_w
from markupsafe import Markup

from tumor_abm._base.files import write_whole
from tumor_abm._base.paths import path_of
from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.division import Cut
from tumor_abm.batch import Batch
from tumor_abm.errors import InputError
from tumor_abm.plots import plot_maps, plot_muller, plot_neutrality, plot_spectra, svg
from tumor_abm.plots.batch import headline_figures
from tumor_abm.report.page import DrawnFigure, told, write_report
from tumor_abm.report.rendering import render
from tumor_abm.run.results import Results, without_none
from tumor_abm.study import summarise

_MOST_ROWS = 200
"""Rows of a table that a page shows; the whole table lies beside it."""


def write_any_report(
    results: Results, directory: str | Path, out: str | Path, *, by: Sequence[str | Cut] = ()
) -> Path:
    """Write ``report.html`` of a finished run, study or batch, and return its path.

    Parameters
    ----------
    results
        What `Results.load` read in `directory`.
    directory
        Where it was read.
    out
        Where the page goes.
    by
        Covariates of subgroups; of a run alone.

    Raises
    ------
    InputError
        Subgroups are asked for where there are no arms, or the directory holds something else.
    """
    experiment = results.experiment
    if "arm" in experiment and "axis" not in experiment:
        return write_report(results, out, by=by)
    if by:
        raise InputError(key="by", found=list(by), allowed="subgroups of a run of an experiment with arms")
    if "axis" in experiment:
        return _write(_of_batch(Batch.open(directory)), out)
    if "scenario" in experiment:
        return _write(_of_study(results, path_of("directory", directory)), out)
    raise InputError("neither a run, a study nor a batch", file=directory)


def _write(parts: dict[str, Any], out: str | Path) -> Path:
    path = path_of("directory", out) / "report.html"
    page = render("tables.html", parts)
    write_whole(path, lambda draft: draft.write_text(page, encoding="utf-8"))
    return path


def _of_study(results: Results, directory: Path) -> dict[str, Any]:
    figures = [
        ("Site-frequency spectra", "Neutral growth lies on the line of the 1/f law.", plot_spectra),
        ("Tests of neutrality", "How far each tumour departs from it.", plot_neutrality),
        ("Where the clones are", "How clones are mixed in space.", plot_maps),
        ("How the clones grew", "Descendants lie inside their parent.", plot_muller),
    ]
    drawn = []
    for title, see, plot in figures:
        figure = plot(results)
        if figure is not None:
            drawn.append(DrawnFigure(title=title, see=see, svg=Markup(svg(figure, title)), file=""))
    scenarios = len(results.experiment["scenario"])
    facts = f"{scenarios} scenarios, {results['tumours'].height} tumours"
    table = _section("The scenarios side by side", "Medians over tumours.", summarise(results))
    return _parts(results.experiment, results.provenance, facts, "These tumours", [table], drawn)


def _of_batch(batch: Batch) -> dict[str, Any]:
    summary = batch.summary()
    drawn = [
        DrawnFigure(title=name, see=_SEE, svg=Markup(svg(draw(), name)), file=_beside(batch))
        for name, draw in headline_figures(batch, summary)
    ]
    facts = f"{batch.points.height} points, {batch.runs.height} runs, of which {batch.failed.height} failed"
    note = "Every number with its Monte Carlo error (se) and what it rests on (n)."
    tables = [_section("Statistics of the points", note, summary)]
    if batch.failed.height:
        tables.append(_section("Runs that failed", "", batch.failed))
    return _parts(batch.study, batch.provenance, facts, "What was simulated", tables, drawn)


_SEE = "How the statistic moves along the axes; bars are its Monte Carlo error."


def _beside(batch: Batch) -> str:
    return "summary.csv" if (batch.directory / "summary.csv").is_file() else ""


def _parts(
    experiment: dict[str, Any],
    provenance: dict[str, Any],
    facts: str,
    whose: str,
    tables: Iterable[Section],
    figures: Iterable[DrawnFigure],
) -> dict[str, Any]:
    return {
        "title": str(experiment.get("title", "")),
        "question": str(experiment.get("question", "")),
        "facts": f"{facts}; seed {experiment.get('seed', 'not recorded')}",
        "whose": whose,
        "tables": list(tables),
        "figures": list(figures),
        "provenance": told(provenance),
        "as_run": "As it was run",
        "experiment": tomli_w.dumps(without_none(experiment)),
    }


def _section(title: str, note: str, table: pl.DataFrame) -> Section:
    """Word a table; of a long one the first rows."""
    more = table.height - _MOST_ROWS
    return Section(
        title=title,
        note=note,
        header=table.columns,
        rows=[[_cell(value) for value in row] for row in table.head(_MOST_ROWS).iter_rows()],
        remarks=(f"{more} more rows stand in the table itself.",) if more > 0 else (),
    )


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:.4g}" if isinstance(value, float) else str(value)
