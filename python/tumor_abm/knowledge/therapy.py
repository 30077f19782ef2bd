"""Kinds of therapy, and what having had one shows of the disease."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tumor_abm._base.problems import Problems
from tumor_abm._base.table import Table
from tumor_abm._base.units import DAYS_PER_WEEK
from tumor_abm.knowledge.quantity import Quantity, between, plain

_Weeks = Annotated[Quantity, AfterValidator(between(0, 10_000))]
_Months = Annotated[Quantity, AfterValidator(between(0, 10_000))]

CHEMOTHERAPY = "chemotherapy"
"""The kind of therapy that takes neutrophil precursors along, whatever the cancer."""


class Therapy(Table):
    """A kind of therapy, and the times that tell sensitivity to it from resistance.

    Targets name it as their ``therapy``; eligibility asks for ``NAME_sensitive`` and ``NAME_resistance``.

    Attributes
    ----------
    label
        What it is called.
    sensitive_weeks
        Weeks without progression on one line of it for advanced disease that show sensitivity.
    sensitive_adjuvant_months
        Months of adjuvant therapy before relapse that show sensitivity.
    primary_months
        Progression on the first line of it within so many months shows primary resistance.
    primary_adjuvant_months
        So does relapse within so many months of adjuvant therapy.
    secondary_adjuvant_months
        Relapse within so many months of the end of adjuvant therapy still shows secondary resistance.
    """

    label: str = Field(min_length=1)
    sensitive_weeks: _Weeks
    sensitive_adjuvant_months: _Months
    primary_months: _Months
    primary_adjuvant_months: _Months
    secondary_adjuvant_months: _Months

    def to_core(self, name: str) -> dict[str, Any]:
        """Return it as the core reads it."""
        numbers = {key: value for key, value in plain(self).items() if key != "label"}
        days = numbers.pop("sensitive_weeks") * DAYS_PER_WEEK
        return {"name": name, "sensitive_days": days, **numbers}


def check_therapy_names(therapies: Iterable[str], problems: Problems) -> None:
    """Note a kind of therapy that has the name of the one that every cancer has."""
    if CHEMOTHERAPY in therapies:
        problems.add(["therapy", CHEMOTHERAPY], "is known to every network; allowed: any other name")
