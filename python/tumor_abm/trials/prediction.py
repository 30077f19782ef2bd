"""Predictions of trials, with intervals from sampling at the trial's size and from parameter uncertainty."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm._base import seeds
from tumor_abm._base.arguments import MOST_THREADS, must_be, whole
from tumor_abm._base.files import (
    sha256_of,
    sha256_of_text,
    verify,
    write_sums,
    write_text,
    write_whole,
)
from tumor_abm._base.frames import read_parquet
from tumor_abm._base.json import read_json
from tumor_abm._base.memory import afford
from tumor_abm.analysis.survival import cox_hazard_ratio, kaplan_meier
from tumor_abm.config import named
from tumor_abm.config.written import MOST_PATIENTS
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.run.provenance import now, provenance
from tumor_abm.run.results import PROVENANCE
from tumor_abm.run.tables import BYTES_PER_LIFE
from tumor_abm.trials.cohort import EVERYBODY, Cohort, cohorts, loaded
from tumor_abm.trials.parts import Parts
from tumor_abm.trials.rows import Row
from tumor_abm.trials.rows import rows as rows_of
from tumor_abm.trials.sampling import (
    Floats,
    Observed,
    hazard_ratio,
    interval,
    median,
    own_share,
    rate,
)

PATIENTS = 1000
"""Virtual patients per trial, over all parameter sets."""
SAMPLES = 500
"""Trials drawn for each interval."""
LANDMARKS = (6, 12, 18, 24, 36)

_TABLES = ("predictions.parquet", "observations.parquet", "prevalence.parquet")
_SCHEMA = {
    **dict.fromkeys(("trial", "arm", "subset"), pl.String),
    "n": pl.Int64,
    **dict.fromkeys(("pfs_median_months", "pfs_lo", "pfs_hi", "hr", "hr_lo", "hr_hi"), pl.Float64),
    **{f"pfs{month}": pl.Float64 for month in LANDMARKS},
    **dict.fromkeys(("orr_pct", "pfs2_median_months", "os_median_months"), pl.Float64),
    **dict.fromkeys(("orr_lo", "orr_hi", "orr_measurable_pct"), pl.Float64),
    **dict.fromkeys(("prior_cdk46i", "endpoint", "versus", "file"), pl.String),
    "simulated": pl.Int64,
}


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What trials are predicted to report.

    Attributes
    ----------
    table
        A row per arm and subset of the tables of trials: ``trial, arm, subset, n, pfs_median_months, pfs_lo,
        pfs_hi, hr, hr_lo, hr_hi, pfs6, pfs12, pfs18, pfs24, pfs36, orr_pct, pfs2_median_months,
        os_median_months`` and what explains them. Rates and responses are percent; null is not reached.
    observations
        The simulated patients, see `tumor_abm.trials.cohort.Part`, with the number of the parameter set.
    prevalence
        ``file, arm, moment, gene, found, most, patients``: in how many of how many patients a gene was
        altered in a hundredth, and in half, of the cells, at enrolment (``baseline``) and at progression.
    provenance
        Software, seed, trials and sets of parameters.
    """

    table: pl.DataFrame
    observations: pl.DataFrame
    prevalence: pl.DataFrame
    provenance: Mapping[str, Any]

    def save(self, directory: str | Path) -> None:
        """Write ``predictions``, ``observations`` and ``prevalence`` as Parquet, and `provenance` as JSON."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        tables = dict(zip(_TABLES, (self.table, self.observations, self.prevalence), strict=True))
        for name, table in tables.items():
            write_whole(folder / name, table.write_parquet)
        told = json.dumps(self.provenance, indent=2) + "\n"
        sums = {name: sha256_of(folder / name) for name in tables}
        write_sums(folder, sums | {PROVENANCE: sha256_of_text(told)})
        write_text(folder / PROVENANCE, told)

    @classmethod
    def load(cls, directory: str | Path) -> Prediction:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            A file is missing or damaged.
        """
        folder = Path(directory)
        try:
            verify(folder, (*_TABLES, PROVENANCE))
            table, observations, prevalence = (read_parquet(folder / name) for name in _TABLES)
            told = read_json(folder / PROVENANCE)
        except (InputError, OSError, pl.exceptions.PolarsError) as error:
            problem = f"holds no predictions ({error}); write them with tumor-abm predict --keep"
            raise InputError(problem, file=folder) from error
        return cls(table=table, observations=observations, prevalence=prevalence, provenance=told)

    @staticmethod
    def is_in(directory: Path) -> bool:
        """Whether a directory holds what `save` wrote, or part of it."""
        return (directory / _TABLES[0]).exists()


