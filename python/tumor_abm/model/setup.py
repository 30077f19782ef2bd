"""From the arguments of a model to the patient that the core steps."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

import tumor_abm._core as _core
from tumor_abm._base import seeds
from tumor_abm._base.arguments import is_finite, is_real, is_whole, must_be, real, truth
from tumor_abm._base.problems import Problems
from tumor_abm._base.toml import read_toml
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.config import Experiment
from tumor_abm.errors import InputError
from tumor_abm.evolution.population import Population
from tumor_abm.evolution.space import Reach, Space
from tumor_abm.knowledge import Drug, Knowledge
from tumor_abm.knowledge.pathway import Described
from tumor_abm.knowledge.usual import USUAL
from tumor_abm.treatment import Line
from tumor_abm.treatment.dosing import Dosing

Drugs = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
Strategy = str | int | Sequence[Any] | Callable[..., Any] | None
Source = str | Path | Mapping[str, Any] | Experiment | None

_COVARIATES = (
    "net_growth_per_day",
    "turnover",
    "diagnosis_volume_cm3",
    "lethal_volume_cm3",
    "target_lesions",
    "target_share",
    "mutation_fold",
    "shedding",
    "seeding",
    "neutrophils",
)
_MOST_DRAWN = 2**63 - 1
_HIT_RATES = ("per_division", "first_per_division", "second_per_division")


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A patient before the first cell.

    Attributes
    ----------
    spec
        The experiment as the core reads it.
    patient, arm
        Number of the patient; index of the arm, ``None`` when a rule decides.
    drugs
        Drugs that may be given, by name.
    alterations
        Names of the alterations in play.
    """

    spec: dict[str, Any]
    patient: int
    arm: int | None
    drugs: Mapping[str, Drug]
    alterations: list[str]

    def grow(self) -> _core.Patient:
        """Grow the tumour and bring the patient to the first day of the arm."""
        return _core.Experiment(json.dumps(self.spec, allow_nan=False)).patient(self.patient, self.arm)


def set_up(
    experiment: Source,
    *,
    patient: int,
    strategy: Strategy,
    population: str | Mapping[str, Any] | None,
    covariates: Mapping[str, Any] | None,
    founder: Sequence[str] | None,
    mutation_rate: float,
    engine: str | None,
    cells: int | None,
    space: Space | None,
    horizon_months: float | None,
    progression_from: str | None,
    seed: int | None,
    clone_genealogy: bool = False,
) -> Setup:
    """Bring the arguments of a model together; `InputError` where they make no sense."""
    tables, file = _tables(experiment)
    if population is not None:
        if isinstance(population, Population):
            instead = "a name or a table; TumorModel.of_population steps a population with explicit rates"
            raise InputError(key="population", found=population, allowed=instead)
        must_be("population", population, str, Mapping)
        tables["population"] = population if isinstance(population, str) else dict(population)
    if horizon_months is not None:
        tables["horizon_months"] = _number("horizon_months", horizon_months)
        tables["accrual_months"] = 0.0
    if progression_from is not None:
        tables["assessment"] = {**tables.get("assessment", {}), "progression_from": progression_from}
    if engine is not None:
        tables["engine"] = engine
    if cells is not None:
        tables["most_cells"] = int(cells) if is_whole(cells) else cells
    if space is not None:
        tables["lattice"] = _lattice(space)
    if founder is not None:
        _put_in_play(tables, founder)
    arm = _choose_arm(tables, strategy)
    loaded = Experiment.from_dict(tables, file=file, seed=seed)
    drugs = loaded.knowledge.drugs
    targets = loaded.knowledge.pathway.targets
    spec = loaded.to_core()
    # Whatever is known can be given by hand; a drug that is not taken changes nothing.
    spec["drugs"] = [drugs[name].to_core(name, targets) for name in sorted(drugs)]
    spec["population"]["given"] = _given(covariates, founder, loaded)
    if truth("clone_genealogy", clone_genealogy):
        spec["keep_extinct"] = True
    _scale_mutation(spec, mutation_rate)
    return Setup(
        spec=spec,
        patient=_patient(patient),
        arm=arm,
        drugs=drugs,
        alterations=list(loaded.alterations),
    )


