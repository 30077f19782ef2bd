"""Tissue and blood that are taken of some patients for sequencing, and the mutations that are read there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tumor_abm._base.table import Table
from tumor_abm.evolution.biopsy import Aim, AimedShape

Moment = Literal["diagnosis", "progression", "autopsy"]
MOMENTS: tuple[Moment, ...] = ("diagnosis", "progression", "autopsy")
_MOST_PATIENTS = 10_000
_MOST_CELLS = 10_000_000
_Radii = Annotated[float, Field(ge=-10, le=10)]


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
        Tumour cells in a sample, at most. By place they are individuals of the engine.
    purity
        Share of the sample's cells that are of the tumour.
    shape
        With engine ``lattice``: ``sphere`` (the cells nearest to a point), ``needle`` (those nearest to a
        straight line) or ``random``, as when absent: any.
    centre
        A point in radii of the tumour from its middle: ``[0, 0, 0]`` is the middle, ``[1, 0, 0]`` the rim;
        the middle when absent. 2-D leaves the third number out.
    direction
        Of a needle; ``[1, 0, 0]`` when absent.
    radius
        Of a sphere or needle, in radii of the tumour. When given, cells in it are taken, at most `cells` of
        them at random.
    """

    cells: int = Field(default=10_000, ge=1, le=_MOST_CELLS)
    purity: float = Field(default=0.7, gt=0, le=1)
    shape: AimedShape | None = None
    centre: list[_Radii] | None = Field(default=None, min_length=2, max_length=3)
    direction: list[_Radii] | None = Field(default=None, min_length=2, max_length=3)
    radius: float | None = Field(default=None, gt=0, le=10)

    @model_validator(mode="before")
    @classmethod
    def _of_no_lesion(cls, written: Any) -> Any:
        for key in ("lesion", "site"):
            if isinstance(written, dict) and key in written:
                raise ValueError(
                    f"{key}: lesions have no clones of their own in this model, they share those of the "
                    "tumour; allowed: biopsies of all lesions together, or by place (shape, centre) with "
                    'engine = "lattice"'
                )
        return written

    @model_validator(mode="after")
    def _keys_of_the_shape(self) -> TissueBiopsy:
        of_shape = {
            "centre": ("sphere", "needle"),
            "direction": ("needle",),
            "radius": ("sphere", "needle"),
        }
        for key, shapes in of_shape.items():
            if getattr(self, key) is not None and self.shape not in shapes:
                allowed = " or ".join(f'shape = "{shape}"' for shape in shapes)
                raise ValueError(f"{key}: allowed with {allowed}")
        return self

    @property
    def aim(self) -> Aim | None:
        """The place; ``None`` where any cells do."""
        if self.shape is None or self.shape == "random":
            return None
        given = {key: tuple(value) for key in ("centre", "direction") if (value := getattr(self, key))}
        centre = (*given.get("centre", ()), 0.0, 0.0, 0.0)[:3]
        direction = (*given.get("direction", (1.0,)), 0.0, 0.0)[:3]
        return Aim(shape=self.shape, cells=self.cells, centre=centre, direction=direction, radius=self.radius)


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
