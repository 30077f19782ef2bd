"""Samples that an experiment takes of some patients: lived again, sampled, sequenced, written."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.files import write_text, write_whole
from tumor_abm._base.seeds import derive
from tumor_abm._base.sinks import file_names
from tumor_abm._base.units import DAYS_PER_WEEK
from tumor_abm.config import Experiment
from tumor_abm.config.samples import MOMENTS, LiquidPanel, PlannedSample, TissueBiopsy
from tumor_abm.errors import InputError
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.evolution.sequencing import Sequencing
from tumor_abm.knowledge.constants import Assay
from tumor_abm.model.clone_samples import DAY, PROGRESSION, CloneSamples, Taking, sample_through_treatment
from tumor_abm.model.tumor_model import TumorModel
from tumor_abm.run.results import Results

NOTHING = "sampled_nothing"
"""The table of samples that found no cell."""
_TABLES = ("clones", "cells", "mutations", "nothing")


@dataclass(frozen=True, eq=False)
class SampledPatient:
    """One patient in one arm, sampled.

    Attributes
    ----------
    patient, arm
        Who.
    samples
        What was taken, and the tree of the clones.
    reads
        ``of, sample, day, tumour_fraction``, then as `CloneSamples.reads`: every mutation that is read in a
        sample, called or not.
    """

    patient: int
    arm: str
    samples: CloneSamples
    reads: pl.DataFrame

    def named(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table with the patient and the arm before its columns."""
        return table.select(
            pl.lit(self.patient, pl.UInt64).alias("patient"), pl.lit(self.arm).alias("arm"), pl.all()
        )


def takes_samples(results: Results) -> bool:
    """Whether the experiment has biopsies or liquid panels."""
    return any(results.experiment.get(key) for key in ("biopsy", "liquid_biopsy_panel"))


def sampled_patients(results: Results) -> Iterator[SampledPatient]:
    """Live the patients again whom an experiment samples, and sequence what is taken.

    A patient who is sampled is the same as in the run. The samples depend on the experiment and the number of
    the patient alone.

    Parameters
    ----------
    results
        Of an experiment with ``[[biopsy]]`` or ``[[liquid_biopsy_panel]]``.

    Raises
    ------
    InputError
        Nothing is to be taken, or the patients lived by several sets of parameters.
    """
    must_be("results", results, Results)
    if not takes_samples(results):
        raise InputError(key="biopsy", found="none", allowed="an experiment that takes samples")
    if "ensemble" in results.provenance:
        problem = (
            "patients of several sets of parameters are not sampled; run the experiment without an ensemble"
        )
        raise InputError(problem, key="biopsy")
    laboratory = _Laboratory(Experiment.from_dict(results.experiment))
    for patient, arm in sampled_lives(results):
        yield laboratory.sampled(patient, arm)


def sampled_lives(results: Results) -> list[tuple[int, str]]:
    """Return who is sampled: patients, each in every arm that is about them."""
    tables = [*results.experiment.get("biopsy", []), *results.experiment.get("liquid_biopsy_panel", [])]
    most = max((table["patients"] for table in tables), default=0)
    lived = results.scan("overall").select("patient", pl.col("arm").cast(pl.String))
    return lived.filter(pl.col("patient") < most).collect().rows()


