"""The cases of `reference.json`, and what it takes to agree with one.

Every test uses the one `SEED`. It is never changed to make a test pass: thresholds are wide
(4.5 standard errors, p > 1e-6), so a failure means a bias or a bug.
"""

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from numpy.typing import ArrayLike
from scipy import stats

SEED = 20_260_417
REFERENCE = Path(__file__).with_name("reference.json")


def chi_square_p(observed: ArrayLike, probabilities: ArrayLike) -> float:
    """p of a chi-square test; cells are pooled, rarest first, until each expects at least 5."""
    observed, probabilities = np.asarray(observed, dtype=float), np.asarray(probabilities, dtype=float)
    assert observed.shape == probabilities.shape
    assert math.isclose(probabilities.sum(), 1, abs_tol=1e-9), "the cells must cover everything"
    order = np.argsort(probabilities, kind="stable")
    expected = probabilities[order] * observed.sum()
    starts, pooled = [0], 0.0
    for cell, size in enumerate(expected):
        if pooled >= 5:
            starts.append(cell)
            pooled = 0.0
        pooled += size
    assert len(starts) > 1, "too few observations to test anything"
    seen = np.add.reduceat(observed[order], starts)
    wanted = np.add.reduceat(expected, starts)
    return float(stats.chi2.sf(np.sum((seen - wanted) ** 2 / wanted), len(starts) - 1))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published or derived result, with the tolerance to which an engine must reproduce it."""

    id: str
    section: str
    description: str
    params: dict[str, Any]
    statistic: str
    expected: Any
    tolerance: dict[str, Any]
    source: str
    note: str = ""

    def check_mean(self, values: ArrayLike | pl.Series) -> None:
        """The mean of independent replicates agrees."""
        values = np.asarray(values, dtype=float)
        self.check_estimate(float(values.mean()), values.size)

    def check_estimate(self, estimate: float, replicates: int) -> None:
        """An estimate from so many replicates agrees."""
        assert self.tolerance["kind"] == "z"
        error = self.tolerance["sd"] / math.sqrt(replicates)
        allowed = self.tolerance["bias"] + self.tolerance["z"] * error
        assert abs(estimate - self.expected) <= allowed, (
            f"{self.id}: {estimate} against {self.expected}, allowed {allowed:.3g}, "
            f"{(estimate - self.expected) / error:+.2f} standard errors"
        )

    def check_law(self, observed: ArrayLike, probabilities: ArrayLike | None = None) -> None:
        """Counts of replicates per cell agree with the law (by default `expected`)."""
        assert self.tolerance["kind"] == "chi2"
        p = chi_square_p(observed, self.expected if probabilities is None else probabilities)
        assert p > self.tolerance["alpha"], f"{self.id}: p = {p:.3g}"

    def check_counts(self, values: ArrayLike | pl.Series) -> None:
        """Replicates of a count agree with a law over 0, 1, ..., whose last cell is the tail."""
        last = len(self.expected) - 1
        values = np.minimum(np.asarray(values).astype(np.int64), last)
        self.check_law(np.bincount(values, minlength=last + 1))

    def check_value(self, value: ArrayLike) -> None:
        """A number without chance agrees."""
        kind, size = self.tolerance["kind"], self.tolerance.get("value", 0.0)
        assert kind in ("abs", "rel", "exact")
        np.testing.assert_allclose(
            value, self.expected, rtol=size if kind == "rel" else 0, atol=size if kind == "abs" else 0
        )


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    """All cases by id."""
    return {case["id"]: Case(**case) for case in json.loads(REFERENCE.read_text())["cases"]}


@pytest.fixture(scope="session")
def case(cases: dict[str, Case]) -> Callable[[str], Case]:
    """Look up a case."""
    return cases.__getitem__


@pytest.fixture(scope="session")
def seed() -> int:
    """Give the one seed."""
    return SEED


@pytest.fixture(scope="session")
def engine() -> str:
    """Give the engine of `simulate`; a test that is parametrised with another runs on that."""
    return "clones"


@pytest.fixture(scope="session")
def simulate(engine: str) -> Callable[..., pl.DataFrame]:
    """Run `tumor_abm.replicate` with the one seed."""
    return functools.partial(ta.replicate, seed=SEED, threads=2, engine=engine)


@pytest.fixture(scope="session")
def p_of_law() -> Callable[[ArrayLike, ArrayLike], float]:
    """Chi-square test against a law that is no case."""
    return chi_square_p
