"""Everything that is known, read from TOML and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tumor_abm._base.genotype import is_separable
from tumor_abm._base.problems import Problems, Step, shown
from tumor_abm._base.table import Table, merged
from tumor_abm.knowledge.alteration import Alteration
from tumor_abm.knowledge.checks import check_left, check_words
from tumor_abm.knowledge.constants import Assay, Imaging, Neutropenia
from tumor_abm.knowledge.drug import Drug
from tumor_abm.knowledge.files import read_knowledge
from tumor_abm.knowledge.pathway import (
    CellCovariate,
    Constant,
    DrugTarget,
    Effect,
    Node,
    Pathway,
)
from tumor_abm.knowledge.patient_laws import PatientLaws
from tumor_abm.knowledge.quantity import ASSUMED, Quantity, citations, plain, quantities
from tumor_abm.knowledge.ranges import check_ranges
from tumor_abm.knowledge.site import Site, check_site_names, without_unknown
from tumor_abm.knowledge.source import Source
from tumor_abm.knowledge.therapy import Therapy, check_therapy_names
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.treatment.line import OBSERVATION

_SHIPPED = (
    "alterations.toml",
    "drugs.toml",
    "instruments.toml",
    "pathway.toml",
    "populations.toml",
    "sources.toml",
)
NETWORK: dict[str, type[Table]] = {
    "constant": Constant,
    "covariate": CellCovariate,
    "effect": Effect,
    "target": DrugTarget,
    "node": Node,
}
"""What the pathway is made of, beside the values of its constants."""
CLINIC: dict[str, type[Table]] = {"site": Site, "therapy": Therapy}
"""What a clinic calls things: sites of the disease, kinds of therapy."""
_NAMED: dict[str, type[Table]] = {
    "drug": Drug,
    "alteration": Alteration,
    "population": PatientLaws,
    "source": Source,
    "pathway": Quantity,
    **NETWORK,
    **CLINIC,
}
_CONSTANTS: dict[str, type[Table]] = {
    "imaging": Imaging,
    "liquid_biopsy": Assay,
    "neutropenia": Neutropenia,
}

REPLACES = "replaces"
"""Key of a user's file that lists what of the package is left out, by the keys of `_REPLACED`."""
_REPLACED: dict[str, tuple[str, ...]] = {
    "pathway": ("pathway", *NETWORK),
    "alteration": ("alteration",),
    "drug": ("drug",),
    "population": ("population",),
    "site": ("site",),
    "therapy": ("therapy",),
}

_NOT_SEPARABLE = (
    'allowed: a name other than "wild type", without a plus sign between blanks: '
    "a genotype is called by its alterations, as in G12D + EMT"
)

