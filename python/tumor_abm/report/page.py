"""One page with everything a reader of an experiment asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w
from markupsafe import Markup

from tumor_abm._base.arguments import must_be
from tumor_abm._base.files import write_whole
from tumor_abm._base.paths import path_of
from tumor_abm._base.section import Section
from tumor_abm.analysis.answers import answers
from tumor_abm.analysis.between_sets import between_sets, has_sets
from tumor_abm.analysis.comparison import Comparison, compare
from tumor_abm.analysis.division import Cut
from tumor_abm.analysis.endpoints import Endpoint, is_defined
from tumor_abm.analysis.sets_wording import sets_section
from tumor_abm.analysis.subgroup_wording import subgroup_sections
from tumor_abm.analysis.treatment_wording import (
    changes_section,
    intensity_section,
    next_section,
    treatment_section,
)
from tumor_abm.analysis.wording import (
    LEGEND,
    endpoint_section,
    gains_section,
    neutropenia_section,
    pairs_section,
    summary_section,
)
from tumor_abm.analysis.worth_wording import worth_section
from tumor_abm.plots import plot_kaplan_meier, svg
from tumor_abm.report.baseline import baseline_section, population_in_words
from tumor_abm.report.figures import ReportFigure, figures_of
from tumor_abm.report.flow import flow_section
from tumor_abm.report.methods import methods_of
from tumor_abm.report.rendering import render
from tumor_abm.report.strip import strips
from tumor_abm.run.results import Results, without_none


def write_report(
    results: Results,
    directory: str | Path,
    comparison: Comparison | None = None,
    *,
    by: Sequence[str | Cut] = (),
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write ``report.html`` into `directory` and return its path.

    The page needs nothing but itself: figures are inline SVG, and the one script, which sorts tables, is part
    of it. Links lead to the tables that lie beside it.

    Parameters
    ----------
    results
        Of an experiment.
    directory
        Where to.
    comparison
        What `compare` said of `results`, if that is known already.
    by
        Covariates of subgroups, as `compare` takes them, unless `comparison` is given.
    progress
        Called with the number of figures drawn so far.
    """
    must_be("results", results, Results)
    directory = path_of("directory", directory)
    comparison = comparison or compare(results, by)
    page = _page(results, comparison, FigureDrawer(directory, progress or (lambda drawn: None)))
    path = directory / "report.html"
    write_whole(path, lambda draft: draft.write_text(page, encoding="utf-8"))
    return path


def number_of_figures(results: Results, comparison: Comparison) -> int:
    """Return how many figures the report of an experiment has."""
    defined = [each for each in comparison.endpoints if is_defined(each, results)]
    return len(defined) + len(figures_of(results, comparison))


@dataclass(frozen=True, kw_only=True)
class DrawnFigure:
    """A figure as the page shows it."""

    title: str
    see: str
    svg: Markup
    file: str


class FigureDrawer:
    """Draws the figures of a page, and counts them.

    Parameters
    ----------
    directory
        Where the page goes.
    progress
        Called with the number of figures drawn so far.
    """

    def __init__(self, directory: Path, progress: Callable[[int], None]) -> None:
        self._directory, self._progress = directory, progress
        self._drawn = 0

    def draw(self, figure: ReportFigure, *, titled: bool = True) -> DrawnFigure:
        """Return a figure, with the file of its table if that lies beside the page."""
        element = Markup(svg(figure.draw(), figure.title))
        self._drawn += 1
        self._progress(self._drawn)
        files = (f"{figure.source}.csv", f"{figure.source}.parquet")
        file = next((name for name in files if (self._directory / name).is_file()), "")
        return DrawnFigure(title=figure.title if titled else "", see=figure.see, svg=element, file=file)


def _page(results: Results, comparison: Comparison, drawer: FigureDrawer) -> str:
    parts = {
        "title": str(results.experiment.get("title", "Experiment")),
        "question": str(results.experiment.get("question", "")),
        "facts": _facts(results),
        "whose": "These patients",
        "answers": answers(comparison),
        "summary": summary_section(comparison),
        "strips": strips(results),
        "endpoints": list(_endpoints(results, comparison, drawer)),
        "legend": LEGEND,
        "pairs": pairs_section(comparison),
        "gains": gains_section(comparison),
        "sets": sets_section(between_sets(results)) if has_sets(results) else None,
        "subgroups": subgroup_sections(comparison),
        "figures": [drawer.draw(figure) for figure in figures_of(results, comparison)],
        "treatment": [
            each(comparison)
            for each in (
                next_section,
                treatment_section,
                intensity_section,
                changes_section,
                worth_section,
            )
        ],
        "neutropenia": neutropenia_section(comparison),
        "population": population_in_words(results.experiment),
        "baseline": baseline_section(results),
        "flow": flow_section(results),
        "methods": methods_of(results),
        "notices": results.provenance.get("notices", []),
        "provenance": told(results.provenance),
        "as_run": "The experiment as it was run",
        "experiment": tomli_w.dumps(without_none(results.experiment)),
    }
    return render("experiment.html", parts)


def _facts(results: Results) -> str:
    arms = len(results.arms)
    lived = "each lives every arm" if arms > 1 else "one arm"
    sets = results.provenance.get("ensemble")
    if sets:
        how = "each of" if results.provenance.get("crossed") else "one of"
        lived += f", under {how} {len(sets)} sets of parameters"
    patients = sets[0]["patients"] if sets and results.provenance.get("crossed") else results.enrolled
    return f"{patients} virtual patients, {lived}; seed {results.experiment.get('seed', 'not recorded')}"


@dataclass(frozen=True, kw_only=True)
class _EndpointPart:
    """An endpoint on the page: its curves where it is defined, and its table."""

    id: str
    section: Section
    figure: DrawnFigure | None


def _endpoints(results: Results, comparison: Comparison, drawer: FigureDrawer) -> Iterator[_EndpointPart]:
    for timed in comparison.endpoints:
        section = endpoint_section(comparison, timed)
        figure = _curves(results, timed, section) if is_defined(timed, results) else None
        yield _EndpointPart(
            id=timed.stem,
            section=section,
            figure=None if figure is None else drawer.draw(figure, titled=False),
        )


def _curves(results: Results, timed: Endpoint, section: Section) -> ReportFigure:
    return ReportFigure(
        title=f"Kaplan-Meier curves: {section.title}",
        see="The higher curve is the better arm; where bands overlap much, the arms may be alike.",
        source="comparison",
        draw=partial(plot_kaplan_meier, results, timed, titled=False),
    )


def told(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known of where results come from, in words."""
    return {key: _value(value) for key, value in provenance.items() if key != "notices"}


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_value(item)}" for key, item in value.items())
    return str(value)
