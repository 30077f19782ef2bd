"""Measure what a patient costs, against baselines of the same run, and write docs/performance.md.

python -m benchmarks.performance [PAGE]: without a page it is printed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import mesa
import numpy as np
import tumor_abm
from numpy.typing import NDArray
from tumor_abm import _core
from tumor_abm._base.files import write_whole
from tumor_abm._base.frames import frame
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.knowledge import Knowledge

from benchmarks import numpy_clones, python_clones
from benchmarks.mesa_cells import MesaCells
from tools.markdown import paragraph, table

ROOT = Path(__file__).parents[1]
MAIN = ROOT / "experiments" / "cdk46_first_or_second_line.toml"
ROUNDS = 3
FIRST = (["letrozole", "palbociclib"], ["letrozole"], ["fulvestrant"], ["letrozole", "ribociclib"])
LATER = (["fulvestrant"], ["capecitabine"])
CELLS_PER_CM3 = 1e10 / 48
LETHAL_FOLD = 20
DIVISION, DEATH, MUTATION = 0.045, 0.033, 1e-8
"""Of the baselines, per day and per division: those of the median patient."""
TYPES, TUMOURS, STEPS, MESA_CELLS = 20, 100, 20, 20_000
LOOKED_AT, EVERY_DAYS = 3, 28
GOAL_MS, MOONSHOT_MS, GOAL_FOLD = 15, 5, 3


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is asked of a patient. Follow-up ends with death or after so many years."""

    cells: float = 1e10
    arms: int = 2
    lines: int = 3
    all_alterations: bool = False
    years: int = 10
    patients: int = 10

    @property
    def alterations(self) -> list[str]:
        """The alterations in play."""
        known = Knowledge.shipped().alterations
        return list(known) if self.all_alterations else [each["name"] for each in _core_set()]

    def core(self) -> dict[str, Any]:
        """The experiment as the core reads it. Patients are alike in volumes, and die of nothing else."""
        tables = {
            "title": "cost",
            "question": "What does a patient cost?",
            "seed": 1,
            "population": "first_line_postmenopausal",
            "alterations": self.alterations,
            "trajectory_every_days": 0,
            "horizon_months": 12 * self.years,
            "arm": [
                {
                    "name": " + ".join(first),
                    "line": [{"regimen": drugs} for drugs in (first, *LATER)[: self.lines]],
                }
                for first in FIRST[: self.arms]
            ],
        }
        core = Experiment.from_dict(tables).to_core()
        volume = self.cells / CELLS_PER_CM3
        core["population"] |= {
            "diagnosis_volume_cm3": _fixed(volume),
            "lethal_volume_cm3": _fixed(LETHAL_FOLD * volume),
            "other_death_per_year": 0.0,
            "loss_to_follow_up_per_year": 0.0,
        }
        return core


