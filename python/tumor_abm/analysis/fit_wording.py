"""How simulated patients fit observed ones, as a table."""

from __future__ import annotations

import polars as pl

from tumor_abm._base.section import Section
from tumor_abm.analysis.estimates_in_words import hazard_ratio_text, median_text, p_text


def fit_section(found: pl.DataFrame) -> Section:
    """Word what `tumor_abm.analysis.observed.fit` found."""
    return Section(
        title="Simulated and observed patients",
        note="Median months (95% CI). HR: simulated against observed; p: log-rank test. A small p says that "
        "they differ; a large one, of few patients, says little.",
        header=["Arm", "endpoint", "observed", "n", "simulated", "n", "HR (95% CI)", "p"],
        rows=[
            [
                row["arm"],
                row["endpoint"],
                *(
                    text
                    for whose in ("observed", "simulated")
                    for text in (
                        median_text(*(row[f"{whose}_{of}"] for of in ("median_months", "lo", "hi"))),
                        f"{row[f'{whose}_events']}/{row[f'{whose}_n']}",
                    )
                ),
                hazard_ratio_text(row["hr"], row["hr_lo"], row["hr_hi"]),
                p_text(row["p"]),
            ]
            for row in found.iter_rows(named=True)
        ],
    )
