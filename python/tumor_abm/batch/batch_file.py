"""A batch as a user writes it: the keys of the TOML file and their defaults."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from tumor_abm._base import seeds
from tumor_abm._base.table import Table
from tumor_abm.batch.axis import Axis
from tumor_abm.batch.bare_population import BarePopulation
from tumor_abm.batch.cube import DesignName
from tumor_abm.batch.design import MOST_POINTS

OWN_COLUMNS = ("point", "run", "replicate", "seed", "error")
_BASES = ("base", "experiment", "study", "population")


class BatchFile(Table):
    """A batch: one base, moved along axes.

    Attributes
    ----------
    title
        Its name.
    question
        The question it answers, a sentence.
    seed
        Names all random numbers; drawn when absent, and written into the results.
    replicates
        Runs of every point, each with a seed of its own.
    common_random_numbers
        Whether a replicate has the same seed in all points, so that points differ by their values alone.
    base
        File of an experiment or of a study of ``evolve``, relative to this one, or the name of a trial.
    experiment, study
        The same as a table, as resolved files have it.
    population
        A population with explicit rates.
    set
        Path of a key to its value: what differs from the base in all points.
    tables
        Tables to keep; by default ``outcomes`` and ``overall`` of an experiment, ``tumours`` of a study,
        ``outcomes`` of a population.
    design
        Where sampled axes are read: a ``grid`` of quantiles, ``latin_hypercube``, ``sobol`` or ``random``.
        For ``Batch.indices``: a cross-sample of ``saltelli`` (Sobol indices) or trajectories of ``morris``.
    points
        Points of the sampled axes together; with ``grid``, of each. With ``saltelli`` every one is followed
        by another per axis and one more, with ``morris`` by another per axis.
    axis
        What moves.
    """

    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    seed: int | None = Field(default=None, ge=0, le=seeds.MOST)
    replicates: int = Field(default=1, ge=1, le=1_000_000)
    common_random_numbers: bool = True
    base: str | None = None
    experiment: dict[str, Any] | None = None
    study: dict[str, Any] | None = None
    population: BarePopulation | None = None
    set_: dict[str, Any] = Field(default_factory=dict, alias="set")
    tables: list[str] | None = Field(default=None, min_length=1)
    design: DesignName = "latin_hypercube"
    points: int | None = Field(default=None, ge=1, le=MOST_POINTS)
    axis: list[Axis] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_base(self) -> BatchFile:
        given = [key for key in _BASES if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"base: found {found}; allowed: exactly one of {', '.join(_BASES)}")
        names = [axis.name for axis in self.axis]
        for i, name in enumerate(names):
            if name in OWN_COLUMNS:
                raise ValueError(f'axis[{i}].name: found "{name}", which is a column of the results already')
            if name in names[:i]:
                raise ValueError(f'axis[{i}].name: the name "{name}" is there twice')
        return self