BASE = Design()
FEWER = Design(arms=1, years=2, patients=2)
ROWS: Mapping[str, Mapping[str, Design]] = {
    "tumour cells at diagnosis": {
        f"{n:.0e}".replace("+", ""): replace(BASE, cells=n) for n in (1e8, 1e10, 1e12)
    },
    "arms": {str(n): replace(BASE, arms=n) for n in (1, 2, 4)},
    "lines": {str(n): replace(BASE, lines=n) for n in (1, 2, 3)},
    "alterations": {"core set": FEWER, "everything on": replace(FEWER, all_alterations=True)},
    "years of follow-up": {str(n): replace(BASE, years=n) for n in (2, 5, 10)},
}
"""The tables of the page: what is varied, and its values."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a patient: CPU by round; days of growth, and of follow-up in all arms; genotypes alive in it."""

    ms: tuple[float, ...]
    growth_days: float
    followed_days: float
    genotypes: float

    @property
    def genotype_days(self) -> float:
        """Days that genotypes lived, half as many while the tumour grew to diagnosis."""
        return self.genotypes * (self.followed_days + self.growth_days / 2)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything on the page; what the law of a day costs: of a genotype by counts, of a cell by agents."""

    costs: Mapping[Design, Cost]
    numpy_us: float
    python_us: float
    mesa_us: float
    shipped_ms: tuple[float, ...]
    spread: float
    machine: str


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(rounds: int = ROUNDS) -> Measured:
    """Measure all rows by turns, so that a busy machine is busy for all of them."""
    every = {design for rows in ROWS.values() for design in rows.values()}
    designs = {design: _core.Experiment(json.dumps(design.core())) for design in every}
    shipped = _core.Experiment(json.dumps(load_experiment(MAIN).to_core()))
    found: dict[Design, list[tuple[float, float, float]]] = {design: [] for design in designs}
    of_shipped, laws = [], []
    for _ in range(rounds):
        for design, experiment in designs.items():
            found[design].append(lived(experiment, design.patients))
        of_shipped.append(lived(shipped, BASE.patients)[0])
        laws.append((numpy_us(), python_us(), mesa_us()))
    law = [statistics.median(each) for each in zip(*laws, strict=True)]
    one_by_one = [cpu(lambda at=at: shipped.simulate(at, 1, 1)) for at in range(BASE.patients)]
    return Measured(
        costs={
            design: Cost(
                ms=tuple(ms for ms, *_ in each),
                growth_days=each[0][1],
                followed_days=each[0][2],
                genotypes=alive(designs[design], design),
            )
            for design, each in found.items()
        },
        numpy_us=law[0],
        python_us=law[1],
        mesa_us=law[2],
        shipped_ms=tuple(of_shipped),
        spread=float(np.std(one_by_one) / np.mean(one_by_one)) / BASE.patients**0.5,
        machine=machine(),
    )


def lived(experiment: Any, patients: int) -> tuple[float, float, float]:
    """CPU milliseconds of a patient; days of growth, and of follow-up in all arms."""
    start = time.process_time()
    streams = experiment.simulate(0, patients, 1)
    spent = time.process_time() - start
    grown, followed = frame(streams["patients"])["growth_days"], frame(streams["overall"])["os_months"]
    return 1e3 * spent / patients, float(grown.mean()), float(followed.sum()) * DAYS_PER_MONTH / patients


def alive(experiment: Any, design: Design) -> float:
    """Genotypes alive on a day of follow-up, the mean of a few patients in all arms."""
    seen = []
    for number in range(min(LOOKED_AT, design.patients)):
        for arm in range(design.arms):
            patient = experiment.patient(number, arm)
            while patient.status == "followed":
                seen.append(len(patient.composition()))
                patient.step(EVERY_DAYS)
    return statistics.mean(seen)


def numpy_us() -> float:
    """Microseconds for a day of a genotype: counts of many tumours at once, in numpy arrays."""
    rng = np.random.default_rng(1)
    mutation = np.full((TYPES, TYPES), MUTATION / TYPES)
    counts = np.tile(_counts(), (TUMOURS, 1))
    spent = cpu(lambda: [numpy_clones.step(rng, counts, DIVISION, DEATH, mutation) for _ in range(STEPS)])
    return 1e6 * spent / (STEPS * TUMOURS * TYPES)


def python_us() -> float:
    """Microseconds for a day of a genotype: counts of one tumour in plain Python."""
    rng, counts = Random(1), _counts().tolist()
    spent = cpu(
        lambda: [python_clones.step(rng, counts, DIVISION, DEATH, MUTATION) for _ in range(10 * STEPS)]
    )
    return 1e6 * spent / (10 * STEPS * TYPES)


def mesa_us() -> float:
    """Microseconds for a day of a cell, an agent each."""
    model = MesaCells(MESA_CELLS, DIVISION, DEATH, seed=1)
    return 1e6 * cpu(model.step) / MESA_CELLS


def _counts() -> NDArray[np.int64]:
    """Cells of each type, from a few to the whole tumour."""
    return np.logspace(1, 10, TYPES).astype(np.int64)


def machine() -> str:
    """What was measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    processor = named[1] if named else platform.processor() or platform.machine()
    versions = f"tumor_abm {tumor_abm.__version__}, Python {platform.python_version()}"
    return f"{platform.machine()}, {processor}, {os.cpu_count()} processors; {versions}, " + (
        f"numpy {np.__version__}, Mesa {mesa.__version__}"
    )


