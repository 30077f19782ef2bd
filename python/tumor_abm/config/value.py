"""What quality of life is worth and what care costs, as the experiment says; nothing of it has a default."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tumor_abm._base.table import Table

Worth = Annotated[float, Field(ge=-1, le=1)]
Loss = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e12)]
Discount = Annotated[float, Field(ge=0, le=1)]


class Utility(Table):
    """Quality of life: 1 is full health, 0 as bad as death.

    Attributes
    ----------
    without_progression
        On a line, until progression: one number, or one per line, of which the last counts for all others.
    after_progression
        From progression on, until the next line or death.
    neutropenia_grade_3_4
        Quality-adjusted years lost on a line with neutropenia of grade 3 or 4.
    drug_stopped
        Quality-adjusted years lost when a drug is given up for intolerance.
    discount_per_year
        Rate at which later years count less.
    """

    without_progression: Worth | Annotated[list[Worth], Field(min_length=1)]
    after_progression: Worth
    neutropenia_grade_3_4: Loss = 0.0
    drug_stopped: Loss = 0.0
    discount_per_year: Discount = 0.0


class Price(Table):
    """Prices, in any currency.

    Attributes
    ----------
    drug
        Per drug, of a month at its standard dose and schedule. What is held, reduced or
        paused is not paid.
    scan
        Of a scan.
    liquid_biopsy
        Of a liquid biopsy.
    month
        Of a month of care, treated or not, until death.
    currency
        How it is called.
    discount_per_year
        Rate at which later costs count less.
    """

    drug: dict[str, Amount] = Field(default_factory=dict)
    scan: Amount = 0.0
    liquid_biopsy: Amount = 0.0
    month: Amount = 0.0
    currency: str = Field(default="", max_length=20)
    discount_per_year: Discount = 0.0

    @model_validator(mode="after")
    def _any_price(self) -> Price:
        if not self.drug and not (self.scan or self.liquid_biopsy or self.month):
            raise ValueError("no price; name at least one of drug, scan, liquid_biopsy, month")
        return self
