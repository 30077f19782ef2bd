"""Alterations that do the same: one stands for all of them in a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tumor_abm._base.problems import Problems
from tumor_abm.knowledge import Knowledge


def lumped(knowledge: Knowledge, alike: Sequence[str]) -> Knowledge:
    """Return knowledge in which the first of some alterations stands for all, and the others are not in play.

    Its rate and its share of founders are their sums. What it does is its own.
    """
    if not alike:
        return knowledge
    first, *others = alike
    rates = [_rate(knowledge, name) for name in alike]
    tables: dict[str, Any] = {
        "alteration": {
            **{name: {"core": False} for name in others},
            first: {"origin": {"per_division": {"value": sum(rates), "high": 1.0}}},
        },
        "population": {},
    }
    for name, population in knowledge.populations.items():
        share = sum(population.founder[one].value for one in alike if one in population.founder)
        found = {
            "value": min(share, 1.0),
            "high": 1.0,
            "unit": "share",
            "source": "assumed",
            "note": "together",
        }
        tables["population"][name] = {"founder": {first: found}}
    problems = Problems("alike")
    changed = knowledge.updated(tables, problems)
    problems.raise_if_any()
    return changed


def _rate(knowledge: Knowledge, alteration: str) -> float:
    """Per division; nothing of what takes two hits, which is founder more often than acquired."""
    rate = knowledge.alterations[alteration].origin.per_division
    return rate.value if rate else 0.0
