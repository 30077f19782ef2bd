"""The JSON schemas of experiments and of studies, with which an editor completes and checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic.json_schema import models_json_schema

from tumor_abm._base.files import write_text
from tumor_abm._base.table import Table
from tumor_abm.batch.batch_file import BatchFile
from tumor_abm.config.written import Written
from tumor_abm.knowledge import Alteration, Drug, PatientLaws
from tumor_abm.knowledge.constants import Imaging
from tumor_abm.knowledge.library import NETWORK
from tumor_abm.knowledge.quantity import Quantity
from tumor_abm.knowledge.source import Source
from tumor_abm.study.study import StudyFile

What = Literal["experiment", "study", "batch"]

FOLDER = Path(__file__).parent
"""Where the schemas lie that the files of the project name in their first line."""

_MODE: Literal["validation"] = "validation"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ENTRIES: dict[str, type[Table]] = {
    "drug": Drug,
    "alteration": Alteration,
    "source": Source,
    "pathway": Quantity,
    **NETWORK,
}
_FILES: dict[What, type[Table]] = {"study": StudyFile, "batch": BatchFile}
_CONSTANTS: dict[str, type[Table]] = {"imaging": Imaging}

Schema = dict[str, Any]


def json_schema(what: What = "experiment") -> Schema:
    """Return the JSON schema of the files of experiments, of studies of clonal evolution, or of batches."""
    if what != "experiment":
        return {"$schema": _DIALECT, **_FILES[what].model_json_schema()}
    overlays: list[type[Table]] = [*_ENTRIES.values(), *_CONSTANTS.values(), PatientLaws]
    refs, schema = models_json_schema([(Written, _MODE), *((model, _MODE) for model in overlays)])
    definitions: dict[str, Schema] = schema["$defs"]
    written = definitions.pop(_name(refs[Written, _MODE]))
    whole = set(_reached(written, definitions))
    for name, definition in definitions.items():
        if name not in whole:
            _allow_a_part(definition)
    keys = written["properties"]
    for key, model in _ENTRIES.items():
        keys[key]["additionalProperties"] = refs[model, _MODE]
    for key, model in _CONSTANTS.items():
        keys[key] = {"description": keys[key]["description"], **refs[model, _MODE]}
    keys["population"] = _population(keys["population"], definitions.pop("PatientLaws"))
    return {"$schema": _DIALECT, **written, "$defs": definitions}


def write_schemas(folder: Path = FOLDER) -> None:
    """Write all schemas into a folder."""
    for what in get_args(What):
        write_text(folder / f"{what}.json", json.dumps(json_schema(what), indent=1) + "\n")


def _population(named: Schema, table: Schema) -> Schema:
    text = {"type": "string"}
    own = {
        "base": text | {"description": "The population from which this one differs."},
        "name": text | {"description": "What it is called."},
    }
    table["properties"] = own | table["properties"]
    return {**named, "anyOf": [text, table]}


def _name(ref: Schema) -> str:
    return str(ref["$ref"]).rsplit("/", 1)[-1]


def _reached(schema: Any, definitions: dict[str, Schema]) -> Iterator[str]:
    """Yield the names of the definitions that a schema rests on."""
    waiting, seen = [schema], set()
    while waiting:
        at = waiting.pop()
        if isinstance(at, dict):
            if "$ref" in at and _name(at) not in seen:
                seen.add(_name(at))
                waiting.append(definitions[_name(at)])
            waiting.extend(at.values())
        elif isinstance(at, list):
            waiting.extend(at)
    yield from seen


def _allow_a_part(schema: Any) -> None:
    """Let a table lack keys, as one may that changes another."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.pop("required", None)
        for inner in schema.values():
            _allow_a_part(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _allow_a_part(inner)
