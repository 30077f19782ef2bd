"""Ways in which a tumour cell can differ from its ancestor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.pathway import Effect
from tumor_abm.knowledge.quantity import ASSUMED, Copies, Cost, Quantity, Share, Sources, plain


class Origin(Table):
    """How an alteration comes about.

    Attributes
    ----------
    kind
        ``one_hit``: one event at a division. ``two_hit``: loss of one allele, then of the other,
        silent in between. ``state``: switched on and off, per cell and day.
    per_division
        Of ``one_hit``: probability per division that one daughter gains it.
    first_per_division, second_per_division
        Of ``two_hit``: probability per division of this hit.
    on_per_day, off_per_day
        Of ``state``: hazard of switching on, or off, per cell.
    """

    kind: Literal["one_hit", "two_hit", "state"]
    per_division: Share | None = None
    first_per_division: Share | None = None
    second_per_division: Share | None = None
    on_per_day: Share | None = None
    off_per_day: Share | None = None

    @model_validator(mode="after")
    def _rates_of_its_kind(self) -> Origin:
        wanted = {
            "one_hit": ["per_division"],
            "two_hit": ["first_per_division", "second_per_division"],
            "state": ["on_per_day", "off_per_day"],
        }[self.kind]
        given = [key for key in type(self).model_fields if key != "kind" and getattr(self, key) is not None]
        if sorted(given) != sorted(wanted):
            raise ValueError(
                f'kind "{self.kind}" needs {" and ".join(wanted)}; found {", ".join(given) or "none"}'
            )
        return self


class CopyNumber(Table):
    """Copies of the locus in a cell that has the alteration. It moves what DNA shows, not what cells do.

    Attributes
    ----------
    copies
        All copies: 2 in a diploid genome, 1 where the other allele is lost, more where it is amplified.
    mutant_copies
        Copies with the alteration.
    """

    copies: Copies = Quantity(value=2.0, source=[ASSUMED], note="a diploid genome")
    mutant_copies: Copies = Quantity(value=1.0, source=[ASSUMED], note="one allele of two")

    @model_validator(mode="after")
    def _some_of_all(self) -> CopyNumber:
        if self.mutant_copies.value > self.copies.value:
            raise ValueError(
                f"mutant_copies: found {self.mutant_copies.value:g}; allowed: at most copies, "
                f"{self.copies.value:g}"
            )
        return self


class Alteration(Table):
    """A mutation, amplification, loss or reversible state.

    Attributes
    ----------
    gene
        Alterations of one gene exclude each other, and assays report by gene.
    label
        What it is, in words.
    core
        Whether experiments have it in play unless they say otherwise.
    only_with
        Targets of drugs: unless asked for, it is in play only where a drug with one of them can be given.
    in_dna
        Whether DNA shows it, so that a liquid biopsy can find it.
    copy_number
        Copies of its locus where it is; by default one of two.
    origin
        How it comes about, with its rates.
    fitness_cost
        Share of the division rate that it costs (negative: an advantage).
    effect
        What it does to the pathway: effects by name, of which those that are absent are none.
    prevalence
        How often it is found.
    resistant_to
        What it makes resistant to, in words.
    sensitive_to
        What stays active, in words.
    source
        Where the description comes from.
    note
        What the description leaves open.
    """

    gene: str = Field(min_length=1)
    label: str = ""
    core: bool = False
    only_with: list[str] = Field(default_factory=list)
    in_dna: bool = True
    copy_number: CopyNumber = Field(default_factory=CopyNumber)
    origin: Origin
    fitness_cost: Cost
    effect: dict[str, Quantity]
    prevalence: dict[str, Quantity] = Field(default_factory=dict)
    resistant_to: str = ""
    sensitive_to: str = ""
    source: Sources = Field(default_factory=list)
    note: str = ""

    def to_core(self, name: str, effects: Mapping[str, Effect]) -> dict[str, Any]:
        """Return the alteration as the core reads it, in a pathway with these effects."""
        neutral = {key: effect.neutral for key, effect in effects.items()}
        return {
            "name": name,
            "gene": self.gene,
            "origin": plain(self.origin),
            "fitness_cost": self.fitness_cost.value,
            "effects": list((neutral | plain(self.effect)).values()),
        }
