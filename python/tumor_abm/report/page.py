"""One page with everything a reader of an experiment asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import tomli_w
from matplotlib.figure import Figure

from tumor_abm._base import html
from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import html_text as escape
from tumor_abm.analysis.comparison import Comparison, compare
from tumor_abm.analysis.endpoints import Endpoint, is_defined
from tumor_abm.analysis.wording import (
    LEGEND,
    endpoint_section,
    gains_section,
    neutropenia_section,
    pairs_section,
    summary_section,
)
from tumor_abm.plots import plot_kaplan_meier, plot_resistance, svg
from tumor_abm.plots.clones import TITLE
from tumor_abm.plots.style import colours
from tumor_abm.report.baseline import baseline_section, population_in_words
from tumor_abm.run.results import Results, without_none
from tumor_abm.treatment import Eligibility, Line


def write_report(
    results: Results,
    directory: str | Path,
    comparison: Comparison | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write ``report.html`` into `directory` and return its path.

    The page needs nothing but itself: figures are inline SVG, and there are no scripts.

    Parameters
    ----------
    results
        Of an experiment.
    directory
        Where to.
    comparison
        What `compare` said of `results`, if that is known already.
    progress
        Called with the number of figures drawn so far.
    """
    path = Path(directory) / "report.html"
    page = _page(results, comparison or compare(results), _Figures(progress or (lambda drawn: None)))
    write_whole(path, lambda draft: draft.write_text(page, encoding="utf-8"))
    return path


class _Figures:
    """Figures for the page, which are counted."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._drawn = 0

    def element(self, figure: Figure, label: str) -> str:
        """Return a figure in HTML."""
        drawn = svg(figure, label)
        self._drawn += 1
        self._progress(self._drawn)
        return f"<figure>{drawn}</figure>"


def _page(results: Results, comparison: Comparison, figures: _Figures) -> str:
    here = resources.files("tumor_abm.report")
    parts = {
        "style": (here / "page.css").read_text(encoding="utf-8"),
        "title": escape(str(results.experiment.get("title", "Experiment"))),
        "question": escape(str(results.experiment.get("question", ""))),
        "facts": escape(_facts(results)),
        "arms": "".join(_arm(results, arm) for arm in results.experiment["arm"]),
        "afterwards": _afterwards(results.experiment.get("afterwards", [])),
        "population": escape(population_in_words(results.experiment)),
        "baseline": html.table(baseline_section(results)),
        "summary": html.section(summary_section(comparison)),
        "endpoints": "".join(_endpoint(results, comparison, each, figures) for each in comparison.endpoints),
        "legend": escape(LEGEND),
        "pairs": html.section(pairs_section(comparison)),
        "gains": html.section(gains_section(comparison)),
        "neutropenia": html.section(neutropenia_section(comparison)),
        "resistance": _resistance(results, figures),
        "provenance": _definitions(results.provenance),
        "experiment": escape(tomli_w.dumps(without_none(results.experiment))),
    }
    return Template((here / "page.html").read_text(encoding="utf-8")).substitute(parts)


def _facts(results: Results) -> str:
    arms = len(results.arms)
    lived = "each lives every arm" if arms > 1 else "one arm"
    return (
        f"{results.enrolled} virtual patients, {lived}; seed {results.experiment.get('seed', 'not recorded')}"
    )


def _arm(results: Results, arm: Mapping[str, Any]) -> str:
    name = escape(arm["name"])
    control = " <small>control</small>" if arm["name"] == results.control and len(results.arms) > 1 else ""
    swatch = f'<span class="swatch" style="background:{colours(results)[arm["name"]]}"></span>'
    among = Eligibility.model_validate(arm.get("among", {})).in_words()
    whom = f"<p>Only patients {escape(among)}.</p>" if among else ""
    return f"<div class=arm><h3>{swatch}{name}{control}</h3>{whom}{_lines(arm.get('line', []))}</div>"


def _afterwards(lines: Sequence[Mapping[str, Any]]) -> str:
    return f"<div class=arm><h3>Then, in every arm</h3>{_lines(lines)}</div>" if lines else ""


def _lines(lines: Sequence[Mapping[str, Any]]) -> str:
    return f"<ol>{''.join(f'<li>{_line(line)}</li>' for line in lines)}</ol>"


def _line(line: Mapping[str, Any]) -> str:
    given, *clauses = (escape(clause) for clause in Line.model_validate(line).in_words())
    shown = given if "choose" in line else f"<strong>{given}</strong>"
    return f"{shown} {'; '.join(clauses)}"


def _endpoint(results: Results, comparison: Comparison, timed: Endpoint, figures: _Figures) -> str:
    section = endpoint_section(comparison, timed)
    if not is_defined(timed, results):
        return html.section(section)
    curves = plot_kaplan_meier(results, timed, titled=False)
    figure = figures.element(curves, f"Kaplan-Meier curves: {section.title}")
    return f"<section>{html.heading(section)}{figure}{html.table(section)}</section>"


def _resistance(results: Results, figures: _Figures) -> str:
    if "clones" not in results.tables:
        return ""
    figure = figures.element(plot_resistance(results, titled=False), TITLE)
    return f"<section><h2>{TITLE}</h2>{figure}</section>"


def _definitions(provenance: Mapping[str, Any]) -> str:
    return "".join(f"<dt>{escape(key)}</dt><dd>{_value(value)}</dd>" for key, value in provenance.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{escape(str(key))} {_value(item)}" for key, item in value.items())
    return escape(str(value))