def decision(drugs: Drugs, known: Mapping[str, Drug], **how: bool | str) -> str:
    """Return a regimen given by hand as the core reads it.

    Raises
    ------
    InputError
        A drug is not known, or its dose or schedule makes no sense.
    """
    if not isinstance(drugs, str | Mapping | Sequence):
        raise InputError(key="drugs", found=drugs, allowed="a drug, or a list of drugs")
    written = [drugs] if isinstance(drugs, str | Mapping) else list(drugs)
    problems = Problems()
    regimen = []
    for d, item in enumerate(written):
        try:
            dosing = Dosing.model_validate(item)
        except ValidationError as error:
            problems.add_invalid(error, Dosing, ["drugs", d])
            continue
        if dosing.drug not in known:
            problems.add_unknown(["drugs", d], dosing.drug, "drug", known)
            continue
        try:
            regimen.append(dosing.to_core(known))
        except ValueError as error:
            problems.add(["drugs", d], str(error))
    problems.raise_if_any()
    return json.dumps({"kind": "regimen", "drugs": regimen, **how})


def plan(lines: Sequence[Any], known: Mapping[str, Drug]) -> str:
    """Return lines to follow from today on as the core reads them."""
    if isinstance(lines, str) or not isinstance(lines, Sequence):
        raise InputError(key="strategy", found=lines, allowed="a list of lines")
    try:
        written = TypeAdapter(list[Line]).validate_python([_line(line) for line in lines])
    except ValidationError as error:
        problems = Problems()
        problems.add_invalid(error, Line, ["strategy"])
        problems.raise_if_any()
        raise
    for i, line in enumerate(written):
        for at, dosing in line.dosings():
            if dosing.drug not in known:
                problems = Problems()
                problems.add_unknown(["strategy", i, *at], dosing.drug, "drug", known)
                problems.raise_if_any()
    return json.dumps({"kind": "plan", "lines": [line.to_core(known) for line in written]})


def steps_for(days: float, dt: float) -> int:
    """Return the steps that make up so many days, whatever rounding makes of their quotient."""
    return math.ceil(days / dt * (1 - 1e-12))


def horizon_days(months: float | None) -> float:
    """Return the days that a model without a clinic is followed; for ever by default."""
    allowed = "a finite number of months of at least 0"
    return math.inf if months is None else real("horizon_months", months, allowed) * DAYS_PER_MONTH


def seed_of(rng: Any, seed: Any) -> int | None:
    """Return the seed that a caller means, as a number.

    Raises
    ------
    InputError
        Both are given, or it is no seed.
    """
    if rng is not None and seed is not None:
        raise InputError("give rng or seed, not both")
    key, given = ("seed", seed) if rng is None else ("rng", rng)
    if given is None:
        return None
    if isinstance(given, np.random.SeedSequence):
        return int(given.generate_state(1, np.uint64)[0] >> np.uint64(1))
    if isinstance(given, np.random.Generator):
        return int(given.integers(_MOST_DRAWN))
    if isinstance(given, np.random.BitGenerator):
        return int(np.random.Generator(given).integers(_MOST_DRAWN))
    if isinstance(given, str) and given.strip().isascii() and given.strip().isdigit():
        given = int(given)
    return seeds.seed_of(given, key, allowed=f"{seeds.ALLOWED}, or a generator")


def _tables(experiment: Source) -> tuple[dict[str, Any], Path | None]:
    if experiment is None:
        return {**USUAL, "liquid_biopsy": _usual_biopsy()}, None
    if isinstance(experiment, Experiment):
        return experiment.resolved(), experiment.file
    if isinstance(experiment, str | Path):
        return read_toml(experiment), Path(experiment)
    if isinstance(experiment, Mapping):
        return dict(experiment), None
    raise InputError(key="experiment", found=experiment, allowed="a TOML file, or the tables of one")


def _lattice(space: Space) -> dict[str, Any]:
    if not isinstance(space, Space):
        raise InputError(key="space", found=space, allowed="Space(...)")
    plain = Space()
    for key in ("mutant", "width"):
        if getattr(space, key) != getattr(plain, key):
            raise InputError(
                key=f"space.{key}",
                found=getattr(space, key),
                allowed="in a Population only, not of a patient",
            )
    space._resolve()
    return {
        key: asdict(value) if isinstance(value, Reach) else value
        for key in ("dimensions", "neighbourhood", "placement", "depth", "nutrient", "drug")
        if (value := getattr(space, key)) is not None
    }


def _usual_biopsy() -> dict[str, Any]:
    """Read the genes of the core set in blood, so that there is something to see."""
    known = Knowledge.shipped()
    return {"genes": genes_in_blood(known, known.core_alterations)}


def genes_in_blood(knowledge: Knowledge, alterations: Sequence[str]) -> list[str]:
    """Return the genes of some alterations that DNA shows, each once."""
    known = [knowledge.alterations[name] for name in alterations]
    return list(dict.fromkeys(alteration.gene for alteration in known if alteration.in_dna))


