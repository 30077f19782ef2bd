"""A model in a file: the core's bytes, and what Python adds to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import tumor_abm._core as _core
from tumor_abm._base.archive import read_archive, write_archive
from tumor_abm._base.problems import plainly
from tumor_abm.errors import InputError
from tumor_abm.model.bare import Bare, Core

_PATIENT, _POPULATION, _NOTES = "patient.bin", "population.bin", "model.json"

FORMAT = 5
"""Of what Python adds."""


def write(path: Path, core: Core, notes: dict[str, Any]) -> None:
    """Write a model to a file, whole or not at all."""
    if isinstance(core, Bare):
        name, (state, bare) = _POPULATION, core.saved()
        notes = {**notes, "bare": bare}
    else:
        name, state = _PATIENT, core.save()
    text = json.dumps({"format": FORMAT, **notes}, default=_plain)
    write_archive(path, {name: state, _NOTES: text.encode()})


def read(path: Path) -> tuple[Core, dict[str, Any]]:
    """Read what `write` wrote."""
    members = read_archive(path, "model")
    with sound(path):
        notes = json.loads(members[_NOTES])
        if notes.get("format") != FORMAT:
            raise InputError(found=f"format {notes.get('format')}", allowed=f"format {FORMAT}")
        bare = notes.get("bare")
        if bare is None:
            return _core.Patient.load(members[_PATIENT]), notes
        return Bare.restored(members[_POPULATION], bare), notes


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Say of a file from which no model can be made that it is none."""
    try:
        yield
    except InputError as error:
        raise error.in_file(path) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError):
        raise InputError("no saved model", file=path) from None
    except ValueError as error:
        raise InputError(f"no saved model: {plainly(str(error))}", file=path) from None


def _plain(value: Any) -> Any:
    """Write numbers of numpy as such; of what else no file can hold, nothing."""
    return value.item() if isinstance(value, np.generic) else None
