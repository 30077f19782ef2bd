"""A model in a file: the core's bytes, and what Python adds to them."""

from __future__ import annotations

import copy
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import mesa

from tumor_abm import _core
from tumor_abm.errors import InputError
from tumor_abm.model.bare import Bare, Core

_PATIENT, _POPULATION, _NOTES = "patient.bin", "population.bin", "model.json"


def write(path: Path, core: Core, notes: dict[str, Any]) -> None:
    """Write a model to a file, whole or not at all."""
    if isinstance(core, Bare):
        name, (state, bare) = _POPULATION, core.saved()
        notes = {**notes, "bare": bare}
    else:
        name, state = _PATIENT, core.save()
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, state)
            archive.writestr(_NOTES, json.dumps(notes))
        draft.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=path) from None
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> tuple[Core, dict[str, Any]]:
    """Read what `write` wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            notes = json.loads(archive.read(_NOTES))
            bare = notes.get("bare")
            state = archive.read(_PATIENT if bare is None else _POPULATION)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from None
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError):
        raise InputError("no saved model, or one that is cut off or damaged", file=path) from None
    try:
        return (_core.Patient.load(state) if bare is None else Bare.restored(state, bare)), notes
    except ValueError as error:
        raise InputError(str(error), file=path) from None


def copied(collector: mesa.DataCollector) -> mesa.DataCollector:
    """Return a collector of the same things that holds what was collected so far."""
    twin = mesa.DataCollector()
    twin.__dict__.update(
        {
            key: value.copy() if isinstance(value, dict) else copy.copy(value)
            for key, value in vars(collector).items()
        }
    )
    twin.model_vars = {name: list(column) for name, column in collector.model_vars.items()}
    return twin


def plain_columns(collector: mesa.DataCollector) -> dict[str, list[Any]]:
    """Return collected columns whose reporter is the name of an attribute, which a file can hold."""
    return {
        name: column
        for name, column in collector.model_vars.items()
        if isinstance(collector.model_reporters.get(name), str)
    }


def restored(columns: dict[str, list[Any]]) -> mesa.DataCollector:
    """Return a collector that goes on with these columns."""
    collector = mesa.DataCollector({name: name for name in columns})
    collector.model_vars = columns
    return collector