def predict(
    wanted: Iterable[str] = (),
    *,
    ensemble: Ensemble | None = None,
    patients: int = PATIENTS,
    seed: int = 1,
    jobs: int = 1,
    parts: Parts | None = None,
    progress: Callable[[int], None] | None = None,
) -> Prediction:
    """Predict trials.

    Parameters
    ----------
    wanted
        Trials, by file or as the tables call them; none: all.
    ensemble
        Sets of parameters; the one that comes with the package when ``None``.
    patients
        Virtual patients per trial, shared out over the parameter sets by weight.
    seed
        Names the random streams.
    jobs
        Threads.
    parts
        Where finished cohorts are kept; what is there already is not simulated again.
    progress
        Called with the number of patients done, of `workload`.

    Raises
    ------
    InputError
        There is no such trial, or a parameter set does not fit.
    """
    ensemble = Ensemble.shipped() if ensemble is None else ensemble
    must_be("ensemble", ensemble, Ensemble)
    seed = seeds.seed_of(seed)
    jobs = whole("jobs", jobs, 1, MOST_THREADS)
    files = named.find(wanted)
    shared = cohorts(files)
    sizes = _sizes(ensemble, patients)
    started, digest = now(), hashlib.sha256()
    told = progress or (lambda done: None)
    known = [member.knowledge() for member in ensemble.members]
    done, observations, prevalence = 0, [], []
    for cohort in shared:
        lives = max(sizes) * sum(len(loaded(file).arms) for file in cohort.files)
        afford("patients", patients, lives * BYTES_PER_LIFE)
        for number, (knowledge, size) in enumerate(zip(known, sizes, strict=True)):
            spec = cohort.spec(knowledge, _patients_seed(seed, cohort, number))
            digest.update(spec.encode())
            live = partial(cohort.live, spec, size, jobs, _shifted(told, done))
            part = parts.get(f"{cohort.files} {size} {spec}", live) if parts else live()
            done += size
            told(done)
            observations.append(part.observations.with_columns(member=pl.lit(number, pl.Int64)))
            prevalence.append(part.prevalence)
    seen = pl.concat(observations)
    counted = (
        pl.concat(prevalence).group_by("file", "arm", "moment", "gene").agg(pl.col("found", "most").sum())
    )
    arms = seen.partition_by("file", "arm", as_dict=True)
    lived = {(str(file), str(arm)): _Lived.of(table, len(sizes)) for (file, arm), table in arms.items()}
    own = _own_share(list(lived.values()))
    rows = [row for cohort in shared for row in _rows(cohort, lived, sum(sizes), own, seed)]
    made = provenance(sha256=digest.hexdigest(), seed=seed, patients=patients, started=started)
    return Prediction(
        table=pl.DataFrame(rows, schema=_SCHEMA),
        observations=seen,
        prevalence=_of_all(counted),
        provenance=made | {"trials": files, "sets": [dict(member.overrides) for member in ensemble.members]},
    )


def workload(wanted: Iterable[str], ensemble: Ensemble, patients: int = PATIENTS) -> int:
    """Return how many virtual patients `predict` will simulate or find kept."""
    return len(cohorts(named.find(wanted))) * sum(_sizes(ensemble, patients))


def _patients_seed(seed: int, cohort: Cohort, member: int) -> int:
    """Every cohort and parameter set has patients of its own, whatever else is predicted or called like it.

    If all trials had the same patients, luck with these would be luck with all.
    """
    return int(seeds.derive(seed, member, f"patients of {cohort.name}").generate_state(1)[0])


