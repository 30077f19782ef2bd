"""The patients of an experiment on the day of enrolment: who they are, in words and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.covariate import NUMBERS, patients_of, read_by_pathway, sites_of
from tumor_abm.run.results import Results
from tumor_abm.treatment import Eligibility


def population_in_words(experiment: Mapping[str, Any]) -> str:
    """Name the population of an experiment as it was run, its histories, and what is asked of all."""
    population = experiment.get("population", {})
    if not isinstance(population, Mapping):
        return f"Population: {population}."
    said = [f"Population: {population['name']}"] if "name" in population else []
    said += [f"{population['label']}"] if "label" in population else []
    histories = population.get("history", [])
    total = sum(history.get("share", 1.0) for history in histories)
    if histories:
        shares = (f"{history['name']} ({history.get('share', 1.0) / total:.0%})" for history in histories)
        said.append(f"Histories: {', '.join(shares)}")
    asked = Eligibility.model_validate(population.get("eligibility", {})).in_words()
    if asked:
        said.append(f"Only patients {asked}")
    return " ".join(f"{sentence.rstrip('.')}." for sentence in said)


def baseline_section(results: Results) -> Section:
    """Tell the patients of every arm at enrolment: n, medians with their range, and shares."""
    patients = _patients(results)
    groups = {"All": patients}
    for arm in results.arms:
        lived = results.scan("overall").filter(arm=arm).select("patient").collect()
        own = patients.join(lived, on="patient", how="semi")
        if own.height != patients.height:
            groups[arm] = own
    return Section(
        title="Patients at enrolment",
        note="Median (range), or share.",
        header=["At enrolment: median (range), or share", *groups],
        rows=[
            ["Patients", *(str(group.height) for group in groups.values())],
            *(
                [name, *cells]
                for name, cells in _rows(
                    list(groups.values()), read_by_pathway(results.experiment), sites_of(results.experiment)
                )
            ),
        ],
    )


def _patients(results: Results) -> pl.DataFrame:
    """Return of the table of patients what is told of them."""
    patients = patients_of(results)
    there = patients.collect_schema()
    read, sites = read_by_pathway(results.experiment), sites_of(results.experiment)
    told = [name for name in (*NUMBERS, *read, *sites, "history") if name in there]
    return patients.select("patient", *told).collect()


def _rows(
    groups: list[pl.DataFrame], read: Mapping[str, tuple[str, int, float]], sites: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    columns = groups[0].columns
    for column, (name, decimals, factor) in {**NUMBERS, **read}.items():
        if column not in columns:
            continue
        if groups[0][column].dtype == pl.Boolean:
            yield name, [_share(group[column]) for group in groups]
        elif groups[0][column].drop_nulls().len():
            yield name, [_range(group[column] * factor, decimals) for group in groups]
    for column, name in sites.items():
        if column in columns:
            yield name, [_share(group[column]) for group in groups]
    if "history" in columns and groups[0]["history"].n_unique() > 1:
        for history in groups[0]["history"].cast(pl.String).unique().sort():
            yield (
                f"History: {history}",
                [_share(group["history"].cast(pl.String) == history) for group in groups],
            )


def _range(values: pl.Series, decimals: int) -> str:
    told = values.drop_nulls().cast(pl.Float64).drop_nans().to_numpy()
    if told.size == 0:
        return NOTHING
    middle, low, high = (f"{value:.{decimals}f}" for value in np.quantile(told, (0.5, 0.0, 1.0)))
    return f"{middle} ({low}–{high})"


def _share(flags: pl.Series) -> str:
    return NOTHING if flags.is_empty() else f"{100 * float(flags.sum()) / flags.len():.0f}%"
