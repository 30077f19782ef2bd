"""The state of the page as the query of its address: it survives a reload, and can be sent to a colleague."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.deed import Deed
from tumor_abm.app.setup import ENGINES, INDIVIDUALS, OWN_LINES, RATES, Choices, seed_of
from tumor_abm.errors import InputError

MOST_DAY = 20_000.0
"""The last day that an address may ask for."""

MOST_DEEDS = 200
"""Deeds that an address may hold."""

_DAY, _DID = "day", "did"
_LISTS = ("lines", "founder", "covariates")


@dataclass(frozen=True, kw_only=True)
class Start:
    """What an address asks for.

    Attributes
    ----------
    choices
        Patient and strategy.
    deeds
        What is done by hand.
    day
        The day that is shown, since enrolment.
    """

    choices: Choices
    deeds: tuple[Deed, ...] = ()
    day: float = 0.0


def first_choices(catalogue: Catalogue) -> Choices:
    """Return what is chosen when the address says nothing."""
    first = catalogue.arms[0]
    usual = Choices(
        population=catalogue.experiment.population_name, strategy=first, lines=catalogue.drugs_of_lines(first)
    )
    if catalogue.cohort is None:
        return usual
    patient = min(catalogue.cohort.patients, default=0)
    return replace(usual, patient=patient, seed=str(catalogue.tables["seed"]))


def query_of(choices: Choices, deeds: Iterable[Deed], day: float, usual: Choices) -> str:
    """Write the state as a query; what is as usual is left out, but for patient and seed."""
    said: list[tuple[str, str]] = [("patient", str(choices.patient)), ("seed", choices.seed.strip())]
    for field in fields(Choices):
        value = getattr(choices, field.name)
        if field.name not in ("patient", "seed") and value != getattr(usual, field.name):
            said.append((field.name, _written(value)))
    said += [(_DID, deed.written()) for deed in deeds]
    if day > 0:
        said.append((_DAY, f"{day:g}"))
    return urlencode(said)


def start_of(query: str, catalogue: Catalogue) -> Start:
    """Read what `query_of` wrote.

    Raises
    ------
    InputError
        The query says something that cannot be; the message names the key.
    """
    usual = first_choices(catalogue)
    said = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    known = {field.name for field in fields(Choices)}
    changes: dict[str, Any] = {}
    deeds: list[Deed] = []
    day = 0.0
    for key, text in said:
        if key == _DID:
            deeds.append(Deed.read(text))
        elif key == _DAY:
            day = _number(key, text)
        elif key in known:
            changes[key] = _read(key, text)
    if len(deeds) > MOST_DEEDS:
        raise InputError(key=_DID, found=f"{len(deeds)} deeds", allowed=f"up to {MOST_DEEDS}")
    return Start(
        choices=_checked(Choices(**{**vars(usual), **changes}), catalogue), deeds=tuple(deeds), day=day
    )


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def _read(key: str, text: str) -> Any:
    """Return a value of `Choices` from its text."""
    if key in ("seed", "population", "engine", "strategy"):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(key=key, found=text[:60], allowed="what a link of the page says") from None
    if key == "lines" and _is_lines(value):
        return tuple(tuple(line) for line in value)
    if key == "founder" and (value is None or _is_names(value)):
        return None if value is None else tuple(value)
    if key == "covariates" and isinstance(value, dict):
        return value
    if key in _LISTS or isinstance(value, bool | list | dict | str) or value is None:
        raise InputError(key=key, found=text[:60], allowed="what a link of the page says")
    return value


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_names, value))


def _number(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST_DAY:
        raise InputError(key=key, found=text[:60], allowed=f"a number of days from 0 to {MOST_DAY:g}")
    return value


def _checked(choices: Choices, catalogue: Catalogue) -> Choices:
    """Return choices that the controls of the page can show."""
    seed_of(choices.seed)
    allowed: dict[str, Iterable[Any]] = {
        "population": catalogue.populations,
        "strategy": [*catalogue.arms, OWN_LINES],
        "engine": list(ENGINES),
        "cells": INDIVIDUALS,
    }
    for key, values in allowed.items():
        if getattr(choices, key) not in values:
            raise InputError(key=key, found=getattr(choices, key), allowed=values)
    if (
        not isinstance(choices.mutation_rate, int | float)
        or not RATES[0] <= choices.mutation_rate <= RATES[-1]
    ):
        raise InputError(
            key="mutation_rate", found=choices.mutation_rate, allowed=f"from {RATES[0]:g} to {RATES[-1]:g}"
        )
    if not isinstance(choices.patient, int) or not 0 <= choices.patient < 2**53:
        raise InputError(key="patient", found=choices.patient, allowed="a whole number of at least 0")
    unknown = [name for name in choices.founder or () if name not in catalogue.alterations]
    if unknown:
        raise InputError(key="founder", found=unknown[0], allowed=catalogue.alterations)
    return choices
