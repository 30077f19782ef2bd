"""Which drugs are usually given together: the pairs of the shipped trials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tumor_abm._base.toml import read_toml
from tumor_abm.config.named import files
from tumor_abm.knowledge import Knowledge


def usual_pairs(knowledge: Knowledge | None = None) -> list[tuple[str, str]]:
    """Return the pairs of drugs that are a regimen of a trial, in the order of the drugs.

    Parameters
    ----------
    knowledge
        Whose drugs; the package's when ``None``. Drugs that only a trial knows are in no pair.
    """
    drugs = list((knowledge or Knowledge.shipped()).drugs)
    found: dict[frozenset[str], list[str]] = {}
    for path in files().values():
        for regimen in _regimens(read_toml(path)):
            if len(set(regimen)) == 2 and set(regimen) <= set(drugs):
                found.setdefault(frozenset(regimen), regimen)
    return sorted(((first, second) for first, second in found.values()), key=lambda p: [*map(drugs.index, p)])


def _regimens(written: Any) -> Iterator[list[str]]:
    """Yield every regimen of an experiment, wherever it stands, by the names of its drugs."""
    if isinstance(written, list):
        for entry in written:
            yield from _regimens(entry)
    elif isinstance(written, dict):
        for key, entry in written.items():
            if key == "regimen":
                yield [part if isinstance(part, str) else part["drug"] for part in entry]
            else:
                yield from _regimens(entry)
