"""Tissue and blood that are taken of some patients for sequencing, and the mutations that are read there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from tumor_abm._base.table import Table

Moment = Literal["diagnosis", "progression", "autopsy"]
MOMENTS: tuple[Moment, ...] = ("diagnosis", "progression", "autopsy")
_MOST_PATIENTS = 10_000
_MOST_CELLS = 10_000_000


class PatientGenome(Table):
    """Neutral mutations of patients whose samples are sequenced.

    Attributes
    ----------
    truncal
        Mutations that the first cell had already.
    passengers_per_day
        A clock: mean number on the line from the founding of a clone to that of its daughter clone, per day.
    """

    truncal: int = Field(default=100, ge=0, le=1_000_000)
    passengers_per_day: float = Field(default=0.05, ge=0, le=1e4)


class PlannedSample(Table):
    """What is taken of patients at named moments.

    Attributes
    ----------
    name
        Shown in tables and files.
    moments
        When: ``diagnosis`` (the first day of the arm), each ``progression``, ``autopsy`` (the last day of
        follow-up).
    patients
        The first so many patients, in every arm.
    depth, overdispersion, least_reads, least_vaf
        As in `tumor_abm.Sequencing`.
    """

    name: str = Field(min_length=1, max_length=40)
    moments: list[Moment] = Field(default=list(MOMENTS), min_length=1)
    patients: int = Field(default=10, ge=1, le=_MOST_PATIENTS)
    depth: float = Field(default=200.0, gt=0, le=1e6)
    overdispersion: float = Field(default=0.0, ge=0, le=0.5)
    least_reads: int = Field(default=4, ge=1, le=1_000_000)
    least_vaf: float = Field(default=0.02, ge=0, lt=1)

    @field_validator("moments")
    @classmethod
    def _each_once(cls, moments: list[Moment]) -> list[Moment]:
        if len(set(moments)) < len(moments):
            raise ValueError("found a moment twice; allowed: each once")
        return moments


class TissueBiopsy(PlannedSample):
    """Tissue of some patients, sequenced. Lesions share the clones of the tumour: cells are of any of them.

    Attributes
    ----------
    cells
        Tumour cells in a sample, drawn at random.
    purity
        Share of the sample's cells that are of the tumour.
    """

    cells: int = Field(default=10_000, ge=1, le=_MOST_CELLS)
    purity: float = Field(default=0.7, gt=0, le=1)


class LiquidPanel(PlannedSample):
    """Plasma of some patients, sequenced deeply.

    Attributes
    ----------
    genes
        Genes (or alterations) that are read; all mutations, passengers too, when absent.
    every_weeks
        Weeks between further samples, from diagnosis to the end, whatever the line; none when absent.
    genomes
        Genome equivalents of the tumour that are sampled, at most.
    tumour_fraction
        Share of the DNA that is of the tumour. When absent, what dying cells shed that day among the normal
        DNA of plasma, as for `liquid_biopsy`.
    """

    genes: list[str] | None = Field(default=None, min_length=1)
    every_weeks: float | None = Field(default=None, ge=1 / 7, le=520)
    genomes: int = Field(default=10_000, ge=1, le=_MOST_CELLS)
    tumour_fraction: float | None = Field(default=None, gt=0, le=1)
    depth: float = Field(default=20_000.0, gt=0, le=1e6)
    least_vaf: float = Field(default=0.001, ge=0, lt=1)
