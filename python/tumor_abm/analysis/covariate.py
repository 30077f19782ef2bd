"""What is known of patients before treatment, by name: what divides them into subgroups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.pathway import FRACTION
from tumor_abm.run.results import Results

ALTERED_FROM = 0.05
"""Share of a tumour's cells from which on an alteration counts as found in it, as in eligibility."""

AT_BASELINE, IN_BLOOD, SHARE = "_at_baseline", "_in_blood", "_share"
RESPONSE_IN_CONTROL = "response_in_control"
RESPONSES = ("CR", "PR", "SD", "PD", "NE")

NUMBERS: Mapping[str, tuple[str, int, float]] = {
    "volume_cm3": ("Tumour volume, cm³", 0, 1.0),
    "sld_mm": ("Sum of diameters, mm", 0, 1.0),
    "target_lesions": ("Target lesions", 0, 1.0),
    "doubling_days": ("Volume doubling time untreated, days", 0, 1.0),
    "turnover": ("Turnover (death over division)", 2, 1.0),
    "relapse_months": ("Adjuvant therapy to relapse, months", 0, 1.0),
    "prior_lines": ("Lines for advanced disease before", 0, 1.0),
    "prior_months": ("Time on the last line before, months", 1, 1.0),
    "neutrophils": ("Neutrophils, 10⁹/L", 1, 1.0),
}
"""Columns of ``patients`` that are numbers: what they are called, decimals, and what they are told in."""

_RATES = ("division", "death")
"""Covariates of every pathway, which net growth and turnover say."""
_LISTS = ("patient", "altered", "detected", "prior_regimens")
"""Columns of ``patients`` that are no covariates."""


@dataclass(frozen=True, kw_only=True)
class CovariateOfPatients:
    """Something known of each patient before treatment.

    Attributes
    ----------
    name, label
        As it is asked for, and in words with its unit.
    values
        ``patient, value``: numbers, flags or words; null where it is not known.
    order
        Of words: the order they are told in; empty for their alphabet.
    """

    name: str
    label: str
    values: pl.DataFrame
    order: tuple[str, ...] = ()


def read_by_pathway(experiment: Mapping[str, Any]) -> dict[str, tuple[str, int, float]]:
    """Return what the pathway reads of the patients beside the rates, named as `NUMBERS`."""
    found = {}
    for name, described in experiment.get("covariate", {}).items():
        if name not in _RATES:
            label, unit = described["label"], described.get("unit", "")
            is_share = unit == FRACTION
            is_flag = experiment["population"]["covariate"][name]["kind"] == "share"
            said = label if is_flag or not unit else f"{label}, {'%' if is_share else unit}"
            found[name] = (said, 0 if is_share else 2, 100.0 if is_share else 1.0)
    return found


def sites_of(experiment: Mapping[str, Any]) -> dict[str, str]:
    """Return the sites of the disease, columns of ``patients``, and what disease there is called."""
    if "site" in experiment:
        return {name: described["label"] for name, described in experiment["site"].items()}
    return {
        name: site.label for name, site in Knowledge.shipped().sites.items()
    }  # written before sites were data


def patients_of(results: Results) -> pl.LazyFrame:
    """Return the table ``patients``, and how fast the tumours would double untreated (``doubling_days``)."""
    patients = results.scan("patients")
    if "net_growth_per_day" in patients.collect_schema():
        patients = patients.with_columns(doubling_days=pl.lit(2.0).log() / pl.col("net_growth_per_day"))
    return patients


def known_covariates(results: Results) -> list[str]:
    """Return the names that `covariate_of` takes.

    Columns of the table ``patients`` by their names; of a gene or an alteration ``NAME_at_baseline`` (found
    in a twentieth of the cells at enrolment), ``NAME_share`` (its share of them) and, of genes that were
    looked for in blood at enrolment, ``NAME_in_blood``; and ``response_in_control``, the best response on the
    first line of the control arm, which twins alone can tell.
    """
    must_be("results", results, Results)
    columns = [name for name in patients_of(results).collect_schema() if name not in _LISTS]
    markers = [f"{marker}{ending}" for marker in _markers(results) for ending in (AT_BASELINE, SHARE)]
    blood = [f"{gene}{IN_BLOOD}" for gene in _sampled_genes(results)]
    return [*columns, *markers, *blood, RESPONSE_IN_CONTROL]