def _put_in_play(tables: dict[str, Any], founder: Sequence[str]) -> None:
    is_list = isinstance(founder, Sequence) and not isinstance(founder, str)
    if not is_list or not all(isinstance(name, str) for name in founder):
        raise InputError(key="founder", found=founder, allowed="a list of alterations")
    if not founder:
        return
    in_play = tables.get("alterations") or Knowledge.shipped().core_alterations
    tables["alterations"] = list(dict.fromkeys([*in_play, *founder]))


def _choose_arm(tables: dict[str, Any], strategy: Strategy) -> int | None:
    """Return the index of the arm; lines given by the caller become the only one."""
    if callable(strategy):
        return None
    if strategy is None:
        return 0
    arms = tables.get("arm")
    names = [str(arm.get("name")) for arm in arms] if isinstance(arms, list) else []
    if isinstance(strategy, str):
        if strategy not in names:
            raise InputError(key="strategy", found=strategy, allowed=names)
        return names.index(strategy)
    if is_whole(strategy):
        if not 0 <= strategy < len(names):
            raise InputError(key="strategy", found=strategy, allowed=f"from 0 to {len(names) - 1}")
        return int(strategy)
    if isinstance(strategy, Sequence):
        tables["arm"] = [{"name": "by hand", "line": [_line(line) for line in strategy]}]
        tables.pop("control", None)
        return 0
    raise InputError(
        key="strategy", found=strategy, allowed="the name or number of an arm, a list of regimens, or a rule"
    )


def _line(line: Any) -> Any:
    """Accept a drug, a list of drugs, or a line as in TOML."""
    if isinstance(line, str) or (isinstance(line, Mapping) and "drug" in line):
        return {"regimen": [line]}
    if isinstance(line, Sequence):
        return {"regimen": list(line)}
    return line


def _given(
    covariates: Mapping[str, Any] | None, founder: Sequence[str] | None, experiment: Experiment
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    cell: dict[str, float] = {}
    sites: dict[str, bool] = {}
    pathway = experiment.knowledge.pathway
    if covariates is not None and not isinstance(covariates, Mapping):
        raise InputError(key="covariates", found=covariates, allowed="a table of names and values")
    for key, value in (covariates or {}).items():
        known = [*_COVARIATES, *experiment.knowledge.sites, *pathway.drawn]
        if key not in known:
            raise InputError(key="covariates", found=key, allowed=known)
        where = f"covariates.{key}"
        if key in pathway.drawn:
            is_flag = experiment.population.covariate[key].is_flag
            cell[key] = (
                float(_flag(where, value)) if is_flag else _within(where, value, pathway.covariates[key])
            )
        elif key in experiment.knowledge.sites:
            sites[key] = _flag(where, value)
        elif key == "target_lesions":
            if not is_whole(value) or not 1 <= value <= 5:
                raise InputError(key=where, found=value, allowed="1 to 5 lesions")
            given[key] = int(value)
        else:
            given[key] = _number(where, value)
    at_diagnosis, lethal = given.get("diagnosis_volume_cm3"), given.get("lethal_volume_cm3")
    if at_diagnosis is not None and lethal is not None and lethal <= at_diagnosis:
        raise InputError(
            key="covariates.lethal_volume_cm3",
            found=lethal,
            allowed=f"above the volume at diagnosis, {at_diagnosis:g} cm3",
        )
    if founder is not None:
        given["founder"] = list(founder)
    return {**given, "sites": sites, "cell": cell}


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise InputError(key=where, found=value, allowed="true or false")
    return bool(value)


def _within(where: str, value: Any, described: Described) -> float:
    number = _number(where, value)
    if not described.low <= number <= described.high:
        raise InputError(key=where, found=number, allowed=f"from {described.low:g} to {described.high:g}")
    return number


def _scale_mutation(spec: dict[str, Any], fold: float) -> None:
    fold = _number("mutation_rate", fold)
    if fold < 0:
        raise InputError(key="mutation_rate", found=fold, allowed="at least 0")
    for alteration in spec["alterations"]:
        for key in _HIT_RATES:
            if key in alteration["origin"]:
                alteration["origin"][key] = min(1.0, alteration["origin"][key] * fold)


def _number(key: str, value: Any) -> float:
    if not is_real(value):
        raise InputError(key=key, found=value, allowed="a number")
    if not is_finite(value):
        raise InputError(key=key, found=value, allowed="a finite number")
    return float(value)


def _patient(patient: Any) -> int:
    if not is_whole(patient) or not 0 <= patient < 2**63:
        raise InputError(key="patient", found=patient, allowed="a whole number of at least 0")
    return int(patient)
