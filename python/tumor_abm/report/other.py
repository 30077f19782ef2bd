"""Pages of studies of evolution, of batches and of predictions, and which page a directory gets."""

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
from tumor_abm.evolution.neutrality import NEUTRAL_FROM
from tumor_abm.plots import plot_maps, plot_muller, plot_neutrality, plot_spectra, svg
from tumor_abm.plots.batch import headline_figures
from tumor_abm.plots.statistic import statistic_in_words
from tumor_abm.report.page import DrawnFigure, FigureDrawer, told, write_report
from tumor_abm.report.prediction import facts_of, prediction_figures, sections_of
from tumor_abm.report.rendering import render
from tumor_abm.run.results import Results, without_none
from tumor_abm.study import summarise
from tumor_abm.trials import Prediction

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
        return _write(_of_batch(Batch.open(directory), path_of("directory", out)), out)
    if "scenario" in experiment:
        return _write(_of_study(results, path_of("directory", out)), out)
    raise InputError("neither a run, a study nor a batch", file=directory)


def write_prediction(prediction: Prediction, out: str | Path) -> Path:
    """Write ``report.html`` of predictions of trials into `out`, and return its path.

    Parameters
    ----------
    prediction
        Of any trials; where these have published, and what may be known of it, is laid beside.
    out
        Where the page goes.
    """
    drawer = FigureDrawer(path_of("directory", out), lambda drawn: None)
    made = prediction.provenance
    run = {"trials": made["trials"], "seed": made["seed"], "patients": made["patients"]}
    parts = _parts(
        run | {"parameter_set": made["sets"]},
        {key: value for key, value in made.items() if key not in ("trials", "sets")},
        facts_of(prediction),
        "These patients",
        sections_of(prediction),
        [drawer.draw(figure) for figure in prediction_figures(prediction)],
    )
    titled = {"title": "Predictions of trials", "question": "What would these trials report?"}
    return _write(parts | titled, out)


def _write(parts: dict[str, Any], out: str | Path) -> Path:
    path = path_of("directory", out) / "report.html"
    page = render("tables.html", parts)
    write_whole(path, lambda draft: draft.write_text(page, encoding="utf-8"))
    return path


def _of_study(results: Results, out: Path) -> dict[str, Any]:
    figures = [
        (
            "Site-frequency spectra",
            "Neutral growth lies on the line of the 1/f law.",
            "spectrum",
            plot_spectra,
        ),
        ("Tests of neutrality", "How far each tumour departs from it.", "variants", plot_neutrality),
        ("Where the clones are", "How clones are mixed in space.", "cells", plot_maps),
        ("How the clones grew", "Descendants lie inside their parent.", "history", plot_muller),
    ]
    drawn = []
    for title, see, source, plot in figures:
        figure = plot(results)
        if figure is not None:
            element = Markup(svg(figure, title))
            drawn.append(
                DrawnFigure(title=title, see=see, svg=element, file=_beside(out, f"{source}.parquet"))
            )
    scenarios = len(results.experiment["scenario"])
    facts = f"{scenarios} scenarios, {results['tumours'].height} tumours"
    return _parts(
        results.experiment, results.provenance, facts, "These tumours", [_side_by_side(results)], drawn
    )


def _side_by_side(results: Results) -> Section:
    """Word what a study found: a column per scenario."""
    found = summarise(results)
    scenarios = found["scenario"].to_list()
    rows = [
        [words, *(NOTHING if value is None else format(value, form) for value in found[name])]
        for name, (words, form) in _MEASURES.items()
    ]
    return Section(title="The scenarios side by side", note=_MEDIANS, header=["", *scenarios], rows=rows)


_MEDIANS = "Medians over tumours; the last rows need biopsies. The 1/f law is fitted to the whole tumour."
_MEASURES = {
    "tumours": ("Tumours", ""),
    "days": ("Days to the size", ".0f"),
    "fittest_fraction": ("Cells not of the first type", ".1%"),
    "diversity": ("Diversity of clones (inverse Simpson)", ".1f"),
    "gamma": ("Balance of the tree (gamma)", ".1f"),
    "fitted": ("Tumours to which the 1/f law was fitted", ""),
    "called_neutral": (f"Called neutral (R² of {NEUTRAL_FROM} or more)", ""),
    "neutral_r_squared": ("R² of the 1/f law", ".3f"),
    "neutral_area": ("Area between data and law", ".3f"),
    "neutral_kolmogorov_distance": ("Kolmogorov distance", ".3f"),
    "neutral_mean_distance": ("Mean distance", ".3f"),
    "mutation_rate": ("Mutations per haploid genome and effective division", ".1f"),
    "clonal": ("Clonal mutations", ".0f"),
    "subclonal": ("Subclonal mutations", ".0f"),
    "in_all_biopsies": ("Mutations in all biopsies", ".0f"),
    "shared": ("Mutations shared by some biopsies", ".0f"),
    "private": ("Mutations private to one biopsy", ".0f"),
}
"""Column of the summary of a study to its words, and how its numbers are written."""


def _of_batch(batch: Batch, out: Path) -> dict[str, Any]:
    summary = batch.summary()
    see = _SEE_INDICES.get(batch.study["design"], _SEE_LINES if len(batch.axes) == 1 else _SEE_FIELDS)
    drawn = [
        DrawnFigure(title=name, see=see, svg=Markup(svg(draw(), name)), file=_beside(out, "summary.csv"))
        for name, draw in headline_figures(batch, summary)
    ]
    facts = f"{batch.points.height} points, {batch.runs.height} runs, of which {batch.failed.height} failed"
    note = "Every number with its Monte Carlo error (se) and what it rests on (n)."
    worded = summary.with_columns(
        pl.col("statistic").map_elements(statistic_in_words, return_dtype=pl.String)
    )
    tables = [_section("Statistics of the points", note, worded)]
    if batch.failed.height:
        tables.append(_section("Runs that failed", "", batch.failed))
    parts = _parts(batch.study, batch.provenance, facts, _WHOSE[batch.kind], tables, drawn)
    return parts | {"figures_first": True}


_WHOSE = {"experiment": "These patients", "study": "These tumours", "population": "These populations"}
_SEE_LINES = "How the statistic moves along the axis; the band is its 95% Monte Carlo interval."
_SEE_FIELDS = "How the statistic moves along the axes, with its Monte Carlo error (se)."
_SEE_INDICES = {
    "saltelli": "How much of the variance of the statistic each axis brings in, with 95% intervals.",
    "morris": "What each axis does to the statistic when it moves over its range, with 95% intervals.",
}


def _beside(out: Path, file: str) -> str:
    """Return a file if it lies beside the page."""
    return file if (out / file).is_file() else ""


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
        "figures_first": False,
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