def covariate_of(results: Results, name: str) -> CovariateOfPatients:
    """Return what is known under `name` of each patient; see `known_covariates`.

    Raises
    ------
    InputError
        Nothing has that name. Upper and lower case are not told apart where one name fits.
    """
    must_be("name", name, str)
    known = known_covariates(results)
    fitting = [each for each in known if each.lower() == name.lower()]
    if name not in known and len(fitting) != 1:
        raise InputError(key="by", found=name, allowed=known)
    name = name if name in known else fitting[0]
    if name in patients_of(results).collect_schema():
        return _column(results, name)
    if name == RESPONSE_IN_CONTROL:
        return _response(results)
    if name.endswith(IN_BLOOD):
        return _in_blood(results, name)
    return _marker(results, name)


def _column(results: Results, name: str) -> CovariateOfPatients:
    told = {**NUMBERS, **read_by_pathway(results.experiment)}
    label, _, factor = told.get(
        name, (sites_of(results.experiment).get(name, name.replace("_", " ")), 0, 1.0)
    )
    values = patients_of(results).select("patient", value=name).collect()
    if factor != 1.0 and values["value"].dtype != pl.Boolean:
        values = values.with_columns(pl.col("value") * factor)
    if values["value"].dtype == pl.Float64:
        values = values.with_columns(pl.col("value").fill_nan(None))
    return CovariateOfPatients(name=name, label=label, values=values)


def _markers(results: Results) -> dict[str, list[str]]:
    """Return genes and alterations in play, each with the alterations that it stands for."""
    if "clones" not in results.tables or "alterations" not in results.scan("clones").collect_schema():
        return {}
    described = results.experiment.get("alteration", {})
    found: dict[str, list[str]] = {}
    for alteration in results.experiment.get("alterations", []):
        gene = described.get(alteration, {}).get("gene")
        if gene:
            found.setdefault(gene, []).append(alteration)
    for alteration in results.experiment.get("alterations", []):
        found.setdefault(alteration, [alteration])
    return found


def _marker(results: Results, name: str) -> CovariateOfPatients:
    ending = AT_BASELINE if name.endswith(AT_BASELINE) else SHARE
    marker = name.removesuffix(ending)
    shares = _shares(results, _markers(results)[marker])
    if ending == SHARE:
        return CovariateOfPatients(
            name=name, label=f"{marker} at enrolment, % of cells", values=_with(shares, 100 * pl.col("value"))
        )
    flags = _with(shares, pl.col("value") >= ALTERED_FROM)
    return CovariateOfPatients(name=name, label=f"{marker} in ≥ 5% of cells at enrolment", values=flags)


def _with(values: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    return values.with_columns(value=value)


def _shares(results: Results, alterations: Iterable[str]) -> pl.DataFrame:
    """Return the share of cells that carry any of `alterations` when patients enrol."""
    clones = results.scan("clones").filter(moment="baseline")
    once = pl.col("arm").cast(pl.String) == pl.col("arm").cast(pl.String).first().over("patient")
    carries = pl.col("alterations").list.set_intersection(list(alterations)).list.len() > 0
    shares = (
        clones.filter(once)
        .group_by("patient")
        .agg(value=pl.when(carries).then(pl.col("fraction")).otherwise(0.0).sum())
    )
    everybody = results.scan("patients").select("patient")
    return everybody.join(shares, on="patient", how="left", maintain_order="left").collect()


def _samples(results: Results) -> pl.LazyFrame:
    return results.scan("liquid_biopsies").filter(pl.col("day") == 0)


def _sampled_genes(results: Results) -> list[str]:
    if "liquid_biopsies" not in results.tables:
        return []
    genes = _samples(results).select(pl.col("gene").cast(pl.String).unique().sort()).collect()
    return genes["gene"].to_list()


def _in_blood(results: Results, name: str) -> CovariateOfPatients:
    gene = name.removesuffix(IN_BLOOD)
    seen = (
        _samples(results)
        .filter(pl.col("gene").cast(pl.String) == gene)
        .group_by("patient")
        .agg(value=(pl.col("vaf") > 0).any())
    )
    everybody = results.scan("patients").select("patient")
    values = everybody.join(seen, on="patient", how="left", maintain_order="left").collect()
    return CovariateOfPatients(name=name, label=f"{gene} seen in blood at enrolment", values=values)


def _response(results: Results) -> CovariateOfPatients:
    values = (
        results.scan("outcomes")
        .filter(line=1, arm=results.control)
        .select("patient", value=pl.col("response").cast(pl.String))
        .collect()
    )
    label = f"Best response on the first line of {results.control}"
    return CovariateOfPatients(name=RESPONSE_IN_CONTROL, label=label, values=values, order=RESPONSES)