_T = TypeVar("_T", bound=Table)


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Drugs, alterations, populations and constants, each number with its source.

    Attributes
    ----------
    drugs, alterations, populations, sources
        By name.
    pathway
        From genotype and drugs to division and death.
    sites, therapies
        Sites of the disease and kinds of therapy, by name.
    imaging, assay, neutropenia
        Constants that all patients share.
    """

    drugs: Mapping[str, Drug]
    alterations: Mapping[str, Alteration]
    populations: Mapping[str, PatientLaws]
    sources: Mapping[str, Source]
    pathway: Pathway
    sites: Mapping[str, Site]
    therapies: Mapping[str, Therapy]
    imaging: Imaging
    assay: Assay
    neutropenia: Neutropenia
    tables: Mapping[str, Any]

    @classmethod
    def shipped(cls) -> Knowledge:
        """Return the knowledge that comes with the package."""
        return _shipped()

    def updated(self, tables: Mapping[str, Any], problems: Problems) -> Knowledge:
        """Return this knowledge with `tables` laid over it, table by table.

        A known name is changed in the keys that are given; a new one must be complete. What does
        not fit is noted in `problems`, and the knowledge returned is the old one.

        Parameters
        ----------
        tables
            ``drug``, ``alteration``, ``population``, ``source``, ``constant``, ``covariate``, ``effect``,
            ``target``, ``node``, ``site``, ``therapy``: name to table. ``pathway``, ``imaging``,
            ``liquid_biopsy``, ``neutropenia``: constants.
        problems
            Where problems are noted.
        """
        return _checked(tables, self, problems) or self

    def with_file(self, path: str | Path) -> Knowledge:
        """Return this knowledge with a user's TOML file, or all those of a directory, laid over it.

        The files of a directory are one change, so that they may name each other's entries. A key
        ``replaces`` in one of them lists what is left out of this knowledge beforehand: ``pathway`` (with
        constants, covariates, effects, targets and nodes), ``alteration``, ``drug``, ``population``,
        ``site``, ``therapy``.

        Raises
        ------
        InputError
            A file cannot be read, or an entry does not fit.
        """
        written = read_knowledge(path)
        problems = Problems(file_of=written.file_of)
        tables = dict(written.tables)
        base = self._without(tables.pop(REPLACES, []), problems)
        if not base.pathway.nodes:
            check_left(base, tables, problems)
        problems.raise_if_any()
        knowledge = base.updated(tables, problems)
        problems.raise_if_any()
        return knowledge

    def _without(self, replaced: Any, problems: Problems) -> Knowledge:
        """Return this knowledge without what a file replaces."""
        if not isinstance(replaced, list):
            problems.add([REPLACES], f"found {shown(replaced)}; allowed: a list of {', '.join(_REPLACED)}")
            return self
        for i, key in enumerate(replaced):
            if not isinstance(key, str) or key not in _REPLACED:
                problems.add_unknown([REPLACES, i], str(key), "part of the knowledge", _REPLACED)
        left_out = {table for key in replaced for table in _REPLACED.get(str(key), ())}
        if not left_out:
            return self
        kept = {key: {} if key in left_out else entries for key, entries in _entries(self).items()}
        tables = {key: entries for key, entries in self.tables.items() if key not in left_out}
        return _assembled(kept, _pathway(kept), tables)

    def with_numbers(self, values: Mapping[str, float]) -> Knowledge:
        """Return this knowledge with other values of some numbers, unit, range and source left as they are.

        Parameters
        ----------
        values
            By path of keys as `numbers` gives it, joined by dots: ``"pathway.e2f_half"``. A number of a
            population holds for every population that is based on it and has none of its own.

        Raises
        ------
        InputError
            No number has the name, or the value lies outside its range.
        """
        known = {".".join(map(str, path)): path for path in self.numbers()}
        problems = Problems("numbers")
        tables: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                problems.add_unknown([], name, "number", known)
                continue
            tables = merged(tables, _nested(known[name], {"value": value}))
        problems.raise_if_any()
        knowledge = self.updated(tables, problems)
        problems.raise_if_any()
        return knowledge

    def numbers(self) -> dict[tuple[str | int, ...], Quantity]:
        """Every number that is known, by its path of keys, e.g. ``("pathway", "e2f_half")``.

        The path is that of the table which changes the number, in a file of knowledge or (but for
        populations, which an experiment has one of) in an experiment.
        """
        return dict(quantities(_parts(self)))

    def clinic(self) -> dict[str, Any]:
        """Return sites and kinds of therapy as tables for a file, without where they come from."""
        sites = {
            name: {"label": site.label, "measurable": site.measurable} for name, site in self.sites.items()
        }
        return {"site": sites, "therapy": plain(dict(self.therapies))}

    @property
    def usual_population(self) -> str:
        """Name of the population that is taken where none is named: the usual one, or the first there is."""
        return (
            DEFAULT_POPULATION if DEFAULT_POPULATION in self.populations else next(iter(self.populations), "")
        )

    @property
    def core_alterations(self) -> list[str]:
        """Alterations that are in play, whatever is given, unless an experiment says otherwise."""
        return self.core_alterations_with(())

    def core_alterations_with(self, targets: Collection[str]) -> list[str]:
        """Alterations of the core set that are in play where drugs reach these targets."""
        reached = set(targets)
        return [
            name
            for name, alteration in self.alterations.items()
            if alteration.core and (not alteration.only_with or reached & set(alteration.only_with))
        ]


def _nested(path: tuple[str | int, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


@cache
def _shipped() -> Knowledge:
    tables: dict[str, Any] = {}
    for name in _SHIPPED:
        text = resources.files("tumor_abm.knowledge").joinpath(name).read_text(encoding="utf-8")
        tables = merged(tables, tomllib.loads(text))
    problems = Problems("knowledge")
    knowledge = complete(tables, problems)
    problems.raise_if_any()
    if knowledge is None:
        raise AssertionError("the shipped knowledge is neither whole nor faulty")
    return knowledge


def complete(tables: Mapping[str, Any], problems: Problems) -> Knowledge | None:
    """Return the knowledge that `tables` alone hold, or note what is missing or wrong."""
    return _checked(tables, None, problems)


def _checked(changes: Mapping[str, Any], base: Knowledge | None, problems: Problems) -> Knowledge | None:
    """Lay `changes` over `base` and check what they touch."""
    before = len(problems.lines)
    for key, change in changes.items():
        if key not in _NAMED and key not in _CONSTANTS:
            problems.add_unknown([key], key, "table of knowledge", [*_NAMED, *_CONSTANTS])
        elif not isinstance(change, Mapping):
            problems.add([key], "found no table; allowed: a table")
        elif key in _NAMED:
            _all_tables(change, key, problems)
    if len(problems.lines) > before:
        return None
    tables = merged(base.tables if base else {}, changes)
    touched: dict[str, Any] = {}
    for key in _NAMED:
        entries = tables.get(key, {})
        # A population can rest on any other.
        names = entries if key == "population" and key in changes else changes.get(key, {})
        touched[key] = _named(entries, names, key, problems, sites=tables.get("site", {}))
    for key, model in _CONSTANTS.items():
        if base is None or key in changes:
            touched[key] = _one(tables.get(key, {}), model, [key], problems)
    _check_sources(touched, tables.get("source", {}), problems)
    if len(problems.lines) > before:
        return None
    known: dict[str, Any] = _entries(base) if base else {key: {} for key in _NAMED}
    for key, found in touched.items():
        known[key] = {**known[key], **found} if key in _NAMED else found
    pathway = base.pathway if base else None
    if pathway is None or not pathway.nodes or any(touched[key] for key in ("pathway", *NETWORK)):
        pathway = _pathway(known)
        pathway.check(problems)
    check_site_names(known["site"], problems)
    check_therapy_names(known["therapy"], problems)
    check_words(known, pathway, problems)
    if len(problems.lines) == before and any(touched[key] for key in NETWORK):
        check_ranges(pathway, problems)
    if len(problems.lines) > before:
        return None
    return _assembled(known, pathway, tables)


def _assembled(known: Mapping[str, Any], pathway: Pathway, tables: Mapping[str, Any]) -> Knowledge:
    return Knowledge(
        drugs=known["drug"],
        alterations=known["alteration"],
        populations=known["population"],
        sources=known["source"],
        pathway=pathway,
        sites=known["site"],
        therapies=known["therapy"],
        imaging=known["imaging"],
        assay=known["liquid_biopsy"],
        neutropenia=known["neutropenia"],
        tables=tables,
    )


def _pathway(known: Mapping[str, Any]) -> Pathway:
    return Pathway(
        values=known["pathway"],
        constants=known["constant"],
        covariates=known["covariate"],
        effects=known["effect"],
        targets=known["target"],
        nodes=known["node"],
    )


def _entries(knowledge: Knowledge) -> dict[str, Any]:
    """Return all that is known, by the tables of the files."""
    pathway = knowledge.pathway
    return {
        **_parts(knowledge),
        "constant": pathway.constants,
        "covariate": pathway.covariates,
        "effect": pathway.effects,
        "target": pathway.targets,
        "node": pathway.nodes,
        "site": knowledge.sites,
    }


def _parts(knowledge: Knowledge) -> dict[str, Any]:
    return {
        "drug": knowledge.drugs,
        "alteration": knowledge.alterations,
        "population": knowledge.populations,
        "source": knowledge.sources,
        "therapy": knowledge.therapies,
        "pathway": knowledge.pathway.values,
        "imaging": knowledge.imaging,
        "liquid_biopsy": knowledge.assay,
        "neutropenia": knowledge.neutropenia,
    }


def _all_tables(entries: Any, key: str, problems: Problems) -> None:
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        if not name:
            problems.add([key], "found an empty name; allowed: a name")
        elif key == "alteration" and not is_separable(name):
            problems.add([key, name], _NOT_SEPARABLE)
        elif key == "drug" and name == OBSERVATION:
            problems.add([key, name], "found the word for no drug; allowed: another name")
        elif not isinstance(entry, Mapping) and key != "pathway":
            problems.add([key, name], "found no table; allowed: a table")


def _named(
    entries: Mapping[str, Any],
    names: Iterable[str],
    key: str,
    problems: Problems,
    *,
    sites: Collection[str],
) -> dict[str, Any]:
    model = _NAMED[key]
    found = {}
    for name in names:
        entry = inherited(entries, name, key, problems) if key == "population" else entries[name]
        if key == "population" and entry is not None:
            entry = without_unknown(entry, sites, [key, name], problems)
        if entry is not None:
            found[name] = _one(entry, model, [key, name], problems)
    return found


def _one(entry: Any, model: type[_T], where: list[Step], problems: Problems) -> _T | None:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        problems.add_invalid(error, model, where)
        return None


def inherited(entries: Mapping[str, Any], name: str, key: str, problems: Problems) -> dict[str, Any] | None:
    """Return the entry `name` laid over its ``base``, and that over its own, and so on."""
    chain: list[str] = []
    table: dict[str, Any] = {}
    at: Any = name
    while at is not None:
        where: list[Step] = [key, chain[-1], "base"] if chain else [key]
        if not isinstance(at, str) or at not in entries:
            problems.add_unknown(where, str(at), key, entries)
            return None
        if at in chain:
            problems.add(where, f"{' is based on '.join([*chain, at])}; allowed: no circle")
            return None
        chain.append(at)
        table = merged(entries[at], table)
        at = entries[at].get("base")
    table.pop("base", None)
    return table


def _check_sources(touched: Mapping[str, Any], sources: Iterable[str], problems: Problems) -> None:
    known = [ASSUMED, *sources]
    for where, keys in citations(dict(touched)):
        for key in keys:
            if key not in known:
                problems.add_unknown([*where, "source"], key, "source", known)
