"""Lines of therapy in words, from an experiment as it was run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tumor_abm.strategy import Line


def line_in_words(line: Mapping[str, Any]) -> list[str]:
    """Say what a line gives, until when, and which rules it has: one clause each."""
    return Line.model_validate(line).in_words()
