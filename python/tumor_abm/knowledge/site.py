"""Where the disease of a patient can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import polars as pl
from pydantic import Field

from tumor_abm._base.problems import Problems, Step
from tumor_abm._base.table import Table
from tumor_abm.knowledge.patient_laws import GROWTH, PatientLaws
from tumor_abm.knowledge.quantity import Between, Sources, between
from tumor_abm.treatment import Condition, Eligibility


class Site(Table):
    """A site of the disease; a patient's disease is at one of them, or at none.

    A population says under its name which share of the patients whose disease is at no site before it (in the
    order of the files) has it there, and with ``_growth`` behind the name the factor on net growth.

    Attributes
    ----------
    label
        What disease there is called.
    measurable
        Whether lesions there can be measured on scans.
    source
        Keys of sources, or ``"assumed"``.
    note
        How it follows from the sources, or why it is assumed.
    """

    label: str = Field(min_length=1)
    measurable: bool = True
    source: Sources = Field(default_factory=list)
    note: str = ""


_BOUNDS: dict[str, Between] = {"": between(0, 1), GROWTH: between(0.1, 10)}


def is_measurable(sites: Mapping[str, Site]) -> pl.Expr:
    """Tell of the rows of the table ``patients`` whether disease can be measured."""
    elsewhere = [name for name, site in sites.items() if not site.measurable]
    return ~pl.any_horizontal(pl.lit(value=False), *elsewhere)


def keys_of(sites: Iterable[str]) -> list[str]:
    """Return the keys by which a population tells of sites."""
    return [f"{site}{ending}" for site in sites for ending in _BOUNDS]


def without_unknown(
    entry: Mapping[str, Any], sites: Collection[str], where: list[Step], problems: Problems
) -> dict[str, Any]:
    """Return a population as written, without keys that are neither its own nor of a site; note them."""
    known = [*PatientLaws.keys(), *keys_of(sites)]
    for key in entry:
        if key not in known:
            problems.add_unknown([*where, key], key, "key", known)
    return {key: value for key, value in entry.items() if key in known}


def check_sites(laws: PatientLaws, where: list[Step], problems: Problems) -> None:
    """Note shares and factors of sites that lie out of bounds."""
    for key, quantity in laws.of_sites.items():
        try:
            _BOUNDS[GROWTH if key.endswith(GROWTH) else ""](quantity)
        except ValueError as error:
            problems.add([*where, key], str(error))


def check_site_names(sites: Iterable[str], problems: Problems) -> None:
    """Note names of sites that are keys already."""
    taken = {*PatientLaws.keys(), *Eligibility.keys(), *Condition.keys()}
    for site in sites:
        if taken & {site, f"{site}{GROWTH}"}:
            problems.add(["site", site], "found the name of a key; allowed: any other name")
