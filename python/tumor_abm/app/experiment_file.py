"""The present patient and what was done as an experiment, so that a batch run lives the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.deed import Deed
from tumor_abm.app.life import Life
from tumor_abm.app.setup import OWN_LINES, Choices, lines_of, seed_of
from tumor_abm.app.twin import Twin
from tumor_abm.config import Experiment

_HIT_RATES = ("per_division", "first_per_division", "second_per_division")


@dataclass(frozen=True)
class AsExperiment:
    """An experiment as text.

    Attributes
    ----------
    text
        The file.
    left_out
        What was chosen or done and cannot be said in an experiment, each in words.
    """

    text: str
    left_out: tuple[str, ...]


def as_experiment(life: Life) -> AsExperiment:
    """Return the life of a patient as an experiment of which the last patient is this one.

    Parameters
    ----------
    life
        One patient, or twins: an arm of each.
    """
    choices = life.choices
    assert choices is not None
    tables = _checked_tables(life, choices)
    tables["patients"] = choices.patient + 1
    tables["seed"] = seed_of(choices.seed)
    if choices.founder is not None:
        tables["population"]["founder"] = dict.fromkeys(choices.founder, 1.0)
    _scale_mutation(tables["alteration"], choices.mutation_rate)
    missing = left_out(life)
    head = "\n".join(
        [
            f"# Patient {choices.patient} of the page of tumor_abm: the last patient of this experiment.",
            "# tumor-abm run THIS_FILE --out DIR",
            *(f"# Not in this file: {what}" for what in missing),
            "",
            "",
        ]
    )
    return AsExperiment(head + tomli_w.dumps(tables), missing)


def left_out(life: Life) -> tuple[str, ...]:
    """Return what was chosen or done and cannot be said in an experiment, each in words."""
    return tuple(_left_out(life.choices, life.deeds)) if life.choices is not None else ()


def _checked_tables(life: Life, choices: Choices) -> dict[str, Any]:
    """Return the resolved tables of an experiment with the arms of the twins."""
    catalogue = life.catalogue
    written = dict(catalogue.tables)
    written["arm"] = _arms(life, choices)
    written.pop("control", None)
    written["alterations"] = life.twins[0].model.alterations
    if choices.population != catalogue.experiment.population_name:
        written["population"] = choices.population
    written |= choices.engine_tables()
    return Experiment.from_dict(written).resolved()


def _arms(life: Life, choices: Choices) -> list[dict[str, Any]]:
    """Return an arm for each twin."""
    if choices.strategy == OWN_LINES:
        arm: dict[str, Any] = {"name": OWN_LINES}
        plan: list[Any] = [{"regimen": drugs} for drugs in lines_of(choices.lines)]
    else:
        (arm,) = [arm for arm in life.catalogue.tables["arm"] if arm["name"] == choices.strategy]
        plan = life.catalogue.lines(choices.strategy)
    arms = []
    for twin, done in zip(life.twins, _histories(life.deeds), strict=True):
        lines = _lines(life, twin, plan, done) if done else list(plan)
        arms.append({**arm, "name": twin.name, "line": lines})
    if len(arms) > 1 and arms[0]["name"] == arms[1]["name"]:
        arms[1]["name"] += ", twin"
    return arms


def _histories(deeds: Iterable[Deed]) -> list[list[Deed]]:
    """Return, for each twin of today, what has changed its lines."""
    histories: list[list[Deed]] = [[]]
    for deed in deeds:
        if deed.kind == "line":
            histories[min(deed.twin, len(histories) - 1)].append(deed)
        elif deed.kind == "fork":
            histories.append([*histories[0], deed])
        elif deed.kind == "keep":
            histories = [histories[deed.twin]]
    return histories


def _lines(life: Life, twin: Twin, plan: Iterable[Any], done: list[Deed]) -> list[dict[str, Any]]:
    """Return the lines that were lived, each cut where it was left by hand, then what follows."""
    starts = twin.record.line_starts
    to_come = list(plan)
    lines: list[dict[str, Any]] = []
    by_day = {deed.day: deed for deed in done}
    for start in starts:
        deed = by_day.get(start)
        if deed is not None and lines:
            previous, began = lines[-1], starts[len(lines) - 1]
            lines[-1] = _cut(previous, start - began)
        if deed is not None and deed.kind == "line":
            lines.append({"regimen": list(deed.what)})
            continue
        if deed is not None:
            to_come = _plan_of(life, deed)
        if not to_come:
            break
        lines.append(to_come.pop(0))
    return [*lines, *to_come]


def _plan_of(life: Life, fork: Deed) -> list[Any]:
    name, *rest = fork.what
    return life.catalogue.lines(name) if not rest else [{"regimen": drugs} for drugs in lines_of(rest[0])]


def _cut(line: Mapping[str, Any], days: float) -> dict[str, Any]:
    """Return a line that is left after so many days."""
    months = (days - 0.5) / DAYS_PER_MONTH
    return {**line, "until": {**line.get("until", {}), "months": months}}


def _scale_mutation(alterations: Mapping[str, Any], fold: float) -> None:
    for alteration in alterations.values():
        origin = alteration["origin"]
        for key in _HIT_RATES:
            if key in origin:
                origin[key] = min(1.0, origin[key] * fold)


def _left_out(choices: Choices, deeds: Iterable[Deed]) -> Iterable[str]:
    if choices.covariates:
        said = ", ".join(f"{key} = {value}" for key, value in choices.covariates.items())
        yield f"values set for this patient alone ({said})"
    for deed in deeds:
        if deed.kind in ("change", "stop", "hold", "resume"):
            drugs = ", ".join(each if isinstance(each, str) else each["drug"] for each in deed.what)
            yield f"day {deed.day:g}, {deed.kind} within a line: {drugs or 'all drugs'}"
