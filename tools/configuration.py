"""Write `docs/configuration.md` from the models and the knowledge, so that it cannot drift.

``python -m tools.configuration > docs/configuration.md``
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tumor_abm._base.lattice import Reach
from tumor_abm._base.problems import place
from tumor_abm._base.table import Table
from tumor_abm.config.engine import Lattice
from tumor_abm.config.written import (
    DEFAULT_POPULATION,
    Assessment,
    LiquidBiopsy,
    Neutrophils,
    ScanPeriod,
    Written,
)
from tumor_abm.knowledge import Alteration, Drug, Knowledge, Quantity, quantities
from tumor_abm.knowledge.alteration import Effect, Origin, Prevalence
from tumor_abm.knowledge.drug import Action as DrugAction
from tumor_abm.knowledge.kinetics import Kinetics
from tumor_abm.treatment import (
    Action,
    Adaptive,
    Adjuvant,
    Arm,
    Condition,
    Dosing,
    Eligibility,
    Exposure,
    History,
    Holiday,
    Line,
    Option,
    Rule,
    Schedule,
    SldChange,
    Until,
)

# Symbols of docs/model.md.
SYMBOLS = {
    "dt_days": "dt",
    "pathway.estradiol_half_saturation": "*K*",
    "pathway.ovarian_share": "ovarian",
    "pathway.pi3k_share": "*s*",
    "pathway.pi3k_alpha_share": "*a*",
    "pathway.cdk2_basal": "*k2*",
    "pathway.e2f_half": "*H*",
    "pathway.e2f_hill": "*n*",
    "pathway.er_survival": "lost ER survival signal",
    "pathway.arrest_death": "arrest death",
    "population.net_growth_per_day": "*b*₀ − *d*₀",
    "population.turnover": "*d*₀/*b*₀",
    "population.er_dependence": "*w*",
    "population.seeding": "seeding",
    "alteration.NAME.origin.per_division": "*u<sub>i</sub>*",
    "alteration.NAME.effect.er_constitutive": "constitutive",
    "drug.NAME.effects.NODE.max": "max",
    "drug.NAME.effects.NODE.ic50": "IC50",
    "drug.NAME.effects.NODE.hill": "*h*",
}

# Placeholder of the template to the model whose keys it lists, and what stands before each key.
KEYS: dict[str, tuple[type[Table], str]] = {
    "Written": (Written, ""),
    "Lattice": (Lattice, "lattice."),
    "Reach": (Reach, "lattice.drug."),
    "Assessment": (Assessment, "assessment."),
    "ScanPeriod": (ScanPeriod, ""),
    "LiquidBiopsy": (LiquidBiopsy, "liquid_biopsy."),
    "Neutrophils": (Neutrophils, "neutropenia."),
    "Arm": (Arm, ""),
    "Line": (Line, ""),
    "Dosing": (Dosing, ""),
    "Option": (Option, ""),
    "Until": (Until, ""),
    "Rule": (Rule, ""),
    "Condition": (Condition, ""),
    "SldChange": (SldChange, ""),
    "Action": (Action, ""),
    "Holiday": (Holiday, ""),
    "Adaptive": (Adaptive, ""),
    "Eligibility": (Eligibility, "population.eligibility."),
    "Exposure": (Exposure, "population.eligibility.exposure."),
    "History": (History, "population.history."),
    "Adjuvant": (Adjuvant, "population.history.adjuvant."),
    "Drug": (Drug, "drug.NAME."),
    "Schedule": (Schedule, "drug.NAME.schedule."),
    "Kinetics": (Kinetics, "drug.NAME.kinetics."),
    "DrugAction": (DrugAction, "drug.NAME.effects.NODE."),
    "Alteration": (Alteration, "alteration.NAME."),
    "Origin": (Origin, "alteration.NAME.origin."),
    "Effect": (Effect, "alteration.NAME.effect."),
    "Prevalence": (Prevalence, "alteration.NAME.prevalence."),
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


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


def _keys(model: type[Table], prefix: str = "") -> str:
    rows = []
    for key, field, meaning in _fields(model):
        path = f"{prefix}{key}"
        rows.append([f"`{path}`", SYMBOLS.get(path, ""), _default(field), meaning])
    return _rows(["key", "symbol", "default", "meaning"], rows)


def _range(quantity: Quantity) -> str:
    if quantity.low is None or quantity.high is None:
        return ""
    return f"{quantity.low:g} to {quantity.high:g}"


def _numbers(value: Table, prefix: str) -> str:
    """Write a table of every quantity in `value`."""
    rows = []
    for where, quantity in quantities(value):
        law = f"{prefix}.{where[0]}"
        first = len(where) == 1 or where[-1] == "median"
        rows.append(
            [
                f"`{place(prefix, *where)}`",
                SYMBOLS.get(law, "") if first else "",
                quantity.unit,
                f"{quantity.value:g}",
                _range(quantity),
                type(value).meanings().get(str(where[0]), "") if first else "",
                ", ".join(quantity.source) + (f": {quantity.note}" if quantity.note else ""),
            ]
        )
    return _rows(["key", "symbol", "unit", "default", "plausible", "meaning", "source"], rows)


def _drug_rows(drugs: Mapping[str, Drug]) -> str:
    rows = []
    for name, drug in drugs.items():
        acts = [f"{node} {drug.effect_at_steady_state(node):.2f}" for node in drug.effects]
        rows.append(
            [
                f"`{name}`",
                drug.class_,
                drug.given,
                f"{drug.kinetics.half_life_h.value:g}",
                ", ".join(acts) or "none",
                f"{drug.neutrophil_slope.value:g}",
                f"{drug.discontinuation_per_month.value:g}",
                drug.toxicity,
                ", ".join(drug.source),
            ]
        )
    header = [
        "drug",
        "class",
        "standard dose and schedule",
        "half-life, h",
        "effect at steady state",
        "neutrophil precursors lost",
        "given up, per month",
        "toxicity",
        "source",
    ]
    return _rows(header, rows)


def _origin(origin: Origin) -> str:
    rates = [f"{quantity.value:g}" for _, quantity in quantities(origin)]
    return {
        "one_hit": "{} per division",
        "two_hit": "{}, then {} per division",
        "state": "on {}, off {} per day",
    }[origin.kind].format(*rates)


def _alteration_rows(alterations: Mapping[str, Alteration]) -> str:
    rows = []
    for name, alteration in alterations.items():
        effects = [f"{where[0]} {quantity.value:g}" for where, quantity in quantities(alteration.effect)]
        rows.append(
            [
                f"`{name}`",
                "yes" if alteration.core else "",
                _origin(alteration.origin),
                ", ".join(effects),
                f"{alteration.fitness_cost.value:g}",
                alteration.resistant_to,
                alteration.sensitive_to,
                ", ".join(alteration.source),
            ]
        )
    header = [
        "alteration",
        "core",
        "origin",
        "effect",
        "fitness cost",
        "resistant to",
        "sensitive to",
        "source",
    ]
    return _rows(header, rows)


def _source_rows(knowledge: Knowledge) -> str:
    rows = [
        [key, source.what + (" (cited from memory)" if source.from_memory else ""), source.address]
        for key, source in sorted(knowledge.sources.items())
    ]
    return _rows(["key", "what", "address"], rows)


def _population_rows(knowledge: Knowledge) -> str:
    rows = [
        [f"`{name}`", population.label, str(len(population.prior))]
        for name, population in knowledge.populations.items()
    ]
    return _rows(["population", "who", "prior lines"], rows)


def configuration() -> str:
    """Return the page: the template with its placeholders filled."""
    known = Knowledge.shipped()
    filled = {name: _keys(model, prefix) for name, (model, prefix) in KEYS.items()}
    filled |= {
        "pathway": _numbers(known.pathway, "pathway"),
        "imaging": _numbers(known.imaging, "imaging"),
        "liquid_biopsy": _numbers(known.assay, "liquid_biopsy"),
        "neutropenia": _numbers(known.neutropenia, "neutropenia"),
        "populations": _population_rows(known),
        "laws": _numbers(known.populations[DEFAULT_POPULATION], "population"),
        "drugs": _drug_rows(known.drugs),
        "alterations": _alteration_rows(known.alterations),
        "sources": _source_rows(known),
    }
    template = Path(__file__).with_name("configuration.md.in").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)


if __name__ == "__main__":
    sys.stdout.write(configuration())
