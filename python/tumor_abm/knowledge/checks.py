"""What a schema of knowledge cannot say: effects, targets and laws that must fit the pathway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tumor_abm._base.problems import Problems, Step, shown
from tumor_abm.knowledge.pathway import RATES, Pathway, check_range
from tumor_abm.knowledge.patient_laws import UNSAID, PatientLaws
from tumor_abm.knowledge.site import check_sites
from tumor_abm.knowledge.therapy import CHEMOTHERAPY

if TYPE_CHECKING:
    from tumor_abm.knowledge.library import Knowledge


def check_left(base: Knowledge, tables: Mapping[str, Any], problems: Problems) -> None:
    """Note drugs and alterations of the package that a new pathway has no place for."""
    for key, what, entries in (
        ("drug", "target", {name: list(drug.effects) for name, drug in base.drugs.items()}),
        ("alteration", "effect", {name: list(found.effect) for name, found in base.alterations.items()}),
    ):
        there, changed = tables.get(what, {}), tables.get(key, {})
        lost = next(
            ((name, word) for name, words in entries.items() for word in words if word not in there), None
        )
        if lost is not None and lost[0] not in changed:
            problems.add(
                ["replaces"],
                f"the pathway is replaced, and {key} {shown(lost[0])} of the package needs its {what}"
                f' {shown(lost[1])}; allowed: "{key}" in the list, too, or a pathway that has it',
            )


def check_words(known: Mapping[str, Any], pathway: Pathway, problems: Problems) -> None:
    """Note effects, targets and laws that the pathway does not have or misses, and effects out of range."""
    kinds = [*known["therapy"], CHEMOTHERAPY]
    for name, target in pathway.targets.items():
        if target.therapy is not None and target.therapy not in kinds:
            problems.add_unknown(["target", name, "therapy"], target.therapy, "kind of therapy", kinds)
    for name, laws in known["population"].items():
        for covariate in laws.unsaid(pathway.drawn):
            problems.add(["population", name, "covariate", covariate], UNSAID)
        check_laws(laws, pathway, ["population", name], problems)
    for name, alteration in known["alteration"].items():
        for i, target in enumerate(alteration.only_with):
            if target not in pathway.targets:
                problems.add_unknown(["alteration", name, "only_with", i], target, "target", pathway.targets)
        for key, quantity in alteration.effect.items():
            where: list[Step] = ["alteration", name, "effect", key]
            if key not in pathway.effects:
                problems.add_unknown(where, key, "effect", pathway.effects)
            else:
                check_range(pathway.effects[key], quantity, where, problems)
    for name, drug in known["drug"].items():
        for key in drug.effects:
            if key not in pathway.targets:
                problems.add_unknown(["drug", name, "effects", key], key, "target", pathway.targets)


def check_laws(laws: PatientLaws, pathway: Pathway, where: list[Step], problems: Problems) -> None:
    """Note laws of rates, and numbers outside the range of what is drawn."""
    for name, law in laws.covariate.items():
        if name in RATES:
            problems.add([*where, "covariate", name], "follows from net growth and turnover; leave it out")
        elif name in pathway.covariates and law.median is not None:
            check_range(pathway.covariates[name], law.median, [*where, "covariate", name, "median"], problems)
    check_sites(laws, where, problems)
