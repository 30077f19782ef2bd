"""The scenarios of a study side by side, for the terminal."""

from __future__ import annotations

import polars as pl
from rich.table import Table

from tumor_abm._base.sinks import rich_text
from tumor_abm.study import Study

_COLUMNS = {
    "days": ("days", ".0f"),
    "fittest_fraction": ("drivers", ".0%"),
    "diversity": ("diversity", ".1f"),
    "neutral_r_squared": ("R²", ".3f"),
    "called_neutral": ("neutral", ""),
    "mutation_rate": ("rate", ".0f"),
    "clonal": ("clonal", ".0f"),
    "subclonal": ("subclonal", ".0f"),
    "in_all_biopsies": ("in all", ".0f"),
    "shared": ("shared", ".0f"),
    "private": ("private", ".0f"),
}


def table_of_scenarios(study: Study, summary: pl.DataFrame) -> Table:
    """Write the medians of `tumor_abm.study.summarise` as a table."""
    table = Table(
        title=rich_text(study.written.title),
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    table.add_column("scenario", no_wrap=True)
    for heading, _ in _COLUMNS.values():
        table.add_column(heading, justify="right")
    for row in summary.iter_rows(named=True):
        neutral = f"{row['called_neutral']}/{row['fitted']}"
        cells = (
            neutral if name == "called_neutral" else _written(row[name], form)
            for name, (_, form) in _COLUMNS.items()
        )
        table.add_row(rich_text(row["scenario"]), *cells)
    table.caption = (
        f"Medians of {study.written.replicates} tumours at {study.written.cells:,} cells. "
        "diversity: inverse Simpson index of clones; R², neutral, rate: 1/f law of the whole tumour "
        "(R² of 0.98 or more; mutations per haploid genome and effective division); "
        "in all, shared, private: mutations of the biopsies."
    )
    table.caption_justify = "left"
    return table


def _written(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