def _shifted(told: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda now: told(before + now)


def _of_all(counted: pl.DataFrame) -> pl.DataFrame:
    """Add the patients of whom a gene was found in so many."""
    keys = ["file", "arm", "moment"]
    everybody = counted.filter(pl.col("gene") == EVERYBODY).select(*keys, patients="found")
    return counted.filter(pl.col("gene") != EVERYBODY).join(everybody, on=keys).sort(*keys, "gene")


def _sizes(ensemble: Ensemble, patients: int) -> list[int]:
    """Share patients out over the parameter sets, so that pooling them weighs the sets rightly."""
    patients = whole("patients", patients, 1, MOST_PATIENTS)
    weights = np.array([member.weight for member in ensemble.members])
    if patients < weights.size:
        raise InputError(
            key="patients", found=patients, allowed=f"at least {weights.size}, one per parameter set"
        )
    ends = np.round(np.cumsum(weights) / weights.sum() * patients).astype(int)
    return [max(1, int(size)) for size in np.diff(np.concatenate([[0], ends]))]


@dataclass(frozen=True, kw_only=True)
class _Lived:
    """An arm as it was simulated."""

    table: pl.DataFrame
    observed: Observed
    responded: NDArray[np.bool_]
    of_member: list[NDArray[np.intp]]

    @classmethod
    def of(cls, table: pl.DataFrame, members: int) -> _Lived:
        member = table["member"].to_numpy()
        return cls(
            table=table,
            observed=Observed(table["months"].to_numpy(), table["event"].to_numpy()),
            responded=table["responded"].to_numpy(),
            of_member=[np.flatnonzero(member == number) for number in range(members)],
        )

    def among(self, other: _Lived) -> _Lived:
        """Return those patients who also live the other arm."""
        shared = self.table.join(
            other.table.select("member", "patient"), on=["member", "patient"], how="semi"
        )
        return _Lived.of(shared, len(self.of_member))

    def drawn(self, size: int, member: int, own: float, rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw patients with replacement: a share `own` of them of one parameter set, the others of all."""
        anybody = rng.integers(0, len(self.observed), size)
        mine = self.of_member[member]
        if mine.size == 0:
            return anybody
        of_mine = mine[rng.integers(0, mine.size, size)]
        return np.where(rng.random(size) < own, of_mine, anybody)


def _rows(
    cohort: Cohort, everywhere: Mapping[tuple[str, str], _Lived], everybody: int, own: float, seed: int
) -> Iterator[dict[str, object]]:
    for file in cohort.files:
        experiment = loaded(file)
        lived = {arm: each for (of_file, arm), each in everywhere.items() if of_file == file}
        unrestricted = {
            arm.name for arm in experiment.arms if arm.among == type(arm.among)() and arm.name in lived
        }
        rows = rows_of(experiment)
        for row in rows:
            if row.name not in lived:
                yield _nobody(row, file)
                continue
            size = row.patients or _size(row, rows, unrestricted, len(lived[row.name].observed) / everybody)
            pair = None
            if row.versus is not None and row.versus in lived:
                treated, control = lived[row.name], lived[row.versus]
                pair = treated.among(control), control.among(treated)
            yield _row(row, file, lived[row.name], pair, size, _control_size(row, rows, size), own, seed)


def _own_share(lived: Sequence[_Lived]) -> float:
    survival, patients = [], []
    for arm in lived:
        at = median(arm.observed)
        members = [which for which in arm.of_member if which.size]
        if math.isfinite(at):
            survival.append(np.array([rate(arm.observed[which], at - 1e-9) for which in members]))
            patients.append(np.array([which.size for which in members]))
    kept = [~np.isnan(each) for each in survival]
    return own_share(
        [each[known] for each, known in zip(survival, kept, strict=True)],
        [each[known] for each, known in zip(patients, kept, strict=True)],
    )


def _size(row: Row, rows: Sequence[Row], unrestricted: set[str], share: float) -> int:
    """Patients of a subset whose size the trial does not tell: its share of the whole arm."""
    whole = [other for other in rows if other.patients and other.name in unrestricted]
    same = [other for other in whole if other.arm == row.arm] or whole
    largest = max((other.patients or 0 for other in same), default=0)
    return max(2, round(share * largest)) if largest else 100


def _control_size(row: Row, rows: Sequence[Row], size: int) -> int:
    """Patients of the control arm: its own number if it is about the same subset, else as many as treated."""
    for other in rows:
        if other.name == row.versus and other.subset == row.subset and other.patients:
            return other.patients
    return size


def _nobody(row: Row, file: str) -> dict[str, object]:
    return {
        **{key: getattr(row, key) for key in ("trial", "arm", "subset", "prior_cdk46i", "versus")},
        "endpoint": row.endpoint.name,
        "n": row.patients,
        "file": file,
        "simulated": 0,
    }


def _row(
    row: Row,
    file: str,
    lived: _Lived,
    pair: tuple[_Lived, _Lived] | None,
    size: int,
    control_size: int,
    own: float,
    seed: int,
) -> dict[str, object]:
    rng = seeds.stream(seed, f"{file} {row.name}")
    members = [number for number, which in enumerate(lived.of_member) if which.size]
    shares = np.array([lived.of_member[number].size for number in members], dtype=float)
    medians, ratios, responses = np.full(SAMPLES, np.nan), np.full(SAMPLES, np.nan), np.zeros(SAMPLES)
    for i in range(SAMPLES):
        member = members[int(rng.choice(len(members), p=shares / shares.sum()))]
        which = lived.drawn(size, member, own, rng)
        medians[i] = median(lived.observed[which])
        responses[i] = 100.0 * float(lived.responded[which].mean())
        if pair is not None and len(pair[0].observed):
            drawn = (
                each.observed[each.drawn(patients, member, own, rng)]
                for each, patients in zip(pair, (size, control_size), strict=True)
            )
            ratios[i] = hazard_ratio(*drawn)
    curve = kaplan_meier(lived.observed.months, lived.observed.event)
    pfs_lo, pfs_hi = interval(medians)
    hr_lo, hr_hi = interval(ratios)
    orr_lo, orr_hi = interval(responses)
    measurable = lived.responded[lived.table["measurable"].to_numpy()]
    return {
        **_nobody(row, file),
        "n": size,
        "pfs_median_months": curve.median,
        "pfs_lo": _told(pfs_lo),
        "pfs_hi": _told(pfs_hi),
        "hr": None if pair is None else _ratio(*pair),
        "hr_lo": _told(hr_lo),
        "hr_hi": _told(hr_hi),
        **{
            f"pfs{month}": _told(100.0 * float(value))
            for month, value in zip(LANDMARKS, curve.at(LANDMARKS), strict=True)
        },
        "orr_pct": 100.0 * float(lived.responded.mean()),
        "orr_lo": _told(orr_lo),
        "orr_hi": _told(orr_hi),
        "orr_measurable_pct": 100.0 * float(measurable.mean()) if measurable.size else None,
        "pfs2_median_months": _median_of(lived.table, "pfs2"),
        "os_median_months": _median_of(lived.table, "os"),
        "simulated": len(lived.observed),
    }


def _ratio(lived: _Lived, control: _Lived) -> float | None:
    if len(control.observed) == 0:
        return None
    months: Floats = np.concatenate([lived.observed.months, control.observed.months])
    event = np.concatenate([lived.observed.event, control.observed.event])
    treated = np.arange(months.size) < len(lived.observed)
    return cox_hazard_ratio(months, event, treated).hr


def _median_of(table: pl.DataFrame, endpoint: str) -> float | None:
    """Median of an endpoint; ``None`` where it is not reached, or has no meaning in the arm."""
    told = table.select(f"{endpoint}_months", f"{endpoint}_event").drop_nulls()
    months, event = (told[f"{endpoint}_{part}"].to_numpy() for part in ("months", "event"))
    return _told(median(Observed(months, event))) if months.size else None


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None
