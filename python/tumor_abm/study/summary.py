"""A study in a table: how the scenarios differ."""

from __future__ import annotations

import polars as pl

from tumor_abm.evolution.neutrality import NEUTRAL_FROM
from tumor_abm.run.results import Results


def summarise(results: Results) -> pl.DataFrame:
    """Compare the scenarios of a study.

    Returns
    -------
    polars.DataFrame
        A row per scenario, medians over its tumours: ``tumours``, ``days`` to the size,
        ``fittest_fraction`` (cells not of the first type), ``diversity`` (inverse Simpson index of
        clones), ``gamma``, ``neutral_r_squared`` of the 1/f law and ``called_neutral`` (tumours with
        R^2 of 0.98 or more, of those ``fitted``), ``neutral_area``, ``neutral_kolmogorov_distance``,
        ``neutral_mean_distance``, ``mutation_rate`` that the law infers (per haploid genome and
        effective division),
        ``clonal`` and ``subclonal`` mutations, and those ``in_all_biopsies``, ``shared`` by some,
        and ``private`` to one.
    """
    tumours = results["tumours"]
    order = [scenario["name"] for scenario in results.experiment["scenario"]]
    fitted = pl.col("neutral_r_squared").is_not_null()

    def median(name: str, alias: str | None = None) -> pl.Expr:
        return pl.col(name).median().alias(alias or name)

    summary = tumours.group_by("scenario").agg(
        pl.len().alias("tumours"),
        median("day", "days"),
        (1 - pl.col("first_type_fraction")).median().alias("fittest_fraction"),
        median("diversity"),
        median("gamma"),
        median("neutral_r_squared"),
        (pl.col("neutral_r_squared") >= NEUTRAL_FROM).sum().alias("called_neutral"),
        fitted.sum().alias("fitted"),
        *map(median, ("neutral_area", "neutral_kolmogorov_distance", "neutral_mean_distance")),
        *map(median, ("mutation_rate", "clonal", "subclonal", "in_all_biopsies", "shared", "private")),
    )
    return pl.DataFrame({"scenario": order}).join(summary, on="scenario", how="left", maintain_order="left")
