"""Newick of large trees: the same text as by plain recursion."""

from __future__ import annotations

import numpy as np
import pytest
from tumor_abm.evolution.genealogy import _newick


def plainly(parents: np.ndarray, length: np.ndarray, named: np.ndarray) -> str:
    below: list[list[str]] = [[] for _ in parents]
    roots = []
    for node in range(len(parents) - 1, -1, -1):
        inner = f"({','.join(reversed(below[node]))})" if below[node] else ""
        written = f"{inner}{node if named[node] else ''}:{length[node]:.10g}"
        (below[parents[node]] if parents[node] >= 0 else roots).append(written)
    return "\n".join(f"{root};" for root in reversed(roots))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 500])
def test_trees_are_written_as_by_plain_recursion(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(20):
        parents = np.array(
            [-1 if k == 0 or rng.random() < 0.05 else rng.integers(0, k) for k in range(count)],
            dtype=np.int64,
        )
        length, named = rng.random(count).round(2) * 10, rng.random(count) < 0.6
        assert _newick(parents, length, named) == plainly(parents, length, named)
