"""Small experiments, written in a line or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def arm(name: str, *lines: Any, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "line": [line if isinstance(line, Mapping) else {"regimen": line} for line in lines],
        **more,
    }


def experiment(*arms: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "A case",
        "question": "Is it right?",
        "patients": 40,
        "seed": 3,
        "arm": list(arms),
        **more,
    }
