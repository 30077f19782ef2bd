"""Tables as a resolved file holds them."""

from __future__ import annotations

from typing import Any

from tumor_abm.knowledge import Alteration, Drug, plain
from tumor_abm.knowledge.alteration import CopyNumber

_DOCUMENTATION = ("source", "note", "prevalence", "resistant_to", "sensitive_to", "toxicity", "given")


def tidy(table: Any) -> Any:
    """Return a table for a file, without what is not set or empty."""
    return without_empty(table.model_dump(exclude_none=True))


def without_empty(value: Any) -> Any:
    """Return a table without empty tables and lists."""
    if isinstance(value, dict):
        kept = {key: without_empty(inner) for key, inner in value.items()}
        # A regimen of no drug says something.
        return {key: inner for key, inner in kept.items() if inner not in ([], {}) or key == "regimen"}
    if isinstance(value, list):
        return [without_empty(inner) for inner in value]
    return value


def undocumented(entry: Drug | Alteration, *, sampled: bool = False) -> dict[str, Any]:
    """Return an entry of the knowledge for a file: what the simulation needs, and what it is."""
    table = {key: value for key, value in plain(entry).items() if key not in _DOCUMENTATION}
    if not sampled or (isinstance(entry, Alteration) and entry.copy_number == CopyNumber()):
        table.pop("copy_number", None)  # what DNA shows is asked for by samples alone
    if isinstance(entry, Drug):
        table["dose"] = {"value": entry.amount, "unit": entry.amount_unit}
        table["dose_levels"] = entry.dose_levels.value
    return table
