"""Why a cell grows or stops: cells side by side, where they differ, and through what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tumor_abm._base.genotype import JOINT, WILD_TYPE
from tumor_abm.knowledge.explanation import Explanation, Treatment
from tumor_abm.knowledge.formula import Name
from tumor_abm.knowledge.influence import Cause, Values, causes, state
from tumor_abm.knowledge.pathway import FITNESS, Pathway
from tumor_abm.knowledge.response import effect_left, response

DIVISION, DEATH = Name("", "division"), Name("", "death")

_SAME = 1e-9
_STILL = 1e-6
_LEAST_SHARE = 0.05
_MOST_CAUSES = 3


@dataclass(frozen=True, kw_only=True)
class NodeValues:
    """A number of the pathway, cell by cell.

    Attributes
    ----------
    name, label, unit
        Which one.
    values
        In the order of the cells.
    """

    name: Name
    label: str
    unit: str
    values: Sequence[float]

    @property
    def differs(self) -> bool:
        """Whether the cells differ in it."""
        return any(abs(value - self.values[0]) > _SAME for value in self.values)

    def in_words(self, form: str = ".3g") -> list[str]:
        """Return the values as texts."""
        return ["0" if abs(value) <= _SAME else format(value, form) for value in self.values]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a patient.

    Attributes
    ----------
    drugs, alterations
        What it is under, and has.
    values
        What everything is in it.
    """

    drugs: Sequence[str]
    alterations: Sequence[str]
    values: Values

    @property
    def net(self) -> float:
        """Net growth per day."""
        return self.values[DIVISION] - self.values[DEATH]

    @property
    def heading(self) -> str:
        """Of its column."""
        return f"{'altered' if self.alterations else WILD_TYPE}, {'treated' if self.drugs else 'untreated'}"

    def record(self) -> dict[str, Any]:
        """Return the cell for programs."""
        return {
            "alterations": list(self.alterations),
            "drugs": list(self.drugs),
            "net_growth_per_day": self.net,
            "values": {str(name): value for name, value in self.values.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Cells side by side: without and with drugs, without and with alterations, as far as these are given.

    Attributes
    ----------
    explanation
        The pathway at work.
    patient
        Covariates that the pathway reads, by name.
    treatment
        Dose by drug, 1 for the concentration at steady state.
    alterations
        What the altered cells have.
    """

    explanation: Explanation
    patient: Mapping[str, float]
    treatment: Treatment
    alterations: Sequence[str]

    @property
    def drugs(self) -> list[str]:
        """Names of the drugs."""
        return list(self.treatment)

    @property
    def _pathway(self) -> Pathway:
        return self.explanation.knowledge.pathway

    @cached_property
    def cells(self) -> list[Cell]:
        """The wild type first, untreated before treated."""
        treatments: tuple[Treatment, ...] = ({}, self.treatment)[: 2 if self.treatment else 1]
        return [
            Cell(
                drugs=list(treatment),
                alterations=carried,
                values=state(self.explanation, self.patient, treatment, carried),
            )
            for carried in ([], self.alterations)[: 2 if self.alterations else 1]
            for treatment in treatments
        ]

    @property
    def _alike(self) -> Cell:
        """The wild type under what the last cell is under."""
        return self.cells[1 if self.drugs else 0]

    def left(self) -> float | None:
        """Share of the drugs' effect on the wild type that is left in the altered cell."""
        if len(self.cells) < 4:
            return None
        wild_type, wild_type_treated, altered, treated = self.cells
        return effect_left(
            altered.net,
            treated.net,
            wild_type_untreated=wild_type.net,
            wild_type_treated=wild_type_treated.net,
            division=wild_type.values[DIVISION],
        )

    def causes(self) -> list[Cause]:
        """Where the last cell's difference to the wild type alike comes from, or to the untreated."""
        reference = self._alike if self.alterations else self.cells[0]
        return causes(self._pathway, reference.values, self.cells[-1].values)

    def inputs(self) -> list[NodeValues]:
        """Return what drugs do, and what of the genotype, if it is anything in some cell."""
        return [self._row(name) for name in self._inputs()]

    def nodes(self) -> list[NodeValues]:
        """Return every node, each after those that it reads."""
        return [self._row(Name("", node)) for node in self._pathway.order]

    def sentences(self) -> list[str]:
        """Return why the last cell grows or stops."""
        last, drugs = self.cells[-1], JOINT.join(self.drugs)
        said = []
        if self.drugs:
            untreated, treated = self.cells[:2]
            found = causes(self._pathway, untreated.values, treated.values)
            change = "changes" if len(self.drugs) == 1 else "change"
            said.append(
                f"{drugs} {change} net growth of the {WILD_TYPE} from"
                f" {untreated.net:+.3g} to {treated.net:+.3g} per day{self._told(found)}."
            )
        if self.alterations:
            difference = last.net - self._alike.net
            than = f"than the {WILD_TYPE} {'under the same drugs' if self.drugs else 'without drugs'}"
            altered = JOINT.join(self.alterations)
            if abs(difference) > _STILL:
                more = f"{abs(difference):.3g} {'more' if difference > 0 else 'less'} net growth per day"
                said.append(f"{altered}: {more} {than}{self._told(self.causes())}.")
            else:
                said.append(f"{altered}: no other net growth {than}.")
        return [*said, self._verdict()]

    def record(self) -> dict[str, Any]:
        """Return all of it for programs."""
        left = self.left()
        return {
            "cells": [cell.record() for cell in self.cells],
            "causes": [
                {"name": str(cause.name), "share": cause.share, "path": [str(name) for name in cause.path]}
                for cause in self.causes()
            ],
            "effect_left": left,
            "response": response(left) if len(self.cells) == 4 else None,
            "sentences": self.sentences(),
        }

    def _verdict(self) -> str:
        net = self.cells[-1].net
        time = f"{math.log(2) / abs(net):,.0f} days" if abs(net) > _STILL else ""
        grows = f"grow: they double in {time}" if net > 0 else f"shrink: they halve in {time}"
        what = "altered cells" if self.alterations else "cells"
        cells = f"The {what} {grows if time else 'neither grow nor shrink'}."
        if len(self.cells) < 4:
            return cells
        left = self.left()
        words = {
            "resistant": "Resistant",
            "partial": "Resistant in part",
            "none": "Not resistant",
            "sensitised": "Sensitised",
            "no effect": f"These drugs hardly act on the {WILD_TYPE}",
        }[response(left)]
        kept = "" if left is None else f", with {left:.0%} of the drugs' effect on the {WILD_TYPE} left"
        return f"{words}{kept}. {cells}"

    def _told(self, found: Sequence[Cause]) -> str:
        """Say by what, and on which way, the largest causes act."""
        shown = [cause for cause in found if abs(cause.share) >= _LEAST_SHARE][:_MOST_CAUSES]
        said = [f"{cause.name} ({cause.share:.0%}{self._way(cause)})" for cause in shown]
        return f", through {'; '.join(said)}" if said else ""

    def _way(self, cause: Cause) -> str:
        passed = " → ".join(map(str, cause.path[1:]))
        return f": {passed}" if passed else ""

    def _inputs(self) -> list[Name]:
        """Return what drugs do, and what of the genotype, if it is anything in some cell."""
        pathway = self._pathway
        neutral = {Name("drug", target): 0.0 for target in pathway.targets}
        neutral |= {Name("alteration", key): effect.neutral for key, effect in pathway.effects.items()}
        neutral[Name("alteration", FITNESS)] = 1.0
        return [
            name
            for name, nothing in neutral.items()
            if any(abs(cell.values[name] - nothing) > _SAME for cell in self.cells)
        ]

    def _row(self, name: Name) -> NodeValues:
        label, unit = self._described(name)
        return NodeValues(
            name=name, label=label, unit=unit, values=[cell.values[name] for cell in self.cells]
        )

    def _described(self, name: Name) -> tuple[str, str]:
        pathway = self._pathway
        if name.space == "drug":
            return pathway.targets[name.name].label, "fraction"
        if name == Name("alteration", FITNESS):
            return "What costs of alterations leave of the division rate", "relative"
        described = pathway.effects[name.name] if name.space else pathway.nodes[name.name]
        return described.label, described.unit


def doubling_days(net: float) -> float | None:
    """Return the days in which cells double (or halve, below 0); none if they do neither."""
    return math.copysign(math.log(2) / abs(net), net) if abs(net) > _STILL else None
