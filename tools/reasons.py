"""Why the response matrix misses what the literature says: a reason for each claim."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from tumor_abm._base.sinks import markdown_text

FILE = Path(__file__).with_name("claims_missed.toml")
MISSED = ("too weak", "disagree")
NO_REASON = "no reason is written yet"

Claim = tuple[str, str]
"""Alteration and words."""


def reasons() -> Mapping[Claim, str]:
    """Return the reasons that are written, by claim."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["missed"]
    return {(entry["alteration"], entry["words"]): entry["why"] for entry in entries}


def missed(said: pl.DataFrame) -> list[Claim]:
    """Return the claims that are missed with some drug (see `tumor_abm.knowledge.claims.judged`)."""
    rows = said.filter(pl.col("verdict").is_in(MISSED))
    return list(rows.select("alteration", "words").unique(maintain_order=True).iter_rows())


def told(said: pl.DataFrame) -> list[str]:
    """Return a sentence for each claim that is missed: of what, and why."""
    known = reasons()
    return [
        f"{alteration}, \N{LEFT DOUBLE QUOTATION MARK}{markdown_text(words)}\N{RIGHT DOUBLE QUOTATION MARK}:"
        f" {known.get((alteration, words), NO_REASON)}."
        for alteration, words in missed(said)
    ]