def page(measured: Measured) -> str:
    """Fill the template."""
    filled = {
        "machine": paragraph(
            f"Measured on {measured.machine}; others used this machine as well. Times are of this machine, "
            "ratios are against baselines of the same run."
        ),
        "patients": str(BASE.patients),
        "fewer": str(FEWER.patients),
        "rounds": str(ROUNDS),
        "spread": f"{measured.spread:.0%}",
        "tables": "\n".join(_table(varied, measured) for varied in ROWS),
        "numpy": f"{measured.numpy_us:.2f}",
        "python": f"{measured.python_us:.1f}",
        "mesa": f"{measured.mesa_us:.1f}",
        "goals": _goals(measured),
    }
    template = Path(__file__).with_name("performance.md.in").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)


def _table(varied: str, measured: Measured) -> str:
    least = statistics.median(measured.costs[next(iter(ROWS[varied].values()))].ms)
    rows = []
    for value, design in ROWS[varied].items():
        cost = measured.costs[design]
        ms = statistics.median(cost.ms)
        us = 1e3 * ms
        days = cost.growth_days + cost.followed_days
        agents_us = measured.mesa_us * design.cells / (DIVISION - DEATH)
        rows.append(
            (
                value,
                f"{ms:,.1f} ms",
                f"{(max(cost.ms) - min(cost.ms)) / 2 / ms:.0%}",
                f"{ms / least:,.1f} x",
                f"{days:,.0f}",
                f"{cost.genotypes:,.0f}",
                f"{us / cost.genotype_days:.2f} µs",
                *(
                    f"{law * cost.genotype_days / us:.1f} x"
                    for law in (measured.numpy_us, measured.python_us)
                ),
                f"{agents_us / us:.0e} x".replace("e+", "e"),
            )
        )
    measures = ("a patient", "noise", "over the first", "days", "genotypes", "a genotype's day")
    return table((varied, *measures, "numpy", "plain Python", "Mesa"), rows)


def _goals(measured: Measured) -> str:
    ms = statistics.median(measured.shipped_ms)
    core, everything = (
        statistics.median(measured.costs[design].ms) for design in ROWS["alterations"].values()
    )
    fold = everything / core
    rows = [
        ("a patient x 2 arms x 3 lines, as shipped", f"{ms:.1f} ms", f"{GOAL_MS} ms", _met(ms <= GOAL_MS)),
        ("the same, as a moonshot", f"{ms:.1f} ms", f"{MOONSHOT_MS} ms", _met(ms <= MOONSHOT_MS)),
        ("all alterations on, over the core set", f"{fold:.1f} x", f"{GOAL_FOLD} x", _met(fold <= GOAL_FOLD)),
    ]
    return table(("what", "measured", "at most", ""), rows)


def _met(is_met: bool) -> str:
    return "reached" if is_met else "missed"


def _fixed(median: float) -> dict[str, float]:
    return {"median": median, "sigma": 0.0, "low": median, "high": median}


@cache
def _core_set() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load_experiment(MAIN).to_core()["alterations"]
    return found


def main() -> None:
    """Measure, and write the page."""
    text = page(measure())
    if len(sys.argv) > 1:
        write_whole(Path(sys.argv[1]), lambda draft: draft.write_text(text, encoding="utf-8"))
    else:
        print(text)


if __name__ == "__main__":
    main()