class _Laboratory:
    """Takes and reads the samples of an experiment."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._known = experiment.knowledge.alterations

    @cached_property
    def _planned(self) -> list[PlannedSample]:
        return [*self._experiment.written.biopsy, *self._experiment.written.liquid_biopsy_panel]

    def sampled(self, patient: int, arm: str) -> SampledPatient:
        """Live one patient again."""
        taken, drawn, *read = derive(self._experiment.seed, "samples", arm, patient).generate_state(
            2 + len(self._planned)
        )
        model = TumorModel(
            self._experiment.resolved(),
            patient=patient,
            strategy=arm,
            clone_genealogy=True,
            collect_every_days=0,
        )
        due = [planned for planned in self._planned if patient < planned.patients]
        samples = sample_through_treatment(model, takings=[_taking(each) for each in due], seed=int(taken))
        genome = self._experiment.written.genome
        mutations = samples.mutations(
            truncal=genome.truncal,
            passengers_per_day=genome.passengers_per_day,
            known=self._known,
            seed=int(drawn),
        )
        found = [
            table
            for planned, seed in zip(self._planned, read, strict=True)
            if planned in due
            for table in self._read(planned, samples, mutations, int(seed))
        ]
        nothing = Sequencing().read_all(mutations.clear(), {"": np.zeros(0, np.int64)}, {"": 0}, seed=0)
        return SampledPatient(patient, arm, samples, pl.concat([_told(nothing, "", 0.0, 0.0), *found]))

    def _read(
        self, planned: PlannedSample, samples: CloneSamples, mutations: pl.DataFrame, seed: int
    ) -> Iterator[pl.DataFrame]:
        """Read all samples of one table of the experiment, each with the purity of its day."""
        if isinstance(planned, LiquidPanel) and planned.genes is not None:
            genes = {name: known.gene for name, known in self._known.items()}
            gene = pl.col("type").replace(genes)
            mutations = mutations.filter(pl.col("type").is_in(planned.genes) | gene.is_in(planned.genes))
        moment = pl.col("sample").str.strip_prefix(f"{planned.name}, ")
        counted = moment.str.starts_with(f"{PROGRESSION} ") | moment.str.starts_with(f"{DAY} ")
        own = samples.cells.filter(moment.is_in(MOMENTS) | counted)
        rng = np.random.default_rng(seed)
        for name, day in own.select("sample", "day").unique(maintain_order=True).iter_rows():
            purity = self._purity(planned, samples, day)
            sequencing = Sequencing(
                depth=planned.depth,
                purity=purity,
                overdispersion=planned.overdispersion,
                least_reads=planned.least_reads,
                least_vaf=planned.least_vaf,
            )
            reads = samples.only([name]).reads(
                sequencing, mutations, every=True, seed=int(rng.bit_generator.random_raw())
            )
            yield _told(reads, planned.name, day, purity)

    def _purity(self, planned: PlannedSample, samples: CloneSamples, day: float) -> float:
        """Share of the cells, or of the DNA, that is of the tumour."""
        if isinstance(planned, TissueBiopsy):
            return planned.purity
        assert isinstance(planned, LiquidPanel)
        if planned.tumour_fraction is not None:
            return planned.tumour_fraction
        shed = samples.blood.filter(pl.col("day") == day)["shed_per_day"].item()
        return tumour_fraction(shed, self._experiment.knowledge.assay)


def _told(reads: pl.DataFrame, of: str, day: float, purity: float) -> pl.DataFrame:
    of_what, on = pl.lit(of).alias("of"), pl.lit(day).alias("day")
    return reads.select(of_what, "sample", on, pl.lit(purity).alias("tumour_fraction"), pl.exclude("sample"))


def tumour_fraction(shed_per_day: float, assay: Assay) -> float:
    """Return the share of DNA in plasma that is of the tumour.

    Parameters
    ----------
    shed_per_day
        Genome equivalents.
    assay
        What dilutes it, and how fast it is cleared.
    """
    residence_days = assay.half_life_h.value / math.log(2) / 24
    per_ml = shed_per_day * residence_days / assay.body_plasma_ml.value
    return per_ml / (per_ml + assay.background_per_ml.value)


def _taking(planned: PlannedSample) -> Taking:
    return Taking(
        name=planned.name,
        cells=_cells(planned),
        place=planned.aim if isinstance(planned, TissueBiopsy) else None,
        moments=planned.moments,
        every_days=_every_days(planned),
    )


def _every_days(planned: PlannedSample) -> float | None:
    weeks = planned.every_weeks if isinstance(planned, LiquidPanel) else None
    return None if weeks is None else weeks * DAYS_PER_WEEK


def _cells(planned: PlannedSample) -> int:
    return planned.genomes if isinstance(planned, LiquidPanel) else planned.cells  # type: ignore[attr-defined]


def write_samples(
    results: Results, directory: str | Path, progress: Callable[[int], None] | None = None
) -> dict[str, pl.DataFrame]:
    """Sample patients, and write what was found.

    Parameters
    ----------
    results
        Of an experiment that takes samples.
    directory
        Where to: tables ``sampled_clones``, ``sampled_cells``, ``sampled_mutations`` (Parquet), a MAF per
        patient and arm in ``maf``, trees of clones (newick and, if tskit is installed, tree sequences) in
        ``trees``. Samples that found no cell, if any, stand in ``sampled_nothing``.
    progress
        Called with the number of lives sampled so far.

    Returns
    -------
    dict of polars.DataFrame
        The tables.
    """
    out = Path(directory)
    for folder in (out, out / "maf", out / "trees"):
        folder.mkdir(exist_ok=True)
    arms = file_names(results.arms)
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in _TABLES}
    for done, one in enumerate(sampled_patients(results), start=1):
        stem = f"patient_{one.patient}-{arms[one.arm]}"
        _write_maf(one, stem, out / "maf")
        write_text(out / "trees" / f"{stem}.nwk", one.samples.newick() + "\n")
        if importlib.util.find_spec("tskit") is not None:
            write_whole(out / "trees" / f"{stem}.trees", one.samples.tree_sequence().dump)
        for name, table in (
            ("clones", one.samples.clones),
            ("cells", one.samples.cells),
            ("mutations", one.reads),
            ("nothing", pl.DataFrame({"sample": one.samples.empty}, schema={"sample": pl.String})),
        ):
            found[name].append(one.named(table))
        if progress is not None:
            progress(done)
    tables = {f"sampled_{name}": pl.concat(parts) for name, parts in found.items() if parts}
    if NOTHING in tables and tables[NOTHING].is_empty():
        del tables[NOTHING]
    for name, table in tables.items():
        write_whole(out / f"{name}.parquet", table.write_parquet)
    return tables


def _write_maf(one: SampledPatient, tumour: str, directory: Path) -> None:
    """Write a MAF: the samples of a tumour below each other."""
    names = file_names(one.reads["sample"].unique(maintain_order=True))
    tables = [
        maf(one.reads.filter(sample=sample), tumour=tumour, sample=name) for sample, name in names.items()
    ]
    write_maf(
        pl.concat(tables or [maf(one.reads, tumour=tumour, sample="none")]), directory / f"{tumour}.maf.gz"
    )
