"""What is known of the arms of an experiment side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from tumor_abm.analysis.doses_given import CHANGES, INTENSITY
from tumor_abm.analysis.endpoints import Endpoint
from tumor_abm.analysis.subgroups import INTERACTIONS, SUBGROUPS
from tumor_abm.analysis.treatment_time import ON_REGIMEN, TO_NEXT
from tumor_abm.analysis.worth import WORTH


@dataclass(frozen=True)
class Compared:
    """The arms of an experiment against its control arm.

    Attributes
    ----------
    table
        A row per arm and endpoint, see the documentation of results: what was seen in the arm
        (``n, events, median_months, lo, hi, rate_6 ... orr_pct, cbr_pct``), how it compares with the
        control arm on the patients that both share (``hr, hr_lo, hr_hi, p`` as a trial of this size would
        see it, columns from ``paired_`` as the simulation knows it), and why there is nothing where an
        endpoint has no meaning (``not_defined``). Null is what the data do not tell.
    limits
        A row per arm and endpoint: 95% limits of the other percentages and medians of `table`, e.g.
        ``rate_12_lo, rate_12_hi``.
    gains
        A row per arm other than the control and endpoint (PFS2, OS): ``arm, endpoint, n, gain_pct,
        same_pct, lose_pct, mean_difference_months`` and their errors, see `who_gains`.
    neutropenia
        Worst grades of neutropenia per arm and line, see `tumor_abm.analysis.toxicity.neutropenia`.
    missing
        Patients who are in one of two arms that are compared, and not in the other: ``arm, endpoint,
        absent_from, why, patients``; `why` is ``among`` (the other arm is not about them) or ``not begun``
        (they never reached the start of the clock there).
    endpoints
        What the names in ``endpoint`` stand for.
    without_meaning
        Endpoints that have no meaning in any arm, and why.
    experiment
        The experiment as it was run.
    control
        Name of the control arm.
    subgroups
        A row per arm other than the control, endpoint, covariate and level: the effect in that subgroup; see
        `tumor_abm.analysis.subgroups`. No rows unless subgroups were asked for.
    on_regimens, to_next
        Time on each regimen, and to the next treatment and to chemotherapy; see
        `tumor_abm.analysis.treatment_time`.
    intensity, dose_changes
        Share of the planned doses that was given, and how many had doses held or reduced or gave up a drug;
        see `tumor_abm.analysis.doses_given`.
    worth
        Quality-adjusted time and cost, where the experiment gives utilities or prices; see
        `tumor_abm.analysis.worth`.
    interactions
        A row per arm other than the control, endpoint and covariate: whether the effect differs between the
        subgroups, and how each patient's gain goes with the covariate itself.
    """

    table: pl.DataFrame
    limits: pl.DataFrame
    gains: pl.DataFrame
    neutropenia: pl.DataFrame
    missing: pl.DataFrame
    endpoints: tuple[Endpoint, ...]
    without_meaning: Mapping[Endpoint, list[str]]
    experiment: Mapping[str, Any]
    control: str
    subgroups: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=SUBGROUPS))
    on_regimens: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=ON_REGIMEN))
    to_next: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=TO_NEXT))
    intensity: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=INTENSITY))
    dose_changes: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=CHANGES))
    worth: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=WORTH))
    interactions: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=INTERACTIONS))

    @property
    def with_limits(self) -> pl.DataFrame:
        """The table with the limits beside what they are of."""
        whole = self.table.join(self.limits, on=["arm", "endpoint"], how="left", maintain_order="left")
        limits = self.limits.columns
        order = [
            each
            for name in self.table.columns
            for stem in (name.removesuffix("_pct").removesuffix("_months").removesuffix("_median"),)
            for each in (name, *(f"{stem}_{end}" for end in ("lo", "hi") if f"{stem}_{end}" in limits))
        ]
        return whole.select(order)
