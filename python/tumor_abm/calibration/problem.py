"""The problem that calibration solves: free parameters, what is simulated, what it is held against."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tumor_abm.calibration.alike import lumped
from tumor_abm.calibration.cohorts import (
    HALFWAY,
    ArmKey,
    HistoryCohort,
    carriers,
    cohorts_of,
    delay_months,
    drugs_of_arms,
    live,
    samples,
)
from tumor_abm.calibration.parameters import Parameters, Plan
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.calibration.proliferation import falls
from tumor_abm.calibration.rows import row_of_ki67, row_of_prevalence, row_of_target
from tumor_abm.calibration.sample import Curves
from tumor_abm.calibration.targets import Ki67Target, PrevalenceTarget, Target, penalty, targets_of
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble

Numbers = NDArray[np.float64]

_LOGARITHMS_OF = (0.02, 120.0)
"""Medians (months) and hazard ratios are drawn in to these."""
_DIGITS = 6
"""Of a share."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Free parameters, cohorts and targets.

    Attributes
    ----------
    knowledge
        What is changed by the parameters.
    given
        What was found before; every simulation takes one of its sets, drawn by weight.
    parameters
        The free ones.
    cohorts
        What is simulated.
    targets, prevalences, ki67
        What it is held against.
    shown
        Rows that are predicted and do not enter the loss.
    prior_weight
        See `PlanFile`.
    alike
        Alterations that are one in the search; the first one stands for all.
    proliferation
        Output of the pathway that a biopsy for Ki-67 shows.
    """

    knowledge: Knowledge
    given: Ensemble
    parameters: Parameters
    cohorts: list[HistoryCohort]
    targets: list[Target]
    prevalences: list[PrevalenceTarget]
    ki67: list[Ki67Target]
    shown: list[Target]
    prior_weight: float
    alike: tuple[str, ...] = ()
    proliferation: str = ""

    @classmethod
    def shipped(
        cls, plan: Plan = "all", *, near: bool = False, knowledge: Knowledge | None = None
    ) -> Problem:
        """Return a problem of the package: its trials, free parameters and targets.

        Parameters
        ----------
        plan
            Which of them.
        near
            Whether rows that do not enter the loss are predicted.
        knowledge
            Instead of the package's.
        """
        from tumor_abm.config import named

        written = PlanFile.shipped(plan)
        tables = {name: named.tables(name) for name in written.trials}
        given = Ensemble.shipped() if plan == "chemotherapy" else Ensemble.defaults()
        return cls.of(written, tables, knowledge or Knowledge.shipped(), given=given, near=near)

    @classmethod
    def of(
        cls,
        written: PlanFile,
        trials: Mapping[str, Mapping[str, Any]],
        knowledge: Knowledge,
        *,
        given: Ensemble | None = None,
        near: bool = False,
    ) -> Problem:
        """Make the problem of what is written.

        Parameters
        ----------
        trials
            Tables of the experiment of every trial, by name.
        given
            What was found before; none: the defaults.
        near
            Whether rows that do not enter the loss are predicted.
        """
        arms = _labelled(trials)
        delays = {name: delay_months(tables) for name, tables in trials.items()}
        rows = evidence.trials()
        of_splits = targets_of(written.rows(rows), arms, delays)
        targets = [
            replace(target, weight=written.weight_of(target.quantity, target.split))
            for target in of_splits
            if target.quantity in written.fitted
        ]
        shown = []
        if near:
            shown = [target for target in of_splits if target.quantity not in written.fitted]
            shown += targets_of(rows.filter(pl.col("split") == "validate-near"), arms, delays)
        prevalences = []
        for name, one in written.prevalence.items():
            if (one.trial, one.arm, "") not in arms:
                raise InputError(f"no trial has the arm {one.trial} {one.arm}", key=f"prevalence.{name}")
            settings = one.model_dump(exclude={"trial", "arm", "source", "note"})
            weight = written.weight_of("prevalence")
            key = arms[one.trial, one.arm, ""][0]
            prevalences.append(PrevalenceTarget(name=name, key=key, weight=weight, **settings))
        wanted = {
            key[:2] for target in [*targets, *shown] for key in (target.key, target.versus) if key is not None
        }
        wanted |= {one.key for one in prevalences}
        return cls(
            knowledge=knowledge,
            given=given or Ensemble.defaults(),
            parameters=Parameters.of(written.parameter, knowledge),
            cohorts=cohorts_of(trials, wanted=wanted, spared=written.spared, stride_days=written.stride_days),
            targets=targets,
            prevalences=prevalences,
            ki67=[
                Ki67Target(
                    name=name,
                    regimen=one.regimen,
                    drugs=one.drugs,
                    published=1 + one.change_pct / 100,
                    sigma=one.sigma,
                    weight=written.weight_of("Ki-67"),
                )
                for name, one in written.ki67.items()
            ],
            shown=shown,
            prior_weight=written.prior_weight,
            alike=tuple(written.alike.alterations) if written.alike else (),
            proliferation=written.proliferation,
        )

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of everything that the loss depends on, but for patients and seed."""
        described = {
            "parameters": [vars(one) for one in self.parameters],
            "cohorts": self._cohorts,
            "targets": [vars(one) for one in self.targets],
            "prevalences": [vars(one) for one in self.prevalences],
            "ki67": [vars(one) for one in self.ki67],
            "alike": self.alike,
            "prior_weight": self.prior_weight,
            "knowledge": {".".join(map(str, k)): q.value for k, q in self.knowledge.numbers().items()},
            "given": [(one.weight, sorted(one.overrides.items())) for one in self.given.members],
        }
        return _sha256(described)

    @property
    def _cohorts(self) -> list[dict[str, Any]]:
        return [vars(one) | {"members": sorted(map(str, one.members.items()))} for one in self.cohorts]

    @cached_property
    def simulated_sha256(self) -> str:
        """Fingerprint of what sets and simulations of them mean, whatever they are held against.

        Free parameters count by their ranges, not their defaults, and numbers to three digits: those that are
        tied to a free one move by less when another calibration is adopted.
        """
        middle = self.parameters.values([0.5] * len(self.parameters))
        fixed = self.knowledge.with_numbers(self.parameters.overrides(middle))
        described = {
            "knowledge": {".".join(map(str, k)): f"{q.value:.3g}" for k, q in fixed.numbers().items()},
            "given": [(one.weight, sorted(one.overrides.items())) for one in self.given.members],
            "parameters": [(one.name, f"{one.low:.3g}", f"{one.high:.3g}") for one in self.parameters],
            "cohorts": self._cohorts,
            "arms": self.arms,
            "responses": [(target.key, target.measurable_only) for target in self._responses],
            "prevalences": [
                (one.key, one.alterations, one.moment, one.above, one.relapsed) for one in self.prevalences
            ],
            "ki67": [one.drugs for one in self.ki67],
            "alike": self.alike,
        }
        return _sha256(described)

    def simulate(
        self, values: Mapping[str, float], *, patients: int, seed: int, jobs: int
    ) -> list[float] | None:
        """Simulate a parameter set.

        Parameters
        ----------
        values
            By name of the parameter.
        patients
            Patients of the cohorts that make up a trial; of those that are a share of it, as many times the
            square root of the share.

        Returns
        -------
        list of float
            Shares of patients, which are right on average however few there are: free of progression in every
            arm halfway between scans, with response, with an alteration; NaN of subsets without patients.
            `quantities` makes of them what is published. ``None`` if it cannot be simulated: cells too fast
            for steps of a day, or nobody eligible.
        """
        before = self.given.drawn(seed).overrides
        numbers = {**before, **self.parameters.overrides(values)}
        knowledge = lumped(self.knowledge.with_numbers(numbers), self.alike)
        try:
            lives = [
                # Small histories weigh little: they need fewer patients.
                live(
                    cohort,
                    knowledge,
                    patients=max(round(patients * math.sqrt(cohort.share)), 1),
                    seed=seed,
                    jobs=jobs,
                )
                for cohort in self.cohorts
            ]
        except InputError:
            return None
        lived = samples(self.cohorts, lives, self.arms)
        silent = np.full(len(HALFWAY), math.nan)
        outputs = [lived[key].survival(HALFWAY) if key in lived else silent for key in self.arms]
        responses = [
            lived[target.key].response_rate(measurable_only=target.measurable_only)
            if target.key in lived
            else math.nan
            for target in self._responses
        ]
        carrying = [
            carriers(
                self.cohorts,
                lives,
                one.key,
                one.alterations,
                one.moment,
                one.above,
                relapsed=one.relapsed,
            )
            for one in self.prevalences
        ]
        fallen = falls(knowledge, lives[0].table, self.ki67, self.proliferation) if self.ki67 else []
        return [
            round(float(share), _DIGITS)
            for share in (*np.concatenate(outputs), *responses, *carrying, *fallen)
        ]

    @cached_property
    def arms(self) -> list[ArmKey]:
        """Arms whose survival is an output, in their order."""
        keys = (key for target in self._rows for key in (target.key, target.versus))
        return list(dict.fromkeys(key for key in keys if key is not None))

    @cached_property
    def relevant(self) -> NDArray[np.bool_]:
        """Whether an output (a row) can depend on a parameter (a column): some only where a drug is given."""
        drugs = drugs_of_arms(self.cohorts)
        of_outputs = [
            *(drugs[key[:2]] for key in self.arms for _ in HALFWAY),
            *(drugs[target.key[:2]] for target in self._responses),
            *(drugs[one.key] for one in self.prevalences),
            *(set(one.drugs) for one in self.ki67),
        ]
        needs = [set(one.given) for one in self.parameters]
        return np.array([[not needed or bool(needed & drugs) for needed in needs] for drugs in of_outputs])

    @cached_property
    def _rows(self) -> list[Target]:
        return [*self.targets, *self.shown]

    @cached_property
    def _responses(self) -> list[Target]:
        """Targets whose response is an output, in their order."""
        return [target for target in self._rows if target.quantity == "response"]

    def of_larger(self, larger: Problem, outputs: list[float]) -> list[float]:
        """Take what this problem has in common with one that predicts more rows, of outputs of that."""
        arms = len(larger.arms) * len(HALFWAY)
        survival = np.reshape(outputs[:arms], (len(larger.arms), len(HALFWAY)))
        places = [larger.arms.index(key) for key in self.arms]
        responses = [outputs[arms + larger._responses.index(target)] for target in self._responses]
        carrying = outputs[arms + len(larger._responses) :]
        return [*map(float, survival[places].ravel()), *responses, *carrying]

    def quantities(self, outputs: Numbers) -> Numbers:
        """Make of simulated or emulated outputs what publications give.

        Parameters
        ----------
        outputs
            See `simulate`; a row per parameter set.

        Returns
        -------
        numpy.ndarray
            A row per parameter set and a column per target, prevalence, Ki-67 and predicted row, in this
            order; medians, hazard ratios and Ki-67 as logarithms, NaN of what nothing is known of.
        """
        arms = len(self.arms) * len(HALFWAY)
        survival = outputs[:, :arms].reshape(len(outputs), len(self.arms), len(HALFWAY))
        curves = {key: Curves.through(HALFWAY, survival[:, i]) for i, key in enumerate(self.arms)}
        responses = iter(outputs[:, arms : arms + len(self._responses)].T)

        def quantity(target: Target) -> Numbers:
            if target.quantity == "response":
                return next(responses)
            found = target.simulated(curves)
            return np.log(np.clip(found, *_LOGARITHMS_OF)) if target.logarithmic else found

        rows = [quantity(target) for target in self._rows]
        others = outputs[:, arms + len(self._responses) :].T
        fitted = len(self.targets)
        return np.stack([*rows[:fitted], *others, *rows[fitted:]], axis=1)

    @cached_property
    def _scales(self) -> tuple[Numbers, Numbers, Numbers]:
        """Bounds between which an output costs nothing, and the standard deviation beyond them."""
        published = [math.log(t.published) if t.logarithmic else t.published for t in self.targets]
        fallen = [math.log(one.published) for one in self.ki67]
        low = np.array([*published, *(one.low for one in self.prevalences), *fallen])
        high = np.array([*published, *(one.high for one in self.prevalences), *fallen])
        sigmas = [[one.sigma for one in rows] for rows in (self.targets, self.prevalences, self.ki67)]
        sigma = np.array([one for of_rows in sigmas for one in of_rows])
        return low, high, sigma

    def deviations(self, outputs: Numbers) -> Numbers:
        """Misfits in standard deviations, a row per parameter set and a column per target and prevalence.

        What nothing is known of (NaN) counts as met.
        """
        low, high, sigma = self._scales
        fitted = self.quantities(outputs)[:, : len(low)]
        found: Numbers = np.nan_to_num((fitted - np.clip(fitted, low, high)) / sigma, nan=0.0)
        return found

    def misfits(self, outputs: Numbers) -> Numbers:
        """Sum the penalties of all misfits, each as much as it counts, per parameter set."""
        groups = (self.targets, self.prevalences, self.ki67)
        weights = np.array([one.weight for group in groups for one in group])
        total: Numbers = penalty(self.deviations(outputs)) @ weights
        return total

    def losses(self, shares: Numbers, outputs: Numbers) -> Numbers:
        """Misfit and prior together, per parameter set."""
        prior: Numbers = self.prior_weight * ((shares - 0.5) ** 2 * 12).sum(axis=1)
        return self.misfits(outputs) + prior

    def table(self, outputs: list[float]) -> pl.DataFrame:
        """Return published and simulated, a row per target, prevalence and predicted row.

        Returns
        -------
        polars.DataFrame
            Labels, `quantity`, `at_months` of rates, `published` with `low` and `high`, `simulated`, whether
            it lies `inside` the interval, whether it was `fitted`, `deviation` in standard deviations.
        """
        deviations = self.deviations(np.array([outputs]))[0]
        quantities = self.quantities(np.array([outputs]))[0]
        fitted = len(self.targets) + len(self.prevalences) + len(self.ki67)
        rows = [
            row_of_target(target, quantity, deviation)
            for target, quantity, deviation in zip(self.targets, quantities, deviations, strict=False)
        ]
        for i, one in enumerate(self.prevalences, start=len(self.targets)):
            rows.append(row_of_prevalence(one, float(quantities[i]), float(deviations[i])))
        for j, fall in enumerate(self.ki67, start=len(self.targets) + len(self.prevalences)):
            rows.append(row_of_ki67(fall, float(quantities[j]), float(deviations[j])))
        rows.extend(
            row_of_target(target, quantity, None)
            for target, quantity in zip(self.shown, quantities[fitted:], strict=True)
        )
        return pl.DataFrame(rows, infer_schema_length=None)


def _sha256(described: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()


def _labelled(
    trials: Mapping[str, Mapping[str, Any]],
) -> dict[tuple[str, str, str], tuple[ArmKey, ArmKey | None]]:
    """Where each arm of the table of trials is simulated, and its control: PFS of the first line only."""
    found: dict[tuple[str, str, str], tuple[ArmKey, ArmKey | None]] = {}
    for trial, tables in trials.items():
        among = {arm["name"]: arm.get("among", {}) for arm in tables["arm"]}
        for arm in tables["arm"]:
            labels = arm.get("labels", {})
            if "trial" in labels and "endpoint" not in labels:
                versus: ArmKey | None = None
                if "versus" in labels:
                    versus = trial, labels["versus"]
                    # An arm among some of the patients is compared with them in the other arm.
                    versus += () if among[labels["versus"]] == among[arm["name"]] else (arm["name"],)
                label = (labels["trial"], labels["arm"], labels.get("subset", ""))
                found[label] = ((trial, arm["name"]), versus)
    return found
