"""Constants of what is measured, that all patients share: imaging, liquid biopsy, neutrophils."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.quantity import Quantity, Share, between, plain

_Ten = Annotated[Quantity, AfterValidator(between(0, 10))]


class Imaging(Table):
    """What a scan sees of the tumour.

    Attributes
    ----------
    cells_per_cm3
        Cells (living, dead or stromal) that fill one cm3.
    stroma_per_cell
        Stroma per living tumour cell, in cell volumes, in balance.
    stroma_days
        Days over which stroma follows the living cells.
    dead_clearance_days
        Mean days until a dead cell is cleared.
    measurement_sigma
        Standard deviation of the logarithm of a measured diameter.
    visible_mm
        Lesions of a smaller diameter have disappeared; up to 5 mm they count as 5 mm (RECIST 1.1).
    new_lesion_cells
        Living cells in a lesion that has just become visible.
    """

    cells_per_cm3: Annotated[Quantity, AfterValidator(between(1e6, 1e11))]
    stroma_per_cell: Annotated[Quantity, AfterValidator(between(0, 100))]
    stroma_days: Annotated[Quantity, AfterValidator(between(0.1, 1e5))]
    dead_clearance_days: Annotated[Quantity, AfterValidator(between(0.1, 1e5))]
    measurement_sigma: Share
    visible_mm: Annotated[Quantity, AfterValidator(between(0, 50))]
    new_lesion_cells: Annotated[Quantity, AfterValidator(between(1, 1e12))]

    def to_core(self) -> dict[str, Any]:
        """Return the constants as the core reads them."""
        return dict(plain(self))


class Assay(Table):
    """Circulating tumour DNA and the assay that reads it.

    Attributes
    ----------
    limit_of_detection
        Variant allele fraction below which nothing is reported.
    plasma_ml
        Plasma in one sample.
    body_plasma_ml
        Plasma in the body.
    background_per_ml
        Normal DNA, genome equivalents per ml.
    half_life_h
        Half-life of DNA in plasma.
    """

    limit_of_detection: Share
    plasma_ml: Annotated[Quantity, AfterValidator(between(1e-3, 1e3))]
    body_plasma_ml: Annotated[Quantity, AfterValidator(between(1, 1e5))]
    background_per_ml: Annotated[Quantity, AfterValidator(between(1, 1e7))]
    half_life_h: Annotated[Quantity, AfterValidator(between(1e-3, 1e3))]


class Neutropenia(Table):
    """Neutrophils (Friberg et al. 2002) and the rules of dosing that follow from them.

    Attributes
    ----------
    mean_transit_h
        Mean transit time from proliferation to blood.
    feedback
        Strength of the feedback on proliferation.
    hold_below
        Myelotoxic drugs are held below this count, 1e9 per litre ...
    resume_at
        ... and resumed at this one.
    reduce_below
        A count below this one reduces the dose to the drug's next level.
    """

    mean_transit_h: Annotated[Quantity, AfterValidator(between(10, 1000))]
    feedback: Annotated[Quantity, AfterValidator(between(0.01, 2))]
    hold_below: _Ten
    resume_at: _Ten
    reduce_below: _Ten

    @model_validator(mode="after")
    def _resume_above_hold(self) -> Neutropenia:
        if self.resume_at.value < self.hold_below.value:
            raise ValueError(
                f"resume_at = {self.resume_at.value:g} lies below hold_below = {self.hold_below.value:g}"
            )
        return self

    def to_core(self) -> dict[str, Any]:
        """Return the constants as the core reads them."""
        return dict(plain(self))
