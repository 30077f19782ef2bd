"""Tables of user-facing TOML: strict models, and how one table changes another."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Table(BaseModel):
    """A TOML table: known keys only, no silent conversions, no numbers that are not finite."""

    model_config = ConfigDict(
        strict=True, extra="forbid", allow_inf_nan=False, frozen=True, serialize_by_alias=True
    )

    # The key whose value may be written instead of the table.
    bare_key: ClassVar[str | None] = None

    @classmethod
    def keys(cls) -> list[str]:
        """Keys that a user may write."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def summary(cls) -> str:
        """Return what the table is: the first paragraph of its docstring."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0].split())

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what each key means, from the attributes of the docstrings of the model and its bases."""
        found: dict[str, str] = {}
        for model in reversed(cls.__mro__):
            if issubclass(model, Table):
                found |= _attributes(model.__doc__ or "")
        return found

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the keys, and allow what may be written instead of the table."""
        schema = handler(core_schema)
        table = handler.resolve_ref_schema(schema)
        table["description"] = cls.summary()
        meanings = cls.meanings()
        for key, described in table["properties"].items():
            if key in meanings:
                described["description"] = meanings[key]
        if cls.bare_key is not None:
            bare = {**table["properties"][cls.bare_key], "description": table["description"]}
            whole = dict(table)
            table.clear()
            table["anyOf"] = [bare, whole]
        return schema

    @classmethod
    def at(cls, path: Iterable[str | int]) -> type[Table] | None:
        """Return the model of the table at `path` below this one, if one is known."""
        annotation: Any = cls
        for step in path:
            annotation = _below(annotation, step)
        found = _bare(annotation)
        return found if isinstance(found, type) and issubclass(found, Table) else None


def _attributes(docstring: str) -> dict[str, str]:
    """Return what the section of attributes of a docstring says of each."""
    lines = inspect.cleandoc(docstring).splitlines()
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines[lines.index("Attributes") + 2 :] if "Attributes" in lines else []:
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
        elif names:
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return {name: text.replace("``", "`") for name, text in found.items()}


def _bare(annotation: Any) -> Any:
    """Strip ``Annotated`` and ``| None``."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not types.NoneType)
        else:
            return annotation


def _below(annotation: Any, step: str | int) -> Any:
    bare = _bare(annotation)
    if get_origin(bare) in (list, dict):
        return get_args(bare)[-1]
    if isinstance(bare, type) and issubclass(bare, Table):
        for name, field in bare.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
    return None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, table by table; anything but a table is replaced.

    A table whose ``kind`` changes is replaced whole, since its other keys belong to the old kind.

    Examples
    --------
    >>> merged({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"y": 3}, "b": [4]})
    {'a': {'x': 1, 'y': 3}, 'b': [4]}
    """
    result = dict(base)
    for key, change in changes.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(change, Mapping) and _same_kind(before, change):
            result[key] = merged(before, change)
        else:
            result[key] = change
    return result


def _same_kind(before: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return "kind" not in change or bool(before.get("kind") == change["kind"])
