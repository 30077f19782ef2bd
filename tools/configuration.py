"""Write `docs/configuration.md` from the models and the knowledge, so that it cannot drift.

``python -m tools.configuration > docs/configuration.md``
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tumor_abm._base.lattice import Penetration
from tumor_abm._base.problems import place
from tumor_abm._base.table import Table
from tumor_abm.config.engine import Lattice
from tumor_abm.config.samples import LiquidPanel, PatientGenome, TissueBiopsy
from tumor_abm.config.value import Price, Utility
from tumor_abm.config.written import (
    Assessment,
    LiquidBiopsy,
    Neutrophils,
    Written,
)
from tumor_abm.knowledge import Alteration, Drug, Knowledge, Quantity, quantities
from tumor_abm.knowledge.alteration import CopyNumber, Origin
from tumor_abm.knowledge.drug import Action
from tumor_abm.knowledge.kinetics import Kinetics
from tumor_abm.knowledge.pathway import CellCovariate, Constant, DrugTarget, Effect, Node, Pathway
from tumor_abm.knowledge.site import Site
from tumor_abm.knowledge.therapy import Therapy
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.treatment import (
    Adaptive,
    Adjuvant,
    Arm,
    Condition,
    Dosing,
    Eligibility,
    EndOfLine,
    Exposure,
    History,
    Holiday,
    Line,
    Option,
    Rule,
    Schedule,
    SldChange,
    TreatmentChange,
)
from tumor_abm.treatment.scan_period import ScanPeriod

from tools.markdown import items, table, table_and_list

# Symbols of docs/model.md.
SYMBOLS = {
    "dt_days": "dt",
    "population.net_growth_per_day": "*b*₀ − *d*₀",
    "population.turnover": "*d*₀/*b*₀",
    "population.seeding": "seeding",
    "alteration.NAME.origin.per_division": "*u<sub>i</sub>*",
    "drug.NAME.effects.TARGET.max": "max",
    "drug.NAME.effects.TARGET.ic50": "IC50",
    "drug.NAME.effects.TARGET.hill": "*h*",
}

# Placeholder of the template to the model whose keys it lists, and what stands before each key.
KEYS: dict[str, tuple[type[Table], str]] = {
    "Written": (Written, ""),
    "Lattice": (Lattice, "lattice."),
    "Penetration": (Penetration, "lattice.drug."),
    "Assessment": (Assessment, "assessment."),
    "ScanPeriod": (ScanPeriod, ""),
    "LiquidBiopsy": (LiquidBiopsy, "liquid_biopsy."),
    "TissueBiopsy": (TissueBiopsy, ""),
    "LiquidPanel": (LiquidPanel, ""),
    "PatientGenome": (PatientGenome, "genome."),
    "Neutrophils": (Neutrophils, "neutropenia."),
    "Utility": (Utility, "utility."),
    "Price": (Price, "price."),
    "Arm": (Arm, ""),
    "Line": (Line, ""),
    "Dosing": (Dosing, ""),
    "Option": (Option, ""),
    "EndOfLine": (EndOfLine, ""),
    "Rule": (Rule, ""),
    "Condition": (Condition, ""),
    "SldChange": (SldChange, ""),
    "TreatmentChange": (TreatmentChange, ""),
    "Holiday": (Holiday, ""),
    "Adaptive": (Adaptive, ""),
    "Eligibility": (Eligibility, "population.eligibility."),
    "Exposure": (Exposure, "population.eligibility.exposure."),
    "History": (History, "population.history."),
    "Adjuvant": (Adjuvant, "population.history.adjuvant."),
    "Drug": (Drug, "drug.NAME."),
    "Schedule": (Schedule, "drug.NAME.schedule."),
    "Kinetics": (Kinetics, "drug.NAME.kinetics."),
    "Action": (Action, "drug.NAME.effects.TARGET."),
    "Alteration": (Alteration, "alteration.NAME."),
    "Origin": (Origin, "alteration.NAME.origin."),
    "CopyNumber": (CopyNumber, "alteration.NAME.copy_number."),
    "Constant": (Constant, "constant.NAME."),
    "Covariate": (CellCovariate, "covariate.NAME."),
    "Effect": (Effect, "effect.NAME."),
    "Target": (DrugTarget, "target.NAME."),
    "Node": (Node, "node.NAME."),
    "Site": (Site, "site.NAME."),
    "Therapy": (Therapy, "therapy.NAME."),
}


def _fields(model: type[Table]) -> Iterator[tuple[str, FieldInfo, str]]:
    described = model.meanings()
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield key, field, described.get(key, "")


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or isinstance(field.default, Table):
        return ""
    if field.default is PydanticUndefined:
        return "required"
    return (
        ""
        if field.default is None
        else f"`{field.default!r}`".replace("True", "true").replace("False", "false")
    )


def _keys(model: type[Table], prefix: str = "") -> str:
    rows = []
    for key, field, meaning in _fields(model):
        path = f"{prefix}{key}"
        rows.append([f"`{path}`", SYMBOLS.get(path, ""), _default(field), meaning])
    return table_and_list(["key", "symbol", "default", "meaning"], rows)


def _range(quantity: Quantity) -> str:
    if quantity.low is None or quantity.high is None:
        return ""
    return f"{quantity.low:g} to {quantity.high:g}"


def _numbers(
    value: Table | Mapping[str, Quantity],
    prefix: str,
    meanings: Mapping[str, str] | None = None,
    symbols: Mapping[str, str] = SYMBOLS,
) -> str:
    """Write a table of every quantity in `value`, and beneath it what each means."""
    rows, told = [], []
    if meanings is None:
        meanings = value.meanings() if isinstance(value, Table) else {}
    for where, quantity in quantities(value):
        key = f"`{place(prefix, *where)}`"
        first = len(where) == 1 or where[-1] == "median"
        symbol = symbols.get(f"{prefix}.{where[0]}", "") if first else ""
        number = [f"{quantity.value:g}", _range(quantity)]
        rows.append([key, symbol, quantity.unit, *number, ", ".join(quantity.source)])
        meaning = meanings.get(str(where[0]), "") if first else ""
        note = f"*Note:* {quantity.note}." if quantity.note else ""
        if said := " ".join(filter(None, (meaning, note))):
            told.append(f"{key}: {said}")
    header = ["key", "symbol", "unit", "default", "plausible", "source"]
    return f"{table(header, rows)}\n{items(told)}"


def _pathway(pathway: Pathway) -> dict[str, str]:
    """Write the parts of the pathway, by placeholder."""
    constants = {name: f"{constant.label}." for name, constant in pathway.constants.items()}
    symbols = {f"pathway.{name}": constant.symbol for name, constant in pathway.constants.items()}
    effects = [
        [f"`{name}`", effect.unit, f"{effect.neutral:g}", effect.combine, effect.label]
        for name, effect in pathway.effects.items()
    ]
    targets = [
        [
            f"`{name}`",
            target.combine,
            f"`{target.potency}`" if target.potency else "",
            target.therapy or "",
            target.label,
        ]
        for name, target in pathway.targets.items()
    ]
    covariates = [
        [f"`{name}`", covariate.unit, f"{covariate.low:g} to {covariate.high:g}", covariate.label]
        for name, covariate in pathway.covariates.items()
    ]
    nodes = [[f"`{name}`", node.unit, node.label] for name, node in pathway.nodes.items()]
    formulas = items(f"`{name}` = `{node.formula}`" for name, node in pathway.nodes.items())
    return {
        "pathway": _numbers(pathway.values, "pathway", constants, symbols),
        "effects": table(["effect", "unit", "neutral", "several", "what an alteration does"], effects),
        "targets": table(["target", "several drugs", "potency", "therapy", "what a drug does"], targets),
        "covariates": table(["covariate", "unit", "range", "what is known of the patient"], covariates),
        "nodes": f"{table(['node', 'unit', 'what it is'], nodes)}\n{formulas}",
    }


def _drugs(drugs: Mapping[str, Drug]) -> str:
    given = [
        [f"`{name}`", drug.class_, drug.given, ", ".join(drug.source), drug.toxicity]
        for name, drug in drugs.items()
    ]
    acting = []
    for name, drug in drugs.items():
        acts = [f"{node} {drug.effect_at_steady_state(node):.2f}" for node in drug.effects]
        acting.append(
            [
                f"`{name}`",
                f"{drug.kinetics.half_life_h.value:g}",
                ", ".join(acts) or "none",
                f"{drug.neutrophil_slope.value:g}",
                f"{drug.discontinuation_per_month.value:g}",
            ]
        )
    header = ["drug", "half-life, h", "effect at steady state", "neutrophil precursors lost"]
    return (
        table_and_list(["drug", "class", "standard dose and schedule", "source", "toxicity"], given)
        + "\n"
        + table([*header, "given up, per month"], acting)
    )


def _origin(origin: Origin) -> str:
    rates = [f"{quantity.value:g}" for _, quantity in quantities(origin)]
    return {
        "one_hit": "{} per division",
        "two_hit": "{}, then {} per division",
        "state": "on {}, off {} per day",
    }[origin.kind].format(*rates)


def _alterations(alterations: Mapping[str, Alteration]) -> str:
    rows, told = [], []
    for name, alteration in alterations.items():
        effects = [f"{where[0]} {quantity.value:g}" for where, quantity in quantities(alteration.effect)]
        core = "yes" if alteration.core else ""
        cost = f"{alteration.fitness_cost.value:g}"
        rows.append([f"`{name}`", core, _origin(alteration.origin), ", ".join(effects), cost])
        against = (("Resistant to", alteration.resistant_to), ("Sensitive to", alteration.sensitive_to))
        said = "".join(f"{words} {what}. " for words, what in against if what)
        told.append(f"`{name}`: {said}*Source:* {', '.join(alteration.source)}.")
    header = ["alteration", "core", "origin", "effect", "fitness cost"]
    return f"{table(header, rows)}\n{items(told)}"


def _sources(knowledge: Knowledge) -> str:
    return items(
        f"{key}: {source.what}{' (cited from memory)' if source.from_memory else ''}"
        + (f", <{source.address}>" if source.address else "")
        for key, source in sorted(knowledge.sources.items())
    )


def _populations(knowledge: Knowledge) -> str:
    rows = [
        [f"`{name}`", str(len(population.prior)), population.label]
        for name, population in knowledge.populations.items()
    ]
    return table_and_list(["population", "prior lines", "who"], rows)


def configuration() -> str:
    """Return the page: the template with its placeholders filled."""
    known = Knowledge.shipped()
    filled = {name: _keys(model, prefix) for name, (model, prefix) in KEYS.items()}
    filled |= _pathway(known.pathway)
    filled |= {
        "imaging": _numbers(known.imaging, "imaging"),
        "liquid_biopsy": _numbers(known.assay, "liquid_biopsy"),
        "neutropenia": _numbers(known.neutropenia, "neutropenia"),
        "populations": _populations(known),
        "laws": _numbers(known.populations[DEFAULT_POPULATION], "population"),
        "drugs": _drugs(known.drugs),
        "alterations": _alterations(known.alterations),
        "sources": _sources(known),
    }
    template = Path(__file__).with_name("configuration.md.in").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)


if __name__ == "__main__":
    sys.stdout.write(configuration())
