"""The cases of `reference.json`, and what it takes to agree with one.

Every seed follows from the one `SEED` and from what is run, so that no two runs share random numbers.
It is never changed to make a test pass: thresholds are wide (4.5 standard errors, p > 1e-6), so a
failure means a bias or a bug.
"""

import datetime
import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from numpy.typing import ArrayLike
from verification.ledger import Comparison, Ledger, number, usually_compared, within
from verification.samples import chi_square_p

SEED = 20_260_417
REFERENCE = Path(__file__).with_name("reference.json")
# Cells push their neighbours aside, however many: every division finds room, as in a well-mixed tumour.
WELL_MIXED = ta.Space(dimensions=2, placement="push", depth=100_000)


def derived_seed(*names: object) -> int:
    """Give what is named so a seed of its own, the same on every run."""
    text = "/".join(str(name) for name in (SEED, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


LEDGER = Ledger()
_running: pytest.Item | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published or derived result, with the tolerance to which an engine must reproduce it.

    Every check is written into the ledger. Its engine is the one given, or the one that the test is
    parametrised or marked with, or the only one that the case names.
    """

    id: str
    section: str
    description: str
    params: dict[str, Any]
    statistic: str
    expected: Any
    tolerance: dict[str, Any]
    source: str
    note: str = ""
    engines: list[str] = field(default_factory=list)

    def check_mean(self, values: ArrayLike | pl.Series, *, engine: str | None = None) -> None:
        """The mean of independent replicates agrees."""
        values = np.asarray(values, dtype=float)
        self.check_estimate(float(values.mean()), values.size, engine=engine)

    def check_estimate(self, estimate: float, replicates: int, *, engine: str | None = None) -> None:
        """An estimate from so many replicates agrees."""
        assert self.tolerance["kind"] == "z"
        z, bias = self.tolerance["z"], self.tolerance["bias"]
        error, allowed = self._error(replicates), self.allowed(replicates)
        away = (estimate - self.expected) / error
        self.record(
            found=f"{number(estimate)} ({replicates:,} replicates, {away:+.2f} SE)",
            tolerance=within(allowed, self.expected, f"{z} SE{f' + {bias:.3g}' if bias else ''}"),
            passed=abs(estimate - self.expected) <= allowed,
            engine=engine,
        )

    def _error(self, replicates: int) -> float:
        return float(self.tolerance["sd"]) / math.sqrt(replicates)

    def allowed(self, replicates: int) -> float:
        """How far from the expected value the mean of so many replicates may be."""
        return float(self.tolerance["bias"]) + float(self.tolerance["z"]) * self._error(replicates)

    def check_law(
        self, observed: ArrayLike, probabilities: ArrayLike | None = None, *, engine: str | None = None
    ) -> None:
        """Counts of replicates per cell agree with the law (by default `expected`)."""
        assert self.tolerance["kind"] == "chi2"
        probabilities = np.asarray(self.expected if probabilities is None else probabilities)
        p = chi_square_p(observed, probabilities)
        self.record(
            expected=f"law over {probabilities.size} values: {number(probabilities)}",
            found=f"chi-square p = {p:.2g} ({int(np.sum(observed)):,} replicates)",
            tolerance=f"p > {self.tolerance['alpha']:g}",
            passed=p > self.tolerance["alpha"],
            engine=engine,
        )

    def check_counts(self, values: ArrayLike | pl.Series, *, engine: str | None = None) -> None:
        """Replicates of a count agree with a law over 0, 1, ..., whose last cell is the tail."""
        last = len(self.expected) - 1
        values = np.minimum(np.asarray(values).astype(np.int64), last)
        self.check_law(np.bincount(values, minlength=last + 1), engine=engine)

    def check_value(self, value: ArrayLike, **row: str) -> None:
        """A number without chance agrees."""
        kind, size = self.tolerance["kind"], self.tolerance.get("value", 0.0)
        assert kind in ("abs", "rel", "exact")
        rtol, atol = (size, 0) if kind == "rel" else (0, size)
        self.record(
            found=value,
            tolerance=f"{kind} {size:g}" if size else "exact",
            passed=np.allclose(value, self.expected, rtol=rtol, atol=atol),
            **row,
        )

    def check_formula(self, value: ArrayLike, rel: float = 1e-12, expected: ArrayLike | None = None) -> None:
        """The package's own closed form gives the expected value."""
        expected = self.expected if expected is None else expected
        passed = np.allclose(value, expected, rtol=rel, atol=0)
        self.record(found=value, expected=expected, tolerance=f"rel {rel:g}", passed=passed, engine="theory")

    def record(
        self,
        *,
        found: Any,
        tolerance: str,
        passed: bool | np.bool_,
        expected: Any = None,
        what: str | None = None,
        engine: str | None = None,
        compared: str | None = None,
    ) -> None:
        """Write a comparison into the ledger, and fail if it does not agree.

        What is compared is one of `COMPARED`; by default what a row of this engine usually is.
        """
        engine = engine or _engine_of(self)
        comparison = Comparison(
            case=self.id,
            section=self.section,
            what=self.statistic if what is None else what,
            source=self.source,
            compared=compared or usually_compared(engine),
            engine=engine,
            expected=number(self.expected if expected is None else expected),
            found=number(found),
            tolerance=tolerance,
            passed=bool(passed),
        )
        if comparison not in LEDGER.comparisons:
            LEDGER.comparisons.append(comparison)
        assert passed, comparison


def _parameter() -> str | None:
    assert _running is not None
    parameters = getattr(_running, "callspec", None)
    return None if parameters is None else parameters.params.get("engine")


def _engine_of(case: Case) -> str:
    if (engine := _parameter()) is not None:
        return engine
    if (marker := _running.get_closest_marker("engine")) is not None:
        return str(marker.args[0])
    if len(case.engines) == 1:
        return case.engines[0]
    assert "simulate" in _running.fixturenames, f"{case.id}: which engine?"
    return "clones"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--verification-table", type=Path, metavar="PATH", help="write every comparison into this page"
    )
    parser.addoption(
        "--verified-by", type=Path, metavar="PATH", help="ask that every comparison stands in this page"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine(name): the engine whose results the test compares")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global _running
    _running = item


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    # Not options when pytest meets this directory on its way through others.
    page = session.config.getoption("--verified-by", default=None)
    if page is not None and exitstatus == 0 and (strangers := LEDGER.not_in(page)):
        raise pytest.UsageError(f"{page} does not have {strangers}: commit what make verify writes")
    path = session.config.getoption("--verification-table", default=None)
    if path is not None and exitstatus == 0:
        missing = missing_comparisons(_cases(), LEDGER.comparisons)
        if missing:
            raise pytest.UsageError(f"not compared, so no table is written: {missing}")
        run = f"{datetime.date.today():%Y-%m-%d} with version {ta.__version__}"
        LEDGER.write(path, _cases(), SEED, run=run)


def missing_comparisons(cases: dict[str, Case], made: Iterable[Comparison]) -> list[str]:
    """Cases with an engine that they name and were not compared on."""
    seen = {(row.case, row.engine) for row in made if row.passed}
    return [
        f"{case.id} on {engine}"
        for case in cases.values()
        for engine in case.engines
        if (case.id, engine) not in seen
    ]


@functools.cache
def _cases() -> dict[str, Case]:
    return {case["id"]: Case(**case) for case in json.loads(REFERENCE.read_text())["cases"]}


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    """All cases by id."""
    return _cases()


@pytest.fixture(scope="session")
def case(cases: dict[str, Case]) -> Callable[[str], Case]:
    """Look up a case."""
    return cases.__getitem__


@pytest.fixture(scope="session")
def finding() -> Callable[..., None]:
    """Compare and record what is not a case of `reference.json`."""

    def record(name: str, *, section: str, what: str, source: str, expected: Any, **comparison: Any) -> None:
        found = Case(
            id=name,
            section=section,
            description=what,
            params={},
            statistic=what,
            expected=expected,
            tolerance={},
            source=source,
        )
        found.record(**comparison)

    return record


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Give the test that runs a seed of its own."""
    return derived_seed(request.node.path.stem, request.node.name)


@pytest.fixture(scope="session")
def seed_of() -> Callable[..., int]:
    """Give a seed of its own to what is named so; for runs that several tests share."""
    return derived_seed


@pytest.fixture(scope="session")
def engine() -> str:
    """Give the engine of `simulate`; a test that is parametrised with another runs on that."""
    return "clones"


@pytest.fixture(scope="session")
def simulate(engine: str) -> Callable[..., pl.DataFrame]:
    """Run `tumor_abm.replicate` with a seed of its own, on the lattice with room for every division.

    The seed follows from engine and law, so engines that are compared draw independently. The engine is
    that of the test that runs, which is asked for when it runs: a fixture of the session may be kept from
    a test with another engine.
    """

    def run(**law: Any) -> pl.DataFrame:
        engine = law.get("engine") or _parameter() or "clones"
        space = {"space": WELL_MIXED} if engine == "lattice" else {}
        law = {"engine": engine, **space, **law}
        return ta.replicate(**{"seed": derived_seed(sorted(law.items())), "threads": 2, **law})

    return run


@pytest.fixture(scope="session")
def p_of_law() -> Callable[[ArrayLike, ArrayLike], float]:
    """Chi-square test against a law that is no case."""
    return chi_square_p
