"""The way of the patients through an experiment, as CONSORT asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.endpoints import endpoints
from tumor_abm.run.results import Results

_REASONS = {
    "progression": "progression",
    "death": "death",
    "completed": "as planned",
    "rule": "a rule led to the next",
    "toxicity": "toxicity",
    "deterioration": "deterioration",
    "censored": "end of follow-up, or lost to it",
}
_SHOWN_LINES = 4


def flow_section(results: Results) -> Section:
    """Count candidates, enrolled, and per arm who began each line, how it ended, and who is analysed."""
    arms = results.arms
    rows = [*_candidates(results), *_enrolled(results), *_lines(results), *_analysed(results)]
    return Section(
        title="Flow of patients",
        note="Candidates are drawn until one is eligible. Every patient lives every arm that is about such "
        "patients, so an arm loses nobody to another.",
        header=["", *arms],
        rows=rows,
    )


def _candidates(results: Results) -> Iterator[list[str]]:
    patients = results.scan("patients")
    if "screened" not in patients.collect_schema():
        return
    screened, enrolled = patients.select(pl.col("screened").sum(), n=pl.len()).collect().row(0)
    blank = [""] * (len(results.arms) - 1)
    yield ["Candidates drawn", str(screened), *blank]
    yield ["  not eligible", str(screened - enrolled), *blank]


def _enrolled(results: Results) -> Iterator[list[str]]:
    lived = _per_arm(results, results.scan("overall").select("patient", "arm").unique())
    yield ["Enrolled, and in the arm", *(str(lived.get(arm, 0)) for arm in results.arms)]
    others = [results.enrolled - lived.get(arm, 0) for arm in results.arms]
    if any(others):
        yield ["  not whom the arm is about", *map(str, others)]


def _lines(results: Results) -> Iterator[list[str]]:
    outcomes = results.scan("outcomes")
    for line in range(1, _SHOWN_LINES + 1):
        own = outcomes.filter(pl.col("line") == line)
        began = _per_arm(results, own)
        if not began:
            return
        yield [f"Began line {line}", *(str(began.get(arm, 0)) for arm in results.arms)]
        for reason, words in _REASONS.items():
            ended = _per_arm(results, own.filter(pl.col("end_reason").cast(pl.String) == reason))
            if ended:
                yield [f"  left it by {words}", *(str(ended.get(arm, 0)) for arm in results.arms)]


def _analysed(results: Results) -> Iterator[list[str]]:
    for endpoint in endpoints(results):
        if endpoint.randomised:
            observed = _per_arm(results, endpoint.observations(results).lazy())
            cells = [str(observed[arm]) if arm in observed else NOTHING for arm in results.arms]
            yield [f"Analysed for {endpoint.name}", *cells]


def _per_arm(results: Results, rows: pl.LazyFrame) -> dict[str, int]:
    counted = rows.group_by(pl.col("arm").cast(pl.String)).agg(n=pl.len()).collect()
    return dict(counted.select("arm", "n").iter_rows())
