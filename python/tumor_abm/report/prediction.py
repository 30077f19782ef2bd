"""The page of predictions of trials: beside what they published, where that may be known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.estimates_in_words import hazard_ratio_text, median_text, whole_text
from tumor_abm.plots.evidence import Panel, plot_against_published
from tumor_abm.report.figures import ReportFigure
from tumor_abm.trials import Prediction
from tumor_abm.trials.cohort import EVERYBODY
from tumor_abm.trials.prediction import LANDMARKS
from tumor_abm.trials.published import (
    median_in,
    published_in,
    ratio_in,
    response_of,
    with_published,
)

_TRIALS_PER_FIGURE = 6
_MOST_GENES = 8
"""Alterations of which the page tells, the most frequent ones."""
_SEE = "Where the simulated curve of an arm runs, and where the trial's median and rates lie beside it."
_NOWHERE = "Nothing stands where a trial did not report it, or where its outcomes are kept apart to judge by."
_JUDGED: Mapping[str, Callable[[Mapping[str, Any]], bool | None]] = {
    "Simulated median inside the published 95% interval": median_in,
    "Published median inside the predicted 95% interval": published_in,
    "Simulated hazard ratio inside the published 95% interval": ratio_in,
}

_Row = Mapping[str, Any]


def facts_of(prediction: Prediction) -> str:
    """Return what was predicted, in a line."""
    table = prediction.table
    trials, most = table["file"].n_unique(), max(table["simulated"].to_list())
    return f"{trials} trials, {table.height} rows, up to {most} virtual patients each"


def sections_of(prediction: Prediction) -> list[Section]:
    """Word predictions: how many agree, medians, hazard ratios, rates and responses, and who carries what."""
    rows = list(with_published(prediction.table).iter_rows(named=True))
    carried = _carried(prediction.prevalence, {row["file"]: row["trial"] for row in reversed(rows)})
    return [_agreement(rows), _medians(rows), _ratios(rows), _rates(rows), carried]


def prediction_figures(prediction: Prediction) -> Iterator[ReportFigure]:
    """Yield the curves of all trials, a few trials a figure."""
    rows = with_published(prediction.table).filter(pl.col("simulated") > 0)
    panels = [Panel.of(prediction, of_trial) for of_trial in rows.partition_by("file", maintain_order=True)]
    for first in range(0, len(panels), _TRIALS_PER_FIGURE):
        shown = panels[first : first + _TRIALS_PER_FIGURE]
        title = ", ".join(panel.title for panel in shown)
        yield ReportFigure(
            title=title, see=_SEE, source="observations", draw=partial(plot_against_published, shown, "")
        )


def _agreement(rows: Sequence[_Row]) -> Section:
    cells = []
    for words, judged in _JUDGED.items():
        told = [verdict for verdict in map(judged, rows) if verdict is not None]
        if told:
            cells.append([words, str(sum(told)), str(len(told)), f"{100 * sum(told) / len(told):.0f}%"])
    note = "Over all rows whose outcomes may be known, those that were fitted among them."
    return Section(
        title="How well the predictions agree with what was published",
        note=note,
        header=["", "agree", "of", "share"],
        rows=cells,
    )


def _medians(rows: Sequence[_Row]) -> Section:
    cells = [
        [
            _name(row),
            row["endpoint"],
            whole_text(row["n"]),
            _predicted_median(row),
            _published_median(row),
            _yes_or_no(median_in(row)),
        ]
        for row in rows
    ]
    return Section(
        title="Medians, months",
        note=f"With 95% intervals at the size of the trial. {_NOWHERE}",
        header=["arm", "endpoint", "patients", "predicted (95%)", "published (95%)", "inside"],
        rows=cells,
    )


def _predicted_median(row: _Row) -> str:
    return (
        median_text(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"]) if row["simulated"] else NOTHING
    )


def _published_median(row: _Row) -> str:
    known = (row["mpfs_mo"], row["ci_lo"], row["ci_hi"])
    return NOTHING if known == (None, None, None) else median_text(*known)


def _ratios(rows: Sequence[_Row]) -> Section:
    cells = [
        [
            _name(row),
            row["versus"] or NOTHING,
            _ratio(row["hr"], row["hr_lo"], row["hr_hi"]),
            _ratio(row["hr_published"], row["hr_lo_published"], row["hr_hi_published"]),
            _yes_or_no(ratio_in(row)),
        ]
        for row in rows
        if row["hr"] is not None or row["hr_published"] is not None
    ]
    return Section(
        title="Hazard ratios",
        note=_NOWHERE,
        header=["arm", "against", "predicted (95%)", "published (95%)", "inside"],
        rows=cells,
    )


def _ratio(ratio: float | None, low: float | None, high: float | None) -> str:
    if ratio is not None and low is None:
        return f"{ratio:.2f}"
    return NOTHING if ratio is None else hazard_ratio_text(ratio, low, high)


def _rates(rows: Sequence[_Row]) -> Section:
    cells = [
        [
            _name(row),
            *(_pair(row[f"pfs{month}"], row[f"pfs{month}_published"]) for month in LANDMARKS),
            _pair(response_of(row), row["orr_pct_published"]),
        ]
        for row in rows
    ]
    return Section(
        title="Free of progression, and responses, percent",
        note=f"Predicted / published. {_NOWHERE}",
        header=["arm", *(f"{month} months" for month in LANDMARKS), "objective response"],
        rows=cells,
    )


def _pair(predicted: float | None, published: float | None) -> str:
    return (
        f"{whole_text(predicted)} / {whole_text(published)}"
        if published is not None
        else whole_text(predicted)
    )


def _carried(prevalence: pl.DataFrame, trial: Mapping[str, str]) -> Section:
    """Word how often patients carry the most frequent alterations; the table itself has all."""
    shares = {
        (file, arm, gene, moment): 100.0 * found / patients
        for file, arm, gene, moment, found, patients in prevalence.filter(
            (pl.col("gene") != EVERYBODY) & (pl.col("patients") > 0)
        )
        .select("file", "arm", "gene", "moment", "found", "patients")
        .iter_rows()
    }
    frequent: Counter[str] = Counter()
    for (_, _, gene, _), share in shares.items():
        frequent[gene] += share
    genes = sorted(frequent, key=lambda gene: (-frequent[gene], gene))[:_MOST_GENES]
    arms = prevalence.select("file", "arm").unique(maintain_order=True).rows()
    return Section(
        title="What patients carry, percent",
        note=f"Patients with at least 1% of their cells altered so, at enrolment → at progression; "
        f"the {len(genes)} most frequent alterations.",
        header=["arm", *genes],
        rows=[
            [
                f"{trial[file]}: {arm}",
                *(
                    " → ".join(
                        f"{shares.get((file, arm, gene, moment), 0.0):.0f}"
                        for moment in ("baseline", "progression")
                    )
                    for gene in genes
                ),
            ]
            for file, arm in arms
        ],
    )


def _name(row: _Row) -> str:
    subset = f" ({row['subset']})" if row["subset"] else ""
    return f"{row['trial']}: {row['arm']}{subset}"


def _yes_or_no(verdict: bool | None) -> str:
    return NOTHING if verdict is None else "yes" if verdict else "no"
